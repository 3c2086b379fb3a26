import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { loadRules } from '../load.ts';
import { Correlator } from './correlator.ts';
import { type CorrelationEvent, compareEvents, isSameSpan } from './event.ts';
import { EventLog } from './event-log.ts';
import { EventStore } from './event-store.ts';
import { placeOf, WaitingGroup } from './waiting.ts';

const second = 1_000_000_000n;

function eventOf(index: number, timeNanos: bigint, correlations = 1, values: readonly string[] = []): CorrelationEvent {
  const spanId = index.toString(16).padStart(16, '0');
  const names = { spanName: '', serviceName: '', agentName: '', conversationId: '', userId: '', toolName: '' };
  const groups = [{ texts: ['x'], members: 1 << (index % 3), values }];
  return {
    timeNanos,
    startNanos: timeNanos,
    span: { traceId: 't', spanId, ...names, endNanos: timeNanos },
    parts: Array.from({ length: correlations }, (_, correlation) => ({ correlation, groups })),
  };
}

const partOf = (event: CorrelationEvent) => event.parts[0]!.groups[0]!;

/** A group whose events are written to a log, as the correlator does it. */
function groupOfEvents() {
  const store = new EventStore();
  const log = new EventLog([], store, false);
  const group = new WaitingGroup('x', store);
  const numbers = new Map<CorrelationEvent, number>();
  return {
    group,
    push: (event: CorrelationEvent) => {
      const number = log.event(event);
      numbers.set(event, number);
      group.push(number, placeOf(0, 0), partOf(event));
    },
    settle: (event: CorrelationEvent) => {
      const number = numbers.get(event)!;
      store.settle(number);
      group.settle(partOf(event));
      store.letGo(number);
    },
  };
}

test('a group knows what waits, however and whenever it is asked', () => {
  const step = fc.record({
    id: fc.nat(40),
    after: fc.nat(5),
    values: fc.array(fc.constantFrom('p', 'q', 'r', 's'), { maxLength: 2 }),
    settle: fc.nat(3),
    ask: fc.constantFrom('entries', 'values', 'rest', 'nothing'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const { group, push, settle: settleOne } = groupOfEvents();
      let waiting: CorrelationEvent[] = [];
      let last = -1n;
      for (const { id, after, values, settle, ask } of steps) {
        const event = eventOf(id, last + 1n + BigInt(after), 1, [...new Set(values)]);
        waiting.push(event);
        push(event);
        waiting.sort(compareEvents);
        for (let left = settle; left > 0 && waiting.length > 0; left--) {
          const [first, ...others] = waiting;
          waiting = others;
          last = first!.timeNanos;
          settleOne(first!);
        }
        assert.equal(group.events, waiting.length);
        if (ask === 'rest') group.rest();
        if (ask === 'entries') {
          const spans = waiting.filter((each, index) => index === 0 || !isSameSpan(waiting[index - 1]!, each));
          assert.deepEqual(
            group.entries().map(({ span }) => span),
            spans.map(({ span }) => span),
          );
        }
        if (ask === 'values') {
          const held = new Set(waiting.flatMap((each) => partOf(each).values));
          assert.deepEqual(new Set(group.values.keys()), held);
          assert.ok(group.valuesMax >= held.size);
        }
      }
    }),
  );
});

test('a group that always has events waiting does not remember those that were added', () => {
  const { group, push, settle } = groupOfEvents();
  const events = Array.from({ length: 10_000 }, (_, index) => eventOf(index, BigInt(index)));
  for (const [index, event] of events.entries()) {
    push(event);
    if (index >= 10) settle(events[index - 10]!);
  }
  assert.ok(group.remembered < 200, `${group.remembered}`);
});

describe('groups with thousands of waiting spans', () => {
  test('each rule has its turn within a second, also behind rules that are looked at in vain', () => {
    const rules = [3000, 3001, 2250].map(
      (count) =>
        `title: more than ${count}\nname: r${count}\ncorrelation:\n  type: event_count\n  rules: [a]\n  group-by: [g]\n  timespan: 10s\n  condition: {gte: ${count}}\n`,
    );
    const base =
      'title: a\nname: a\nlogsource: {product: ai_agent, category: tool}\ndetection: {s: {gen_ai.tool.name: a}, condition: s}\n';
    const { correlations } = loadRules([{ path: 'r.yml', text: [base, ...rules].join('---\n') }]);
    const correlator = new Correlator({ correlations, allowedLatenessNanos: 30n * second });
    const start = 1_700_000_000n * second;
    // 200 a second for 20 seconds, then 500 a second: 2,250 in ten seconds are there 834 ms later.
    const times = Array.from({ length: 5000 }, (_, index) =>
      index < 4000 ? index * 5_000_000 : 20_000_000_000 + (index - 4000) * 2_000_000,
    );
    let given: bigint | undefined;
    for (let from = 0; from < times.length && given === undefined; from += 10) {
      const batch = times.slice(from, from + 10).map((time, at) => eventOf(from + at, start + BigInt(time), 3));
      for (const event of batch) correlator.add(event);
      correlator.observe('a', batch.at(-1)!.timeNanos);
      if (correlator.settle().length > 0) given = batch.at(-1)!.timeNanos - start;
    }
    assert.ok(given !== undefined && given < 21_900_000_000n, `given after ${given}`);
  });
});
