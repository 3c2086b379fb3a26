import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from './config/schema.ts';
import type { Memory } from './detect/memory.ts';
import { type Exporter, together } from './export/exporter.ts';
import { ExportSource, exportedTables } from './export-source.ts';
import { withDecisions } from './exported-decisions.ts';
import { addExportGauges, openExporting } from './exporting.ts';
import type { Metrics } from './metrics.ts';
import type { FieldTable } from './model/fields.ts';
import { spoolOptions } from './spool/config.ts';
import type { Spool } from './spool/contract.ts';
import { openSpool } from './spool/spool.ts';
import { CheckpointStore } from './state/checkpoint-store.ts';
import { type OpenedState, openState } from './state/open-state.ts';
import { readBacklog } from './store/backlog.ts';
import { openStore, type Store } from './store/index.ts';
import { columnCounts } from './store/schema/columns.ts';
import { holdFor, openTeeing, type Teeing } from './teeing.ts';

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
  /** Destinations and tees. */
  readonly exporter: Exporter;
  readonly teeing: Teeing;
}

/**
 * Opens the spool, brings back what detection remembers, and opens the store and the destinations; nothing is sent yet. Throws a
 * SpanwardenError when one of them cannot be opened, with the others closed again.
 */
export async function openStorage(options: StorageOptions, memory: Memory): Promise<Storage> {
  const { config, dataDir, logger, pendingBytesMax } = options;
  const spoolDir = spoolOptions(config.spool, join(dataDir, 'spool'), pendingBytesMax);
  const spool = await openSpool({ ...spoolDir, columns: columnCounts, keepFrom: 0, hold: holdFor(config), logger });
  const state = await openState(new CheckpointStore(join(dataDir, 'state'), logger), spool, memory, logger);
  const store = await openStore(config.clickhouse, { dataDir, logger }).catch(async (error: unknown) => {
    await spool.close();
    throw error;
  });
  const source = () => exportSource(spool, store, logger);
  try {
    const opened = await openExporting({ ...options, source });
    const exporter = withDecisions(opened, { config, dataDir, spool, store, logger });
    const teeing = await openTeeing({ ...options, spool }).catch(async (error: unknown) => {
      await exporter.stop(0);
      throw error;
    });
    const all = together([exporter, teeing.exporter]);
    addExportGauges(options.metrics, () => all.statuses());
    addSpoolGauges(options.metrics, spool, config.spool.bytes_max);
    return { spool, state, store, exporter: all, teeing };
  } catch (error) {
    await spool.close();
    await store.close();
    throw error;
  }
}

/** Findings and cases for destinations; asked for before anything is appended. */
function exportSource(spool: Spool, store: Store, logger: Logger): ExportSource {
  const backlog = async (range: Parameters<typeof readBacklog>[1]) => {
    await store.migrated();
    return readBacklog(store.client, range);
  };
  return new ExportSource({ tail: spool.tail(exportedTables), spoolId: spool.id, backlog, logger });
}

function addSpoolGauges({ gauge: add }: Metrics, spool: Spool, bytesMax: number): void {
  add('spanwarden_spool_bytes', 'Bytes that wait for ClickHouse.', () => spool.stats().bytes);
  add('spanwarden_spool_bytes_max', 'Bytes that the spool may take on disk.', () => bytesMax);
  add('spanwarden_spool_segments', 'Segments that wait for ClickHouse.', () => spool.stats().segments);
  add(
    'spanwarden_spool_oldest_age_seconds',
    'Age of the oldest waiting record.',
    () => spool.stats().oldestAgeMs / 1000,
  );
  add('spanwarden_spool_pending_bytes', 'Bytes that wait for their fsync.', () => spool.stats().pendingBytes);
  add('spanwarden_spool_syncs', 'fsyncs since the start.', () => spool.stats().syncs);
  add('spanwarden_spool_set_aside_bytes', 'Bytes in dead-letter/ and quarantine/.', () => spool.stats().setAsideBytes);
  add('spanwarden_spool_corrupt_bytes', 'Damaged bytes found since the start.', () => spool.stats().corruptBytes);
  add(
    'spanwarden_spool_reserve_released',
    '1 while the reserve of disk space is given up and nothing is taken in.',
    () => Number(spool.stats().reserveReleased),
  );
  add('spanwarden_spool_torn_bytes', 'Bytes cut from torn segments at start.', () => spool.stats().tornBytes);
}
