import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestEvents } from '../cli/rule-test-events.ts';
import { createFieldTable } from '../model/fields.ts';
import { loadRules } from './load.ts';
import { parseSpanFile } from './parse/span-file.ts';
import { Report } from './report.ts';
import { shuffledDifference } from './shuffle.ts';

const base = `title: Base
id: base
name: base
logsource: {category: tool}
detection:
  s:
    gen_ai.tool.name: x
  condition: s
`;
const correlation = `title: Many
id: many
name: many
correlation:
  type: event_count
  rules: [base]
  group-by: [gen_ai.conversation.id]
  timespan: 1m
  condition: {gte: 3}
`;
const fields = createFieldTable();
const eventsFrom = createTestEvents(fields);
const spans = parseSpanFile(
  's.yml',
  '[{tool: x}, {tool: x}, {tool: x}, {tool: x}, {tool: x}, {tool: x}]',
  new Report(),
).map(({ span }, index) => ({
  ...span,
  endNanos: BigInt(index) * 20_000_000_000n,
  attributes: { ...span.attributes, 'gen_ai.conversation.id': 'c' },
}));

test('a correlation gives the same findings in every order, and what depends on the order is told with the order', () => {
  const rules = loadRules([{ path: 'r.yml', text: `${base}---\n${correlation}` }]);
  assert.equal(shuffledDifference(spans, { rules, fields, eventsFrom }, { orders: 20, seed: 1 }), '');
  // A source of events that says other things in another order: the fault that the check is there to find.
  let batches = 0;
  const fickle = (batch: Parameters<typeof eventsFrom>[0]) =>
    eventsFrom(
      batch.map((span) => ({
        ...span,
        name: `${span.name} ${batches++}`,
        attributes: batches > 9 ? {} : span.attributes,
      })),
    );
  const told = shuffledDifference(spans, { rules, fields, eventsFrom: fickle }, { orders: 4, seed: 7 });
  assert.match(told, /^findings in the order written: 1, .* order [\d |]+ \(--shuffle 1 --seed \d+\)$/);
});
