import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../load.ts';
import { Report } from '../report.ts';
import { parseSpanFile } from './span-file.ts';
import { parseTestFile } from './test-file.ts';
import { isAbove } from './test-parents.ts';

const { rules } = loadRules([
  {
    path: 'r.yml',
    text: 'title: t\nlogsource: {product: ai_agent, category: tool}\ndetection: {s: {gen_ai.tool.name: a}, condition: s}\n',
  },
]);

const cases = `matches:
  - case: one
    spans:
      - {tool: a, id: 'a{n}', parent: run, repeat: 2}
      - {span: run, id: run}
near_misses:
  - case: two
    tool: a
  - case: three
    spans:
      - {span: run, id: run}
      - {tool: b, parent: run}
`;

test('a parent is a span of the same case, by its number', () => {
  const report = new Report();
  const [one, two, three] = parseTestFile('r.test.yml', cases, rules, report);
  assert.deepEqual(report.errors, []);
  const parents = [one, two, three].map((each) => each!.spans.map(({ parent }) => parent));
  assert.deepEqual(parents, [[3, 3, undefined], [undefined], [undefined, 1]]);
  assert.deepEqual(
    [0, 1, 2].map((index) => isAbove(one!.spans, index)),
    [false, false, true],
  );
});

test('in a list of all spans the numbers are those of the list', () => {
  const report = new Report();
  const spans = parseSpanFile('r.test.yml', cases.replace(', repeat: 2', ''), report);
  assert.deepEqual(report.errors, []);
  assert.deepEqual(
    spans.map(({ span }) => span.parent),
    [2, undefined, undefined, undefined, 4],
  );
});

test('unknown parents, names given twice and what is no name are errors with their place', () => {
  const report = new Report();
  const text = `matches:
  - case: one
    spans:
      - {tool: a, parent: nobody}
      - {span: x, id: run}
      - {span: y, id: run}
      - {span: z, id: [run]}
`;
  parseTestFile('r.test.yml', text, rules, report);
  assert.deepEqual(
    report.errors.map(({ message, position }) => [message, position?.line]),
    [
      ['two spans have the id `run`', 6],
      ['`id` takes a name', 7],
      ['no span of the case has the id `nobody`', 4],
    ],
  );
});
