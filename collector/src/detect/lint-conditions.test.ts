import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { lintRules } from './lint.ts';
import { readRules } from './load.ts';
import { possibleOf } from './satisfiable.ts';
import { findingsOf, ruleWith } from './testing/plain-events.ts';

const knownFields = [
  { name: 'gen_ai.tool.name', type: 'text' },
  { name: 'span.duration_ms', type: 'number' },
  { name: 'span.start_time', type: 'text' },
  { name: 'spanwarden.effect.kinds', type: 'text[]' },
];
const told = (detection: string) => {
  const text = ruleWith(detection, 'description: d\ntags: [owasp.asi01]\n');
  const { errors, warnings } = lintRules([{ path: 'r.yml', text }], { knownFields });
  return [...errors.map(({ message }) => message), ...warnings.map(({ message }) => message)];
};
const name = 'gen_ai.tool.name';

describe('lint of conditions', () => {
  for (const [what, detection] of [
    ['a selection and its opposite', `s: {${name}: x}\ncondition: s and not s`],
    ['parts without the whole', `s: {${name}: x}\nt: {${name}: y}\ncondition: s and not 1 of them`],
    ['present and absent', `s: {${name}|exists: false, ${name}|contains: x}\ncondition: s`],
    ['null and a value', `s: {${name}: null}\nt: {${name}|re: x}\ncondition: s and t`],
    ['null and not absent or null', `s: {${name}|exists: false}\nt: {${name}: null}\ncondition: s and not t`],
    ['absent and unlike', `s: {${name}|exists: false}\nt: {${name}|neq: x}\ncondition: s and t`],
    ['all values and not one of them', `s: {f|contains|all: [a, b]}\nt: {f|contains: b}\ncondition: s and not t`],
  ] as const) {
    test(`${what}: can never be true`, () => {
      assert.match(told(detection)[0] ?? '', /can never be true/);
    });
  }

  test('each entry of a list of conditions is looked at', () => {
    const text = ruleWith(`s: {${name}: x}\ncondition: [s, s and not s]`);
    const { errors } = lintRules([{ path: 'r.yml', text }], { knownFields });
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['the condition `s and not s` can never be true'],
    );
  });

  test('what every span makes true is doubtful', () => {
    assert.match(told(`s: {${name}: x}\ncondition: s or not s`)[0]!, /is always true/);
    assert.match(told(`s: {${name}|exists: true}\nt: {${name}: null}\ncondition: s or t`)[0]!, /is always true/);
    assert.deepEqual(told(`s: {${name}: x}\ncondition: not s`), []);
  });

  test('what only several values make true is doubtful, but for lists', () => {
    const both = (field: string) => told(`s: {${field}: x}\nt: {${field}: z}\ncondition: s and t`);
    assert.match(both(name)[0]!, /one value of `gen_ai.tool.name` cannot be all/);
    assert.match(told('s: {span.duration_ms|gt: 5, span.duration_ms|lte: 5}\ncondition: s')[0]!, /one value of/);
    for (const field of ['spanwarden.effect.kinds', 'shop.region', `ancestor.${name}`])
      assert.deepEqual(both(field), []);
    assert.deepEqual(told(`s: {${name}: [x, w]}\nt: {${name}|contains: z}\ncondition: s and t`), []);
    assert.deepEqual(told(`s: {${name}: x}\nt: {${name}: X}\ncondition: s and t`), []);
    assert.deepEqual(told('s: {span.duration_ms|gte: 5, span.duration_ms|lte: 5}\ncondition: s'), []);
  });

  test('times that there are not', () => {
    for (const [item, is] of [
      ['hour: 24', 'no hour is that'],
      ['month|gt: 12', 'no month is that'],
      ['day|lt: 1', 'no day is that'],
      ['week|gte: 54', 'no week is that'],
      ['minute|lte: -1', 'no minute is that'],
    ] as const) {
      assert.ok(told(`s: {span.start_time|${item}}\ncondition: s`).includes(is), item);
    }
    for (const item of ['hour: 23', 'month|gte: 12', 'day|lt: 2', 'year: 3000', 'hour: [0, 5]'])
      assert.deepEqual(told(`s: {span.start_time|${item}}\ncondition: s`), [], item);
  });
});

test('what matches a span is never called impossible, what misses one never always true', () => {
  const field = fc.constantFrom('f', 'g');
  const item = fc.oneof(
    fc.tuple(field, fc.constantFrom('x', 'y', 'null', "''", '5', '[x, y]')).map(([f, value]) => `${f}: ${value}`),
    fc.tuple(field, fc.boolean()).map(([f, is]) => `${f}|exists: ${is}`),
    fc.tuple(field, fc.constantFrom('neq', 'contains', 'contains|all')).map(([f, how]) => `${f}|${how}: [x, y]`),
    fc.tuple(field, fc.constantFrom('gt', 'lte')).map(([f, how]) => `${f}|${how}: 5`),
  );
  const condition = fc.letrec<{ any: string }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('s1', 's2', 's3', '1 of them', 'all of them', '2 of s*'),
      fc.tuple(tie('any'), fc.constantFrom('and', 'or'), tie('any')).map(([a, link, b]) => `(${a} ${link} ${b})`),
      tie('any').map((a) => `not (${a})`),
    ),
  })).any;
  const value = fc.constantFrom(undefined, null, 'x', 'xy', '', 5, 7, ['x', 'y'], []);
  const fields = fc.record({ f: value, g: value });
  const items = fc.tuple(item, item, item);
  let [impossible, always] = [0, 0];
  fc.assert(
    fc.property(items, condition, fc.array(fields, { minLength: 10, maxLength: 30 }), (each, text, spans) => {
      const selections = each.map((one, index) => `s${index + 1}: {${one}}`).join('\n');
      const rule = ruleWith(`${selections}\ncondition: ${text}`);
      const { syntax } = readRules([{ path: 'r.yml', text: rule }]).rules[0]!;
      const { canBeTrue, canBeFalse } = possibleOf(syntax.detection.conditions[0]!.root, syntax.detection, () => true);
      const given = spans.map((span) => ({
        fields: Object.fromEntries(Object.entries(span).filter(([, one]) => one !== undefined)) as never,
      }));
      const found = findingsOf(rule, given).length;
      if (!canBeTrue) assert.equal(found, 0, 'impossible');
      if (!canBeFalse) assert.equal(found, spans.length, 'always');
      if (!canBeTrue) impossible++;
      if (!canBeFalse) always++;
    }),
    { numRuns: 600 },
  );
  assert.ok(impossible > 10 && always > 3, `${impossible} impossible, ${always} always true`);
});
