import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import type { Spool, SpoolOptions } from './contract.ts';
import { decodeRecordHeader, encodeRecordHeader, markerBytes, prepareRecord } from './format.ts';
import { openSpool } from './spool.ts';
import { numberedBatch, numbersIn } from './testing/records.ts';
import { quietOptions, temporaryDirectory } from './testing/temporary.ts';

const never = new AbortController().signal;

function journalled(number: number, padding = 0) {
  return { ...numberedBatch(number, padding), journal: Buffer.from(`journal ${number}`) };
}

async function opened(t: TestContext, directory: string, changes: Partial<SpoolOptions> = {}): Promise<Spool> {
  const spool = await openSpool(quietOptions(directory, { keepFrom: 0, ...changes }));
  t.after(() => spool.close());
  return spool;
}

async function journalsOf(spool: Spool, from = 0): Promise<string[]> {
  const found: string[] = [];
  for await (const { segment, bytes } of spool.journals(from)) found.push(`${segment}: ${bytes}`);
  return found;
}

async function ship(spool: Spool): Promise<number[]> {
  await spool.seal();
  const segment = (await spool.next(never))!;
  const numbers = await numbersIn(segment);
  assert.deepEqual(
    segment.tables.map(({ table }) => table),
    numbers.length > 0 ? ['otel_traces', 'findings'] : [],
  );
  await spool.sent(segment);
  return numbers;
}

test('a journal lands with its batch, stays out of the rows, and is read back in order after a restart', async (t) => {
  const directory = await temporaryDirectory(t);
  const spool = await opened(t, directory);
  assert.deepEqual(await spool.append(journalled(1)), { status: 'ok', segment: 1 });
  await spool.append(numberedBatch(2));
  await spool.append({ ...journalled(3), rows: [] });
  assert.deepEqual(await ship(spool), [1, 2]);
  await spool.append(journalled(4));
  await spool.close();
  const again = await opened(t, directory);
  assert.deepEqual(await journalsOf(again), ['1: journal 1', '1: journal 3', '2: journal 4']);
  assert.deepEqual(await journalsOf(again, 2), ['2: journal 4']);
});

test('a segment of journals alone is offered without a table', async (t) => {
  const spool = await opened(t, await temporaryDirectory(t));
  await spool.append({ ...journalled(1), rows: [] });
  assert.deepEqual(await ship(spool), []);
});

test('a segment that the store refused keeps its journals', async (t) => {
  const directory = await temporaryDirectory(t);
  const spool = await opened(t, directory);
  await spool.append(journalled(1));
  await spool.seal();
  await spool.deadLetter((await spool.next(never))!, []);
  await spool.append(journalled(2));
  await spool.close();
  assert.deepEqual(await journalsOf(await opened(t, directory)), ['1: journal 1', '2: journal 2']);
});

test('sent segments stay while their journals are needed, and go when they are not', async (t) => {
  const directory = await temporaryDirectory(t);
  let now = 0;
  const spool = await opened(t, directory, { graceMs: 0, now: () => now });
  for (const number of [1, 2, 3]) {
    now++;
    await spool.append(journalled(number));
    await ship(spool);
  }
  assert.equal((await journalsOf(spool)).length, 3);
  assert.ok(spool.stats().journalKeptBytes > 0);
  spool.keepFrom(3);
  now++;
  await spool.append(journalled(4));
  await ship(spool);
  assert.deepEqual(await journalsOf(spool), ['3: journal 3', '4: journal 4']);
  assert.equal(spool.stats().journalSegmentsLost, 0);
});

test('room for spans goes before journals: the oldest are let go, counted', async (t) => {
  const directory = await temporaryDirectory(t);
  const spool = await opened(t, directory, { sentBytesMax: 5000 });
  for (const number of [1, 2, 3, 4]) {
    await spool.append(journalled(number, 1000));
    await ship(spool);
  }
  assert.deepEqual(await journalsOf(spool), ['3: journal 3', '4: journal 4']);
  assert.equal(spool.stats().journalSegmentsLost, 2);
  assert.equal((await readdir(directory)).filter((name) => name.endsWith('.sent')).length, 2);
});

test('a record without a journal is what it was before there were journals', () => {
  const marker = Buffer.alloc(markerBytes, 7);
  const plain = encodeRecordHeader(prepareRecord(numberedBatch(1), 5), marker, 9);
  const { tables } = decodeRecordHeader(plain, 0, marker)!;
  assert.deepEqual(
    tables.map(({ table }) => table),
    [1, 2],
  );
  const without = encodeRecordHeader(prepareRecord({ ...numberedBatch(1), journal: Buffer.of() }, 5), marker, 9);
  assert.deepEqual(without, plain);
});

test('what would be refused is known before anybody works on it', async (t) => {
  const spool = await opened(t, await temporaryDirectory(t), { bytesMax: 8000, sentBytesMax: 1000 });
  assert.equal(spool.refusal(100), undefined);
  assert.equal(spool.refusal(8000)?.status, 'retryable');
});
