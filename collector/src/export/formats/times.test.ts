import assert from 'node:assert/strict';
import test from 'node:test';
import { isoOfNanos, millisOf } from './times.ts';

test('any unsigned 64 bits are a time with all its digits', () => {
  assert.equal(isoOfNanos(0n), '1970-01-01T00:00:00.000000000Z');
  assert.equal(isoOfNanos(1_795_860_138_123_456_789n), '2026-11-28T10:02:18.123456789Z');
  assert.equal(isoOfNanos(2n ** 64n - 1n), '2554-07-21T23:34:33.709551615Z');
  assert.equal(millisOf(1_795_860_138_123_456_789n), 1_795_860_138_123);
});
