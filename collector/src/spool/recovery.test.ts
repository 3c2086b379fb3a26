import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SpanwardenError } from '../model/errors.ts';
import type { SpoolStats } from './contract.ts';
import { nodeFiles } from './files.ts';
import { segmentHeaderBytes } from './format.ts';
import { acquireLock } from './lock.ts';
import { openSpool } from './spool.ts';
import { drain, numberedBatch, numbersIn } from './testing/records.ts';
import { quietOptions, temporaryDirectory } from './testing/temporary.ts';
import { passedOn } from './testing/watched-files.ts';

const batches = [0, 1, 2];

test('a segment cut or damaged at any byte costs at most the record there, and opening never fails', async (t) => {
  const { directory, name, bytes } = await oneSegment(t);
  const path = join(directory, name);
  const recordBytes = (bytes.length - segmentHeaderBytes) / batches.length;
  const recordAt = (offset: number) => Math.floor((offset - segmentHeaderBytes) / recordBytes);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = damaged[at]! ^ 0x10;
    await writeFile(path, damaged);
    const flipped = await reopened(directory, name);
    assert.deepEqual(
      flipped.numbers,
      batches.filter((index) => at < segmentHeaderBytes || index !== recordAt(at)),
      `byte ${at}`,
    );
    assert.equal(flipped.stats.corruptRanges + flipped.stats.tornTails, 1, `byte ${at}`);

    await writeFile(path, bytes.subarray(0, at));
    const cut = await reopened(directory, name);
    assert.deepEqual(
      cut.numbers,
      batches.filter((index) => index < Math.max(0, recordAt(at))),
      `cut at ${at}`,
    );
    assert.equal(cut.stats.corruptRanges, 0, `cut at ${at}`);
  }
});

test('a segment keeps its id through recovery', async (t) => {
  const { directory, name, bytes, id } = await oneSegment(t);
  await truncate(join(directory, name), bytes.length - 1);
  const spool = await openSpool(quietOptions(directory));
  const segment = (await spool.next(new AbortController().signal))!;
  assert.equal(segment.id, id);
  assert.deepEqual(await numbersIn(segment), [0, 1]);
  assert.equal(spool.stats().tornTails, 1);
  await spool.close();
});

test('corrupt bytes are kept in quarantine, torn ones are not', async (t) => {
  const { directory, name, bytes, id } = await oneSegment(t);
  const damaged = Buffer.from(bytes);
  damaged[segmentHeaderBytes + 20] = 0xff;
  await writeFile(join(directory, name), damaged);
  const { stats } = await reopened(directory, name);
  const recordBytes = (bytes.length - segmentHeaderBytes) / batches.length;
  const kept = await readFile(join(directory, 'quarantine', `${id}.${segmentHeaderBytes}.bin`));
  assert.deepEqual(kept, damaged.subarray(segmentHeaderBytes, segmentHeaderBytes + recordBytes));
  assert.equal(stats.setAsideBytes, kept.length);
});

test('a segment that cannot be synced is offered, and its batches are not taken for stored', async (t) => {
  const { directory } = await oneSegment(t);
  const sync = () => Promise.reject(Object.assign(new Error('i/o error'), { code: 'EIO' }));
  const files = { ...nodeFiles, open: async (path: string) => ({ ...passedOn(await nodeFiles.open(path)), sync }) };
  const spool = await openSpool(quietOptions(directory), { files, lock: acquireLock });
  assert.equal(spool.stats().unsyncedSegments, 1);
  assert.equal(spool.committed(numberedBatch(0).digest), undefined);
  assert.deepEqual(await numbersIn((await spool.next(new AbortController().signal))!), batches);
  await spool.close();
  const again = await openSpool(quietOptions(directory));
  assert.equal(again.stats().unsyncedSegments, 0);
  assert.notEqual(again.committed(numberedBatch(0).digest), undefined);
  await again.close();
});

test('a file of a newer version stops the start', async (t) => {
  const { directory } = await oneSegment(t);
  const { crc32 } = await import('node:zlib');
  const [name] = (await readdir(directory)).filter((file) => file.endsWith('.seg'));
  const newer = await readFile(join(directory, name!));
  newer.writeUInt16LE(2, 8);
  newer.writeUInt32LE(crc32(newer.subarray(0, 44)), 44);
  await writeFile(join(directory, name!), newer);
  await assert.rejects(openSpool(quietOptions(directory)), (error) => {
    assert.ok(error instanceof SpanwardenError);
    assert.match(error.message, /newer version/);
    return true;
  });
});

test('a lost or damaged spool.id costs nothing', async (t) => {
  for (const content of [undefined, 'garbage']) {
    const { directory, id } = await oneSegment(t);
    await rm(join(directory, 'spool.id'));
    if (content) await writeFile(join(directory, 'spool.id'), content);
    const spool = await openSpool(quietOptions(directory));
    assert.equal((await spool.next(new AbortController().signal))?.id, id);
    assert.deepEqual(await drain(spool), batches);
    await spool.close();
  }
});

test('a directory put back from a backup does not use its ids a second time', async (t) => {
  const { directory, name, id } = await oneSegment(t);
  await rm(join(directory, name));
  const spool = await openSpool(quietOptions(directory));
  await spool.append(numberedBatch(7));
  await spool.seal();
  const again = (await spool.next(new AbortController().signal))!.id;
  await spool.close();
  assert.equal(again.slice(0, 33), id.slice(0, 33), 'the same spool and sequence');
  assert.notEqual(again, id);
});

test('files and folders of other kinds in the directory are left alone', async (t) => {
  const { directory } = await oneSegment(t);
  await writeFile(join(directory, 'notes.seg'), 'mine');
  await mkdir(join(directory, '0000000000000009-aaaaaaaa.seg'));
  const spool = await openSpool(quietOptions(directory));
  assert.deepEqual(await drain(spool), batches);
  await spool.close();
  assert.equal(await readFile(join(directory, 'notes.seg'), 'utf8'), 'mine');
});

test('a segment that rots after it was sealed gives the rows that are still whole', async (t) => {
  const { directory, name, bytes } = await oneSegment(t);
  const spool = await openSpool(quietOptions(directory));
  const segment = (await spool.next(new AbortController().signal))!;
  const damaged = Buffer.from(bytes);
  damaged[damaged.length - 2] = 0;
  await writeFile(join(directory, name), damaged);
  assert.deepEqual(await numbersIn(segment), [0, 1]);
  assert.equal(spool.stats().corruptRanges, 1);
  await spool.close();
});

test('a directory that cannot be used is said to be so', async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'file'), '');
  await assert.rejects(openSpool(quietOptions(join(directory, 'file'))), (error) => {
    assert.ok(error instanceof SpanwardenError);
    assert.equal(error.problems[0]?.code, 'SW_DATA_DIR');
    return true;
  });
});

test('digests of a damaged sent segment are still known', async (t) => {
  const { directory, name, bytes } = await oneSegment(t);
  const damaged = Buffer.from(bytes);
  damaged[segmentHeaderBytes + 20] = 0xff;
  await writeFile(join(directory, name), damaged);
  await rename(join(directory, name), join(directory, name.replace('.seg', '.sent')));
  const spool = await openSpool(quietOptions(directory));
  assert.deepEqual(
    batches.map((number) => spool.committed(numberedBatch(number).digest) !== undefined),
    [false, true, true],
  );
  await spool.close();
});

/** A spool directory with one segment of three records. */
async function oneSegment(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const spool = await openSpool(quietOptions(directory));
  for (const number of batches) await spool.append(numberedBatch(number));
  await spool.seal();
  const { id } = (await spool.next(new AbortController().signal))!;
  await spool.close();
  const name = (await readdir(directory)).find((file) => file.endsWith('.seg'))!;
  return { directory, name, id, bytes: await readFile(join(directory, name)) };
}

/** Opens, takes everything out, closes and removes what a next round must not find. */
async function reopened(directory: string, name: string): Promise<{ numbers: number[]; stats: SpoolStats }> {
  const spool = await openSpool(quietOptions(directory));
  const numbers = await drain(spool);
  const stats = spool.stats();
  await spool.close();
  await rm(join(directory, name.replace('.seg', '.sent')), { force: true });
  return { numbers, stats };
}
