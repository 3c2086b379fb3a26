import type { Config } from '../config/schema.ts';
import { SpanwardenError } from '../model/errors.ts';
import { type ClientOptions, createStoreClient, type StoreClient } from '../store/client.ts';
import { ownServer } from '../store/config.ts';
import { readEndpoint } from '../store/embedded/endpoint.ts';
import { classifyError } from '../store/errors.ts';

/**
 * Lets a command ask ClickHouse: the server that the config names, or the embedded one of the collector that runs on the
 * same data directory. Throws a SpanwardenError when none runs, or when it does not answer.
 */
export async function withStore<T>(config: Config, ask: (client: StoreClient) => Promise<T>): Promise<T> {
  const client = createStoreClient(clientOptions(config));
  try {
    return await answered(config, () => ask(client));
  } finally {
    await client.close();
  }
}

/** Says of what ClickHouse or the way to it refused what a person can do. */
export async function answered<T>(config: Config, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof SpanwardenError || !isFromClickhouse(error)) throw error;
    throw new SpanwardenError({
      code: 'SW_CLICKHOUSE_UNREACHABLE',
      message: `ClickHouse did not answer: ${classifyError(error).reason}`,
      advice:
        config.clickhouse.url === undefined
          ? 'Is spanwarden serve still starting? Look at its log, or ask again in a few seconds.'
          : 'Check clickhouse.url, username, password and database in the config; spanwarden serve creates the tables.',
    });
  }
}

/** The server that the config names, else the embedded one that runs on the same data directory. */
export function clientOptions(config: Config): ClientOptions {
  const endpoint = ownServer(config.clickhouse) ?? readEndpoint(config.data_dir);
  if (endpoint !== undefined) return endpoint;
  throw new SpanwardenError({
    code: 'SW_CLICKHOUSE_UNREACHABLE',
    message: `no collector runs on the data directory ${config.data_dir}`,
    advice: 'Start it with: spanwarden serve. Does it run elsewhere? Name its config with --config.',
  });
}

/** The client rejects with errors that carry a code, of ClickHouse or of the network. */
function isFromClickhouse(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return typeof (error as { code?: unknown }).code === 'string' || error.message.startsWith('Timeout');
}
