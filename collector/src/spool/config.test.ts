import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../model/limits.ts';
import { spoolConfigSchema, spoolOptions } from './config.ts';

test('no section at all gives the defaults', () => {
  const options = spoolOptions(spoolConfigSchema.parse(undefined), '/data/spool');
  assert.deepEqual(options, {
    directory: '/data/spool',
    segmentBytesMax: limits.spoolSegmentBytesMax,
    segmentAgeMaxMs: 1000,
    bytesMax: limits.spoolBytesMax,
    graceMs: 600_000,
    reserveBytes: 33_554_432,
    pendingBytesMax: limits.spoolPendingBytesMax,
  });
});

test('every key says what it means', () => {
  for (const [key, schema] of Object.entries(spoolConfigSchema.unwrap().shape)) {
    assert.match(schema.description ?? '', /Default/, key);
  }
});

test('unknown keys and a spool too small for its segments are errors', () => {
  assert.equal(spoolConfigSchema.safeParse({ segment_size: 1 }).success, false);
  const small = spoolConfigSchema.safeParse({ bytes_max: 16 * 1024 * 1024 });
  assert.deepEqual(small.error?.issues[0]?.path, ['bytes_max']);
});
