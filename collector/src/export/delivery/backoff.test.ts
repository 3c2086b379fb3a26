import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../model/limits.ts';
import { misconfiguredDelayMs, retryDelayMs } from './backoff.ts';

const attempt = fc.integer({ min: 1, max: 10_000 });
const random = fc.double({ min: 0, max: 0.999, noNaN: true });

test('pauses grow up to a bound, and are anything below it', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 20].map((each) => retryDelayMs(each, 0.5)),
    [125, 250, 500, 1000, 30_000],
  );
  fc.assert(
    fc.property(attempt, random, (each, chance) => {
      const delayMs = retryDelayMs(each, chance);
      assert.ok(delayMs >= 50 && delayMs <= limits.exportRetryMsMax);
    }),
  );
});

test('what a receiver asks for is waited, as far as that is bearable', () => {
  assert.equal(retryDelayMs(1, 0.5, 7_000), 7_000);
  assert.equal(retryDelayMs(20, 0.5, 7_000), 30_000);
  assert.equal(retryDelayMs(1, 0, 1e12), limits.exportRetryAfterMsMax);
});

test('what a person has to mend is looked at slowly', () => {
  assert.equal(misconfiguredDelayMs(1, 0), 5_000);
  assert.ok(misconfiguredDelayMs(100, 0.999) <= limits.exportMisconfiguredMsMax);
});
