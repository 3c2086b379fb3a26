import assert from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../model/limits.ts';
import type { OriginalTail, Spool, SpoolBatch, SpoolOptions } from './contract.ts';
import { nodeFiles, type SpoolFile, type SpoolFiles } from './files.ts';
import { recordsPerSegmentMax } from './format.ts';
import { openSpool } from './spool.ts';
import { segmentAfter } from './tail.ts';
import { numberedBatch } from './testing/records.ts';
import { openedSpool, quietOptions, temporaryDirectory } from './testing/temporary.ts';
import { passedOn } from './testing/watched-files.ts';

const never = new AbortController().signal;
const hold = { bytesMax: 1 << 30, ageMaxMs: 1 << 30 };

/** A batch of rows with the request that they came in: its number, and padding. */
function withOriginal(number: number, paddingBytes = 0): SpoolBatch {
  const bytes = Buffer.from(`${number} ${'x'.repeat(paddingBytes)}`);
  return { ...numberedBatch(number), original: { kind: number % 251, records: number + 1, bytes } };
}

async function ship(spool: Spool): Promise<void> {
  await spool.seal();
  while (spool.stats().segments > 0) await spool.sent((await spool.next(never))!);
}

/** Everything from a position on: numbers of requests, and how many segments are gone. */
async function readAll(tail: OriginalTail, from: number) {
  const numbers: number[] = [];
  let gone = 0;
  for (let at = from; at < tail.newest; ) {
    const read = (await tail.read(at, never))!;
    assert.ok(read.through > at, 'a read that does not move on would be repeated for ever');
    at = read.through;
    if (read.status === 'gone') gone += read.segments;
    else {
      let bytes = 0;
      for (const record of read.records) {
        const number = Number.parseInt(record.bytes.toString('latin1'), 10);
        assert.deepEqual([record.kind, record.records], [number % 251, number + 1]);
        numbers.push(number);
        assert.ok(bytes < limits.spoolTailReadBytesMax, 'more is given at once than is good');
        bytes += record.bytes.length;
      }
    }
  }
  return { numbers, gone };
}

test('a reader gets requests as they are committed, byte for byte, and waits for more', async (t) => {
  const { spool } = await openedSpool(t);
  const tail = spool.originals();
  const start = tail.newest;
  const waiting = tail.read(start, never);
  const batch = withOriginal(7, 1000);
  await spool.append(batch);
  const read = (await waiting)!;
  assert.equal(read.status, 'read');
  assert.deepEqual(
    read.status === 'read' && read.records.map(({ kind, records, bytes }) => ({ kind, records, bytes })),
    [batch.original],
  );
  const abort = new AbortController();
  const aborted = tail.read(read.through, abort.signal);
  abort.abort();
  assert.equal(await aborted, undefined);
  await spool.append(numberedBatch(8));
  assert.deepEqual(await tail.read(read.through, never), { status: 'read', records: [], through: read.through + 1 });
});

test('what is written and not synced yet is not given', async (t) => {
  const gate = { isShut: false, opened: Promise.withResolvers<void>(), reached: Promise.withResolvers<void>() };
  const files: SpoolFiles = {
    ...nodeFiles,
    create: async (path) => {
      const file = await nodeFiles.create(path);
      const sync = async () => {
        gate.reached.resolve();
        if (gate.isShut) await gate.opened.promise;
        await file.sync();
      };
      return { ...passedOn(file), sync };
    },
  };
  const { spool } = await openedSpool(t, {}, files);
  const tail = spool.originals();
  const start = tail.newest;
  await spool.append(withOriginal(1));
  gate.isShut = true;
  gate.reached = Promise.withResolvers();
  const late = spool.append(withOriginal(2));
  await gate.reached.promise;
  assert.deepEqual(await readAll(tail, start), { numbers: [1], gone: 0 });
  gate.opened.resolve();
  await late;
  assert.deepEqual(await readAll(tail, start), { numbers: [1, 2], gone: 0 });
});

test('what the disk does not give now is read later', async (t) => {
  let failures = 0;
  const files: SpoolFiles = {
    ...nodeFiles,
    open: async (path) => {
      const file = await nodeFiles.open(path);
      const read: SpoolFile['read'] = (buffer, position) => {
        if (failures++ === 1) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
        return file.read(buffer, position);
      };
      return { ...passedOn(file), read };
    },
  };
  const { spool } = await openedSpool(t, {}, files);
  const tail = spool.originals();
  const start = tail.newest;
  failures = 0;
  await spool.append(withOriginal(1));
  assert.deepEqual(await readAll(tail, start), { numbers: [1], gone: 0 });
  assert.ok(failures > 2, 'it did not fail');
});

test('the store gets rows and nothing else', async (t) => {
  const { spool } = await openedSpool(t);
  await spool.append(withOriginal(1));
  await spool.seal();
  const segment = (await spool.next(never))!;
  assert.deepEqual(
    segment.tables.map(({ table, rows, bytes }) => [table, rows, bytes]),
    [
      ['otel_traces', 1, 2],
      ['findings', 1, 3],
    ],
  );
  assert.equal(spool.stats().appendedRows, 2);
});

test('requests of any size are read once, in order, over sealing, shipping, restarts and records without one', async (t) => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(0, 0, 300, 70_000, 1_200_000).map((padding) => ({ padding })) },
    { weight: 3, arbitrary: fc.constantFrom('plain', 'seal', 'ship', 'restart', 'read' as const) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 24 }), fc.nat(), async (steps, pick) => {
      const directory = await temporaryDirectory(t);
      let spool = await openSpool(quietOptions(directory, { hold }));
      let [tail, other] = [spool.originals(), spool.originals()];
      const starts = [{ at: tail.newest, from: 0 }];
      const sent: number[] = [];
      let number = 0;
      let otherAt = tail.newest;
      for (const each of steps) {
        number++;
        if (typeof each === 'object') {
          await spool.append(withOriginal(number, each.padding));
          sent.push(number);
        } else if (each === 'plain') await spool.append(numberedBatch(number));
        else if (each === 'seal') await spool.seal();
        else if (each === 'ship') await ship(spool);
        else if (each === 'read' && other.newest > otherAt) otherAt = (await other.read(otherAt, never))!.through;
        else if (each === 'restart') {
          await spool.close();
          spool = await openSpool(quietOptions(directory, { hold }));
          [tail, other] = [spool.originals(), spool.originals()];
        }
        starts.push({ at: tail.newest, from: sent.length });
      }
      const { at, from } = starts[pick % starts.length]!;
      assert.deepEqual(await readAll(tail, at), { numbers: sent.slice(from), gone: 0 });
      await spool.close();
    }),
    { numRuns: 40 },
  );
});

test('bytes that rotted cost their own request and no other', async (t) => {
  const { spool, directory } = await openedSpool(t, { hold, segmentBytesMax: 1 << 24 });
  const tail = spool.originals();
  const start = tail.newest;
  for (let number = 1; number <= 6; number++)
    await spool.append(withOriginal(number, number === 3 ? 1_300_000 : 300_000));
  await ship(spool);
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.sent')) continue;
    const file = await open(join(directory, name), 'r+');
    const content = await file.readFile();
    const at = content.indexOf('3 xxxx');
    if (at >= 0) await file.write(Buffer.from('?'), 0, 1, at + 900_000);
    await file.close();
  }
  assert.deepEqual(await readAll(tail, start), { numbers: [1, 2, 4, 5, 6], gone: 0 });
});

interface Held {
  readonly spool: Spool;
  readonly tail: OriginalTail;
  readonly start: number;
  move(ms: number): void;
}

async function held(t: Parameters<typeof openedSpool>[0], changes: Partial<SpoolOptions>): Promise<Held> {
  let now = 1_000_000;
  const { spool } = await openedSpool(t, { graceMs: 1000, sentBytesMax: 100_000, now: () => now, ...changes });
  const tail = spool.originals();
  const move = (ms: number) => {
    now += ms;
  };
  return { spool, tail, start: tail.newest, move };
}

async function segments(spool: Spool, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) {
    await spool.append(withOriginal(number, 20_000));
    await ship(spool);
  }
}

test('what a reader has not read outlives the grace time and the room of sent segments; what it has read does not', async (t) => {
  const { spool, tail, start, move } = await held(t, { hold: { bytesMax: 1_000_000, ageMaxMs: 60_000 } });
  await segments(spool, 1, 10);
  move(50_000);
  await segments(spool, 11, 12);
  assert.equal(spool.stats().sentKeptSegments, 12);
  const { numbers, gone } = await readAll(tail, start);
  assert.deepEqual([numbers.length, gone], [12, 0]);
  spool.holdFrom(segmentAfter(tail.newest));
  move(2_000);
  await segments(spool, 13, 13);
  // The newest, and the one in which the reader stands.
  assert.equal(spool.stats().sentKeptSegments, 2);
  assert.equal(spool.stats().heldSegmentsLost, 0);
});

for (const [why, bytesMax, ms] of [
  ['too old', 1_000_000, 61_000],
  ['too many', 100_000, 0],
] as const) {
  test(`held segments that are ${why} go, the oldest first, and that is counted and told to the reader`, async (t) => {
    const { spool, tail, start, move } = await held(t, { hold: { bytesMax, ageMaxMs: 60_000 } });
    spool.holdFrom(segmentAfter(start));
    await segments(spool, 1, 12);
    move(ms);
    await segments(spool, 13, 13);
    const { numbers, gone } = await readAll(tail, start);
    assert.equal(gone + numbers.length, 13);
    assert.ok(gone > 2, `${gone} are gone`);
    assert.deepEqual(numbers.at(-1), 13);
    assert.deepEqual(
      numbers,
      Array.from(numbers, (_, index) => 13 - numbers.length + 1 + index),
    );
    assert.equal(spool.stats().heldSegmentsLost, gone);
  });
}

test('what is held is no reason to refuse senders', async (t) => {
  const { spool } = await held(t, { bytesMax: 300_000, hold: { bytesMax: 10_000_000, ageMaxMs: 60_000 } });
  await segments(spool, 1, 30);
  assert.ok(spool.stats().heldBytes > 600_000);
  assert.equal((await spool.append(withOriginal(31))).status, 'ok');
});

test('a reader that was away for segments without a file goes on after them', async (t) => {
  const { spool, tail } = await held(t, {});
  await segments(spool, 1, 3);
  const first = Math.floor(tail.newest / recordsPerSegmentMax) * recordsPerSegmentMax;
  const read = (await tail.read(-1, never))!;
  assert.ok(read.status === 'gone' && read.through < first, JSON.stringify(read));
});
