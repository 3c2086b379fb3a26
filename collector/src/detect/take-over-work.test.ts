import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createFieldTable, type FieldTable } from '../model/fields.ts';
import type { SessionKeys } from '../model/session.ts';
import { Category } from '../model/span-events.ts';
import { EventBlock } from './correlate/event-block.ts';
import { Recency } from './correlate/recency.ts';
import { StateEncoder } from './correlate/snapshot.ts';
import { createDetector, type Detector } from './engine.ts';
import { loadRules } from './load.ts';
import { base, correlation, second } from './testing/correlating-setup.ts';
import { plainEvents } from './testing/plain-events.ts';

const kept = [
  correlation({ name: 'many', condition: '{gte: 1000}' }),
  correlation({ name: 'pair', type: 'temporal', rules: '[a, b]' }),
  'title: first\nname: first\ncorrelation:\n  type: new_value\n  rules: [a]\n  group-by: [g]\n  field: tool\n  learn: 1h\n',
];
const few = (gte: number) => correlation({ name: 'few', rules: '[b]', condition: `{gte: ${gte}}` });

function detectorOf(fields: FieldTable, ...documents: readonly string[]): Detector {
  const text = [base('a'), base('b'), ...documents].join('---\n');
  const { rules, correlations } = loadRules([{ path: 'r.yml', text }]);
  return createDetector({ rules, correlations, fields, sessionWaitNanos: 30n * second });
}

/** In each group one span is settled and one waits, each in a session of its own. */
function fill(detector: Detector, fields: FieldTable, groups: number): void {
  for (const at of [1000, 1040]) {
    const spans = Array.from({ length: groups }, (_, group) => {
      const number = (at * 1_000_000 + group).toString(16);
      const ids = { trace_id: number.padStart(32, '0'), span_id: number.padStart(16, '0') };
      const categories = Category.tool | Category.llm;
      return { fields: { ...ids, tool: 'a', g: `g${group}` }, categories, endNanos: BigInt(at) * second };
    });
    const sessionKeys = (span: number): SessionKeys => ({ ...noKeys, whole: `said ${at} ${span}` });
    detector.detect({ ...plainEvents(spans, (id) => fields.name(id)), sessionKeys });
  }
  const [settled, waiting] = [detector.correlationStats(), detector.correlationStats().waiting];
  assert.deepEqual([settled.rules.map((rule) => rule.groups), waiting], [[0, groups, groups, groups], groups]);
  assert.equal(detector.sessionStats().sessions, groups * 2);
}

const noKeys = {
  ...{ previousResponse: '', response: '', givenCalls: [], madeCalls: [], prefixes: [], whole: '' },
  isTold: false,
};

/** How often a reload writes, reads or moves something of what is remembered. */
function touchesOf(groups: number): number {
  const fields = createFieldTable();
  const before = detectorOf(fields, few(2), ...kept);
  fill(before, fields, groups);
  const after = detectorOf(fields, ...kept.toReversed(), few(3));
  const spies = [
    mock.method(StateEncoder.prototype, 'write'),
    mock.method(Recency.prototype, 'add'),
    mock.method(EventBlock.prototype, 'read'),
    mock.method(EventBlock.prototype, 'settled'),
  ];
  const outcome = after.takeOver(before);
  const touches = spies.reduce((sum, spy) => sum + spy.mock.callCount(), 0);
  mock.restoreAll();
  assert.deepEqual(outcome, { status: 'restored', rules: kept.length });
  const { rules, waiting } = after.correlationStats();
  assert.deepEqual([rules.map((rule) => rule.groups), waiting], [[groups, groups, groups, 0], groups]);
  assert.equal(after.sessionStats().sessions, groups * 2);
  return touches;
}

test('a reload with one correlation changed and all moved touches nothing of what the others remember', () => {
  assert.deepEqual([touchesOf(10), touchesOf(1000)], [0, 0]);
});
