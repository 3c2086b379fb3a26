import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../model/fields.ts';
import { Category } from '../model/span-events.ts';
import type { Value } from '../model/value.ts';
import { createDetector } from './engine.ts';
import { createExplainer } from './explain.ts';
import type { BranchExplanation, Explanation, ItemExplanation } from './explanation.ts';
import { readRules } from './load.ts';
import { type PlainSpan, plainEvents, ruleWith } from './testing/plain-events.ts';

/** What the explainer says of a rule and spans, and which spans the detector finds. */
function both(text: string | readonly string[], spans: readonly PlainSpan[]) {
  const fields = createFieldTable();
  const sources = [text].flat().map((each, index) => ({ path: `r${index}.yml`, text: each }));
  const { rules, errors } = readRules(sources);
  assert.deepEqual(errors, []);
  const events = plainEvents(spans, (field) => fields.name(field));
  const detector = createDetector({ rules: rules.slice(0, 1), fields });
  const found = new Set(detector.detect(events).map(({ spanId }) => Number.parseInt(spanId, 16) - 1));
  const explain = createExplainer(rules[0]!, fields);
  return spans.map((_, span) => ({ explained: explain(events, span), found: found.has(span) }));
}

function explain(detection: string, fields: PlainSpan['fields']): BranchExplanation {
  return both(ruleWith(detection), [{ fields }])[0]!.explained;
}

function itemsOf(explanation: Explanation): ItemExplanation[] {
  return explanation.kind === 'item' ? [explanation] : explanation.parts.flatMap(itemsOf);
}

describe('an explanation', () => {
  test('asks every part, also behind the one that decides', () => {
    const explained = explain('s:\n  a: x\n  b|contains: [y, z]\nt:\n  c: 1\ncondition: s and not t', {
      a: 'other',
      b: 'xyz',
    });
    assert.equal(explained.matched, false);
    assert.deepEqual(
      itemsOf(explained).map(({ field, matched, absent, actual }) => ({ field, matched, absent, actual })),
      [
        { field: 'a', matched: false, absent: [], actual: ['other'] },
        { field: 'b', matched: true, absent: [], actual: ['xyz'] },
        { field: 'c', matched: false, absent: ['c'], actual: [] },
      ],
    );
    assert.deepEqual(itemsOf(explained)[1]!.wanted, [
      { text: 'contains "y"', matched: true },
      { text: 'contains "z"', matched: true },
    ]);
    const [, condition] = explained.parts as readonly BranchExplanation[];
    assert.deepEqual([condition!.kind, condition!.label], ['condition', 's and not t']);
  });

  test('says which of all the values are missing, and of lists which member decides', () => {
    const [item] = itemsOf(explain('s:\n  a|contains|all: [x, y]\ncondition: s', { a: ['1', '2', '3', '4x'] }));
    assert.equal(item!.link, 'all');
    assert.deepEqual(
      item!.wanted.map(({ matched }) => matched),
      [true, false],
    );
    assert.deepEqual([item!.actual, item!.members], [['4x'], 4]);
  });

  test('names the other field when that is the absent one', () => {
    const [item] = itemsOf(explain('s:\n  a|fieldref: b\ncondition: s', { a: 'x' }));
    assert.deepEqual([item!.matched, item!.absent], [false, ['b']]);
  });

  test('masks secrets and escapes what nobody sees', () => {
    const [item] = itemsOf(explain('s:\n  a: x\ncondition: s', { a: 'password=hunter2 \u200b\u001b[2J' }));
    assert.ok(!item!.actual[0]!.includes('hunter2'));
    assert.ok(item!.actual[0]!.includes('\\u{1b}'));
  });

  test('holds the logsource and the filters', () => {
    const rule = ruleWith('s:\n  a: x\ncondition: s');
    const filter =
      'title: F\nid: f\nlogsource: {product: ai_agent}\nfilter:\n  rules: any\n  quiet: {b: y}\n  condition: not quiet\n';
    const spans = [
      { fields: { a: 'x' } },
      { fields: { a: 'x', b: 'y' } },
      { fields: { a: 'x' }, categories: Category.llm },
    ];
    const all = both([rule, filter], spans);
    assert.deepEqual(
      all.map(({ explained }) => explained.matched),
      [true, false, false],
    );
    assert.match(JSON.stringify(all[1]!.explained), /"kind":"filter","label":"not quiet","matched":false/);
    assert.deepEqual(
      all[2]!.explained.parts.map(({ matched }) => matched),
      [false, true],
    );
  });
});

const word = fc.constantFrom('x', 'y', 'xy', 'Zy', '5', '');
const scalar: fc.Arbitrary<Value> = fc.oneof(word, fc.integer({ min: 4, max: 6 }), fc.boolean(), fc.constant(null));
const fields = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })),
) as fc.Arbitrary<Record<string, Value>>;
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 3 });
const item = fc.oneof(
  fc.tuple(fc.constantFrom('a', 'a|contains', 'b|startswith', 'c|contains|all', 'a|neq', 'b|cased'), words),
  fc.tuple(fc.constantFrom('a|exists', 'b|exists'), fc.boolean()),
  fc.tuple(fc.constantFrom('a|gt', 'b|lte', 'c|gte|neq'), fc.integer({ min: 4, max: 6 })),
  fc.tuple(fc.constantFrom('a|re', 'c|re|i', 'b|re|neq'), fc.constantFrom('x', '^y', 'z?y$')),
  fc.tuple(fc.constantFrom('a', 'b|neq'), fc.constant(null)),
  fc.tuple(fc.constantFrom('a|fieldref', 'b|fieldref|neq', 'a|fieldref|contains'), fc.constantFrom('b', 'c')),
);
const map = fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => Object.fromEntries(items));
const search = fc.oneof(map, fc.array(fc.oneof(map, fc.constantFrom('x', 'y')), { minLength: 1, maxLength: 3 }));
const condition = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('s1', 's2', 's3', '1 of s*', 'all of them', '2 of s*'),
    tie('any').map((part) => `not (${part})`),
    fc.tuple(tie('any'), fc.constantFrom('and', 'or'), tie('any')).map(([a, link, b]) => `(${a} ${link} ${b})`),
  ),
})).any;

test("an explanation's verdict is the engine's, on any rule and span", () => {
  const detection = fc.record({
    s1: search,
    s2: search,
    s3: search,
    condition: fc.oneof(condition, fc.array(condition, { minLength: 1, maxLength: 2 })),
  });
  const spans = fc.array(fc.record({ fields, categories: fc.constantFrom(Category.tool, Category.llm) }), {
    minLength: 1,
    maxLength: 5,
  });
  let matched = 0;
  fc.assert(
    fc.property(detection, spans, (written, events) => {
      for (const { explained, found } of both(ruleWith(JSON.stringify(written)), events)) {
        assert.equal(explained.matched, found);
        matched += Number(found);
      }
    }),
    { numRuns: 400 },
  );
  assert.ok(matched > 50);
});
