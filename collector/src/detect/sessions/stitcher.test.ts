import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFieldTable } from '../../model/fields.ts';
import type { SessionKeys } from '../../model/session.ts';
import { Category, type SpanEvents } from '../../model/span-events.ts';
import type { Correlation } from '../correlate/correlation.ts';
import { madeFinding } from '../testing/made-finding.ts';
import { plainEvents } from '../testing/plain-events.ts';
import { Stitcher } from './stitcher.ts';
import type { StitcherBounds } from './stitcher-bounds.ts';

const seconds = 1_000_000_000n;
const none: SessionKeys = {
  previousResponse: '',
  response: '',
  givenCalls: [],
  madeCalls: [],
  prefixes: [],
  whole: '',
  isTold: false,
};

function stitcher(bounds: Partial<StitcherBounds> = {}, rules: readonly string[] = []) {
  const fields = createFieldTable();
  const correlations = rules.map((id) => ({ meta: { id, version: '1' } }) as Correlation);
  const stitching = new Stitcher({ fields, correlations, waitNanos: 30n * seconds, bounds, journalled: true });
  /** Calls at so many seconds, each in a trace of its own. */
  const events = (calls: Readonly<Record<number, Partial<SessionKeys>>>): SpanEvents => {
    const all = Object.entries(calls);
    const spans = all.map(([at]) => ({
      fields: { trace_id: at.padStart(32, '0'), span_id: at.padStart(16, '0') },
      categories: Category.llm,
      startNanos: BigInt(at) * seconds,
      endNanos: BigInt(at) * seconds,
    }));
    return { ...plainEvents(spans, (id) => fields.name(id)), sessionKeys: (span) => ({ ...none, ...all[span]![1] }) };
  };
  const send = (calls: Readonly<Record<number, Partial<SessionKeys>>>) => {
    const batch = events(calls);
    stitching.stitch(batch);
    return { batch, released: stitching.settle(batch, undefined) };
  };
  return { stitching, send, events };
}

function findingAt(at: number) {
  return madeFinding({
    traceId: String(at).padStart(32, '0'),
    spanId: String(at).padStart(16, '0'),
    conversationId: '',
  });
}

test('the row of a call that waits says what is known of it', () => {
  const { send } = stitcher();
  send({ 1: { whole: 'said', response: 'resp_0001' } });
  const { batch } = send({ 2: { prefixes: ['said'] }, 3: { previousResponse: 'resp_gone' } });
  assert.deepEqual(batch.sessions?.get(0), { id: '1'.padStart(32, '0'), source: 'prefix' });
  assert.equal(batch.sessions?.get(1)?.source, 'response');
});

test('what was found on a call that waits comes out with its session, once', () => {
  const { stitching, send, events } = stitcher();
  const batch = events({ 2: { previousResponse: 'resp_0001' } });
  stitching.stitch(batch);
  assert.ok(stitching.holdsFinding(findingAt(2)));
  assert.ok(!stitching.holdsFinding(findingAt(9)));
  assert.deepEqual(stitching.settle(batch, undefined), []);
  const { released } = send({ 1: { response: 'resp_0001' } });
  assert.deepEqual(
    released.flatMap(({ findings }) => findings.map(({ session }) => session)),
    [{ id: '1'.padStart(32, '0'), source: 'response' }],
  );
  assert.deepEqual(stitching.settle(undefined, undefined, 100n * seconds), []);
});

test('a link that comes too late leaves both sessions, and says that they are one', () => {
  const { stitching, send } = stitcher();
  send({ 1: { givenCalls: ['call_two'], madeCalls: ['call_three'] } });
  send({ 40: { madeCalls: ['call_of_another'] } });
  stitching.takeLinks();
  const { batch } = send({ 41: { givenCalls: ['call_of_another'], madeCalls: ['call_two'] } });
  const { batch: later } = send({ 42: { givenCalls: ['call_two'] } });
  const [one, other] = [batch.sessions!.get(0)!.id, later.sessions!.get(0)!.id];
  assert.notEqual(one, other);
  assert.ok(stitching.takeLinks().some((link) => link.includes(one) && link.includes(other)));
});

test('past the bound the oldest calls are decided before their time', () => {
  for (const bounds of [{ waitingMax: 2 }, { heldMax: 2 }]) {
    const { stitching, send, events } = stitcher(bounds);
    let out = 0;
    for (let at = 1; at <= 5; at++) {
      const batch = events({ [at]: { previousResponse: `resp_of_${at}` } });
      stitching.stitch(batch);
      stitching.holdsFinding(findingAt(at));
      out += stitching.settle(batch, undefined).length;
    }
    assert.deepEqual([out, stitching.stats().waiting, stitching.stats().hurried], [3, 2, 3]);
    assert.equal(send({ 40: {} }).released.length, 2);
  }
});

test('spans from the future do not end the wait of others', () => {
  const { stitching, events } = stitcher();
  const batch = events({ 1: { previousResponse: 'resp_gone' }, 9999: { madeCalls: ['call_of_it'] } });
  stitching.stitch(batch);
  stitching.settle(batch, 2n * seconds);
  assert.equal(stitching.stats().waiting, 1);
});

test('a journal that is replayed, and a snapshot, give the state that wrote them', () => {
  const { stitching, events } = stitcher();
  const [copy, restored] = [stitcher().stitching, stitcher().stitching];
  for (let at = 1; at <= 60; at++) {
    const history = Array.from({ length: at % 7 }, (_, of) => `call_${at % 3}_of_${of}`);
    const batch = events({
      [at]: {
        givenCalls: history,
        madeCalls: [`call_${at % 3}_of_${at % 7}`],
        previousResponse: at % 5 === 0 ? 'resp_gone' : '',
      },
      [at + 1000]: { whole: `said ${at % 4}`, prefixes: at % 2 === 0 ? [`said ${(at + 1) % 4}`] : [] },
    });
    stitching.stitch(batch);
    stitching.holdsFinding(findingAt(at));
    stitching.settle(batch, undefined);
    copy.replay(stitching.takeJournal());
    restored.restore(stitching.snapshot());
  }
  assert.deepEqual(copy.snapshot(), stitching.snapshot());
  assert.deepEqual(restored.snapshot(), stitching.snapshot());
  assert.deepEqual(copy.flush(), stitching.flush());
});

test('a snapshot that nobody can read leaves everything as it was', () => {
  const { stitching, send } = stitcher();
  send({ 1: { madeCalls: ['call_of_it'] } });
  const before = stitching.snapshot();
  for (const bytes of [Buffer.from('{'), new Uint8Array(), Buffer.alloc(100, 7)]) {
    assert.equal(stitching.restore(bytes).status, 'unreadable');
  }
  assert.deepEqual(stitching.snapshot(), before);
});

test('one that takes over goes on with the sessions, and with events of the correlations that are left', () => {
  const { stitching, events } = stitcher({}, ['gone', 'kept']);
  const batch = events({ 2: { previousResponse: 'resp_0001' } });
  stitching.stitch(batch);
  const span = { ...findingAt(2), endNanos: 2n * seconds };
  const groups = [{ texts: ['g'], members: 1, values: [] }];
  const times = { timeNanos: 2n * seconds, startNanos: 2n * seconds };
  const event = { ...times, span, parts: [0, 1].map((correlation) => ({ correlation, groups })) };
  assert.ok(stitching.holdsEvent(event, undefined));
  stitching.settle(batch, undefined);
  const next = stitcher({}, ['new', 'other', 'kept']);
  assert.deepEqual(next.stitching.takeOver(stitching), { status: 'restored', rules: 0 });
  const { released } = next.send({ 1: { response: 'resp_0001' } });
  assert.deepEqual(
    released.flatMap((each) => each.events.map(({ event: { parts } }) => parts)),
    [[{ correlation: 2, groups }]],
  );
});
