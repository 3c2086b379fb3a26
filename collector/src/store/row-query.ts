import type { Readable } from 'node:stream';
import type { StoreClient } from './client.ts';
import { RowReader } from './rows/row-reader.ts';

/** The answer to a query, which is in memory as a whole: it must be a page. Rejects with the client's error. */
export async function queryRows(
  client: StoreClient,
  query: string,
  parameters: Record<string, unknown>,
): Promise<RowReader> {
  const { stream } = await client.exec({ query: `${query} FORMAT RowBinary`, query_params: parameters });
  return new RowReader(Buffer.concat((await (stream as Readable).toArray()) as Buffer[]));
}
