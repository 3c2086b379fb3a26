import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { listCases, type StoredCase } from '../store/cases-reader.ts';
import { embeddedPaths } from '../store/embedded/endpoint.ts';
import type { StoreEndpoints } from '../store/index.ts';
import type { Connection, Stored } from './report.ts';

/** Reads what has arrived in ClickHouse. */
export interface StoredReader {
  /** How many spans and findings of these traces can be read. */
  count(traceIds: readonly string[]): Promise<{ spans: number; findings: number }>;
  /** Version of the server and rows of each table. */
  read(): Promise<Stored>;
  /** The cases that have one of these traces. */
  cases(traceIds: readonly string[]): Promise<readonly StoredCase[]>;
  readonly connection: Connection;
  close(): Promise<void>;
}

/** Connects to the embedded server with the account that Grafana gets: it may read and nothing else. */
export function openStored({ url, database, embedded }: StoreEndpoints, dataDir: string): StoredReader {
  if (embedded === undefined) throw new Error('the demo runs on the embedded ClickHouse only');
  const { grafana, tcpPort } = embedded;
  const { hostname, port } = new URL(url);
  const client = createClient({ url, database, ...grafana });
  return {
    connection: {
      dataDir,
      host: hostname,
      httpPort: Number(port),
      nativePort: tcpPort,
      username: grafana.username,
      passwordFile: embeddedPaths(dataDir).grafanaPassword,
      database,
    },
    count: async (traceIds) => {
      const query = `SELECT (SELECT count() FROM otel_traces WHERE TraceId IN {ids:Array(String)}) AS spans,
        (SELECT count() FROM findings FINAL WHERE TraceId IN {ids:Array(String)}) AS findings`;
      const [row] = await rowsOf<{ spans: string; findings: string }>(client, query, { ids: traceIds });
      return { spans: Number(row?.spans), findings: Number(row?.findings) };
    },
    read: async () => {
      const query = `SELECT version() AS version, (SELECT count() FROM otel_traces) AS otel_traces,
        (SELECT count() FROM findings FINAL) AS findings, (SELECT count() FROM case_list) AS cases`;
      const [row] = await rowsOf<{ version: string; otel_traces: string; findings: string; cases: string }>(
        client,
        query,
        {},
      );
      const rows = {
        otel_traces: Number(row?.otel_traces),
        findings: Number(row?.findings),
        cases: Number(row?.cases),
      };
      return { version: row?.version ?? '', rows };
    },
    cases: (traceIds) => listCases(client, { traceIds }),
    close: () => client.close(),
  };
}

async function rowsOf<Row>(client: ClickHouseClient, query: string, params: Record<string, unknown>): Promise<Row[]> {
  const result = await client.query({ query, query_params: params, format: 'JSONEachRow' });
  return result.json<Row>();
}
