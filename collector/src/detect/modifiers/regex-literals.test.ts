import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldCase } from '../../text/fold.ts';
import { readRegex } from './regex.ts';
import { requiredLiterals } from './regex-literals.ts';

const cases: [string, readonly (readonly string[])[]][] = [
  ['abc', [['abc']]],
  ['\\babc\\s+defg', [['abc defg']]],
  ['abc\\s*defg', [['defg'], ['abc']]],
  ['abc\\s {2}\\s+\\sde', [['abc de']]],
  ['\\s+', []],
  ['a\\s\\w', []],
  ['ab\\s{2,}', [['ab ']]],
  ['(?:ab\\s+cd|e)\\s+fg', [[' fg']]],
  [
    '(?:ignore|forget)\\s+(?:it|all)',
    [
      ['ignore', 'forget'],
      ['it', 'all'],
    ],
  ],
  ['(?i)Hello', [['hello']]],
  ['ab?cd', [['cd']]],
  ['ab|', []],
  ['(abc)*', []],
  ['(?:abcd){0,2}xy', [['xy']]],
  ['(?:abcd){1,2}xy', [['abcd'], ['xy']]],
  ['(?:ab.cde|xy)', [['cde', 'xy']]],
  ['[abc]+', []],
  ['[]a]bc', [['bc']]],
  ['a\\.b', [['a.b']]],
  ['\\Qa.b\\E', []],
  ['x(?P<n>yz+)', [['yz']]],
  ['', []],
];

for (const [source, literals] of cases) {
  test(`literals of ${source}`, () => assert.deepEqual(requiredLiterals(source), literals));
}

test('every text that a regex matches holds one literal of each of its sets', () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    'ab',
    '.',
    '[ab]',
    '[^b]',
    '\\w',
    '\\.',
    '(?:a|bc)',
    '(b|c)',
    '(?:)',
    '\\b',
    'K',
    'ſ',
    ' ',
    '\\s',
  );
  const quantifier = fc.constantFrom('', '', '', '?', '*', '+', '{0,1}', '{2}', '+?');
  const source = fc
    .array(fc.tuple(atom, quantifier), { minLength: 1, maxLength: 5 })
    .chain((pieces) =>
      fc.tuple(
        fc.constant(
          pieces
            .map(([a, q]) => (a === '\\b' || a === '(?:)' ? a : a.length > 1 && /^\w+$/.test(a) ? a : a + q))
            .join(''),
        ),
        fc.boolean(),
      ),
    )
    .map(([body, split]) => (split ? `${body}|abc` : body));
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', '.', 'k', '\u212a', 's', 'S', ' ', '\n', '\t'), { maxLength: 8 })
    .map((each) => each.join(''));
  fc.assert(
    fc.property(source, text, fc.boolean(), (regex, value, i) => {
      const read = readRegex(regex, { i, m: false, s: false });
      if ('problem' in read || !read.regex.test(value)) return;
      const folded = foldCase(value).replace(/[\t-\r ]+/g, ' ');
      for (const set of read.regex.required)
        assert.ok(
          set.some((literal) => folded.includes(literal)),
          `${regex} ${value}`,
        );
    }),
    { numRuns: 5000 },
  );
});
