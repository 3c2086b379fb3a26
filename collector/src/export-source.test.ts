import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { ExportSource, exportedTables } from './export-source.ts';
import type { Finding } from './model/finding.ts';
import type { RowTableName } from './model/spool.ts';
import type { Spool } from './spool/contract.ts';
import { openSpool } from './spool/spool.ts';
import { segmentAfter } from './spool/tail.ts';
import { quietOptions, temporaryDirectory } from './spool/testing/temporary.ts';
import type { Backlog, BacklogRange } from './store/backlog.ts';
import { decodeCases, encodeCases } from './store/rows/cases.ts';
import { decodeFindings, encodeFindings } from './store/rows/findings.ts';
import { caseRow } from './store/testing/cases.ts';
import { finding } from './store/testing/segments.ts';

const never = new AbortController().signal;
const quiet = { warn: () => undefined };
const id = (n: number) => n.toString(16).padStart(32, '0');

function numbered(number: number, changes: Partial<Finding> = {}): Finding {
  return finding({ id: id(number), chainId: id(1), version: 1n, ...changes });
}

async function append(spool: Spool, findings: readonly Finding[], cases: Parameters<typeof encodeCases>[0] = []) {
  const rows = [encodeFindings(findings), encodeCases(cases)].filter(({ count }) => count > 0);
  const digest = createHash('sha256')
    .update(rows.map(({ bytes }) => Buffer.from(bytes).toString('hex')).join())
    .digest();
  assert.equal((await spool.append({ digest: digest.subarray(0, 16), rows })).status, 'ok');
}

/** What a store would have: rows of segments that were shipped. */
class Shipped {
  readonly segments = new Map<number, Backlog['segments'][number]>();
  readonly asked: BacklogRange[] = [];
  failures = 0;

  async ship(spool: Spool): Promise<void> {
    await spool.seal();
    while (spool.stats().segments > 0) {
      const segment = (await spool.next(never))!;
      const bytes = async (table: RowTableName) => Buffer.concat(await segment.read(table));
      const number = Number(segment.id.split('-')[1]);
      const findings = decodeFindings(await bytes('findings'));
      const found = { segment: number, insertedMs: 5, findings, cases: decodeCases(await bytes('cases')) };
      if (findings.length > 0) this.segments.set(number, found);
      await spool.sent(segment);
    }
  }

  readonly backlog = async (range: BacklogRange): Promise<Backlog> => {
    this.asked.push(range);
    if (this.failures-- > 0) throw new Error('connection refused');
    const within = [...this.segments.values()].filter(
      ({ segment }) => segment >= range.fromSegment && segment <= range.throughSegment,
    );
    const page = within.slice(0, 2);
    return {
      segments: page,
      throughSegment: page.length < within.length ? page.at(-1)!.segment : range.throughSegment,
    };
  };
}

async function started(t: TestContext, changes = {}) {
  const directory = await temporaryDirectory(t);
  const spool = await openSpool(quietOptions(directory, changes));
  t.after(() => spool.close());
  const shipped = new Shipped();
  const tail = spool.tail(exportedTables);
  const source = new ExportSource({ tail, spoolId: spool.id, backlog: shipped.backlog, logger: quiet, pauseMs: 1 });
  return { spool, shipped, source, start: source.head };
}

async function readAll(source: ExportSource, from: number) {
  const events = [];
  for (let at = from; at < source.head; ) {
    const read = (await source.read(at, never))!;
    assert.ok(read.through > at);
    assert.equal(read.lost, 0);
    at = read.through;
    events.push(...read.batch.flatMap((each) => each.events));
  }
  return events;
}

test('a finding is new once, then newer; a case comes after its findings, and only when it calls for attention', async (t) => {
  const { spool, source, start } = await started(t);
  await append(spool, [numbered(1)], [caseRow(id(1), { alertSeq: 1 })]);
  await append(spool, [numbered(1, { version: 2n, count: 2 })], [caseRow(id(1), { version: 2n, alerted: false })]);
  await append(spool, [], [caseRow(id(1), { version: 3n, alertSeq: 2 })]);
  await append(spool, [], [caseRow(id(1), { version: 4n, alertSeq: 2, alerted: false, mergedInto: id(9) })]);
  const expected = [
    ['finding', `${id(1)}-1`, 'create', id(1)],
    ['case', `${id(1)}-1`, 'create', id(1)],
    ['finding', `${id(1)}-2`, 'update', id(1)],
    ['case', `${id(1)}-2`, 'update', id(1)],
    ['case', `${id(1)}-merged`, 'close', id(9)],
  ];
  for (let reader = 0; reader < 2; reader++) {
    const events = await readAll(source, start);
    assert.deepEqual(
      events.map((event) => [event.kind, event.id, event.activity, event.orderKey]),
      expected,
    );
  }
  const [first] = await readAll(source, start);
  assert.ok(first?.kind === 'finding' && first.caseId === id(1));
  assert.deepEqual(
    first.finding,
    numbered(1, { timeNanos: first.finding.timeNanos, count: 1, lastSeenNanos: first.finding.timeNanos }),
  );
});

test('what the spool let go of comes from the store; while that cannot be asked, the reader waits and says why', async (t) => {
  let now = 1_000_000;
  const { spool, shipped, source, start } = await started(t, { graceMs: 1000, now: () => now, tailBytesMax: 1 });
  for (let number = 1; number <= 5; number++) {
    await append(spool, [numbered(number)]);
    await shipped.ship(spool);
    now += 10_000;
  }
  await append(spool, [numbered(6)]);
  shipped.failures = 3;
  const read = source.read(start, never);
  while (shipped.asked.length < 2) await new Promise(setImmediate);
  assert.match(source.waiting ?? '', /ClickHouse cannot be asked .*connection refused/);
  const first = (await read)!;
  assert.equal(source.waiting, undefined);
  const ids = (events: readonly { readonly id: string }[]) => events.map((event) => Number.parseInt(event.id, 16));
  assert.deepEqual(ids(first.batch.flatMap(({ events }) => events)), [1, 2]);
  assert.deepEqual(ids(await readAll(source, first.through)), [3, 4, 5, 6]);
  assert.deepEqual(shipped.asked.at(0), { spoolId: spool.id, fromSegment: segmentAfter(start), throughSegment: 4 });
  const abort = new AbortController();
  shipped.failures = 1_000_000;
  const aborted = source.read(start, abort.signal);
  while ((source.waiting ?? '') === '') await new Promise(setImmediate);
  abort.abort();
  assert.equal(await aborted, undefined);
});

test('a case is told although newer rows have replaced its call for attention in the store, also to one who starts again', async (t) => {
  let now = 1_000_000;
  const { spool, shipped, source, start } = await started(t, { graceMs: 1000, now: () => now, tailBytesMax: 1 });
  for (const version of [1n, 2n, 3n]) {
    await append(spool, [numbered(Number(version))], [caseRow(id(1), { version, alerted: version === 1n })]);
    await shipped.ship(spool);
    now += 10_000;
  }
  // As ClickHouse does when it merges: of the rows that the spool let go of, the second one stays.
  shipped.segments.set(1, { ...shipped.segments.get(1)!, cases: [] });
  const told = async (reader: ExportSource, from: number) =>
    (await readAll(reader, from)).filter(({ kind }) => kind === 'case').map((event) => event.id);
  const first = (await source.read(start, never))!;
  const events = first.batch.flatMap((each) => each.events);
  assert.deepEqual(
    events.filter(({ kind }) => kind === 'case').map((event) => event.id),
    [`${id(1)}-1`],
  );
  const head = source.head;
  await append(spool, [numbered(4)], [caseRow(id(1), { version: 4n, alerted: false })]);
  assert.deepEqual(await told(source, head), [], 'what comes later is complete');
  const tail = spool.tail(exportedTables);
  const again = new ExportSource({ tail, spoolId: spool.id, backlog: shipped.backlog, logger: quiet });
  assert.deepEqual(new Set(await told(again, first.through)), new Set([`${id(1)}-1`]));
});

test('whatever is shipped, deleted and restarted in between: one who reads on from any of his places misses nothing', async (t) => {
  const step = fc.constantFrom('append', 'append', 'ship', 'expire', 'restart', 'read' as const);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30 }), async (steps) => {
      let now = 1_000_000;
      const directory = await temporaryDirectory(t);
      const options = quietOptions(directory, { graceMs: 1000, now: () => now, tailBytesMax: 1500 });
      const shipped = new Shipped();
      let spool = await openSpool(options);
      const open = () =>
        new ExportSource({
          ...{
            tail: spool.tail(exportedTables),
            spoolId: spool.id,
            backlog: shipped.backlog,
            logger: quiet,
            pauseMs: 1,
          },
        });
      let source = open();
      let at = source.head;
      let count = 0;
      const seen: number[] = [];
      const read = async () => {
        if (at >= source.head) return;
        const got = (await source.read(at, never))!;
        assert.equal(got.lost, 0);
        at = got.through;
        for (const { events } of got.batch) seen.push(...events.map((event) => Number.parseInt(event.id, 16)));
      };
      for (const each of steps) {
        if (each === 'append') await append(spool, [numbered(++count)]);
        if (each === 'ship') await shipped.ship(spool);
        if (each === 'expire') now += 10_000;
        if (each === 'read') await read();
        if (each === 'restart') {
          await spool.close();
          spool = await openSpool(options);
          source = open();
        }
      }
      while (at < source.head) await read();
      await spool.close();
      const expected = Array.from({ length: count }, (_, i) => i + 1);
      assert.deepEqual([...new Set(seen)], expected);
      if (shipped.asked.length === 0) assert.deepEqual(seen, expected);
    }),
    { numRuns: 60 },
  );
});
