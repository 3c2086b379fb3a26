import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { unpack } from './compression.ts';

const text = Buffer.from('some words that come again and again '.repeat(3_000));

test('a gzip body may be of several members, of which the trailer tells the last one only', async () => {
  const outcome = await unpack(Buffer.concat([gzipSync(text), gzipSync(text.subarray(0, 10))]), 'gzip');
  assert.equal(outcome.status, 'ok');
  assert.equal(outcome.status === 'ok' && outcome.bytes.equals(Buffer.concat([text, text.subarray(0, 10)])), true);
});

test('a gzip trailer that says something false is an error and gets no room', async () => {
  for (const length of [0, 1, text.length + 1, 0xffff_ffff]) {
    const body = gzipSync(text);
    body.writeUInt32LE(length, body.length - 4);
    const outcome = await unpack(body, 'gzip');
    assert.deepEqual(outcome.status === 'refused' && outcome.code, 'SW_OTLP_COMPRESSION', String(length));
  }
});

test('a short gzip body has no trailer', async () => {
  for (const length of [0, 1, 17]) {
    assert.equal((await unpack(gzipSync(text).subarray(0, length), 'gzip')).status, 'refused');
  }
});

test('what is unpacked is kept without more room than it needs', async () => {
  const hex = Buffer.from(randomBytes(100_000).toString('hex'));
  const outcome = await unpack(gzipSync(hex), 'gzip');
  assert.ok(outcome.status === 'ok');
  assert.ok(outcome.bytes.buffer.byteLength < hex.length * 1.1, String(outcome.bytes.buffer.byteLength));
});
