import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSorted, insertSorted, removeSorted, sortedAt } from './sorted.ts';

test('numbers come and go as in a sorted list, also beyond one chunk', () => {
  const numbers = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 3000, size: 'max' });
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 1000 }), (values, keep) => {
      const sorted = createSorted();
      const window: number[] = [];
      for (const value of values) {
        insertSorted(sorted, value);
        window.push(value);
        if (window.length > keep) removeSorted(sorted, window.shift()!);
      }
      const expected = window.sort((a, b) => a - b);
      assert.deepEqual(sorted.chunks.flat(), expected);
      assert.equal(sorted.length, expected.length);
      for (const rank of [0, expected.length >> 1, expected.length - 1])
        assert.equal(sortedAt(sorted, rank), expected[rank]);
    }),
    { numRuns: 30 },
  );
});
