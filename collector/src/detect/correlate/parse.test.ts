import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { problemText } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import { lintRules } from '../lint.ts';
import { readRules } from '../load.ts';
import { silentSources } from './correlation.ts';

const base = (name: string) =>
  `title: ${name}\nname: ${name}\nlogsource: {product: ai_agent, category: tool}\n` +
  `detection: {s: {gen_ai.tool.name: ${name}}, condition: s}\n`;

const good = 'type: event_count\nrules: [a, b]\ngroup-by: [g]\ntimespan: 10m\ncondition: {gte: 3}';

function correlation(body: string, name = 'c', more = ''): string {
  const indented = body.split('\n').map((line) => `  ${line}\n`);
  return `title: ${name}\nname: ${name}\n${more}correlation:\n${indented.join('')}`;
}

function read(...documents: readonly string[]) {
  return readRules([{ path: 'r.yml', text: [base('a'), base('b'), ...documents].join('---\n') }]);
}

function errorsOf(...documents: readonly string[]): string {
  return read(...documents)
    .errors.map(problemText)
    .join('\n');
}

describe('a correlation document', () => {
  test('is read, with rules of any file by id or name', () => {
    const id = '6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10';
    const { correlations, errors } = readRules([
      { path: 'c.yml', text: correlation(`${good.replace('[a, b]', `[a, ${id}]`)}\ngenerate: true`) },
      { path: 'a.yml', text: base('a') },
      { path: 'b.yml', text: base('b').replace('name: b', `id: ${id}`) },
    ]);
    assert.deepEqual(errors, []);
    assert.deepEqual(
      correlations[0]!.members.map(({ source }) => source.meta.title),
      ['a', 'b'],
    );
    assert.equal(correlations[0]!.syntax.timespanNanos, 600_000_000_000n);
  });

  for (const [what, from, to, wanted] of [
    ['no type', 'type: event_count\n', '', 'r.yml:14:3: the correlation has no type'],
    [
      'an unknown type',
      'event_count',
      'event_cuont',
      'r.yml:14:9: unknown correlation type `event_cuont`.*\n  Write `event_count`',
    ],
    ['no rules', 'rules: [a, b]\n', '', 'names no rules'],
    ['an empty list of rules', '[a, b]', '[]', 'names no rules'],
    ['an unknown rule', '[a, b]', '[a, bb]', 'r.yml:15:14: there is no rule `bb`'],
    ['a rule twice', '[a, b]', '[a, a]', '`a` is listed twice'],
    ['no group-by', 'group-by: [g]\n', '', 'has no `group-by`.*\n  .*group-by: \\[\\]'],
    ['a key with _', 'group-by', 'group_by', 'unknown key `group_by`.*\n  Write `group-by`'],
    ['no timespan', 'timespan: 10m\n', '', 'has no `timespan`'],
    ['months', '10m', '1M', 'months and years differ in length'],
    ['an upper case unit', '10m', '10H', '`10H` is no timespan'],
    ['no time at all', '10m', '0m', '`0m` is no timespan'],
    ['too long a time', '10m', '900d', 'longer than 366 days'],
    ['no condition', '\ncondition: {gte: 3}', '', 'event_count needs a condition'],
    ['a condition in words', '{gte: 3}', 'a and b', '`condition` takes a map'],
    ['an unknown operator', '{gte: 3}', '{ge: 3}', '`ge` means nothing.*\n  Write'],
    ['a threshold in words', '{gte: 3}', '{gte: three}', '`gte` takes a number'],
    ['an empty condition', '{gte: 3}', '{}', 'compares with nothing'],
    ['a contradiction', '{gte: 3}', '{gt: 3, lt: 3}', 'no number satisfies'],
    ['a condition that always holds', '{gte: 3}', '{gte: 0}', 'holds for every number'],
    ['a count that nothing has', '{gte: 3}', '{lt: 1}', 'no whole number from 1 on'],
    ['half an event', '{gte: 3}', '{eq: 2.5}', 'no whole number from 1 on'],
    ['a range between two counts', '{gte: 3}', '{gt: 2, lt: 3}', 'no whole number from 1 on'],
    ['more than is ever counted', '{gte: 3}', `{gte: ${limits.correlationEventsPerGroupMax + 1}}`, 'asks for more'],
    ['a field where events are counted', '{gte: 3}', '{field: f, gte: 3}', '`field` means nothing'],
    ['a type without its field', 'event_count', 'value_count', 'value_count needs a field'],
    ['no percentile', 'event_count', 'value_percentile', 'needs a percentile'],
    ['generate as text', '{gte: 3}', '{gte: 3}\ngenerate: maybe', '`generate` takes a boolean'],
    ['an alias for one rule only', '{gte: 3}', '{gte: 3}\naliases: {g: {a: x}}', 'has no field for `b`'],
    ['an alias for a foreign rule', '{gte: 3}', '{gte: 3}\naliases: {g: {a: x, b: y, z: y}}', 'names `z`'],
  ] as const) {
    test(`${what}: refused with place and advice`, () => {
      assert.match(errorsOf(correlation(good.replace(from, to))), new RegExp(wanted));
    });
  }

  for (const [what, body, wanted] of [
    ['more rules than listed', good.replace('event_count', 'temporal'), /no number of rules from 1 to 2/],
    ['half a sequence', good.replace('event_count', 'temporal_ordered').replace('3', '1'), /takes all of its rules/],
    [
      'two fields to sum',
      good.replace('event_count', 'value_sum').replace('gte', 'field: [f, h], gte'),
      /takes one field/,
    ],
    [
      'a percentile of 0',
      good.replace('event_count', 'value_percentile').replace('gte', 'field: f, percentile: 0, gte'),
      /above 0/,
    ],
  ] as const) {
    test(`${what}: refused`, () => assert.match(errorsOf(correlation(body)), wanted));
  }

  test('a logsource is refused', () => {
    const text = correlation(good, 'c', 'logsource: {product: ai_agent}\n');
    assert.match(errorsOf(text), /a correlation rule has no `logsource`/);
  });

  test('all errors come in one run', () => {
    const text = correlation(good.replace('10m', '10x').replace('{gte: 3}', '{ge: 3}'));
    assert.equal(read(text, base('a')).errors.length, 4);
  });

  test('a sequence may name a rule twice', () => {
    const text = correlation(good.replace('event_count', 'temporal_ordered').replace('[a, b]', '[a, b, a]'));
    assert.equal(errorsOf(text), '');
  });
});

describe('correlations of correlations', () => {
  const over = (name: string, rules: string) => correlation(good.replace('[a, b]', rules), name);

  test('each stands after those it uses', () => {
    const { correlations, errors } = read(over('top', '[middle]'), over('middle', '[low]'), over('low', '[a]'));
    assert.deepEqual(errors, []);
    assert.deepEqual(
      correlations.map(({ meta }) => meta.name),
      ['low', 'middle', 'top'],
    );
  });

  test('a cycle is named', () => {
    const errors = errorsOf(over('x', '[a, y]'), over('y', '[z]'), over('z', '[x]'));
    assert.match(errors, /form a cycle: x → y → z → x/);
    assert.match(errorsOf(over('x', '[x]')), /form a cycle: x → x/);
  });

  test('ten deep, not eleven, and no stack is as deep as a file is long', () => {
    const chain = (length: number) =>
      Array.from({ length }, (_, index) => over(`n${index}`, index + 1 < length ? `[n${index + 1}]` : '[a]'));
    assert.equal(errorsOf(...chain(limits.correlationDepthMax)), '');
    assert.match(errorsOf(...chain(limits.correlationDepthMax + 1)), /11 deep, more than 10/);
    assert.match(errorsOf(...chain(1000)), /more than 10 deep/);
  });

  test('a parent may group only by what its child is grouped by', () => {
    const errors = errorsOf(over('low', '[a]'), over('top', '[low]').replace('[g]', '[other]'));
    assert.match(errors, /a match of the correlation `low` has no `other`.*\n.*grouped by `g`/);
  });

  test('rules that only correlations use are silent, unless one says generate', () => {
    const silent = (...documents: string[]) =>
      [...silentSources(read(...documents).correlations)].map(({ meta }) => meta.name);
    assert.deepEqual(silent(over('low', '[a]'), over('top', '[low]')), ['a', 'low']);
    assert.deepEqual(silent(over('low', '[a, b]'), `${over('other', '[a]')}  generate: true\n`), ['b']);
  });
});

test('lint looks at fields of correlations and at aliases', () => {
  const text = [
    base('a'),
    base('b'),
    correlation(good.replace('[g]', '[gen_ai.conversation.ids, span.nam, agent]'), 'c') +
      '  aliases: {agent: {a: gen_ai.agent.name, b: spanwarden.agent}, user.id: {a: x, b: y}}\n',
  ].join('---\n');
  const knownFields = ['gen_ai.conversation.id', 'span.name', 'user.id', 'gen_ai.agent.name', 'gen_ai.tool.name'];
  const { errors, warnings } = lintRules([{ path: 'r.yml', text }], {
    knownFields: knownFields.map((name) => ({ name })),
  });
  const said = [...errors, ...warnings].map(({ message }) => message);
  for (const wanted of [
    'there is no field `span.nam`',
    'there is no field `spanwarden.agent`',
    '`gen_ai.conversation.ids` is no field of the taxonomy',
    'the alias `user.id` is also the name of a field',
    'nothing uses the alias `user.id`',
  ]) {
    assert.ok(said.includes(wanted), wanted);
  }
});
