import assert from 'node:assert/strict';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { acquireLock } from './lock.ts';
import { temporaryDirectory } from './testing/temporary.ts';

test('one holder at a time; released means free, and nothing is left behind', async (t) => {
  const directory = await temporaryDirectory(t);
  const lock = await acquireLock(directory);
  assert.equal(await lock.isHeld(), true);
  await assert.rejects(acquireLock(directory), /is in use/);
  await lock.release();
  await lock.release();
  assert.deepEqual(await readdir(directory), []);
  await (await acquireLock(directory)).release();
});

test('a lock whose number now belongs to another process is stale', async (t) => {
  const { directory, holder } = await leftLock(t);
  await writeFile(join(directory, 'lock'), JSON.stringify({ ...holder, started: '1' }));
  await (await acquireLock(directory)).release();
});

test('a lock from before the last boot is stale', async (t) => {
  const { directory, holder } = await leftLock(t);
  await writeFile(join(directory, 'lock'), JSON.stringify({ ...holder, boot: 'earlier' }));
  await (await acquireLock(directory)).release();
});

test('a lock that a power loss left empty is stale', async (t) => {
  const { directory } = await leftLock(t);
  await writeFile(join(directory, 'lock'), '');
  await (await acquireLock(directory)).release();
});

test('a holder in another container counts as alive while its heartbeat is fresh', async (t) => {
  const { directory, holder } = await leftLock(t);
  const path = join(directory, 'lock');
  await writeFile(path, JSON.stringify({ ...holder, host: 'elsewhere', pidNamespace: 'pid:[1]' }));
  await assert.rejects(acquireLock(directory), /on elsewhere holds/);
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(path, longAgo, longAgo);
  await (await acquireLock(directory)).release();
});

test('of many who find a stale lock one gets it', async (t) => {
  const { directory, holder } = await leftLock(t);
  await writeFile(join(directory, 'lock'), JSON.stringify({ ...holder, started: '1' }));
  const results = await Promise.allSettled(Array.from({ length: 16 }, () => acquireLock(directory)));
  const locks = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  assert.equal(locks.length, 1);
  assert.equal(await locks[0]!.isHeld(), true);
  await locks[0]!.release();
  assert.deepEqual(await readdir(directory), []);
});

async function leftLock(t: Parameters<typeof temporaryDirectory>[0]) {
  const directory = await temporaryDirectory(t);
  const lock = await acquireLock(directory);
  const holder = JSON.parse(await readFile(join(directory, 'lock'), 'utf8')) as Record<string, unknown>;
  await lock.release();
  return { directory, holder };
}
