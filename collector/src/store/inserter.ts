import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { RowTableName } from '../model/spool.ts';
import type { StoreClient } from './client.ts';
import { classifyError, type StoreFailure } from './errors.ts';
import { insertColumns } from './schema/columns.ts';
import { insertName } from './schema/layout.ts';

/** Rows of one INSERT. */
export interface InsertedRows {
  readonly table: RowTableName;
  /** How many columns each row carries; 0 for all that there are now. */
  readonly columns: number;
  /** Its deduplication token: the same token comes with the same bytes only. */
  readonly token: string;
  readonly buffers: readonly Uint8Array[];
}

/**
 * Inserts rows as one block, so that ClickHouse takes all of them or none. Undefined when they are in. The same token again
 * adds no row, as long as ClickHouse remembers it (1000 blocks of each table).
 */
export async function insertRows(
  client: StoreClient,
  { table, columns, token, buffers }: InsertedRows,
  signal?: AbortSignal,
): Promise<StoreFailure | undefined> {
  const names = insertColumns[table];
  const carried = columns === 0 ? names : names.slice(0, columns);
  if (carried.length < columns) {
    return { kind: 'config', reason: `${table} has ${columns} columns in the spool, written by a newer version` };
  }
  try {
    const { stream } = await client.exec({
      query: `INSERT INTO ${client.isSharded && table === 'otel_traces' ? insertName(table) : table} (${carried.join(', ')}) FORMAT RowBinary`,
      query_id: insertQueryId(token),
      values: Readable.from(buffers, { objectMode: false }),
      ...(signal && { abort_signal: signal }),
      clickhouse_settings: {
        async_insert: 0,
        insert_deduplicate: 1,
        insert_deduplication_token: token,
        deduplicate_blocks_in_dependent_materialized_views: 1,
        // The encoder keeps times within the retention, so this many partitions are meant.
        max_partitions_per_insert_block: '4000',
        max_insert_block_size: oneBlockRows,
        min_insert_block_size_rows: oneBlockRows,
        wait_end_of_query: 1,
      },
    });
    // The socket is given back when the (empty) answer is read to its end.
    await stream.resume().toArray();
    return undefined;
  } catch (error) {
    return classifyError(error);
  }
}

/**
 * Says from which segment the rows of an INSERT came: columns of findings and cases take it from there. Random at its end, as no two
 * queries that run may have the same.
 */
function insertQueryId(token: string): string {
  return `spool-${token.split(':', 1)[0]}-${randomUUID()}`;
}

/** More rows than fit into the bytes of one INSERT. */
const oneBlockRows = '4294967295';

/** Types of the columns that rows of a table carry, as the server has them. Rejects with the client's error. */
export async function columnTypes(client: StoreClient, table: RowTableName, columns: number): Promise<string[]> {
  const result = await client.query({
    query: 'SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}',
    query_params: { table },
    format: 'JSONEachRow',
  });
  const types = new Map((await result.json<{ name: string; type: string }>()).map(({ name, type }) => [name, type]));
  const names = insertColumns[table];
  return (columns === 0 ? names : names.slice(0, columns)).map((name) => types.get(name) ?? '');
}
