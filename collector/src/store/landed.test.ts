import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Rows } from '../model/spool.ts';
import { insertRows } from './inserter.ts';
import { missingRows } from './landed.ts';
import { encodeFindings } from './rows/findings.ts';
import { insertColumns } from './schema/columns.ts';
import { runShipper } from './shipper.ts';
import { openTestStore, type TestStore } from './testing/embedded.ts';
import { finding, MemorySource, segment, spanRows } from './testing/segments.ts';

let store: TestStore;
let restored: number;

before(async () => {
  store = await openTestStore();
});
after(() => store.close());
beforeEach(() => {
  restored = 0;
});

const dayNanos = 86_400_000_000_000n;
const today = (BigInt(Date.now()) * 1_000_000n) / dayNanos;
const spans = spanRows([
  { traceId: 'a', spanId: '1', timeNanos: today * dayNanos },
  { traceId: 'a', spanId: '2', timeNanos: (today - 1n) * dayNanos },
  { traceId: "b' OR 1", spanId: '3', timeNanos: today * dayNanos + 1n },
]);

async function told(rows: Rows, token: string): Promise<void> {
  const sent = { table: rows.table, columns: 0, token, buffers: [rows.bytes] };
  assert.equal(await insertRows(store.store.client, sent), undefined);
}

/** Deleting rows leaves the token, as a kill between the token and the part does. */
async function lose(table: string, where: string): Promise<void> {
  await store.store.client.command({
    query: `ALTER TABLE ${table} DELETE WHERE ${where}`,
    clickhouse_settings: { mutations_sync: '2' },
  });
}

/** Ships rows as a sender does that began after they were taken in. */
async function shipAgain(id: string, rows: Rows): Promise<void> {
  const source = new MemorySource({ ...segment(id, rows), takenMs: 0 });
  const stop = new AbortController();
  const hooks = { restored: (count: number) => (restored += count) };
  const running = runShipper({ source, client: store.store.client, signal: stop.signal, hooks });
  await source.settled(1);
  stop.abort();
  await running;
}

async function stored<T>(query: string): Promise<T[]> {
  const result = await store.store.client.query({ query, format: 'JSONEachRow' });
  return result.json<T>();
}

const spanIds = async () =>
  (await stored<{ SpanId: string }>('SELECT SpanId FROM otel_traces ORDER BY SpanId')).map(({ SpanId }) => SpanId);

test('rows of a repeated insert are there once', async () => {
  await told(spans, 'one:otel_traces');
  await shipAgain('one', spans);
  assert.deepEqual([await spanIds(), restored], [['1', '2', '3'], 0]);
});

test('rows whose token ClickHouse noted without them are sent again, and only those', async () => {
  await lose('otel_traces', `toDate(Timestamp) = toDate(${today})`);
  assert.deepEqual(await spanIds(), ['2']);
  await told(spans, 'one:otel_traces');
  assert.deepEqual(await spanIds(), ['2'], 'this is the loss that is mended here');
  await shipAgain('one', spans);
  assert.deepEqual([await spanIds(), restored], [['1', '2', '3'], 2]);
});

test('a finding that a newer version has replaced is not missing, one that is gone is', async () => {
  const at = { timeNanos: today * dayNanos };
  const first = encodeFindings([finding({ id: 'f1', ...at, lastSeenNanos: 1n }), finding({ id: 'f2', ...at })]);
  await told(first, 'two:findings');
  await told(encodeFindings([finding({ id: 'f1', ...at, lastSeenNanos: 2n })]), 'newer:findings');
  await store.store.client.command({ query: 'OPTIMIZE TABLE findings FINAL' });
  await shipAgain('two', first);
  assert.equal(restored, 0);
  const only = encodeFindings([finding({ id: 'f3', ...at })]);
  await told(only, 'three:findings');
  await lose('findings', "FindingId = 'f3'");
  await shipAgain('three', only);
  assert.deepEqual(
    [
      await stored("SELECT FindingId, Version FROM findings WHERE FindingId IN ('f1', 'f3') ORDER BY FindingId"),
      restored,
    ],
    [
      [
        { FindingId: 'f1', Version: '2' },
        { FindingId: 'f3', Version: String(at.timeNanos) },
      ],
      1,
    ],
  );
});

test('of a table whose columns somebody gave other types nothing is looked for', async () => {
  const types = insertColumns.otel_traces.map((name) => (name === 'Timestamp' ? 'DateTime64(6)' : 'String'));
  const rows = [{ bytes: Buffer.from(spans.bytes), start: 0 }];
  const missing = await missingRows(store.store.client, { table: 'otel_traces', columns: 0 }, rows, types);
  assert.equal(missing.size, 0);
});
