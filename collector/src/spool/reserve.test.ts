import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Spool } from './contract.ts';
import type { SpoolFiles } from './files.ts';
import { drain, numberedBatch } from './testing/records.ts';
import { openedSpool } from './testing/temporary.ts';
import { watchedFiles } from './testing/watched-files.ts';

test('a full disk gets the reserve, nothing is taken meanwhile, and it comes back when there is room', async (t) => {
  let isFull = false;
  let free = 0;
  const files: SpoolFiles = {
    ...watchedFiles(() => {
      if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    }),
    freeBytes: async () => free,
  };
  const { spool, directory } = await openedSpool(t, { reserveBytes: 100_000, graceMs: 0 }, files);
  assert.equal(spool.stats().reserveReleased, true, 'too little room at the start');
  assert.equal((await spool.append(numberedBatch(1))).status, 'retryable');
  free = 300_000;
  await untilReserve(spool, false);
  assert.equal((await stat(join(directory, 'reserve'))).size, 100_000);
  assert.equal((await spool.append(numberedBatch(1))).status, 'ok');
  isFull = true;
  free = 200_000;
  assert.equal((await spool.append(numberedBatch(2))).status, 'retryable');
  isFull = false;
  assert.equal(spool.stats().reserveReleased, true);
  assert.equal((await readdir(directory)).includes('reserve'), false);
  assert.match(((await spool.append(numberedBatch(3))) as { reason: string }).reason, /^SW_SPOOL_FULL/);
  assert.deepEqual(await drain(spool), [1]);
  free = 300_000;
  await untilReserve(spool, false);
  // After a failed write the disk is left alone for a second.
  while ((await spool.append(numberedBatch(2))).status !== 'ok') await new Promise((done) => setTimeout(done, 100));
  assert.deepEqual(await drain(spool), [2]);
});

async function untilReserve(spool: Spool, isReleased: boolean): Promise<void> {
  for (let tries = 0; spool.stats().reserveReleased !== isReleased; tries++) {
    assert.ok(tries < 200, 'the reserve did not change');
    await new Promise((done) => setTimeout(done, 50));
  }
}
