import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../model/limits.ts';
import type { SealedSegment } from '../model/spool.ts';
import { nodeFiles, type SpoolFile, type SpoolFiles } from './files.ts';
import { openSpool } from './spool.ts';
import { drain, numberedBatch, numbersIn } from './testing/records.ts';
import { openedSpool, quietOptions, temporaryDirectory } from './testing/temporary.ts';
import { passedOn, watchedFiles } from './testing/watched-files.ts';

const never = new AbortController().signal;

test('what was appended is offered once sealed, table by table, in order', async (t) => {
  const { spool } = await openedSpool(t);
  for (const number of [1, 2, 3])
    assert.deepEqual(await spool.append(numberedBatch(number)), { status: 'ok', segment: 1 });
  await spool.append({ digest: Buffer.alloc(16, 1), rows: [{ table: 'findings', bytes: Buffer.from('x'), count: 7 }] });
  await spool.seal();
  const segment = (await spool.next(never))!;
  assert.match(segment.id, /^[0-9a-f]{16}-\d{16}-[0-9a-f]{8}$/);
  assert.deepEqual(segment.tables, [
    { table: 'otel_traces', columns: 0, rows: 3, bytes: 6 },
    { table: 'findings', columns: 0, rows: 10, bytes: 10 },
  ]);
  assert.equal(Buffer.concat(await segment.read('otel_traces')).toString(), '1;2;3;');
  assert.equal(Buffer.concat(await segment.read('findings')).toString(), 'f1;f2;f3;x');
});

test('many appends at once share writes and fsyncs', async (t) => {
  const { spool } = await openedSpool(t);
  await Promise.all(Array.from({ length: 400 }, (_, number) => spool.append(numberedBatch(number))));
  const { appendedRecords, appendedRows, syncs, pendingBytes } = spool.stats();
  assert.deepEqual(
    { appendedRecords, appendedRows, pendingBytes },
    { appendedRecords: 400, appendedRows: 800, pendingBytes: 0 },
  );
  assert.ok(syncs < 10, `${syncs} fsyncs`);
  assert.deepEqual(
    await drain(spool),
    Array.from({ length: 400 }, (_, number) => number),
  );
});

test('a batch is acknowledged after the fsync of its file and of the directory, not before', async (t) => {
  const steps: string[] = [];
  const files = watchedFiles((operation) => steps.push(operation));
  const { spool } = await openedSpool(t, {}, files);
  steps.length = 0;
  await spool.append(numberedBatch(1)).then(() => steps.push('acknowledged'));
  await spool.append(numberedBatch(2)).then(() => steps.push('acknowledged'));
  assert.deepEqual(steps, [
    'create',
    'write',
    'sync',
    'syncDirectory',
    'acknowledged',
    'write',
    'sync',
    'acknowledged',
  ]);
});

test('a segment is sealed before it grows over its size; a larger record gets one of its own', async (t) => {
  const { spool, directory } = await openedSpool(t, { segmentBytesMax: 4096 });
  for (let number = 0; number < 10; number++) await spool.append(numberedBatch(number, 600));
  await spool.append(numberedBatch(10, 9000));
  await spool.append(numberedBatch(11));
  await spool.seal();
  const sizes = await Promise.all(
    (await segmentFiles(directory)).map(async (name) => (await stat(join(directory, name))).size),
  );
  assert.equal(sizes.filter((size) => size > 4096).length, 1);
  assert.ok(sizes.length >= 5);
  assert.deepEqual(
    await drain(spool),
    Array.from({ length: 12 }, (_, number) => number),
  );
});

test('a segment is sealed by age', async (t) => {
  const { spool } = await openedSpool(t, { segmentAgeMaxMs: 20 });
  await spool.append(numberedBatch(1));
  assert.deepEqual(await numbersIn((await spool.next(AbortSignal.timeout(10_000)))!), [1]);
});

test('while segments wait for the store, the next one goes on to fill beyond its age', async (t) => {
  const { spool } = await openedSpool(t, { segmentAgeMaxMs: 20 });
  const sealed = async (count: number): Promise<void> => {
    while (spool.stats().sealedSegments < count) await sleep(5);
  };
  await spool.append(numberedBatch(1));
  await sealed(1);
  await spool.append(numberedBatch(2));
  await sealed(2);
  await spool.append(numberedBatch(3));
  await sleep(200);
  await spool.append(numberedBatch(4));
  for (const numbers of [[1], [2], [3, 4]]) {
    const segment = (await spool.next(AbortSignal.timeout(10_000)))!;
    assert.deepEqual(await numbersIn(segment), numbers);
    await spool.sent(segment);
  }
});

test('the memory of a segment is that of the next one once it is sent, and not before', async (t) => {
  const { spool } = await openedSpool(t);
  for (const number of [1, 2, 3]) {
    await spool.append(numberedBatch(number));
    await spool.seal();
  }
  const memoryOf = async (segment: SealedSegment): Promise<ArrayBufferLike> => {
    const [rows] = await segment.read('otel_traces');
    return rows!.buffer;
  };
  const first = (await spool.next(never))!;
  const room = await memoryOf(first);
  assert.equal(await memoryOf(first), room, 'it is read once');
  await spool.sent(first);
  const second = (await spool.next(never))!;
  assert.equal(await memoryOf(second), room);
  await spool.sent(second);
  assert.equal(await memoryOf((await spool.next(never))!), room);
});

test('next waits for a segment, gives the oldest until it is sent, and ends with its signal', async (t) => {
  const { spool } = await openedSpool(t);
  const first = spool.next(never);
  await spool.append(numberedBatch(1));
  await spool.seal();
  await spool.append(numberedBatch(2));
  await spool.seal();
  const segment = (await first)!;
  assert.equal((await spool.next(never))!.id, segment.id);
  await spool.sent(segment);
  const second = (await spool.next(never))!;
  assert.deepEqual(await numbersIn(second), [2]);
  await spool.sent(second);
  const stop = new AbortController();
  const waiting = spool.next(stop.signal);
  stop.abort();
  assert.equal(await waiting, undefined);
  assert.equal(await spool.next(stop.signal), undefined);
});

test('a resent batch is written once, also while it is being committed and after a restart', async (t) => {
  const { spool, directory } = await openedSpool(t);
  const batch = numberedBatch(1);
  assert.equal(spool.committed(batch.digest), undefined);
  const both = Promise.all([spool.append(batch), spool.append(batch)]);
  assert.ok(spool.committed(batch.digest));
  assert.deepEqual(await both, [
    { status: 'ok', segment: 1 },
    { status: 'ok', segment: 1, duplicate: true },
  ]);
  assert.deepEqual(await spool.append(batch), { status: 'ok', duplicate: true });
  await spool.append(numberedBatch(2, 100_000));
  await spool.append(numberedBatch(3));
  assert.deepEqual(await drain(spool), [1, 2, 3]);
  await spool.append(numberedBatch(4));
  await spool.close();

  const again = await openSpool(quietOptions(directory));
  t.after(() => again.close());
  for (const number of [1, 3, 4]) {
    assert.deepEqual(await again.append(numberedBatch(number)), { status: 'ok', duplicate: true }, `batch ${number}`);
  }
  assert.deepEqual(await drain(again), [4]);
  assert.equal(again.stats().duplicateRecords, 3);
});

test('after the grace time a sent segment is deleted and its batches are unknown', async (t) => {
  let now = 1_000_000;
  const { spool, directory } = await openedSpool(t, { graceMs: 1000, now: () => now });
  for (const number of [1, 2]) {
    await spool.append(numberedBatch(number));
    await drain(spool);
    now += 600;
  }
  assert.equal((await segmentFiles(directory, 'sent')).length, 2);
  now += 300;
  assert.equal(spool.committed(numberedBatch(1).digest), undefined);
  await spool.append(numberedBatch(3));
  await drain(spool);
  assert.equal((await segmentFiles(directory, 'sent')).length, 2);
  assert.equal(spool.stats().sentKeptSegments, 2);
});

test('sent segments are kept within their bytes, and the newest one always', async (t) => {
  const { spool, directory } = await openedSpool(t, { sentBytesMax: 1 });
  for (const number of [1, 2, 3]) {
    await spool.append(numberedBatch(number));
    await drain(spool);
  }
  assert.deepEqual(
    (await segmentFiles(directory, 'sent')).map((name) => Number(name.slice(0, 16))),
    [3],
  );
});

test('ids do not come again when all segments are gone', async (t) => {
  const { spool, directory } = await openedSpool(t, { sentBytesMax: 0, graceMs: 0 });
  const ids = new Set<string>();
  let current = spool;
  for (let number = 0; number < 4; number++) {
    await current.append(numberedBatch(number));
    await current.seal();
    const segment = (await current.next(never))!;
    assert.equal(Number(segment.id.split('-')[1]), number + 1);
    ids.add(segment.id);
    if (number === 2) await current.deadLetter(segment, []);
    else await current.sent(segment);
    await current.close();
    current = await openSpool(quietOptions(directory, { sentBytesMax: 0, graceMs: 0 }));
  }
  await current.close();
  assert.equal(ids.size, 4);
});

test('a full spool refuses for now and takes again when segments were sent', async (t) => {
  const { spool } = await openedSpool(t, { bytesMax: 20_000, sentBytesMax: 0 });
  let accepted = 0;
  while ((await spool.append(numberedBatch(accepted, 1000))).status === 'ok') accepted++;
  assert.ok(accepted >= 8 && accepted <= 10, `${accepted} accepted`);
  const refused = await spool.append(numberedBatch(99, 1000));
  assert.equal(refused.status, 'retryable');
  assert.match(refused.status === 'retryable' ? refused.reason : '', /^SW_SPOOL_FULL/);
  assert.ok(spool.stats().bytes <= 20_000);
  assert.equal((await drain(spool)).length, accepted);
  assert.equal((await spool.append(numberedBatch(99, 1000))).status, 'ok');
});

test('more pending bytes than allowed are refused, but one large batch alone is not', async (t) => {
  const { spool } = await openedSpool(t, { pendingBytesMax: 1000 });
  const outcomes = await Promise.all([1, 2, 3].map((number) => spool.append(numberedBatch(number, 3000))));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['ok', 'retryable', 'retryable'],
  );
  assert.equal(spool.stats().refusedFullRecords, 2);
});

test('a batch larger than a record may be is refused for good', async (t) => {
  const { spool } = await openedSpool(t);
  const bytes = Buffer.alloc(limits.spoolRecordBytesMax + 1);
  const outcome = await spool.append({ digest: Buffer.alloc(16), rows: [{ table: 'otel_traces', bytes, count: 1 }] });
  assert.equal(outcome.status, 'permanent');
});

test('a batch without rows needs no disk', async (t) => {
  const { spool, directory } = await openedSpool(t);
  assert.deepEqual(await spool.append({ digest: Buffer.alloc(16), rows: [] }), { status: 'ok' });
  assert.deepEqual(await segmentFiles(directory), []);
});

test('a full disk refuses for now, keeps what it acknowledged, and takes again when there is room', async (t) => {
  let now = 0;
  let room = 5000;
  const take = (bytes: number) => {
    const taken = Math.min(bytes, room);
    room -= taken;
    return taken;
  };
  const { spool, directory } = await openedSpool(t, { now: () => now }, limited(take));
  const acknowledged: number[] = [];
  for (let number = 0; number < 20; number++) {
    const outcome = await spool.append(numberedBatch(number, 300));
    if (outcome.status === 'ok') acknowledged.push(number);
    else assert.deepEqual([outcome.status, outcome.reason.split(':')[0]], ['retryable', 'SW_SPOOL_FULL']);
  }
  assert.ok(acknowledged.length > 3 && acknowledged.length < 10);
  assert.equal((await segmentFiles(directory)).length, 1, 'no file is begun while the disk is left alone');
  room = 1_000_000;
  now += 1000;
  for (let number = 0; number < 20; number++)
    assert.equal((await spool.append(numberedBatch(number, 300))).status, 'ok');
  assert.deepEqual((await drain(spool)).length, 20);
});

test('after a failed fsync nothing is acknowledged from that segment, and the batch goes to another', async (t) => {
  let now = 0;
  let fails = 0;
  const files = watchedFiles((operation) => {
    if (operation === 'sync' && fails-- > 0) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
  });
  const { spool } = await openedSpool(t, { now: () => now }, files);
  await spool.append(numberedBatch(1));
  fails = 2;
  const outcome = await spool.append(numberedBatch(2));
  assert.deepEqual(outcome.status === 'retryable' && outcome.reason.split(':')[0], 'SW_SPOOL_WRITE');
  assert.equal(spool.committed(numberedBatch(2).digest), undefined);
  now += 1000;
  assert.deepEqual(await spool.append(numberedBatch(2)), { status: 'ok', segment: 2 });
  await spool.seal();
  const first = (await spool.next(never))!;
  assert.deepEqual(await numbersIn(first), [1]);
  await spool.sent(first);
  assert.deepEqual(await drain(spool), [2]);
});

test('who lost the lock writes nothing more', async (t) => {
  const directory = await temporaryDirectory(t);
  let isHeld = true;
  const lock = async () => ({ isHeld: async () => isHeld, release: async () => undefined });
  const spool = await openSpool(quietOptions(directory), { files: nodeFiles, lock });
  await spool.append(numberedBatch(1));
  await spool.seal();
  isHeld = false;
  assert.equal((await spool.append(numberedBatch(2))).status, 'retryable');
  assert.equal((await segmentFiles(directory)).length, 1);
  await spool.close();
});

test('close commits what waits, refuses what comes later, ends waiting readers, and may be called twice', async (t) => {
  const { spool, directory } = await openedSpool(t);
  const waiting = spool.next(never);
  const appended = spool.append(numberedBatch(1));
  await Promise.all([spool.close(), spool.close()]);
  assert.deepEqual(await appended, { status: 'ok', segment: 1 });
  const late = await spool.append(numberedBatch(2));
  assert.match(late.status === 'retryable' ? late.reason : '', /^SW_SHUTTING_DOWN/);
  const segment = await waiting;
  if (segment) await spool.sent(segment);
  assert.equal(await spool.next(never), undefined);
  const again = await openSpool(quietOptions(directory));
  assert.deepEqual(await drain(again), [1]);
  await again.close();
});

test('seal returns although there is always something more to write', async (t) => {
  const more: Promise<unknown>[] = [];
  let isOver = true;
  const files = watchedFiles((operation) => {
    if (operation === 'sync' && !isOver && more.length < 100) more.push(spool.append(numberedBatch(more.length)));
  });
  const { spool } = await openedSpool(t, {}, files);
  isOver = false;
  await spool.append(numberedBatch(1_000_000));
  await spool.seal();
  isOver = true;
  assert.ok(more.length < 100);
  assert.ok((await numbersIn((await spool.next(never))!)).includes(1_000_000));
  await Promise.all(more);
});

test('files and directories are for their owner only', async (t) => {
  const { spool, directory } = await openedSpool(t);
  await spool.append(numberedBatch(1));
  for (const name of await readdir(directory)) assert.equal((await stat(join(directory, name))).mode & 0o77, 0, name);
});

async function segmentFiles(directory: string, kind = 'seg'): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith(`.${kind}`)).sort();
}

/** Real files on a disk with so much room: writes come back short, and then fail. */
function limited(take: (bytes: number) => number): SpoolFiles {
  return {
    ...nodeFiles,
    create: async (path) => {
      const file = await nodeFiles.create(path);
      const write: SpoolFile['write'] = async (buffers, position) => {
        const wanted = Buffer.concat(buffers);
        const taken = take(wanted.length);
        if (taken === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        return file.write([wanted.subarray(0, taken)], position);
      };
      return { ...passedOn(file), write };
    },
  };
}
