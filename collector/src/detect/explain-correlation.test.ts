import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestEvents } from '../cli/rule-test-events.ts';
import { createFieldTable } from '../model/fields.ts';
import { explainCorrelation } from './explain-correlation.ts';
import { loadRules } from './load.ts';
import type { TestSpan } from './parse/test-file.ts';

const tool = (name: string): string => `title: Tool ${name}
id: ${name}
name: ${name}
logsource: {category: tool}
detection:
  s:
    gen_ai.tool.name: ${name}
  condition: s
`;
const correlation = (body: string): string => `title: All
id: all
name: all
correlation:
  group-by: [gen_ai.conversation.id]
${body.includes('timespan') ? '' : '  timespan: 1m\n'}${body.replace(/^/gm, '  ').replace(/ *timespan: none\n/, '')}`;

function explained(body: string, spans: readonly (readonly [tool: string, seconds: number, conversation?: string])[]) {
  const fields = createFieldTable();
  const text = [tool('a'), tool('b'), tool('c'), correlation(body)].join('---\n');
  const { correlations } = loadRules([{ path: 'r.yml', text }]);
  const events = createTestEvents(fields)(
    spans.map(
      ([name, seconds, conversation = 'c']): TestSpan => ({
        name,
        kind: 1,
        statusCode: 0,
        durationMs: 1,
        endNanos: BigInt(Math.round(seconds * 1000)) * 1_000_000n,
        attributes: {
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': name,
          ...(conversation !== '' && { 'gen_ai.conversation.id': conversation }),
        },
        resource: {},
      }),
    ),
  );
  return explainCorrelation(correlations[0]!, events, fields);
}

const missing = (...args: Parameters<typeof explained>): readonly (readonly string[])[] =>
  explained(...args).groups.map((group) => group.missing);

test('windows and values of a count, and how far from the threshold', () => {
  const { matched, groups, members, withoutKey } = explained('type: event_count\nrules: [a]\ncondition: {gte: 3}', [
    ['a', 0],
    ['a', 61],
    ['a', 121],
    ['b', 122],
    ['a', 123, ''],
  ]);
  assert.equal(matched, false);
  assert.deepEqual(members, [{ name: 'a', spans: [1, 2, 3, 5], isCorrelation: false }]);
  assert.deepEqual(withoutKey, [5]);
  assert.deepEqual(
    groups[0]?.steps.map(({ window, measured, holds }) => [window, measured, holds]),
    [
      [[1], '1', false],
      [[2], '1', false],
      [[2, 3], '2', false],
    ],
  );
  assert.deepEqual(groups[0]?.missing, [
    'the fullest window, at span 3, measures 2, 1 short of 3',
    "the group's spans lie 61 s too far apart for one window",
  ]);
});

test('the verdict is the engine’s, at exactly the timespan and just beyond', () => {
  const body = 'type: temporal\nrules: [a, b]';
  const at = explained(body, [
    ['a', 0],
    ['b', 60],
  ]);
  assert.deepEqual([at.matched, at.groups[0]?.findings, at.groups[0]?.steps[1]?.holds], [true, 1, true]);
  assert.deepEqual(
    missing(body, [
      ['a', 0],
      ['b', 60.5],
    ]),
    [['b matched span 2, outside of the window of span 1 by 500 ms']],
  );
});

test('which rule is missing in which group, and that the order is another', () => {
  const ordered = 'type: temporal_ordered\nrules: [a, b]';
  assert.deepEqual(
    missing(ordered, [
      ['a', 0, 'x'],
      ['b', 1, 'y'],
    ]),
    [['no span of this group matches b'], ['no span of this group matches a']],
  );
  assert.match(
    missing(ordered, [
      ['b', 0],
      ['a', 1],
    ])[0]![0]!,
    /not one after the other in the order listed/,
  );
});

test('conditions at the end of a window', () => {
  const { groups, matched } = explained('type: event_count\nrules: [a]\ncondition: {eq: 2}', [
    ['a', 0],
    ['a', 1],
    ['a', 70],
  ]);
  assert.equal(matched, true);
  assert.deepEqual(
    groups[0]?.steps.map(({ window }) => window),
    [[1], [1, 2], [3]],
  );
});

test('a condition that is judged at the end of windows is explained by what they measure then', () => {
  const body = 'type: event_count\nrules: [a]\ncondition: {gte: 1, lte: 2}';
  const { groups } = explained(body, [
    ['a', 0],
    ['a', 1],
    ['a', 2],
  ]);
  assert.deepEqual(
    groups[0]?.steps.map(({ holds }) => holds),
    [false, false, false],
  );
  assert.deepEqual(groups[0]?.missing, ['the window of 1m with spans 1 to 3 measures 3 at its end, when it is judged']);
});

test('how far a rule is outside of the window is said by the span that stands farthest away', () => {
  const body = 'type: temporal\nrules: [a, b, c]';
  const spans = [
    ['a', 0],
    ['b', 1],
    ['c', 61.5],
  ] as const;
  assert.deepEqual(missing(body, spans), [['c matched span 3, outside of the window of span 1 by 1.5 s']]);
});

test('what must not match is named where it did', () => {
  const body = 'type: temporal\nrules: [a, b, c]\ncondition: a and b and not c';
  const spans = [
    ['a', 0],
    ['b', 1],
    ['c', 60],
  ] as const;
  assert.deepEqual(missing(body, spans), [['c, which must not match within 1m, matched span 3']]);
});

for (const [what, body, spans, wanted] of [
  [
    'a group that still learns',
    'type: new_value\nfield: gen_ai.tool.name\nlearn_events: 5\nrules: [a, b]\ntimespan: none\n',
    ['a', 'a', 'b'],
    'span 3 brings a new value when the group has learned for 20 s from 2 events, of 5 events',
  ],
  [
    'too little history for what is rare',
    'type: rare\nfield: gen_ai.tool.name\nmax_count: 1\nmin: 3\nrules: [a, b]\ntimespan: none\n',
    ['a', 'a', 'b'],
    'before span 3 the history holds 2 of at least 3 events',
  ],
  [
    'values that are not rare',
    'type: rare\nfield: gen_ai.tool.name\nmax_count: 1\nmin: 3\nrules: [a, b]\ntimespan: none\n',
    ['a', 'a', 'b', 'a', 'a'],
    'the rarest value, of span 4, stood in 2 of the events before it',
  ],
  [
    'too few buckets',
    'type: rate_anomaly\nmeasure: count\nbucket: 10s\nhistory: 10m\nmin: 5\nrules: [a, b]\ntimespan: none\n',
    ['a', 'a', 'b', 'b'],
    'before the bucket of the last span there are 3 of at least 5 buckets',
  ],
  [
    'what must come first did',
    'type: absence\nwithin: 10s\nrules: [a, b]\ntimespan: none\n',
    ['a', 'b'],
    'span 2 has what it needs: a matched span 1, 10 s before it',
  ],
] as const) {
  test(`our own types say what was missing: ${what}`, () => {
    assert.deepEqual(
      missing(
        body,
        spans.map((name, index) => [name, index * 10]),
      ),
      [[wanted]],
    );
  });
}
