import type { ClickHouseClient } from '@clickhouse/client';
import type { DashboardQuery } from '../../grafana/queries-of.ts';
import { expandQuery, type MacroContext } from '../../test/support/grafana-macros.ts';

/** One query with one time range and one choice of variables. */
export interface Measured {
  readonly query: DashboardQuery;
  readonly range: string;
  /** Whether variables were at their defaults, or named an agent, a tool, a trace and so on. */
  readonly variables: 'defaults' | 'chosen';
  /** Of the first run, when ClickHouse has little of it in memory; the machine may. */
  readonly coldMs: number;
  readonly warmMs: readonly number[];
  readonly rowsRead: number;
  readonly bytesRead: number;
  readonly rows: number;
}

export interface MeasureOptions {
  readonly nowMs: number;
  /** How often each runs after the first time. */
  readonly runs: number;
  /** Out of `ranges`; all of them when it is left out. */
  readonly over?: readonly string[];
  /** Values of variables when they are chosen, by name. */
  readonly chosen: Readonly<Record<string, string>>;
}

const hourMs = 3_600_000;

/** Time ranges and the width of a bar that Grafana would choose for a panel of a screen's width. */
export const ranges: Readonly<Record<string, { readonly ms: number; readonly intervalMs: number }>> = {
  '24 h': { ms: 24 * hourMs, intervalMs: 60_000 },
  '7 d': { ms: 7 * 24 * hourMs, intervalMs: 600_000 },
  '30 d': { ms: 30 * 24 * hourMs, intervalMs: 1_800_000 },
};

/** Runs a query over each range, with its variables as a dashboard begins and, when it has any, chosen. Rejects when it fails. */
export async function measureQuery(
  client: ClickHouseClient,
  query: DashboardQuery,
  options: MeasureOptions,
): Promise<Measured[]> {
  const names = [...query.sql.matchAll(/\$\{(\w+):/g)].map(([, name]) => name!);
  const measured: Measured[] = [];
  for (const range of options.over ?? Object.keys(ranges)) {
    for (const variables of names.length > 0 ? (['defaults', 'chosen'] as const) : (['defaults'] as const)) {
      const values = { ...query.variables, ...(variables === 'chosen' && options.chosen) };
      measured.push({
        query,
        range,
        variables,
        ...(await measure(client, expanded(query, range, values, options), options)),
      });
    }
  }
  return measured;
}

function expanded(
  query: DashboardQuery,
  range: string,
  variables: MacroContext['variables'],
  options: MeasureOptions,
): string {
  const { ms, intervalMs } = ranges[range]!;
  const to = new Date(options.nowMs);
  return expandQuery(query.sql, { from: new Date(options.nowMs - ms), to, intervalMs, variables });
}

async function measure(client: ClickHouseClient, sql: string, { runs }: MeasureOptions) {
  const cold = await run(client, sql);
  const warmMs: number[] = [];
  for (let at = 0; at < runs; at++) warmMs.push((await run(client, sql)).ms);
  const { ms, statistics, rows } = cold;
  return { coldMs: ms, warmMs, rowsRead: statistics.rows_read, bytesRead: statistics.bytes_read, rows };
}

/** What ClickHouse says that it has read stands at the end of its answer. */
async function run(client: ClickHouseClient, query: string) {
  const at = performance.now();
  const result = await client.query({ query, format: 'JSONCompact', clickhouse_settings: { max_execution_time: 60 } });
  const { statistics, rows } = await result.json();
  const ms = performance.now() - at;
  if (statistics === undefined || rows === undefined) throw new TypeError('an answer without statistics');
  return { ms, statistics, rows };
}

/** Rows of each table, by its name. */
export async function storedRows(client: ClickHouseClient): Promise<Readonly<Record<string, number>>> {
  const result = await client.query({
    query: `SELECT table, sum(rows) AS rows FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table`,
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ table: string; rows: string }>();
  return Object.fromEntries(rows.map(({ table, rows: count }) => [table, Number(count)]));
}

/** What is read of a trace or a session: it is found by an index, in granules of 8,192 rows. */
const spansOfOneMax = 200_000;
/** Rows of the last granules of a part. */
const slackRows = 10_000;

/**
 * Rows that one query may read: twice what stands in the sums and findings that it names, because some look for what is new, and then look
 * it up; of spans and log records those of a trace or session, whatever the time range; of metrics what stands there, once.
 */
export function rowsReadMax(sql: string, stored: Readonly<Record<string, number>>): number {
  const named = Object.keys(stored).filter((table) => new RegExp(`\\b${table}\\b`).test(sql));
  if (sql.includes('case_list')) named.push('cases', 'case_events');
  return named.reduce((most, table) => most + ofTable(table, stored[table] ?? 0), slackRows);
}

function ofTable(table: string, rows: number): number {
  if (table === 'otel_traces' || table === 'otel_logs') return spansOfOneMax;
  return table.startsWith('otel_metrics_') ? rows : 2 * rows;
}
