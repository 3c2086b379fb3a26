import { createStoreClient, type StoreClient } from '../../collector/src/store/client.ts';
import { readEndpoint } from '../../collector/src/store/embedded/endpoint.ts';

/** Questions to the embedded ClickHouse of a collector that runs on `dataDir`, found anew for each: it may restart. */
export interface TestClickhouse {
  readonly pid: number;
  rows<T>(query: string): Promise<T[]>;
  count(table: string): Promise<number>;
  command(query: string): Promise<void>;
  close(): Promise<void>;
}

export function clickhouseOf(dataDir: string): TestClickhouse {
  let client: StoreClient | undefined;
  let url = '';
  const connect = (): StoreClient => {
    const endpoint = readEndpoint(dataDir);
    if (!endpoint) throw new Error('no embedded ClickHouse runs');
    if (endpoint.url !== url) {
      void client?.close();
      client = createStoreClient(endpoint);
      url = endpoint.url;
    }
    return client!;
  };
  const rows = async <T>(query: string): Promise<T[]> => {
    const result = await connect().query({ query, format: 'JSONEachRow' });
    return result.json<T>();
  };
  return {
    get pid() {
      return readEndpoint(dataDir)?.pid ?? -1;
    },
    rows,
    count: async (table) => Number((await rows<{ n: string }>(`SELECT count() AS n FROM ${table}`))[0]!.n),
    command: async (query) => {
      await connect().command({ query, clickhouse_settings: { wait_end_of_query: 1 } });
    },
    close: async () => client?.close(),
  };
}
