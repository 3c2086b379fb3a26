import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Finding } from '../../model/finding.ts';
import { loadRules } from '../load.ts';
import { plainFindings } from '../testing/plain-correlation.ts';
import type { Correlation } from './correlation.ts';
import { Correlator, type CorrelatorBounds } from './correlator.ts';
import type { CorrelationEvent } from './event.ts';

const second = 1_000_000_000n;
const lateness = 30n * second;

function correlationsOf(documents: string): readonly Correlation[] {
  const bases = ['a', 'b', 'c'].map(
    (name) =>
      `title: ${name}\nname: ${name}\nlogsource: {product: ai_agent, category: tool}\n` +
      `detection: {s: {gen_ai.tool.name: ${name}}, condition: s}\n`,
  );
  return loadRules([{ path: 'r.yml', text: [...bases, documents].join('---\n') }]).correlations;
}

function correlation(type: string, condition: string, more = ''): string {
  const line = condition === '' ? '' : `  condition: ${condition}\n`;
  return (
    `title: ${type}\nname: ${type}\ncorrelation:\n  type: ${type}\n  rules: [a, b, c]\n` +
    `  group-by: [g]\n  timespan: 10s\n${line}${more}`
  );
}

interface Made {
  readonly atSeconds: number;
  readonly groups: readonly string[];
  readonly members: number;
  readonly values: readonly number[];
}

const made: fc.Arbitrary<Made> = fc.record({
  atSeconds: fc.integer({ min: 100, max: 145 }),
  groups: fc.uniqueArray(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 2 }),
  members: fc.integer({ min: 1, max: 7 }),
  values: fc.array(fc.integer({ min: -3, max: 6 }), { minLength: 1, maxLength: 2 }),
});

function eventOf(each: Made, index: number, type: string): CorrelationEvent {
  const timeNanos = BigInt(each.atSeconds) * second;
  const spanId = ((index * 7919) % 65_536).toString(16).padStart(16, '0');
  const shown = { spanName: '', serviceName: '', agentName: '', conversationId: '', userId: '', toolName: '' };
  const texts = type === 'value_count' ? [...new Set(each.values.map(String))] : each.values;
  const values = type.startsWith('value_') ? texts : [];
  return {
    timeNanos,
    startNanos: timeNanos - second,
    span: { traceId: 't', spanId, ...shown, endNanos: timeNanos },
    parts: [
      { correlation: 0, groups: each.groups.map((group) => ({ texts: [group], members: each.members, values })) },
    ],
  };
}

/** How events come: how late each is, after how many a batch ends, and after how many batches everything restarts. */
interface Arrival {
  readonly delays: readonly number[];
  readonly batch: number;
  readonly restart: number;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  delays: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 40, maxLength: 40 }),
  batch: fc.integer({ min: 1, max: 9 }),
  restart: fc.integer({ min: 1, max: 9 }),
});

interface Run {
  readonly findings: ReadonlyMap<string, Finding>;
  readonly correlator: Correlator;
}

function run(
  correlations: readonly Correlation[],
  events: readonly CorrelationEvent[],
  { delays, batch, restart }: Arrival = { delays: [], batch: 1, restart: 1e9 },
  bounds: Partial<CorrelatorBounds> = {},
): Run {
  const create = () => new Correlator({ correlations, allowedLatenessNanos: lateness, bounds });
  let correlator = create();
  const findings = new Map<string, Finding>();
  const keep = (given: readonly Finding[]) => {
    for (const finding of given) {
      const known = findings.get(finding.id);
      assert.ok(!known || finding.lastSeenNanos! > known.lastSeenNanos!, 'an update is newer than what it updates');
      findings.set(finding.id, finding);
    }
  };
  const arrivalOf = (index: number) => events[index]!.timeNanos + BigInt(delays[index] ?? 0) * second;
  const order = [...events.keys()].sort((a, b) => Number(arrivalOf(a) - arrivalOf(b)));
  for (let from = 0; from < order.length; from += batch) {
    for (const index of order.slice(from, from + batch)) {
      correlator.add(events[index]!);
      correlator.observe(events[index]!.timeNanos);
    }
    keep(correlator.settle());
    if ((from / batch) % restart !== restart - 1) continue;
    const snapshot = correlator.snapshot();
    assert.equal(correlator.counters.late, 0);
    correlator = create();
    assert.deepEqual(correlator.restore(snapshot), { status: 'restored', rules: correlations.length });
    assert.deepEqual(correlator.snapshot(), snapshot);
  }
  keep(correlator.flush());
  assert.equal(correlator.counters.late, 0);
  return { findings, correlator };
}

function short(findings: Iterable<{ id: string; count?: number; lastSeenNanos?: bigint }>): string[] {
  return [...findings].map(({ id, count, lastSeenNanos }) => `${id} ${count} ${lastSeenNanos}`).sort();
}

const conditions: readonly (readonly [type: string, condition: string])[] = [
  ['event_count', '{gte: 3}'],
  ['event_count', '{gt: 1, lte: 4}'],
  ['event_count', '{lt: 3}'],
  ['event_count', '{eq: 2}'],
  ['event_count', '{neq: 2}'],
  ['value_count', '{field: v, gte: 3}'],
  ['value_count', '{field: v, lte: 2}'],
  ['value_sum', '{field: v, gte: 4.5}'],
  ['value_sum', '{field: v, lt: 0}'],
  ['value_avg', '{field: v, gt: 1.5}'],
  ['value_avg', '{field: v, gte: 1, lte: 2}'],
  ['value_percentile', '{field: v, percentile: 75, gte: 4}'],
  ['value_percentile', '{field: v, percentile: 10, lt: 0}'],
  ['value_median', '{field: v, gte: 3}'],
  ['temporal', ''],
  ['temporal', '{gte: 2}'],
  ['temporal', '{eq: 2}'],
  ['temporal', '{lt: 3}'],
  ['temporal_ordered', ''],
];

describe('every type, however its events arrive, equals the plain evaluation', () => {
  for (const [type, condition] of conditions) {
    test(`${type} ${condition}`, () => {
      const [rule] = correlationsOf(correlation(type, condition));
      let findings = 0;
      fc.assert(
        fc.property(fc.array(made, { maxLength: 16 }), arrival, (all, how) => {
          const events = all.map((each, index) => eventOf(each, index, type));
          const expected = plainFindings(rule!, events);
          findings += expected.length;
          const arrived = run([rule!], events, how);
          assert.deepEqual(short(arrived.findings.values()), short(expected));
          // Evidence and measured values are settled as well.
          const straight = run([rule!], events);
          const byId = (a: Finding, b: Finding) => (a.id < b.id ? -1 : 1);
          assert.deepEqual([...arrived.findings.values()].sort(byId), [...straight.findings.values()].sort(byId));
        }),
        { numRuns: 150 },
      );
      assert.ok(findings > 20, 'the generated events must make findings');
    });
  }
});
