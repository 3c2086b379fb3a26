import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Rows } from '../../model/spool.ts';
import { clickhouseConfigSchema } from '../config.ts';
import { openStore, type Store } from '../index.ts';
import { insertColumns } from '../schema/columns.ts';

export interface TestStore {
  readonly store: Store;
  readonly dataDir: string;
  /** Inserts rows as the shipper does, without deduplication. */
  insert(rows: Rows): Promise<void>;
  /** Stops the server and removes its files. */
  close(): Promise<void>;
}

/** An embedded server of its own, with the newest schema. */
export async function openTestStore(): Promise<TestStore> {
  const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-store-'));
  const store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  await store.migrated();
  return {
    store,
    dataDir,
    insert: async ({ table, bytes }) => {
      const query = `INSERT INTO ${table} (${insertColumns[table].join(', ')}) FORMAT RowBinary`;
      const { stream } = await store.client.exec({
        query,
        values: Readable.from([Buffer.from(bytes)], { objectMode: false }),
        clickhouse_settings: { async_insert: 0, wait_end_of_query: 1, max_partitions_per_insert_block: '4000' },
      });
      await stream.resume().toArray();
    },
    close: async () => {
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
