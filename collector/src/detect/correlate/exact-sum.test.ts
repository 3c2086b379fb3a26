import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { approximate, exactUnits } from './exact-sum.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true });

test('a number is its own units, up to the last bit of a double', () => {
  fc.assert(
    fc.property(number, (value) => {
      const shown = approximate(exactUnits(value));
      assert.ok(
        Math.abs(shown - value) <= Math.abs(value) * 2 ** -52 || Math.abs(value) < 2 ** -1000,
        `${value} ${shown}`,
      );
    }),
  );
  for (const value of [0, 5, -3, 0.1, 2 ** 53, -(2 ** 60), 1e300]) assert.equal(approximate(exactUnits(value)), value);
  assert.equal(exactUnits(Number.MIN_VALUE), 1n);
  assert.equal(exactUnits(2 ** -1022), 1n << 52n);
});

test('units are ordered as numbers are, and what is taken away leaves nothing', () => {
  fc.assert(
    fc.property(number, number, (a, b) => {
      assert.equal(exactUnits(a) < exactUnits(b), a < b);
      assert.equal(exactUnits(a) + exactUnits(b) - exactUnits(a), exactUnits(b));
    }),
  );
  const cents = Array.from({ length: 10 }, () => exactUnits(0.1)).reduce((sum, each) => sum + each, 0n);
  assert.ok(cents > exactUnits(1), 'ten times the double 0.1 is a little more than 1');
});
