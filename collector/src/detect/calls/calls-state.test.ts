import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../../model/fields.ts';
import type { Value } from '../../model/value.ts';
import { createToolCalls } from '../../tool-calls.ts';
import { StateWriter } from '../correlate/state-bytes.ts';
import { argumentsHash } from './arguments.ts';
import { CallsJournal, readJournal, readState, writeState } from './calls-state.ts';
import { eventBytes } from './event-bytes.ts';
import type { CallView, Sight } from './view.ts';
import { decodedView, encodedView, eventOf } from './view-codec.ts';
import { ViewStore } from './view-store.ts';

const second = 1_000_000_000n;
const sight = (n: number, more: Partial<Sight> = {}): Sight => ({
  ...{ kind: 'execution', traceId: n.toString(16).padStart(32, '0'), spanId: 'b'.repeat(16), parentSpanId: '' },
  ...{
    place: 0,
    turn: 0,
    startNanos: 5n,
    endNanos: BigInt(n) * second,
    service: 'shop',
    scope: 'test',
    conversation: '',
  },
  ...{ callId: `call_${n}`, name: 'read', isWhole: true, counts: true, isAsked: false },
  ...more,
});
const viewOf = (n: number, given: Value = null): CallView =>
  encodedView(new StateWriter(), sight(n), given, '', undefined);

test('a view is the same after it was written, whatever senders say', () => {
  const text = fc.string({ unit: 'binary', maxLength: 80 });
  const { value } = fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      ...[text, fc.double(), fc.boolean(), fc.constant(null), fc.bigInt()],
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(text, fc.constant('__proto__')), tie('value'), { maxKeys: 4, noNullPrototype: false }),
    ),
  }));
  fc.assert(
    fc.property(
      text,
      text,
      value,
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (name, id, given, hasEvent, nanos) => {
        const told = sight(1, {
          name,
          callId: id,
          traceId: id,
          startNanos: nanos,
          kind: 'answered',
          isAsked: true,
          turn: 300,
        });
        const { traceId, spanId, parentSpanId, startNanos, endNanos } = told;
        const event = {
          ...{ traceId, spanId, parentSpanId, startNanos, endNanos, name, failed: true, kind: 3, scopeName: id },
          ...{ scopeVersion: '', resource: [['service.name', name] as const], attributes: [[name, given] as const] },
          ...{ joinKey: '', final: true, place: 0 },
        };
        const view = encodedView(new StateWriter(), told, given, '', hasEvent ? eventBytes(event) : undefined);
        const again = decodedView(view.bytes);
        const { given: left, ...fields } = view;
        const { given: right, ...fieldsAgain } = again;
        assert.deepEqual(fieldsAgain, fields);
        assert.deepEqual([right.isTold, right.hash], [left.isTold, argumentsHash(given)]);
        if (hasEvent) assert.deepEqual(plain(eventOf(again)), plain(event));
      },
    ),
  );
});

test('arguments that nest deeper than the stack are bounded', () => {
  let deep: Value = 1;
  for (let i = 0; i < 200_000; i++) deep = [deep];
  assert.equal(decodedView(viewOf(1, deep).bytes).given.isTold, true);
});

test('a checkpoint in pieces is of the moment it was begun, whatever happens meanwhile', () => {
  const store = new ViewStore(({ endNanos }) => endNanos + second);
  for (let n = 0; n < 300; n++) store.add({ view: viewOf(n, { n }), isPending: true, claimed: [] });
  const slices = writeState({ newest: 7n, looked: 3n, senders: ['shop'], innerScopes: ['shop\0inner'] }, store, 1000);
  const pieces = [slices.next()!];
  const all = [...store.all()];
  for (const kept of all.slice(100, 150)) store.settle(kept);
  for (const kept of all.slice(120, 170)) store.claim(kept, 'client');
  store.forget(200n * second);
  store.add({ view: viewOf(900), isPending: true, claimed: [] });
  for (let piece = slices.next(); piece; piece = slices.next()) pieces.push(piece);
  assert.ok(pieces.length > 10);
  assert.equal(slices.isCut, false);
  const state = readState(Buffer.concat(pieces))!;
  assert.deepEqual([state.newest, state.looked, state.senders, state.innerScopes], [7n, 3n, ['shop'], ['shop\0inner']]);
  assert.deepEqual(
    state.kept.map(({ view, isPending, claimed }) => [view.callId, isPending, claimed.length]),
    all.map((_, n) => [`call_${n}`, true, 0]),
  );
  assert.deepEqual([store.size, store.due(10_000n * second).length], [101, 101]);
});

test('a checkpoint of another format is left alone, and bytes of no format do not crash', () => {
  const calls = createToolCalls(createFieldTable(), 30n * second);
  for (const text of ['{"version":1,"newest":"\\u0000n0","kept":[]}', '', 'spanwarden calls 2'])
    assert.equal(calls.restore(Buffer.from(text)).status, 'unreadable');
  const journal = new CallsJournal();
  for (let n = 1; n < 4; n++) journal.view(viewOf(n, { n }));
  journal.time(9n);
  const bytes = journal.take();
  calls.replay(bytes);
  const whole = calls.snapshot();
  fc.assert(
    fc.property(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 }), fc.boolean(), (at, byte, isCut) => {
      const changed = Buffer.from(whole);
      changed[at] = byte;
      assert.ok(['restored', 'unreadable'].includes(calls.restore(isCut ? changed.subarray(0, at) : changed).status));
      const other = Buffer.from(bytes);
      other[at % bytes.length] = byte;
      try {
        readJournal(other, { view: () => undefined, time: () => undefined, flush: () => undefined });
      } catch (error) {
        assert.ok(error instanceof SyntaxError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

/** Maps without a prototype are as good as others. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value).map(([key, each]) => [key, plain(each)]);
}
