import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../../model/fields.ts';
import type { Value } from '../../model/value.ts';
import { compileRule, createShared, type Shared } from '../compile.ts';
import { createDetector } from '../engine.ts';
import { loadRules, readRules } from '../load.ts';
import type { Cursor } from '../reader.ts';
import { plainEvents, ruleWith } from '../testing/plain-events.ts';
import { witnessesOf } from './witness.ts';

const fieldNames = ['f', 'g', 'spanwarden.text.user'];
const letters = fc.constantFrom('a', 'b', 'B', ' ', 'é', '😀', '\u200b', '1');
const text = fc.array(letters, { maxLength: 6 }).map((units) => units.join(''));
const literal = fc.array(letters, { minLength: 1, maxLength: 3 }).map((units) => JSON.stringify(units.join('')));

const oneOf = (values: readonly string[]) => fc.constantFrom(...values);
const textItem = fc
  .tuple(
    oneOf(fieldNames),
    oneOf([
      '',
      '|contains',
      '|startswith',
      '|endswith',
      '|contains|all',
      '|contains|cased',
      '|contains|neq',
      '|normalised|contains',
    ]),
    fc.array(literal, { minLength: 2, maxLength: 3 }),
  )
  .map(([field, modifiers, values]) => `${field}${modifiers}: [${values.join(', ')}]`);
const item = fc.oneof(
  { weight: 4, arbitrary: textItem },
  oneOf(
    fieldNames.flatMap((field) => [`${field}: null`, `${field}|exists: true`, `${field}|exists: false`, `${field}: 1`]),
  ),
  fc
    .tuple(oneOf(fieldNames), oneOf(["'a+b'", "'(?:ab|ba)1?'", "'B.*a'", "'a|é'", "'^a'"]), oneOf(['', '|i']))
    .map(([field, regex, flag]) => `${field}|re${flag}: ${regex}`),
  oneOf(['f|fieldref: g', 'f|fieldref|contains: g']),
);
const selection = fc.array(item, { minLength: 1, maxLength: 3 });
const condition = oneOf([
  's1 and s2',
  's1 or s2',
  's1 and not s2',
  'not s1',
  '1 of s*',
  'all of s*',
  '2 of s*',
  's3 and (s1 or not s2)',
  'not (s1 and s2) and s3',
]);
const rule = fc.tuple(selection, selection, selection, condition).map(([s1, s2, s3, how]) => {
  const body = [s1, s2, s3].map(
    (items, i) =>
      `s${i + 1}:\n${[...new Map(items.map((each) => [each.split(':')[0], each])).values()].map((each) => `  ${each}`).join('\n')}`,
  );
  return ruleWith(`${body.join('\n')}\ncondition: ${how}`);
});
const value: fc.Arbitrary<Value> = fc.oneof(
  text,
  fc.constantFrom<Value>(1, true, null, ''),
  fc.array(text, { maxLength: 3 }),
);
const span = fc.record({ fields: fc.dictionary(oneOf(fieldNames), value, { maxKeys: 3 }) });

/** Rules as closures that look at everything: no index, no prefilter. */
function plainShared(fields: ReturnType<typeof createFieldTable>): Shared {
  const { readerOf, screen } = createShared(fields);
  return {
    ...{ readerOf, screen },
    scanner: {
      add: () => undefined,
      expect: () => {},
      hits: () => new Int32Array(0),
      look: () => ({ hits: new Int32Array(0), traits: 0 }),
      guard: (matcher) => matcher,
      group: (matchers) => ({ matchers, test: (member) => matchers.some((matcher) => matcher.test(member)) }),
      afresh: (work) => work(),
    },
  };
}

test('the indexed engine finds what a full scan of every rule finds, on generated rules and spans', () => {
  fc.assert(
    fc.property(
      fc.array(rule, { minLength: 1, maxLength: 6 }),
      fc.array(span, { minLength: 1, maxLength: 6 }),
      (texts, spans) => {
        const sources = texts.map((each, i) => ({
          path: `r${i}.yml`,
          text: each.replace(
            '6f2f2a54-7ed9-4d3f-a8d8-6f1f6d9f2b10',
            `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
          ),
        }));
        const fields = createFieldTable();
        const { rules } = readRules(sources);
        const events = plainEvents(spans, (id) => fields.name(id));
        const found = createDetector({ rules, fields })
          .detect(events)
          .map(({ spanId, ruleId }) => `${spanId} ${ruleId}`);
        const nodes = rules.map((each) => compileRule(each, plainShared(fields)));
        const cursor: Cursor = { events, span: 0, turn: 0 };
        const expected: string[] = [];
        for (let i = 0; i < spans.length; i++) {
          Object.assign(cursor, { span: i, turn: i + 1 });
          for (const [place, node] of nodes.entries()) {
            if (node.test(cursor)) expected.push(`${(i + 1).toString(16).padStart(16, '0')} ${rules[place]!.meta.id}`);
          }
        }
        assert.deepEqual(found.sort(), expected.sort());
      },
    ),
    { numRuns: 500 },
  );
});

const witnesses = (detection: string) => {
  const { rules } = loadRules([{ path: 'r.yml', text: ruleWith(detection) }]);
  return witnessesOf(rules[0]!.detection)?.map(({ field, literal: wanted, view }) =>
    [field, wanted, view].filter((each) => each !== undefined).join(' '),
  );
};

test('a rule waits for what is rare of all that it needs', () => {
  assert.deepEqual(witnesses('s:\n  f|contains: Rare word\n  g|exists: true\ncondition: s'), ['f rare word']);
  assert.deepEqual(witnesses('s:\n  f: first\n  g: [second, third]\ncondition: s'), ['f first']);
  assert.deepEqual(witnesses('s:\n  f|contains: first\nt:\n  g: second\ncondition: s or t'), ['f first', 'g second']);
  assert.deepEqual(witnesses('s:\n  f|normalised|contains: Word\ncondition: s'), ['f word normalised']);
  assert.deepEqual(witnesses('s:\n  f|re: "ab[0-9]"\ncondition: s'), ['f ab']);
  assert.deepEqual(witnesses('s:\n  f|gte: 4\ncondition: s'), ['f']);
});

test('of several of which some must hold it waits for as many as cannot all fail', () => {
  const three = 's1:\n  f: first\ns2:\n  f: second\ns3:\n  f: third';
  assert.deepEqual(witnesses(`${three}\ncondition: 2 of s*`)?.length, 2);
  assert.deepEqual(witnesses(`${three}\ncondition: all of s*`)?.length, 1);
  assert.deepEqual(witnesses(`${three}\ncondition: 1 of s*`)?.length, 3);
});

test('a rule that only says what must not be is asked about every span', () => {
  assert.equal(witnesses('s:\n  f: x\ncondition: not s'), undefined);
  assert.equal(witnesses('s:\n  f: null\ncondition: s'), undefined);
  assert.equal(witnesses('s:\n  f|exists: false\ncondition: s'), undefined);
});
