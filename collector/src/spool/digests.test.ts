import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Outcome, ok } from '../model/outcome.ts';
import { DigestWindow } from './digests.ts';

const digest = (number: number) => Buffer.alloc(16, number);

test('a digest is known while it is being committed and afterwards for its time', async () => {
  let now = 0;
  const window = new DigestWindow({ ageMaxMs: 1000, now: () => now });
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  assert.equal(window.find(digest(1)), undefined);
  const tracked = window.track(digest(1), promise);
  assert.equal(window.find(digest(1)), tracked);
  resolve(ok);
  assert.equal((await tracked).status, 'ok');
  now = 1000;
  assert.equal((await window.find(digest(1)))?.status, 'ok');
  now = 1001;
  assert.equal(window.find(digest(1)), undefined);
});

test('a batch that was refused is not remembered', async () => {
  const window = new DigestWindow({ ageMaxMs: 1000, now: () => 0 });
  await window.track(digest(1), Promise.resolve({ status: 'retryable', reason: 'SW_SPOOL_FULL' }));
  assert.equal(window.find(digest(1)), undefined);
});

test('the oldest is forgotten when there are too many', () => {
  const window = new DigestWindow({ ageMaxMs: 1000, now: () => 0, countMax: 3 });
  for (const number of [1, 2, 3, 1, 4]) window.restore(digest(number), 0);
  assert.equal(window.size, 3);
  assert.equal(window.find(digest(2)), undefined);
  assert.ok(window.find(digest(1)));
});
