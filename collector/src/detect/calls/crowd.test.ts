import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Crowd } from './crowd.ts';

interface Member {
  readonly number: number;
  readonly second: number;
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ add: fc.integer({ min: 1, max: 3 }), second: fc.integer({ min: -9, max: 9 }) }) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) },
);
const steps = fc.array(step, { maxLength: 400, size: 'max' });

test('a crowd shows those of some seconds among the newest that are left, the last first', () => {
  fc.assert(
    fc.property(steps, fc.nat(2_000), fc.integer({ min: -10, max: 10 }), fc.nat(10), (all, max, from, more) => {
      const crowd = new Crowd<Member>();
      const until = from + more;
      let left: Member[] = [];
      let number = 0;
      for (const each of all) {
        if (typeof each === 'object') {
          for (let added = 0; added < each.add; added++) {
            // Time goes on, so that pieces differ in it.
            const member = { number: number++, second: each.second + Math.floor(number / 50) };
            left.push(member);
            crowd.add(member);
          }
        } else if (left.length > 0) {
          const gone = left[Math.floor(each * left.length)]!;
          left = left.filter((member) => member !== gone);
          crowd.delete(gone);
          crowd.delete(gone);
        }
      }
      const newest = max === 0 ? [] : left.slice(-max).reverse();
      const expected = newest.filter(({ second }) => second >= from && second <= until);
      const shown: Member[] = [];
      assert.equal(
        crowd.someNewest(max, from, until, (member) => shown.push(member) < 0),
        false,
      );
      assert.deepEqual(shown, expected);
      assert.equal(
        crowd.someNewest(max, from, until, (member) => member === expected.at(-1)),
        expected.length > 0,
      );
      assert.equal(crowd.isEmpty, left.length === 0);
    }),
    { numRuns: 200 },
  );
});
