import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Spool, SpoolOptions, SpoolTail } from './contract.ts';
import { openSpool } from './spool.ts';
import { numberedBatch } from './testing/records.ts';
import { quietOptions, temporaryDirectory } from './testing/temporary.ts';

const never = new AbortController().signal;

async function opened(directory: string, changes: Partial<SpoolOptions> = {}): Promise<Spool> {
  return openSpool(quietOptions(directory, changes));
}

/** Everything from a position to where the tail stands now: numbers of findings, and ranges of segments that are gone. */
async function readAll(tail: SpoolTail, from: number) {
  const numbers: number[] = [];
  const positions: number[] = [];
  let gone = 0;
  let at = from;
  while (at < tail.newest) {
    const read = (await tail.read(at, never))!;
    assert.ok(read.through > at, 'a read that does not move on would be repeated for ever');
    at = read.through;
    if (read.status === 'gone') gone++;
    else {
      for (const { position, tables } of read.records) {
        assert.deepEqual(
          tables.map(({ table, rows }) => [table, rows]),
          [['findings', 1]],
        );
        positions.push(position);
        numbers.push(Number.parseInt(tables[0]!.bytes.toString('latin1').slice(1), 10));
      }
    }
  }
  assert.deepEqual(
    positions,
    positions.toSorted((a, b) => a - b),
  );
  return { numbers, gone, at };
}

async function ship(spool: Spool): Promise<void> {
  await spool.seal();
  while (spool.stats().segments > 0) await spool.sent((await spool.next(never))!);
}

async function started(t: TestContext, changes: Partial<SpoolOptions> = {}) {
  const directory = await temporaryDirectory(t);
  const spool = await opened(directory, changes);
  t.after(() => spool.close());
  return { spool, tail: spool.tail(['findings']), directory };
}

test('who keeps up gets rows as they are committed, and waits for more', async (t) => {
  const { spool, tail } = await started(t);
  const start = tail.newest;
  const waiting = tail.read(start, never);
  await spool.append(numberedBatch(1));
  const first = (await waiting)!;
  assert.equal(first.status, 'rows');
  assert.equal(first.through, tail.newest);
  const abort = new AbortController();
  const aborted = tail.read(first.through, abort.signal);
  abort.abort();
  assert.equal(await aborted, undefined);
  await spool.append(numberedBatch(2));
  assert.deepEqual((await readAll(tail, first.through)).numbers, [2]);
});

test('records without rows of the wanted tables move the position on', async (t) => {
  const { spool, tail } = await started(t);
  const start = tail.newest;
  const [spans] = numberedBatch(1).rows;
  await spool.append({ ...numberedBatch(1), rows: [spans!] });
  assert.deepEqual(await tail.read(start, never), { status: 'rows', records: [], through: start + 1 });
});

test('rows stay what they were when their owner writes over his bytes', async (t) => {
  const { spool, tail } = await started(t);
  const start = tail.newest;
  const batch = numberedBatch(7);
  await spool.append(batch);
  batch.rows[1]!.bytes.fill(0);
  assert.deepEqual((await readAll(tail, start)).numbers, [7]);
});

test('segments that were deleted are said to be gone, once, and reading goes on after them', async (t) => {
  let now = 1_000_000;
  const { spool, tail } = await started(t, { graceMs: 1000, now: () => now, tailBytesMax: 1 });
  const start = tail.newest;
  await spool.append(numberedBatch(1));
  await ship(spool);
  now += 10_000;
  await spool.append(numberedBatch(2));
  await ship(spool);
  await spool.append(numberedBatch(3));
  const { numbers, gone } = await readAll(tail, start);
  assert.deepEqual([numbers, gone], [[2, 3], 1]);
});

test('a reader is given about a mebibyte at once, from memory and from files', async (t) => {
  const { spool, tail } = await started(t, { tailBytesMax: 1.5 * 2 ** 20, segmentBytesMax: 16 * 2 ** 20 });
  const start = tail.newest;
  for (let number = 1; number <= 20; number++) await spool.append(numberedBatch(number, 200_000));
  const given: number[] = [];
  for (let at = start; at < tail.newest; ) {
    const read = (await tail.read(at, never))!;
    assert.equal(read.status, 'rows');
    at = read.through;
    given.push(read.status === 'rows' ? read.records.length : 0);
  }
  assert.deepEqual(given, [6, 6, 6, 2]);
});

test('from any position on every row is read once, in order, over sealing, shipping and restarts', async (t) => {
  const step = fc.constantFrom('append', 'append', 'append', 'seal', 'ship', 'restart' as const);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 24 }), fc.nat(), fc.boolean(), async (steps, pick, small) => {
      const directory = await temporaryDirectory(t);
      const options = small ? { tailBytesMax: 700 } : {};
      let spool = await opened(directory, options);
      let tail = spool.tail(['findings']);
      const starts = [tail.newest];
      const counts = [0];
      let count = 0;
      for (const each of steps) {
        if (each === 'append') await spool.append(numberedBatch(++count));
        if (each === 'seal') await spool.seal();
        if (each === 'ship') await ship(spool);
        if (each === 'restart') {
          await spool.close();
          spool = await opened(directory, options);
          tail = spool.tail(['findings']);
        }
        starts.push(tail.newest);
        counts.push(count);
      }
      const index = pick % starts.length;
      const { numbers, gone } = await readAll(tail, starts[index]!);
      await spool.close();
      const expected = Array.from({ length: count - counts[index]! }, (_, i) => counts[index]! + i + 1);
      assert.deepEqual([numbers, gone], [expected, 0]);
    }),
    { numRuns: 40 },
  );
});
