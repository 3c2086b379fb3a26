import type { StoreClient } from '../../collector/src/store/client.ts';
import { activityTables, definitionsByHash } from '../../collector/src/store/schema/activity-tables.ts';
import { insertColumns } from '../../collector/src/store/schema/columns.ts';
import { shardedTraceColumns } from '../../collector/src/store/schema/history-columns.ts';
import { loadSpans, type SpanOptions } from './load.ts';

/** What inserting the same spans took with some of the views in place. */
export interface InsertCost {
  readonly views: readonly string[];
  readonly ms: number;
  /** Of the whole server, merges included. */
  readonly cpuMs: number;
}

export interface ViewCosts {
  readonly inserts: readonly InsertCost[];
  /** Bytes on disk after merges, and rows, by table. */
  readonly tables: readonly { readonly table: string; readonly rows: string; readonly bytes: string }[];
}

const staged = 'bench_spans';
/** As many rows as a segment of a busy collector brings to one INSERT. */
const rowsPerInsert = 20_000;

/**
 * Inserts the same spans again and again: with no view of what spans add up to, with each alone, and with all of them, round by round,
 * so that what else the machine does meets all. The spans are made before. Leaves them in the tables once, with all views.
 */
export async function viewCosts(
  client: StoreClient,
  options: SpanOptions & { readonly database: string },
  rounds: number,
): Promise<ViewCosts> {
  const views = activityTables(options.database, 365).filter((statement) =>
    statement.startsWith('CREATE MATERIALIZED VIEW'),
  );
  const names = views.map((statement) => /(\w+_mv)\b/.exec(statement)![1]!);
  await stage(client, options);
  const choices = [[], ...names.map((name) => [name]), names];
  const inserts: InsertCost[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const choice of choices) {
      for (const table of [
        'otel_traces',
        'agent_activity',
        'session_activity',
        'agent_values',
        'otel_traces_trace_id_ts',
      ]) {
        await client.command({ query: `TRUNCATE TABLE ${table}` });
      }
      for (const name of names) await client.command({ query: `DROP VIEW IF EXISTS ${name} SYNC` });
      for (const view of views)
        if (choice.some((name) => view.includes(`.${name}\n`))) await client.command({ query: view });
      if (choice.includes('agent_values_mv'))
        for (const query of definitionsByHash(options.database)) await client.command({ query });
      inserts.push({ views: choice, ...(await cost(client, () => insertStaged(client))) });
    }
  }
  await client.command({ query: `DROP TABLE ${staged} SYNC` });
  return { inserts, tables: await sizes(client) };
}

async function stage(client: StoreClient, options: SpanOptions): Promise<void> {
  await client.command({
    query: `CREATE TABLE ${staged} (${shardedTraceColumns}) ENGINE = MergeTree ORDER BY tuple()`,
  });
  await loadSpans(client, options, staged);
}

async function insertStaged(client: StoreClient): Promise<void> {
  const columns = insertColumns.otel_traces.map((column) => `\`${column}\``).join(', ');
  await client.command({
    query: `INSERT INTO otel_traces (${columns}) SELECT ${columns} FROM ${staged}`,
    clickhouse_settings: {
      ...{ async_insert: 0, max_block_size: String(rowsPerInsert), max_threads: 1 },
      ...{ min_insert_block_size_rows: String(rowsPerInsert), max_insert_block_size: String(rowsPerInsert) },
    },
  });
}

async function cost(client: StoreClient, work: () => Promise<void>): Promise<{ ms: number; cpuMs: number }> {
  await client.command({ query: 'OPTIMIZE TABLE otel_traces FINAL' });
  const [before, at] = [await cpuMs(client), performance.now()];
  await work();
  const ms = performance.now() - at;
  for (const table of ['otel_traces', 'agent_activity', 'session_activity', 'agent_values']) {
    await client.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
  }
  return { ms, cpuMs: (await cpuMs(client)) - before };
}

async function cpuMs(client: StoreClient): Promise<number> {
  const query = "SELECT toString(value) AS value FROM system.events WHERE event = 'OSCPUVirtualTimeMicroseconds'";
  const result = await client.query({ query, format: 'JSONEachRow' });
  const [row] = await result.json<{ value: string }>();
  return Number(row?.value) / 1000;
}

async function sizes(client: StoreClient): Promise<ViewCosts['tables']> {
  const result = await client.query({
    query: `SELECT table, toString(sum(rows)) AS rows, toString(sum(bytes_on_disk)) AS bytes FROM system.parts
WHERE active AND database = currentDatabase() AND table IN ('otel_traces', 'agent_activity', 'session_activity', 'agent_values')
GROUP BY table ORDER BY table`,
    format: 'JSONEachRow',
  });
  return result.json();
}
