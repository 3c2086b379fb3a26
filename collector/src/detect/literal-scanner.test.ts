import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLiteralScanner } from './literal-scanner.ts';
import { type Matcher, Member } from './matcher.ts';

const guarded = (required: readonly (readonly string[])[]): Matcher => ({
  test: () => true,
  wanted: '',
  required,
  costly: true,
});

test('a guarded matcher is asked exactly when one text of every set occurs', () => {
  const unit = fc.constantFrom('a', 'b', 'c', 'é', '😀');
  const word = (min: number, max: number) =>
    fc.array(unit, { minLength: min, maxLength: max }).map((units) => units.join(''));
  const sets = fc.array(fc.array(word(1, 4), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(sets, { minLength: 1, maxLength: 5 }), word(0, 20), (all, text) => {
      const scanner = createLiteralScanner();
      const matchers = all.map((required) => scanner.guard(guarded(required)));
      const member = new Member(text);
      for (const [index, matcher] of matchers.entries()) {
        const expected = all[index]!.every((set) => set.some((literal) => text.includes(literal)));
        assert.equal(matcher.test(member), expected);
      }
    }),
    { numRuns: 2000 },
  );
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

test('a cheap matcher, or one that requires nothing, stays as it is', () => {
  const scanner = createLiteralScanner();
  const cheap: Matcher = { test: () => true, wanted: '', required: [['x']] };
  const open = guarded([]);
  assert.equal(scanner.guard(cheap), cheap);
  assert.equal(scanner.guard(open), open);
});

test('past its bound matchers are left as they are', () => {
  const scanner = createLiteralScanner(4);
  const first = guarded([['abcdef']]);
  const second = guarded([['x']]);
  assert.notEqual(scanner.guard(first), first);
  assert.equal(scanner.guard(second), second);
});
