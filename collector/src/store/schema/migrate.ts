import { ClickHouseError, type ClickHouseSettings } from '@clickhouse/client';
import type { Logger } from 'pino';
import { type ClientOptions, createStoreClient, type StoreClient } from '../client.ts';
import { foundation, statementsOf, ttlStatement, versionInsert, versionTable } from './ddl.ts';
import { type Layout, localName } from './layout.ts';
import { MigrationLock } from './migration-lock.ts';
import { type Migration, migrations, type SchemaOptions } from './migrations.ts';
import { retention, tableDays, ttlTables } from './retention.ts';

/** Other servers of a cluster are waited for a little shorter than the client waits for an answer. */
const settings = { flatten_nested: 1, wait_end_of_query: 1, distributed_ddl_task_timeout: '100' } as const;

/** On a cluster any server may be asked next, so that each has to know what another was told. */
function everywhereSettings(layout: Layout | undefined): ClickHouseSettings {
  if (layout === undefined || layout.keeper === false) return {};
  return { insert_quorum: 'auto', insert_quorum_parallel: 0, select_sequential_consistency: '1' };
}

export interface MigrateOptions {
  readonly logger?: Logger;
  /** Ends the waiting for others who change the schema. */
  readonly signal?: AbortSignal;
  /** As with the lock. */
  readonly leaseMs?: number;
  /** The server is this process's own, so that the claim of one that was killed holds nothing up. */
  readonly alone?: boolean;
}

/**
 * Brings the database to the newest schema: creates it, runs what has not run yet in order, and sets the retention. Runs
 * at every start; with nothing to do it changes nothing. Any number may call it at once: one does the work, the others
 * wait for it. Rejects with the client's error.
 */
export async function migrate(client: ClientOptions, options: SchemaOptions, how: MigrateOptions = {}): Promise<void> {
  assertPlain(options);
  // The database does not exist before the first run, and a session in a missing database is refused.
  const session = createStoreClient({ ...client, database: 'default' });
  try {
    const applied = await appliedVersions(session, options);
    if (applied !== undefined && pending(migrations, applied).length === 0) tellNewer(applied, how.logger);
    else await migrateLocked(session, options, how);
    await applyRetention(session, options, how.logger);
  } finally {
    await session.close();
  }
}

async function migrateLocked(session: StoreClient, options: SchemaOptions, how: MigrateOptions): Promise<void> {
  const { database } = options;
  const command = (query: string) => session.command({ query, clickhouse_settings: settings });
  // Each says IF NOT EXISTS and may run beside another's.
  for (const query of foundation(options)) await command(query);
  const lockOptions = { database, settings: everywhereSettings(options.layout), ...how };
  const lock = how.alone ? undefined : new MigrationLock(session, lockOptions);
  await lock?.acquire();
  try {
    const applied = (await appliedVersions(session, options)) ?? new Set();
    for (const migration of pending(migrations, applied)) {
      for (const query of statementsOf(migration, options)) {
        await (lock ? lock.during(() => command(query)) : command(query));
      }
      await session.command({
        query: versionInsert(database, migration),
        clickhouse_settings: { ...settings, ...everywhereSettings(options.layout), async_insert: 0 },
      });
      how.logger?.info({ version: migration.version, name: migration.name }, 'schema migration applied');
    }
  } catch (error) {
    // What ClickHouse itself refused is over; a statement that got no answer may still run, so its claim has to run out.
    if (error instanceof ClickHouseError) await lock?.release();
    throw error;
  }
  await lock?.release();
}

/** Columns are only ever added, so that rows of this version land there, too. */
function tellNewer(applied: ReadonlySet<number>, logger?: Logger): void {
  const known = migrations.at(-1)?.version ?? 0;
  const version = Math.max(...applied);
  if (version <= known) return;
  logger?.warn(
    { version, known },
    'a newer version of Spanwarden brought the ClickHouse schema up; this one goes on with the columns it knows',
  );
}

/** Migrations that have not run, in order. */
export function pending(all: readonly Migration[], applied: ReadonlySet<number>): Migration[] {
  return all.filter(({ version }) => !applied.has(version)).sort((a, b) => a.version - b.version);
}

/** Undefined when there is no table of versions yet. */
async function appliedVersions(
  session: StoreClient,
  { database, layout }: SchemaOptions,
): Promise<Set<number> | undefined> {
  try {
    const result = await session.query({
      query: `SELECT DISTINCT Version FROM ${database}.${versionTable}`,
      format: 'JSONEachRow',
      clickhouse_settings: everywhereSettings(layout),
    });
    const rows = await result.json<{ Version: number }>();
    return new Set(rows.map((row) => Number(row.Version)));
  } catch (error) {
    if (error instanceof ClickHouseError && (error.code === '60' || error.code === '81')) return undefined;
    throw error;
  }
}

/** A TTL is part of the table, so a new value in the config has to be brought there. */
async function applyRetention(session: StoreClient, options: SchemaOptions, logger?: Logger): Promise<void> {
  const result = await session.query({
    query: 'SELECT name, engine_full FROM system.tables WHERE database = {database:String}',
    query_params: { database: options.database },
    format: 'JSONEachRow',
  });
  const engines = new Map((await result.json<{ name: string; engine_full: string }>()).map((t) => [t.name, t]));
  for (const { table, ttl } of retention(options)) {
    const engine = engines.get(localName(table, options.layout))?.engine_full;
    if (engine === undefined || engine.includes(`TTL ${ttl} `)) continue;
    await session.command({
      query: ttlStatement(table, ttl, options),
      clickhouse_settings: { ...settings, materialize_ttl_after_modify: 0 },
    });
    logger?.info({ table, ttl }, 'retention changed');
  }
}

/** These go into DDL, where query parameters are not allowed. */
function assertPlain(options: SchemaOptions): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(options.database)) throw new TypeError('database is no plain identifier');
  if (options.layout && !/^[A-Za-z0-9_.-]+$/.test(options.layout.cluster))
    throw new TypeError('cluster is no plain name');
  const days = [options.ttlDays, options.findingsTtlDays, ...ttlTables.map((table) => tableDays(table, options))];
  if (!days.every(Number.isInteger)) throw new TypeError('TTLs are whole days');
}
