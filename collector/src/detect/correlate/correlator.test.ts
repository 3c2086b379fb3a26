import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Finding, versionOf } from '../../model/finding.ts';
import { loadRules } from '../load.ts';
import { plainFindings } from '../testing/plain-correlation.ts';
import type { Correlation } from './correlation.ts';
import { Correlator } from './correlator.ts';
import type { CorrelatorBounds } from './correlator-bounds.ts';
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
  readonly source: 'near' | 'far';
}

const made: fc.Arbitrary<Made> = fc.record({
  atSeconds: fc.integer({ min: 100, max: 145 }),
  groups: fc.uniqueArray(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 2 }),
  members: fc.integer({ min: 1, max: 7 }),
  values: fc.array(fc.integer({ min: -3, max: 6 }), { minLength: 1, maxLength: 2 }),
  source: fc.constantFrom('near', 'far'),
});

interface Sent {
  readonly source: 'near' | 'far';
  readonly event: CorrelationEvent;
}

function sentOf(each: Made, index: number, type: string): Sent {
  return { source: each.source, event: eventOf(each, index, type) };
}

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

/**
 * How events come: how late each is, how much later all of the source `far` are, after how many a batch ends, and after how
 * many batches everything restarts. Slots of ids are small, so that episodes open on both sides of their ends.
 */
interface Arrival {
  readonly delays: readonly number[];
  readonly farSeconds: number;
  readonly batch: number;
  readonly restart: number;
  readonly slotSeconds: number;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  delays: fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 40, maxLength: 40 }),
  farSeconds: fc.constantFrom(0, 7, 100),
  batch: fc.integer({ min: 1, max: 9 }),
  restart: fc.integer({ min: 1, max: 9 }),
  slotSeconds: fc.constantFrom(7, 50, 3600),
});

interface Run {
  readonly findings: ReadonlyMap<string, Finding>;
  /** Ids that were given before they were settled. */
  readonly early: ReadonlySet<string>;
  readonly correlator: Correlator;
}

const straight: Arrival = { delays: [], farSeconds: 0, batch: 1, restart: 1e9, slotSeconds: 3600 };

/** Sources send spans all the time, of which only some are events. */
function arrivals(events: readonly Sent[], { delays, farSeconds }: Arrival) {
  const behind = { near: 0, far: farSeconds };
  const idle = (['near', 'far'] as const).flatMap((source) =>
    Array.from({ length: 40 }, (_, each) => ({ source, endSeconds: 60 + each * 5 - behind[source], event: undefined })),
  );
  const sent = events.map(({ source, event }) => ({ source, endSeconds: Number(event.timeNanos / second), event }));
  const come = [...sent, ...idle].map((each, index) => ({
    ...each,
    at: each.endSeconds + behind[each.source] + (each.event ? (delays[index] ?? 0) : 0),
  }));
  return come.sort((a, b) => a.at - b.at);
}

function run(
  correlations: readonly Correlation[],
  events: readonly Sent[],
  how: Arrival = straight,
  bounds: Partial<CorrelatorBounds> = {},
): Run {
  const idSlotNanos = BigInt(how.slotSeconds) * second;
  const create = () =>
    new Correlator({ correlations, allowedLatenessNanos: lateness, bounds: { idSlotNanos, ...bounds } });
  let correlator = create();
  const findings = new Map<string, Finding>();
  const early = new Set<string>();
  const keep = (given: readonly Finding[]) => {
    for (const finding of given) {
      const known = findings.get(finding.id);
      assert.ok(!known || versionOf(finding) > versionOf(known), 'an update is newer than what it updates');
      findings.set(finding.id, finding);
      if (finding.provisional) early.add(finding.id);
    }
  };
  const come = arrivals(events, how);
  for (let from = 0; from < come.length; from += how.batch) {
    for (const { event, source, endSeconds } of come.slice(from, from + how.batch)) {
      if (event) correlator.add(event);
      correlator.observe(source, BigInt(endSeconds) * second);
    }
    keep(correlator.settle());
    if ((from / how.batch) % how.restart !== how.restart - 1) continue;
    const snapshot = correlator.snapshot();
    assert.equal(correlator.counters.late, 0);
    correlator = create();
    assert.deepEqual(correlator.restore(snapshot), { status: 'restored', rules: correlations.length });
    assert.deepEqual(correlator.snapshot(), snapshot);
  }
  keep(correlator.flush());
  assert.equal(correlator.counters.late, 0);
  for (const finding of findings.values()) assert.ok(!finding.provisional, 'no early finding is left unsettled');
  return { findings, early, correlator };
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

/** What more events cannot undo. */
function firesEarly(type: string, condition: string): boolean {
  return /^(event_count|value_count|temporal)/.test(type) && !/lt|eq/.test(condition);
}

describe('every type, however its events arrive, equals the plain evaluation', () => {
  for (const [type, condition] of conditions) {
    test(`${type} ${condition}`, () => {
      const [rule] = correlationsOf(correlation(type, condition));
      let findings = 0;
      let early = 0;
      fc.assert(
        fc.property(fc.array(made, { maxLength: 16 }), arrival, (all, how) => {
          const events = all.map((each, index) => sentOf(each, index, type));
          const slotNanos = BigInt(how.slotSeconds) * second;
          const expected = plainFindings(
            rule!,
            events.map(({ event }) => event),
            slotNanos,
          );
          findings += expected.length;
          const arrived = run([rule!], events, how);
          early += arrived.early.size;
          assert.deepEqual(short(arrived.findings.values()), short(expected));
          // Evidence and measured values are settled as well.
          const other = run([rule!], events, { ...straight, slotSeconds: how.slotSeconds });
          const byId = (a: Finding, b: Finding) => (a.id < b.id ? -1 : 1);
          assert.deepEqual([...arrived.findings.values()].sort(byId), [...other.findings.values()].sort(byId));
        }),
        { numRuns: 150 },
      );
      assert.equal(early > 10, firesEarly(type, condition), `${early} of ${findings} findings were early`);
      assert.ok(findings > 20, 'the generated events must make findings');
    });
  }
});

test('events that only waited for a correlation that is gone are let go with their time', () => {
  const set = (gte: number) => correlationsOf(correlation('event_count', `{gte: ${gte}}`));
  const correlator = new Correlator({
    correlations: set(2),
    allowedLatenessNanos: lateness,
    bounds: { bufferBytesMax: 50_000 },
  });
  for (let round = 1; round <= 100; round++) {
    const atSeconds = round * 100;
    for (let index = 0; index < 20; index++) {
      const each = { atSeconds, groups: ['x'], members: 1, values: [], source: 'near' } as const;
      correlator.add(eventOf(each, index, 'event_count'));
    }
    correlator.observe('near', BigInt(atSeconds) * second);
    correlator.settle();
    correlator.exchange(set(round + 10));
  }
  assert.ok(correlator.waiting <= 40);
  assert.equal(correlator.counters.hurried, 0);
});
