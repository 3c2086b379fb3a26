import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { clickhouseConfigSchema } from '../../collector/src/store/config.ts';
import { openStore, type Store } from '../../collector/src/store/index.ts';
import { dashboards } from '../../grafana/generate.ts';
import { type DashboardQuery, queriesOf } from '../../grafana/queries-of.ts';
import { now } from './grafana-data.ts';
import { type AdHocFilter, expandQuery } from './grafana-macros.ts';

/** Every query of every dashboard. */
export const dashboardQueries: readonly DashboardQuery[] = Object.values(dashboards).flatMap((make) =>
  queriesOf(make()),
);

/** The query of that name; throws when there is none. */
export function queryNamed(name: string): DashboardQuery {
  const found = dashboardQueries.find((query) => query.name === name);
  if (found === undefined) throw new Error(`no query is named ${name}`);
  return found;
}

export type RunnableQuery = Pick<DashboardQuery, 'sql' | 'variables'>;

export interface AskOptions {
  readonly filters?: readonly AdHocFilter[];
  /** Default: from an hour ago to in a minute. */
  readonly from?: Date;
  readonly to?: Date;
}

export interface Answer {
  readonly columns: Readonly<Record<string, string>>;
  readonly rows: readonly Record<string, unknown>[];
}

export interface TestGrafana {
  readonly store: Store;
  readonly client: ClickHouseClient;
  /**
   * Runs a query as the data source would, as the account that Grafana gets.
   *
   * @param chosen variables that are not at their defaults.
   */
  run(query: RunnableQuery, chosen?: Readonly<Record<string, string>>, options?: AskOptions): Promise<Answer>;
}

/** The embedded ClickHouse for all tests of a file, with no rows. */
export function testGrafana(): TestGrafana {
  let dataDir: string;
  let store: Store;
  let client: ClickHouseClient;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'spanwarden-grafana-'));
    store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
    await store.migrated();
    const { url, database, embedded } = store.endpoints;
    client = createClient({ url, database, ...embedded!.grafana, log: { level: ClickHouseLogLevel.OFF } });
  });
  after(async () => {
    await client?.close();
    await store?.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    get store() {
      return store;
    },
    get client() {
      return client;
    },
    run: (query, chosen, options) => ask(client, query, chosen, options),
  };
}

async function ask(
  client: ClickHouseClient,
  { sql, variables }: RunnableQuery,
  chosen: Readonly<Record<string, string>> = {},
  { filters = [], from = new Date(now - 3_600_000), to = new Date(now + 60_000) }: AskOptions = {},
): Promise<Answer> {
  const all = { ...variables, ...chosen };
  const query = expandQuery(sql, { from, to, intervalMs: 60_000, variables: all, adHocFilters: filters });
  // The time-out that the data source sets.
  const result = await client.query({ query, format: 'JSON', clickhouse_settings: { max_execution_time: 60 } });
  const { meta = [], data } = await result.json<Record<string, unknown>>();
  return { columns: Object.fromEntries(meta.map(({ name, type }) => [name, type])), rows: data };
}
