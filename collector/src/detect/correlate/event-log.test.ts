import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Correlation } from './correlation.ts';
import { type CorrelationEvent, compareEvents } from './event.ts';
import { EventLog } from './event-log.ts';
import { EventStore } from './event-store.ts';
import { plainSpan } from './kept-span.ts';
import { encodeState } from './snapshot.ts';

const correlations = ['a', 'b'].map((id) => ({ meta: { id, version: '1' } }) as Correlation);

const text = fc.oneof(
  fc.constantFrom('', 'agent', 'conversation-1', 'ä', '日本', '\ud800'),
  fc.string({ maxLength: 100 }),
);
const id = (digits: number) =>
  fc.oneof(
    fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`)),
    fc.constantFrom('', 'no id', 'A'.repeat(digits), '\u0130'.repeat(digits)),
  );
const nanos = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const group = fc.record(
  {
    texts: fc.array(text, { maxLength: 3 }),
    members: fc.integer(),
    values: fc.array(fc.oneof(text, fc.double({ noNaN: true })), { maxLength: 3 }),
    startNanos: fc.oneof(nanos, fc.constant(5n)),
  },
  { requiredKeys: ['texts', 'members', 'values'] },
);

const value = fc.oneof(text, fc.double({ noNaN: true }));
/** As most are: one group of one correlation, and one value or none. */
const usual = fc.record({ texts: fc.tuple(text), members: fc.integer(), values: fc.array(value, { maxLength: 1 }) });

const event: fc.Arbitrary<CorrelationEvent> = fc
  .record({
    timeNanos: fc.oneof(nanos, fc.constantFrom(5n, 6n)),
    startNanos: fc.oneof(nanos, fc.constant(5n)),
    names: fc.record({
      ...{ traceId: id(32), spanId: id(16), spanName: text, serviceName: text },
      ...{ agentName: text, conversationId: text, userId: text, toolName: text },
    }),
    session: fc.option(fc.record({ id: text, source: fc.constantFrom('trace' as const, 'prefix' as const) })),
    parts: fc.oneof(
      fc.array(fc.record({ correlation: fc.nat(1), groups: fc.array(group, { maxLength: 2 }) }), { maxLength: 2 }),
      fc.tuple(fc.record({ correlation: fc.nat(1), groups: fc.tuple(usual) })),
    ),
  })
  .map(({ names, session, ...rest }) => ({
    ...rest,
    span: { ...names, endNanos: rest.timeNanos, ...(session && { session }) },
  }));

test('events are read as they were written, from the log, from its journal and in the order of events', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.nat(40), (made, sealAt) => {
      // Without the prototypes that the generator leaves out.
      const events = structuredClone(made);
      const store = new EventStore();
      const log = new EventLog(correlations, store, true);
      const numbers = events.map((each, index) => {
        if (index === sealAt) log.seal();
        return log.event(each);
      });
      const read = () => numbers.map((number) => store.read(number));
      assert.deepEqual(read(), events);
      assert.deepEqual(settledOf(store, numbers), events.map(asSettled));
      const journal = log.take();
      assert.deepEqual(read(), events);
      const told: CorrelationEvent[] = [];
      const next = new EventLog(correlations, new EventStore(), true);
      next.read(journal, { call: () => {}, foreign: () => assert.fail(), event: (each) => void told.push(each) });
      assert.deepEqual(told, events);
      const sorted = (compare: (a: number, b: number) => number) =>
        [...numbers].sort(compare).map((at) => store.read(at));
      assert.deepEqual(
        sorted((a, b) => store.compare(a, b)),
        [...events].sort(compareEvents),
      );
      for (const number of numbers) store.letGo(number);
      assert.equal(store.bytes, 0);
    }),
  );
});

test('names of spans are told apart', () => {
  const store = new EventStore();
  const log = new EventLog(correlations, store, true);
  const texts = Array.from({ length: 200 }, (_, index) => `<${index}>`);
  const made = Array.from({ length: 200 * 5 }, (_, index): CorrelationEvent => {
    const at = (place: number) => texts[place === Math.floor(index / 200) ? index % 200 : 0]!;
    const names = { spanName: at(0), serviceName: at(1), agentName: at(2), userId: at(3), toolName: at(4) };
    const ids = { spanId: '0'.repeat(16), traceId: '0'.repeat(32) };
    const span = { ...ids, ...names, conversationId: at(0), endNanos: 5n };
    return { timeNanos: 5n, startNanos: 5n, span, parts: [] };
  });
  const numbers = made.map((each) => log.event(each));
  assert.deepEqual(settledOf(store, numbers), made.map(asSettled));
});

test('a text is written once, whichever name it is', () => {
  const log = new EventLog(correlations, new EventStore(), true);
  for (const [a, b] of [['one', 'two'] as const, ['two', 'one'] as const, ['two', 'two'] as const]) {
    const names = { spanName: a, serviceName: b, agentName: a, conversationId: b, userId: a, toolName: b };
    const span = { ...names, spanId: '', traceId: '', endNanos: 5n };
    log.event({ timeNanos: 5n, startNanos: 5n, span, parts: [] });
  }
  const journal = Buffer.from(log.take()).toString('latin1');
  for (const text of ['one', 'two']) assert.equal(journal.split(text).length, 2);
});

/** What windows keep of the events, looked at when all of them were settled; the spans also as they are written down. */
function settledOf(store: EventStore, numbers: readonly number[]) {
  const kept = numbers.map((number) => {
    const { timeNanos, span, parts } = store.settled(number);
    const groups = parts.flatMap((part) => part.groups.map((each) => [part.correlation, { ...each }] as const));
    return { timeNanos, span, groups };
  });
  return kept.map(({ span, ...rest }) => ({ ...rest, span: plainSpan(span), bytes: encodeState(span) }));
}

function asSettled({ timeNanos, span, parts }: CorrelationEvent) {
  const groups = parts.flatMap((part) => part.groups.map((each) => [part.correlation, { ...each }] as const));
  const { traceId, spanId, spanName, serviceName, agentName, conversationId, userId, toolName, endNanos, session } =
    span;
  const plain = { traceId, spanId, spanName, serviceName, agentName, conversationId, userId, toolName, endNanos };
  return { timeNanos, groups, span, bytes: encodeState(session ? { ...plain, session } : plain) };
}

test('events that tie in times and ids are told apart by what they hold, times among it', () => {
  const span = { traceId: 't', spanId: 's', spanName: '', serviceName: '', agentName: '', conversationId: '' };
  const tied = [undefined, 1n, 2n].map((startNanos): CorrelationEvent => {
    const group = { texts: ['g'], members: 1, values: [], ...(startNanos !== undefined && { startNanos }) };
    const identity = { ...span, userId: '', toolName: '', endNanos: 5n };
    return { timeNanos: 5n, startNanos: 5n, span: identity, parts: [{ correlation: 0, groups: [group] }] };
  });
  const order = [...tied].sort(compareEvents);
  assert.deepEqual([...tied].reverse().sort(compareEvents), order);
  assert.equal(compareEvents(tied[1]!, { ...tied[1]! }), 0);
  assert.notEqual(compareEvents(tied[1]!, tied[2]!), 0);
});

test('of other correlations what still fits is told; bytes that are no journal are refused', () => {
  const log = new EventLog(correlations, new EventStore(), true);
  const span = { traceId: 't', spanId: 's', spanName: '', serviceName: '', agentName: '', conversationId: '' };
  const groups = [{ texts: ['x'], members: 1, values: [] }];
  const parts = [0, 1].map((correlation) => ({ correlation, groups }));
  log.event({ timeNanos: 1n, startNanos: 0n, span: { ...span, userId: '', toolName: '', endNanos: 1n }, parts });
  const journal = log.take();
  const other = new EventLog([correlations[1]!], new EventStore(), true);
  const told: CorrelationEvent[] = [];
  const listener = {
    call: () => {},
    event: () => assert.fail(),
    foreign: (each: CorrelationEvent) => void told.push(each),
  };
  other.read(journal, listener);
  assert.deepEqual(
    told.map((each) => each.parts),
    [[{ correlation: 0, groups }]],
  );
  for (let length = 1; length < journal.length; length++) {
    assert.throws(() => other.read(journal.subarray(0, length), listener), SyntaxError);
    const cut = Buffer.from(journal.subarray(0, length));
    if (length >= 4) cut.writeUInt32LE(length);
    // Cut between two entries it is a shorter journal.
    assert.equal(typeof log.isReadable([{ bytes: cut, at: [] }]), 'boolean');
  }
});
