import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRules } from './load.ts';
import { fieldsOf, missingFields } from './rule-fields.ts';
import { ruleWith } from './testing/plain-events.ts';

function missing(detection: string, seen: readonly string[]): readonly string[] {
  const { rules, errors } = readRules([{ path: 'r.yml', text: ruleWith(detection) }]);
  assert.deepEqual(errors, []);
  return missingFields(rules[0]!, (field) => seen.includes(field));
}

const both = 'a:\n  f: x\n  g: y\nb:\n  h: z\n';

test('a rule cannot fire when no branch of its condition has all its fields', () => {
  assert.deepEqual(missing(`${both}condition: a`, ['f']), ['g']);
  assert.deepEqual(missing(`${both}condition: a or b`, ['f']), ['g', 'h']);
  assert.deepEqual(missing(`${both}condition: a or b`, ['h']), []);
  assert.deepEqual(missing(`${both}condition: all of them`, ['f', 'g']), ['h']);
  assert.deepEqual(missing(`${both}condition: 1 of them`, ['f', 'g']), []);
  assert.deepEqual(missing(`${both}condition:\n  - a\n  - b`, ['h']), []);
});

test('what must not be there need not arrive', () => {
  assert.deepEqual(missing(`${both}condition: b and not a`, ['h']), []);
  assert.deepEqual(missing('s:\n  f|exists: false\n  g: null\ncondition: s', []), []);
  assert.deepEqual(missing('s:\n  f|exists: true\ncondition: s', []), ['f']);
  assert.deepEqual(missing('s:\n  f|neq: x\ncondition: s', []), ['f']);
  assert.deepEqual(missing('s:\n  f|fieldref: g\ncondition: s', ['f']), ['g']);
  assert.deepEqual(missing('s:\n  - word\ncondition: s', []), []);
});

test('correlations need what their rules need', () => {
  const rules = ['f', 'g'].map((field) =>
    ruleWith(`s:\n  ${field}: x\ncondition: s`)
      .replaceAll('6f2f2a54', `6f2f2a5${field === 'f' ? 4 : 5}`)
      .replace('title', `name: r_${field}\ntitle`),
  );
  const correlation = (type: string, more = '') =>
    `title: C\nid: c\ncorrelation:\n  type: ${type}\n  rules: [r_f, r_g]\n  group-by: []\n  timespan: 1m\n${more}`;
  const of = (text: string, seen: readonly string[]) => {
    const reading = readRules([...rules, text].map((each, index) => ({ path: `${index}.yml`, text: each })));
    assert.deepEqual(reading.errors, []);
    return missingFields(reading.correlations[0]!, (field) => seen.includes(field));
  };
  assert.deepEqual(of(correlation('temporal'), ['f']), ['g']);
  assert.deepEqual(of(correlation('event_count', '  condition: {gte: 2}\n'), ['f']), []);
  assert.deepEqual(of(correlation('event_count', '  condition: {gte: 2}\n'), []), ['f', 'g']);
});

test('the fields of a rule are named once', () => {
  const { rules } = readRules([{ path: 'r.yml', text: ruleWith(`${both}condition: a or b`) }]);
  assert.deepEqual(fieldsOf(rules[0]!), ['f', 'g', 'h']);
});
