import { join } from 'node:path';
import type { Logger } from 'pino';
import { CaseDecisions } from './case-decisions.ts';
import type { Config } from './config/schema.ts';
import type { Memory } from './detect/memory.ts';
import { eventsOf } from './export/config.ts';
import { filesIn } from './export/delivery/files.ts';
import type { Exporter } from './export/exporter.ts';
import { ExportSource, exportedTables } from './export-source.ts';
import { openExporting } from './exporting.ts';
import type { Metrics } from './metrics.ts';
import type { FieldTable } from './model/fields.ts';
import { spoolOptions } from './spool/config.ts';
import type { Spool } from './spool/contract.ts';
import { openSpool } from './spool/spool.ts';
import { CheckpointStore } from './state/checkpoint-store.ts';
import { type OpenedState, openState } from './state/open-state.ts';
import { readBacklog } from './store/backlog.ts';
import { type DecisionRange, readDecisions } from './store/decisions-reader.ts';
import { openStore, type Store } from './store/index.ts';
import { columnCounts } from './store/schema/columns.ts';

export interface StorageOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly fields: FieldTable;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly pendingBytesMax: number;
}

/** What keeps rows, and what takes them from there. */
export interface Storage {
  readonly spool: Spool;
  readonly state: OpenedState;
  readonly store: Store;
  readonly exporter: Exporter;
}

/**
 * Opens the spool, brings back what detection remembers, and opens the store and the destinations; nothing is sent yet. Throws a
 * SpanwardenError when one of them cannot be opened, with the others closed again.
 */
export async function openStorage(options: StorageOptions, memory: Memory): Promise<Storage> {
  const { config, dataDir, logger, pendingBytesMax } = options;
  const spoolDir = spoolOptions(config.spool, join(dataDir, 'spool'), pendingBytesMax);
  const spool = await openSpool({ ...spoolDir, columns: columnCounts, keepFrom: 0, logger });
  const state = await openState(new CheckpointStore(join(dataDir, 'state'), logger), spool, memory, logger);
  const store = await openStore(config.clickhouse, { dataDir, logger }).catch(async (error: unknown) => {
    await spool.close();
    throw error;
  });
  const source = () => exportSource(spool, store, logger);
  const opened = await openExporting({ ...options, source }).catch(async (error: unknown) => {
    await spool.close();
    await store.close();
    throw error;
  });
  return {
    spool,
    state,
    store,
    exporter: wantsCases(config) ? withDecisions(opened, decisionsOf(spool, store, options)) : opened,
  };
}

function wantsCases({ export: { destinations } }: Config): boolean {
  return Object.values(destinations).some((each) => eventsOf(each).includes('cases'));
}

function decisionsOf(spool: Spool, store: Store, { dataDir, logger }: StorageOptions): CaseDecisions {
  const read = async (range: DecisionRange) => {
    await store.migrated();
    return readDecisions(store.client, range);
  };
  const files = filesIn(join(dataDir, 'export'));
  return new CaseDecisions({ log: spool, files, spoolId: spool.id, read, logger, now: Date.now });
}

/** What people decide goes the way of what detection finds. */
function withDecisions(exporter: Exporter, decisions: CaseDecisions): Exporter {
  return {
    ...exporter,
    start: () => {
      exporter.start();
      decisions.start();
    },
    stop: async (graceMs) => {
      await decisions.stop();
      await exporter.stop(graceMs);
    },
  };
}

/** Findings and cases for destinations; asked for before anything is appended. */
function exportSource(spool: Spool, store: Store, logger: Logger): ExportSource {
  const backlog = async (range: Parameters<typeof readBacklog>[1]) => {
    await store.migrated();
    return readBacklog(store.client, range);
  };
  return new ExportSource({ tail: spool.tail(exportedTables), spoolId: spool.id, backlog, logger });
}
