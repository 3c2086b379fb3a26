import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { foldCase } from '../text/fold.ts';
import { compileGlob, longestLiteral } from './glob.ts';
import { type Pattern, parsePattern } from './values.ts';

describe('escapes and wildcards', () => {
  const cases: [written: string, means: Pattern][] = [
    ['a*b', [{ text: 'a' }, 'any', { text: 'b' }]],
    ['a?b', [{ text: 'a' }, 'one', { text: 'b' }]],
    ['\\*\\?', [{ text: '*?' }]],
    ['\\\\x', [{ text: '\\x' }]],
    ['\\\\*', [{ text: '\\' }, 'any']],
    ['\\\\\\*', [{ text: '\\*' }]],
    ['\\\\\\x', [{ text: '\\\\x' }]],
    ['\\\\\\\\x', [{ text: '\\\\x' }]],
    ['\\x', [{ text: '\\x' }]],
    ['a\\', [{ text: 'a\\' }]],
    ['\\\\\\\\host', [{ text: '\\\\host' }]],
    ['**', ['any']],
    ['', []],
  ];
  for (const [written, means] of cases) {
    test(`${JSON.stringify(written)}`, () => assert.deepEqual(parsePattern(written), means));
  }

  test('placeholders only where asked for', () => {
    assert.deepEqual(parsePattern('a%b%c', true), [{ text: 'a' }, { list: 'b' }, { text: 'c' }]);
    assert.deepEqual(parsePattern('a%b%c'), [{ text: 'a%b%c' }]);
    assert.deepEqual(parsePattern('\\%b\\%', true), [{ text: '%b%' }]);
    assert.deepEqual(parsePattern('50% of 7%', true), [{ text: '50% of 7%' }]);
  });
});

describe('globs', () => {
  const globOf = (source: string) => compileGlob(parsePattern(source), false);

  test('find the place of their text', () => {
    assert.deepEqual(globOf('*bc*').find('abcd'), { start: 1, end: 3 });
    assert.deepEqual(globOf('*cd').find('abcd'), { start: 2, end: 4 });
    assert.deepEqual(globOf('ab*').find('abcd'), { start: 0, end: 2 });
    assert.deepEqual(globOf('*b*d*').find('abcde'), { start: 1, end: 4 });
    assert.equal(longestLiteral(parsePattern('*be?REr*')), 'rer');
  });

  test('? is one code point, wherever it stands', () => {
    assert.equal(globOf('?').test('😀'), true);
    assert.equal(globOf('??').test('😀'), false);
    assert.equal(globOf('*?').test('a😀'), true);
    assert.equal(globOf('a?*').test('a'), false);
    assert.equal(globOf('*a?').test('xa😀'), true);
  });

  test('agree with a plain matcher on any pattern and text', () => {
    const char = fc.constantFrom('a', 'b', 'B', '\n', 'é', '😀');
    const text = fc.array(char, { maxLength: 12 }).map((chars) => chars.join(''));
    const piece = fc.oneof(char, fc.constantFrom('*', '?'));
    const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(pattern, text, (source, value) => {
        assert.equal(globOf(source).test(foldCase(value)), plainMatch([...foldCase(source)], [...foldCase(value)]));
      }),
      { numRuns: 3000 },
    );
  });
});

/** The textbook definition, without any cleverness. */
function plainMatch(pattern: string[], text: string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return text.length === 0;
  if (head === '*') return plainMatch(rest, text) || (text.length > 0 && plainMatch(pattern, text.slice(1)));
  return text.length > 0 && (head === '?' || head === text[0]) && plainMatch(rest, text.slice(1));
}

describe('case folding', () => {
  test('keeps every place and is idempotent, for all of Unicode', () => {
    for (let code = 0; code < 0x110000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const char = String.fromCodePoint(code);
      const folded = foldCase(char);
      if (folded === char) continue;
      assert.equal(folded.length, char.length, code.toString(16));
      assert.equal(foldCase(folded), folded, code.toString(16));
      assert.match(char, new RegExp(`^${folded}$`, 'iu'));
    }
  });

  test('joins upper and lower case wherever simple folding does', () => {
    for (let code = 0; code < 0x1f000; code++) {
      if (code >= 0xd800 && code < 0xe000) continue;
      const char = String.fromCodePoint(code);
      for (const partner of [char.toUpperCase(), char.toLowerCase()]) {
        if (partner === char || [...partner].length !== 1 || !new RegExp(`^${partner}$`, 'iu').test(char)) continue;
        assert.equal(foldCase(partner), foldCase(char), code.toString(16));
      }
    }
    assert.notEqual(foldCase('ß'), foldCase('ss'));
    assert.equal(foldCase('ẞ'), foldCase('ß'));
    assert.notEqual(foldCase('ı'), foldCase('I'));
    assert.equal(foldCase('\u212a'), 'k');
  });
});
