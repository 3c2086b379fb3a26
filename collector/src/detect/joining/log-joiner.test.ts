import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AgentEvent, joinKeys, type NamedValue } from '../../model/agent-event.ts';
import { createFieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { packed, unpacked } from './event-json.ts';
import { LogJoiner } from './log-joiner.ts';

const seconds = 1_000_000_000n;
const farAhead = 1n << 62n;
const base = 1_800_000_000n * seconds;
const traceId = 'a'.repeat(32);

function joiner(): LogJoiner {
  return new LogJoiner({ fields: createFieldTable(), settleNanos: 10n * seconds, openNanos: 60n * seconds });
}

function part(spanId: string, atSeconds: number, text: string, more: Partial<AgentEvent> = {}): AgentEvent {
  const nanos = base + BigInt(atSeconds) * seconds;
  const attributes: NamedValue[] = [['gen_ai.input.messages', JSON.stringify([{ role: 'user', content: text }])]];
  return {
    ...{ traceId, spanId, parentSpanId: '', name: 'gen_ai.user.message', startNanos: nanos, endNanos: nanos },
    ...{ failed: false, resource: [], scopeName: '', scopeVersion: '', final: false, place: 0, attributes },
    joinKey: joinKeys.span(traceId, spanId),
    ...more,
  };
}

/** Told events in short. */
function shown(events: readonly AgentEvent[]): object[] {
  return events.map(({ spanId, endNanos, attributes }) => ({
    spanId,
    at: Number((endNanos - base) / seconds),
    ...Object.fromEntries(attributes),
  }));
}

test('records of one span wait for each other, and are one event in the order of their time', () => {
  const join = joiner();
  join.logs([part('1'.repeat(16), 2, 'two', { final: true }), part('1'.repeat(16), 1, 'one')], farAhead);
  assert.deepEqual(join.advance(base + 11n * seconds), []);
  assert.deepEqual(shown(join.advance(base + 12n * seconds)), [
    {
      spanId: '1'.repeat(16),
      at: 2,
      'gen_ai.input.messages': '[{"role":"user","content":"one"},{"role":"user","content":"two"}]',
    },
  ]);
  assert.deepEqual(join.advance(base + 100n * seconds), [], 'nothing is told twice');
  assert.equal(join.counters.alone, 2);
});

test('a call that is not over is waited for longer', () => {
  const join = joiner();
  join.logs([part('1'.repeat(16), 0, 'x')], farAhead);
  assert.deepEqual(join.advance(base + 59n * seconds), []);
  assert.equal(join.advance(base + 60n * seconds).length, 1);
});

test('records that stand alone are given back at once', () => {
  const alone = part('1'.repeat(16), 0, 'x', { joinKey: '' });
  const join = joiner();
  assert.deepEqual(join.logs([alone], farAhead), [alone]);
  assert.equal(join.size, 0);
});

test('records from far ahead do not move event time', () => {
  const join = joiner();
  join.logs([part('1'.repeat(16), 1000, 'x')], base);
  assert.equal(join.newestNanos, 0n);
});

test('a full waiting room gives out what waits', () => {
  const join = joiner();
  const text = 'x'.repeat(1_000_000);
  const count = Math.ceil(limits.logJoinCharsMax / text.length) + 2;
  for (let i = 0; i < count; i++) join.logs([part(String(i).padStart(16, '0'), 0, text)], farAhead);
  assert.ok(join.advance(base).length > 0);
  assert.ok(join.counters.hurried > 0);
});

test('what is written down comes back as it was, whatever texts say', () => {
  for (const value of [1n << 63n, '\u0000n12', '\u0000', 'n1']) {
    assert.deepEqual(packed(unpacked(packed(value))), packed(value));
  }
  assert.equal(unpacked(packed('\u0000n12')), '\u0000n12');
});

test('property: any order, any batching and any restart tell the same events', () => {
  const parts = fc.array(
    fc.record({ span: fc.integer({ min: 1, max: 3 }), at: fc.integer({ min: 0, max: 5 }), final: fc.boolean() }),
    { minLength: 1, maxLength: 10 },
  );
  fc.assert(
    fc.property(parts, fc.infiniteStream(fc.nat(100)), (given, random) => {
      const events = given.map(({ span, at, final }, i) =>
        part(String(span).repeat(16), at, `text ${i}`, { final, place: i }),
      );
      const straight = joiner();
      straight.logs(events, farAhead);
      const wanted = shown(straight.advance(base + 100n * seconds));
      const next = () => random.next().value as number;
      const order = events.map((event) => [next(), event] as const).sort(([a], [b]) => a - b);
      let join = joiner();
      const told: AgentEvent[] = [];
      for (const [dice, event] of order) {
        join.logs([event], farAhead);
        told.push(...join.advance(join.newestNanos));
        if (dice % 3 === 0) {
          const restarted = joiner();
          restarted.restore(join.snapshot());
          join = restarted;
        }
      }
      told.push(...join.advance(base + 100n * seconds));
      assert.deepEqual(shown(told), wanted);
    }),
    { numRuns: 200 },
  );
});

test('a journal that is replayed gives the state that wrote it', () => {
  const join = joiner();
  const copy = joiner();
  for (let i = 0; i < 30; i++) {
    join.logs([part(String(i % 7).repeat(16), i, `text ${i}`, { final: i % 2 === 0, place: i })], farAhead);
    join.advance(base + BigInt(i) * seconds);
    copy.replay(join.takeJournal());
  }
  for (const each of [copy, join]) each.advance(base + 30n * seconds);
  assert.deepEqual(copy.snapshot(), join.snapshot());
  assert.deepEqual(shown(copy.flush()), shown(join.flush()));
});

test('a snapshot that nobody can read leaves everything as it was', () => {
  const join = joiner();
  assert.equal(join.restore(Buffer.from('{')).status, 'unreadable');
  assert.equal(join.restore(Buffer.from('{"version":1}')).status, 'unreadable');
});
