import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { textHasRun } from './traits.ts';

/** Plain searches for what the scan looks for a few places at a time. */
const longWord = /[A-Za-z0-9+/_-]{16}/;
const pairs = /[0-9a-f]{2}(?:[ :,][0-9a-f]{2}){7}/;

test('a run is seen wherever it stands, and nothing else is', () => {
  const piece = fc.oneof(
    fc.constantFrom('word ', 'é', 'a', '. ', ' ', ':', 'ff', 'ab cd ', '0123456789abcde', 'AZaz09+/_-AZaz0'),
    fc.nat(12).map((count) => Array.from({ length: count }, (_, i) => (i * 7 + 16).toString(16)).join(':')),
    fc.integer({ min: 12, max: 18 }).map((length) => 'x'.repeat(length)),
  );
  const text = fc.tuple(fc.nat(60), fc.array(piece, { maxLength: 12 }));
  fc.assert(
    fc.property(text, ([before, parts]) => {
      const all = '.'.repeat(before) + parts.join('');
      assert.equal(textHasRun(all), longWord.test(all) || pairs.test(all), JSON.stringify(all));
    }),
    { numRuns: 2_000 },
  );
});
