import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { clickhouseConfigSchema } from '../../collector/src/store/config.ts';
import { openStore, type Store } from '../../collector/src/store/index.ts';
import { dashboardQueries } from '../../test/support/grafana-queries.ts';
import { chosenValues } from './chosen.ts';
import { loadActivity } from './load.ts';
import { measureQuery, rowsReadMax, storedRows } from './measure.ts';

// How much the queries of dashboards read, at a fiftieth of the size that bench/dashboards.ts measures; times are its matter.

const size = { spans: 220_000, days: 10, findings: 2_000, cases: 500, collectors: 2 };
const nowMs = Date.now();
let dataDir: string;
let store: Store;
let grafana: ClickHouseClient;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'spanwarden-size-'));
  store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  await store.migrated();
  await loadActivity(store.client, { ...size, nowMs });
  const { url, database, embedded } = store.endpoints;
  grafana = createClient({ url, database, ...embedded!.grafana });
});

after(async () => {
  await grafana?.close();
  await store?.close();
  await rm(dataDir, { recursive: true, force: true });
});

test('every finding of the load is about a span of it', async () => {
  const [row] = await rowsOf(
    'SELECT count() AS lost FROM findings WHERE (TraceId, SpanId) NOT IN (SELECT TraceId, SpanId FROM otel_traces)',
  );
  assert.deepEqual(row, { lost: '0' });
  const [counts] = await rowsOf(
    'SELECT (SELECT count() FROM otel_traces) AS spans, (SELECT count() FROM findings) AS findings',
  );
  assert.deepEqual(counts, { spans: '220000', findings: '2000' });
});

test('no query of a dashboard reads more than its share of rows', async () => {
  const options = { nowMs, runs: 0, over: ['30 d'], chosen: await chosenValues(store.client) };
  const rows = await storedRows(store.client);
  const over: string[] = [];
  for (const query of dashboardQueries) {
    for (const { range, variables, rowsRead } of await measureQuery(grafana, query, options)) {
      if (rowsRead > rowsReadMax(query.sql, rows)) over.push(`${query.name}, ${range}, ${variables}: ${rowsRead} rows`);
    }
  }
  assert.deepEqual(over, []);
});

test('a query that reads spans over a time range does', async () => {
  const sql = 'SELECT max(Duration) FROM otel_traces WHERE $__timeFilter_ms(Timestamp)';
  const measured = await measureQuery(
    grafana,
    { name: '', sql, variables: {}, format: 1, isFiltered: false },
    { nowMs, runs: 0, chosen: {} },
  );
  const most = rowsReadMax(sql, await storedRows(store.client));
  assert.ok(measured.some(({ rowsRead }) => rowsRead > most));
});

async function rowsOf(query: string): Promise<Record<string, unknown>[]> {
  const result = await store.client.query({ query, format: 'JSONEachRow' });
  return result.json();
}
