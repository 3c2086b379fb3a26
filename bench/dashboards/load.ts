import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreClient } from '../../collector/src/store/client.ts';
import { ownSeries, type Series } from './metric-series.ts';
import { agents, domains, models, rules, tools } from './names.ts';

export interface SpanOptions {
  /** Over all days; rounded down to whole sessions of 20 spans a day. */
  readonly spans: number;
  readonly days: number;
  /** End of the last day, in milliseconds. */
  readonly nowMs: number;
}

export interface LoadOptions extends SpanOptions {
  readonly findings: number;
  readonly cases: number;
  /** Collectors whose own metrics are there. */
  readonly collectors: number;
  /** Called after each step. */
  readonly said?: (step: string) => void;
}

const spansPerSession = 20;
/** One INSERT makes so many spans at most: a part for each of the two days it touches, as a busy collector's would. */
const sessionsPerInsert = 10_000;
const minutesPerDay = 1_440;
/** The last span of a session lies so far behind its first at most. */
const sessionSecondsMax = 150;

/**
 * Fills the tables with what agents, collectors and people leave behind in some days. ClickHouse makes the rows, and the views
 * run over them as they do over a collector's. The same options give the same rows.
 */
export async function loadActivity(client: StoreClient, options: LoadOptions): Promise<void> {
  const { days, findings, cases, collectors, said = () => {} } = options;
  const { run, spans, logs } = loader(client, options);
  for (let day = 0; day < days; day++) {
    await spans(day);
    await logs(day);
    for (const kind of ['sum', 'gauge', 'histogram'] as const) {
      const minutes = { firstMinute: day * minutesPerDay, minutes: minutesPerDay };
      await run(`metric-${kind}s`, { ...minutes, ...seriesOf(kind, collectors) });
    }
    said(`day ${day + 1} of ${days}`);
  }
  await run('findings', { findings });
  await run('cases', { cases });
  for (const name of ['case-events', 'finding-marks', 'rule-stats', 'rule-states', 'seen-fields']) await run(name);
  said('findings, cases and rules');
}

/** The spans alone, into a table that has the columns that a collector inserts. */
export async function loadSpans(client: StoreClient, options: SpanOptions, table: string): Promise<void> {
  const { spans } = loader(client, options);
  for (let day = 0; day < options.days; day++) await spans(day, table);
}

function loader(client: StoreClient, { days, spans, nowMs }: SpanOptions) {
  const perDay = Math.floor(spans / days / spansPerSession);
  const start = Math.floor(nowMs / 1000) - days * 86_400 - sessionSecondsMax;
  const shape = { days, perDay, start, agents, tools, domains, models, rules };
  const run = (name: string, more: Record<string, unknown> = {}, table?: string) =>
    insert(client, table === undefined ? sqlOf(name) : sqlOf(name).replace(/INSERT INTO \w+/, `INSERT INTO ${table}`), {
      ...shape,
      ...more,
    });
  return {
    run,
    spans: async (day: number, table?: string) => {
      for (let at = 0; at < perDay; at += sessionsPerInsert) {
        const sessions = Math.min(sessionsPerInsert, perDay - at);
        await run('spans', { first: day * perDay + at, sessions }, table);
      }
    },
    /** Of every other session. */
    logs: (day: number) => run('logs', { first: day * perDay, sessions: Math.ceil(perDay / 2) }),
  };
}

function seriesOf(kind: Series['kind'], collectors: number): Record<string, unknown> {
  const series = ownSeries.filter((each) => each.kind === kind);
  const all = Array.from({ length: collectors }, (_, index) =>
    series.map((each) => ({ ...each, instance: `c${index}` })),
  );
  const flat = all.flat();
  return {
    names: flat.map(({ name }) => name),
    attributes: flat.map(({ attributes }) => attributes),
    instances: flat.map(({ instance }) => instance),
  };
}

async function insert(client: StoreClient, query: string, parameters: Record<string, unknown>): Promise<void> {
  await client.command({
    query,
    query_params: parameters,
    clickhouse_settings: { async_insert: 0, max_partitions_per_insert_block: '1000', optimize_on_insert: 1 },
  });
}

function sqlOf(name: string): string {
  const read = (file: string) => readFileSync(join(import.meta.dirname, `${file}.sql`), 'utf8').trimEnd();
  return read(name).replace('{session}', () => read('session'));
}
