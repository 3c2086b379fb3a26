import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Crowd } from './crowd.ts';

test('a crowd shows the newest of those that are left, the last first', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.constant('add' as const) },
    { weight: 2, arbitrary: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), fc.nat(2_000), fc.nat(2), (steps, max, first) => {
      const crowd = new Crowd<{ readonly number: number }>();
      let all: { readonly number: number }[] = [];
      let number = 0;
      for (const each of steps) {
        if (each === 'add') {
          for (let more = 0; more <= first; more++) {
            const member = { number: number++ };
            all.push(member);
            crowd.add(member);
          }
        } else if (all.length > 0) {
          const gone = all[Math.floor(each * all.length)]!;
          all = all.filter((member) => member !== gone);
          crowd.delete(gone);
          crowd.delete(gone);
        }
      }
      const shown: unknown[] = [];
      crowd.someNewest(max, (member) => shown.push(member) < 0);
      assert.deepEqual(shown, max === 0 ? [] : all.slice(-max).reverse());
      assert.equal(crowd.isEmpty, all.length === 0);
      const last = all.at(-1);
      assert.equal(
        crowd.someNewest(1, (member) => member === last),
        last !== undefined,
      );
    }),
    { numRuns: 150 },
  );
});
