import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rows } from '../../model/spool.ts';
import { clickhouseConfigSchema } from '../config.ts';
import { openStore, type Store } from '../index.ts';
import { insertRows } from '../inserter.ts';

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
      const failure = await insertRows(store.client, { table, columns: 0, token: randomUUID(), buffers: [bytes] });
      if (failure) throw new Error(failure.reason);
    },
    close: async () => {
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
