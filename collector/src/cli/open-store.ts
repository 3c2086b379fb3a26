import type { Config } from '../config/schema.ts';
import { SpanwardenError } from '../model/errors.ts';
import { type ClientOptions, createStoreClient, type StoreClient } from '../store/client.ts';
import { readEndpoint } from '../store/embedded/endpoint.ts';
import { classifyError } from '../store/errors.ts';

/**
 * Lets a command ask ClickHouse: the server that the config names, or the embedded one of the collector that runs on the
 * same data directory. Throws a SpanwardenError when none runs, or when it does not answer.
 */
export async function withStore<T>(config: Config, ask: (client: StoreClient) => Promise<T>): Promise<T> {
  const client = createStoreClient(clientOptions(config));
  try {
    return await ask(client);
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
  } finally {
    await client.close();
  }
}

function clientOptions(config: Config): ClientOptions {
  const { url, username, password, database } = config.clickhouse;
  if (url !== undefined) return { url, username, password: password?.reveal() ?? '', database };
  const endpoint = readEndpoint(config.data_dir);
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
