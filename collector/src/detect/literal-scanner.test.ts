import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldCase } from '../text/fold.ts';
import { normaliseText } from '../text/normalise-text.ts';
import { createLiteralScanner } from './literal-scanner.ts';
import { type Matcher, Member } from './matcher.ts';
import { TextViews, throughView } from './views.ts';

const guarded = (required: readonly (readonly string[])[]): Matcher => ({
  test: () => true,
  wanted: '',
  required,
  costly: true,
});

const word = (units: readonly string[], min: number, max: number) =>
  fc.array(fc.constantFrom(...units), { minLength: min, maxLength: max }).map((each) => each.join(''));

/** Sets of literals, and how the answers of guarded matchers compare with a search for every literal. */
function compare(
  units: readonly string[],
  cellsMax: number | undefined,
  check: (asked: boolean, holds: boolean) => void,
) {
  const sets = fc.array(fc.array(word(units, 1, 4), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(sets, { minLength: 1, maxLength: 5 }), word(units, 0, 20), (all, text) => {
      const scanner = createLiteralScanner(cellsMax);
      const matchers = all.map((required) => scanner.guard(guarded(required)));
      const member = new Member(text);
      for (const [index, matcher] of matchers.entries()) {
        const holds = all[index]!.every((set) => set.some((literal) => text.includes(literal)));
        check(matcher.test(member), holds);
      }
    }),
    { numRuns: 300 },
  );
}

test('a guarded matcher is asked exactly when one text of every set occurs', () => {
  compare(['a', 'b', 'c', 'é', '忽'], undefined, (asked, holds) => assert.equal(asked, holds));
});

test('and too often, never too seldom, with letters outside the basic plane and without room for whole texts', () => {
  compare(['a', '😀', '𐐨'], undefined, (asked, holds) => assert.ok(asked || !holds));
  compare(['a', 'b', 'c', 'd'], 60, (asked, holds) => assert.ok(asked || !holds));
});

test('texts are folded as rules fold them', () => {
  const scanner = createLiteralScanner();
  for (const [literal, text] of [
    ['σας', 'ΣΑΣ'],
    ['kelvin', '\u212aELVIN'],
    ['ignore', 'IGNORE'],
  ] as const) {
    const id = scanner.add(foldCase(literal));
    assert.notEqual(id, undefined, `${literal} is not looked for in ${text}`);
  }
  for (const text of ['xΣΑΣx', '\u212aELVIN', 'Ignore']) assert.equal(scanner.hits(new Member(text)).length, 1, text);
});

test('a text that comes again is answered from memory, another one of the same length and sample is not', () => {
  const scanner = createLiteralScanner();
  const id = scanner.add('needle');
  const [with_, without] = [`${'x'.repeat(200)}needle${'x'.repeat(200)}`, 'x'.repeat(406)];
  for (let round = 0; round < 3; round++) {
    assert.deepEqual([...scanner.hits(new Member(with_))], [id]);
    assert.deepEqual([...scanner.hits(new Member(without))], []);
  }
});

test('more than 32 texts, texts in texts, and folding', () => {
  const scanner = createLiteralScanner();
  const words = Array.from({ length: 100 }, (_, i) => `word${i}x`);
  const each = words.map((word) => scanner.guard(guarded([[word]])));
  const inner = scanner.guard(guarded([['ord7']]));
  const member = new Member('… WORD77X …');
  assert.deepEqual(
    each.map((matcher, i) => (matcher.test(member) ? i : -1)).filter((i) => i >= 0),
    [77],
  );
  assert.equal(inner.test(member), true);
});

test('in long texts, wherever the parts that are read side by side meet, and in what normalising joins', () => {
  const piece = fc.constantFrom('needle', 'a b', ' ', '\n\t', '\u0001', 'x', 'need', 'NEEDLE', 'é', '0123456789abcdef');
  const scanner = createLiteralScanner();
  const [needle, pair] = [scanner.add('needle')!, scanner.add('a b x')!];
  const text = fc.array(fc.tuple(piece, fc.integer({ min: 1, max: 900 })), { maxLength: 40 });
  fc.assert(
    fc.property(text, fc.nat(20), (parts, before) => {
      const all =
        'y'.repeat(before) + parts.map(([part, times]) => part.repeat(part === 'x' ? times : times % 9)).join('');
      const hits = new Set(scanner.hits(new Member(all)));
      const normal = normaliseText(all);
      assert.equal(hits.has(needle), normal.includes('needle'));
      assert.equal(hits.has(pair), normal.includes('a b x'));
    }),
    { numRuns: 500 },
  );
});

test('a regex is asked once about a text, and apart about its normalised form', () => {
  const scanner = createLiteralScanner();
  const asked: string[] = [];
  const regex = (): Matcher => ({
    ...guarded([['needle']]),
    test: ({ text }) => asked.push(text) > 0 && text.startsWith('NEEDLE'),
    spec: { kind: 'regex', source: '^NEEDLE', flags: { i: false, m: false, s: false } },
  });
  const [first, second] = [scanner.guard(regex()), scanner.guard(regex())];
  const text = `NEEDLE ${'x'.repeat(200)}`;
  const [member, again] = [new Member(text), new Member(text)];
  const twin = Object.defineProperty(new Member(text, undefined, member), 'text', { value: text.toLowerCase() });
  assert.deepEqual([first.test(member), second.test(member), first.test(again)], [true, true, true]);
  assert.deepEqual([first.test(twin), second.test(twin)], [false, false]);
  assert.deepEqual(asked, [text, text.toLowerCase()]);
});

test('a group passes what one of its matchers passes, as it is or in a view, and asks only those whose texts occur', () => {
  const words = ['apple', 'pear', 'plum', 'fig', 'quince', 'melon', 'grape', 'lemon'];
  let asked: string[] = [];
  const matcherOf = (word: string, place: number): Matcher => {
    const test = ({ text }: Member) => asked.push(word) > 0 && foldCase(text).includes(word) && !text.includes('never');
    const inner = { ...guarded([[word, `${word}s`], ['!']]), test };
    // One is asked whatever stands in a text, and every third looks at normalised texts.
    if (word === 'lemon') return { ...inner, required: [] };
    return place % 3 === 0 ? throughView(inner, 'normalised') : inner;
  };
  const { test, matchers } = createLiteralScanner().group(words.map(matcherOf));
  const passes = (text: string) => {
    asked = [];
    return test(new Member(text, new TextViews()));
  };
  for (const word of words) {
    assert.equal(passes(`a ${word.toUpperCase()} !`), true, word);
    assert.deepEqual(
      asked.filter((each) => each !== 'lemon'),
      word === 'lemon' ? [] : [word],
    );
    assert.equal(passes(`a ${word}`), word === 'lemon', word);
    assert.deepEqual(asked, ['lemon']);
  }
  assert.equal(passes('never a fig or a pear !'), false);
  assert.deepEqual(asked.sort(), ['fig', 'lemon', 'pear']);
  assert.equal(matchers.length, words.length);
  assert.equal(matchers[1]!.test(new Member('a pear !')), true);
});

test('where a regex matches is looked for once in a text, of each regex and each text', () => {
  const scanner = createLiteralScanner();
  let looked = 0;
  const regexOf = (word: string): Matcher => ({
    ...guarded([[word]]),
    find: ({ text }) => {
      looked++;
      return { start: text.indexOf(word), end: text.indexOf(word) + word.length };
    },
    spec: { kind: 'regex', source: word, flags: { i: false, m: false, s: false } },
  });
  const words = ['needle', 'thread'];
  const finders = words.map((word) => scanner.guard(regexOf(word)).find!);
  const texts = [`a needle, a thread ${'x'.repeat(200)}`, `a thread, a needle ${'x'.repeat(200)}`];
  for (let time = 0; time < 2; time++) {
    for (const text of texts) {
      for (const [i, word] of words.entries()) {
        const start = text.indexOf(word);
        assert.deepEqual(finders[i]!(new Member(text)), { start, end: start + word.length }, `${word} in ${text}`);
      }
    }
    assert.equal(looked, 4);
  }
});

test('a cheap matcher, or one that requires nothing, stays as it is', () => {
  const scanner = createLiteralScanner();
  const cheap: Matcher = { test: () => true, wanted: '', required: [['x']] };
  const open = guarded([]);
  assert.equal(scanner.guard(cheap), cheap);
  assert.equal(scanner.guard(open), open);
});
