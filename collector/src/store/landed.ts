import type { RowTableName, SegmentTable } from '../model/spool.ts';
import type { StoreClient } from './client.ts';
import { isWritable, type RowRange, valuesOf } from './row-values.ts';
import { insertColumns } from './schema/columns.ts';

/** By what a row is found again. */
interface RowKey {
  readonly columns: readonly string[];
  /** Rows of different days lie in different parts. */
  readonly day: string;
  /** Of tables that keep the newest version of a row only. */
  readonly version?: string;
}

const metricKey: RowKey = { columns: ['TimeUnix', 'ServiceName', 'MetricName'], day: 'TimeUnix' };

/** Statistics of rules have none: their rows are added up, and a lost one is a minute of counts. */
const keys: Readonly<Partial<Record<RowTableName, RowKey>>> = {
  otel_traces: { columns: ['Timestamp', 'TraceId', 'SpanId'], day: 'Timestamp' },
  otel_logs: { columns: ['Timestamp', 'ServiceName', 'TraceId', 'SpanId'], day: 'Timestamp' },
  otel_messages: { columns: ['Day', 'Conversation', 'Hash'], day: 'Day' },
  otel_metrics_gauge: metricKey,
  otel_metrics_sum: metricKey,
  otel_metrics_histogram: metricKey,
  otel_metrics_exponential_histogram: metricKey,
  otel_metrics_summary: metricKey,
  findings: { columns: ['Timestamp', 'FindingId'], day: 'Timestamp', version: 'Version' },
  cases: { columns: ['CaseId'], day: 'Day', version: 'Version' },
};

/** Looked up in one query. */
const lookedUpAtOnce = 100;

/**
 * Places of rows of an insert that are not in their table although ClickHouse answered that it had the insert before. It
 * notes the token of a part before it has the part: killed in between, it takes the rows for a repetition from then on. As
 * a part is there as a whole, one row of each day stands for all of that day; over shards, where a day has several parts, each row
 * stands for itself. Tables of replicas note both in one step, and their rows may only be on the way to the server that is
 * asked, so nothing is ever missing there. Rejects with the client's error.
 *
 * https://clickhouse.com/docs/operations/settings/merge-tree-settings#non_replicated_deduplication_window
 */
export async function missingRows(
  client: StoreClient,
  { table, columns }: Pick<SegmentTable, 'table' | 'columns'>,
  rows: readonly RowRange[],
  types: readonly string[],
): Promise<ReadonlySet<number>> {
  const key = keys[table];
  if (key === undefined || !(await notesTokensFirst(client, table))) return new Set();
  const names = insertColumns[table].slice(0, columns === 0 ? undefined : columns);
  const read = [...key.columns, key.day, ...(key.version === undefined ? [] : [key.version])];
  // Somebody gave a column another type than ours.
  if (!read.every((name) => isWritable(types[names.indexOf(name)] ?? ''))) return new Set();
  const groups = new Map<string, { readonly rows: number[]; readonly where: string }>();
  for (const [index, range] of rows.entries()) {
    const values = valuesOf(range, names, types);
    const name = client.isSharded ? String(index) : dayOf(values(key.day));
    const group = groups.get(name);
    if (group) group.rows.push(index);
    else groups.set(name, { rows: [index], where: whereOf(key, (column) => values(column).sql) });
  }
  const found = await lookUp(
    client,
    table,
    [...groups.values()].map(({ where }) => where),
  );
  return new Set([...groups.values()].filter((_, index) => !found.has(index)).flatMap((group) => group.rows));
}

function whereOf({ columns, version }: RowKey, sqlOf: (column: string) => string): string {
  const same = columns.map((column) => `${column} = ${sqlOf(column)}`);
  return [...same, ...(version === undefined ? [] : [`${version} >= ${sqlOf(version)}`])].join(' AND ');
}

function dayOf({ dayNumber }: { readonly dayNumber: number }): string {
  return String(dayNumber);
}

async function notesTokensFirst(client: StoreClient, table: string): Promise<boolean> {
  const result = await client.query({
    query:
      "SELECT count() AS n FROM system.tables WHERE database = currentDatabase() AND name IN ({table:String}, {local:String}) AND match(engine, '^(Replacing)?MergeTree$')",
    query_params: { table, local: `${table}_local` },
    format: 'JSONEachRow',
  });
  const [answer] = await result.json<{ n: string }>();
  return Number(answer?.n ?? 0) > 0;
}

async function lookUp(client: StoreClient, table: string, wheres: readonly string[]): Promise<ReadonlySet<number>> {
  const found = new Set<number>();
  for (let from = 0; from < wheres.length; from += lookedUpAtOnce) {
    const query = wheres
      .slice(from, from + lookedUpAtOnce)
      .map((where, index) => `(SELECT ${from + index} AS place FROM ${table} WHERE ${where} LIMIT 1)`)
      .join(' UNION ALL ');
    const result = await client.query({ query, format: 'JSONEachRow' });
    for (const { place } of await result.json<{ place: number }>()) found.add(Number(place));
  }
  return found;
}
