import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';

export interface ClientOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** Whether tables are read and written over the shards of a cluster. */
  readonly isSharded?: boolean;
}

/**
 * A join of two tables over shards takes the right one to each shard, and a row is answered for when its shard has it, not
 * when it waits on the server that was asked.
 */
const shardedSettings = { distributed_product_mode: 'global', distributed_foreground_insert: 1 } as const;

export type StoreClient = ClickHouseClient & Pick<ClientOptions, 'isSharded'>;

/** Longest an INSERT or a query may take. ClickHouse itself is told the same for queries. */
const requestTimeoutMs = 120_000;

/** The one client for an embedded and for a user's server. Close it when done. */
export function createStoreClient(options: ClientOptions): StoreClient {
  const client = createClient({
    url: options.url,
    username: options.username,
    password: options.password,
    database: options.database,
    application: 'spanwarden',
    request_timeout: requestTimeoutMs,
    max_open_connections: 4,
    // It would write to the console; what matters comes back as an error.
    log: { level: ClickHouseLogLevel.OFF },
    keep_alive: { enabled: true, idle_socket_ttl: 2_500 },
    // Nanoseconds and 64-bit counts do not fit a JavaScript number, so they come as text; times come as ISO 8601.
    clickhouse_settings: {
      output_format_json_quote_64bit_integers: 1,
      date_time_output_format: 'iso',
      ...(options.isSharded && shardedSettings),
    },
  });
  return Object.assign(client, { isSharded: options.isSharded ?? false });
}
