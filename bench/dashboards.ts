// How fast the dashboards are at size, and how much they read: `node bench/dashboards.ts [--spans 10000000] [--runs 5] [--only egress]
// [--range "30 d"]`. Fills an embedded ClickHouse with 30 days of what agents, collectors and people leave behind, then runs every query of
// every dashboard over each time range as the account of Grafana. It ends with 1 when a query reads more than its share of rows.
// `--data <folder>` keeps the tables, or takes those that are there. `--views` measures instead what the views of sums cost at insert.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createClient } from '@clickhouse/client';
import { clickhouseConfigSchema } from '../collector/src/store/config.ts';
import { openStore, type Store } from '../collector/src/store/index.ts';
import { dashboardQueries } from '../test/support/grafana-queries.ts';
import { chosenValues } from './dashboards/chosen.ts';
import { loadActivity } from './dashboards/load.ts';
import { type Measured, measureQuery, rowsReadMax, storedRows } from './dashboards/measure.ts';
import { slowest, summary, viewTable } from './dashboards/tables.ts';
import { viewCosts } from './dashboards/views.ts';

const { values } = parseArgs({
  options: {
    spans: { type: 'string' },
    days: { type: 'string', default: '30' },
    runs: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    range: { type: 'string' },
    data: { type: 'string' },
    views: { type: 'boolean', default: false },
  },
});
const days = Number(values.days);
const runs = Number(values.runs);
const spans = Number(values.spans ?? (values.views ? 1_000_000 : 10_000_000));

const dataDir = values.data ?? mkdtempSync(join(tmpdir(), 'spanwarden-dashboards-'));
// Merging the same spans again and again at once is no collector's work, and takes more memory than it has by default.
const embedded = values.views ? { memory_max_mb: 4_096 } : {};
const store = await openStore(clickhouseConfigSchema.parse({ ttl_days: days + 10, embedded }), { dataDir });
try {
  await store.migrated();
  if (values.views) await views(store);
  else await dashboards(store);
} finally {
  await store.close();
  if (values.data === undefined) rmSync(dataDir, { recursive: true, force: true });
}

async function views({ client, endpoints: { database } }: Store): Promise<void> {
  const nowMs = Date.now();
  const costs = await viewCosts(client, { spans, days: Math.min(days, 3), nowMs, database }, runs);
  process.stdout.write(`ClickHouse ${await store.version()}, ${spans} spans, ${runs} rounds\n\n${viewTable(costs)}\n`);
}

async function dashboards({ client, endpoints }: Store): Promise<void> {
  const [stored] = await rowsOf<{ spans: string; newest: string }>(
    'SELECT count() AS spans, toUnixTimestamp(max(Timestamp)) AS newest FROM otel_traces',
  );
  const isLoaded = Number(stored?.spans) > 0;
  const nowMs = isLoaded ? Number(stored?.newest) * 1000 : Date.now();
  if (!isLoaded) {
    const said = (step: string) => process.stderr.write(`${step}\n`);
    const beside = { findings: Math.ceil(spans / 100), cases: Math.ceil(spans / 500), collectors: 2 };
    await loadActivity(client, { ...{ spans, days, nowMs, said }, ...beside });
  }
  const grafana = createClient({
    ...{ url: endpoints.url, database: endpoints.database },
    ...endpoints.embedded!.grafana,
  });
  const over = values.range === undefined ? {} : { over: [values.range] };
  const options = { nowMs, runs, chosen: await chosenValues(client), ...over };
  const measured: Measured[] = [];
  try {
    for (const query of dashboardQueries.filter(({ name }) => name.includes(values.only))) {
      process.stderr.write(`${query.name}\n`);
      measured.push(...(await measureQuery(grafana, query, options)));
    }
  } finally {
    await grafana.close();
  }
  const rows = await storedRows(client);
  const tooMuch = measured.filter(({ query, rowsRead }) => rowsRead > rowsReadMax(query.sql, rows));
  process.stdout.write(
    `ClickHouse ${await store.version()}, each query once, then ${runs} times again\n\n${summary(measured)}\n\n`,
  );
  process.stdout.write(`The slowest:\n\n${slowest(measured, 15)}\n`);
  if (tooMuch.length > 0) {
    process.stdout.write(`More rows than a query may read:\n\n${slowest(tooMuch, tooMuch.length)}\n`);
  }
  process.exitCode = tooMuch.length > 0 ? 1 : 0;
}

async function rowsOf<T>(query: string): Promise<T[]> {
  const result = await store.client.query({ query, format: 'JSONEachRow' });
  return result.json<T>();
}
