import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RowTableName, SealedSegment, SegmentSource } from '../model/spool.ts';
import type { StoreClient } from './client.ts';
import { classifyError, type StoreFailure } from './errors.ts';
import { insertColumns } from './schema/columns.ts';

/** Called as things happen, once per segment or table. */
export interface ShipperHooks {
  inserted?(table: RowTableName, rows: number, bytes: number): void;
  segment?(): void;
  retried?(): void;
  deadLettered?(): void;
}

export interface ShipperOptions {
  readonly source: SegmentSource;
  readonly client: StoreClient;
  /** Ends the shipper after the insert that is under way. */
  readonly signal: AbortSignal;
  readonly logger?: Logger;
  readonly hooks?: ShipperHooks;
  /** Told when inserting starts to fail and when it works again. */
  health?(failure: StoreFailure | undefined): void;
}

/** How long a stop waits for the insert that is under way; sent again it adds no row. */
const insertGraceMs = 10_000;
/** Rows of this many bytes are inserted at once; ClickHouse needs a few times that in memory. */
const insertBlockBytesMax = 32 * 1024 * 1024;
const backoffFirstMs = 100;
const backoffConfigFirstMs = 2_000;
const backoffMaxMs = 30_000;

/**
 * Ships sealed segments to ClickHouse, oldest first, one INSERT per table, until the signal aborts. Never rejects for
 * reasons of ClickHouse: what may work later is tried again for ever, rows it refuses go to the dead letters.
 *
 * Each INSERT is exactly once: the token names segment and table, and the bytes of a segment never change.
 */
export async function runShipper(options: ShipperOptions): Promise<void> {
  const { source, signal, hooks } = options;
  const episodes = new Episodes(options);
  const cut = later(signal, insertGraceMs);
  while (!signal.aborted) {
    const segment = await source.next(signal);
    if (segment === undefined) return;
    const shipped = await shipSegment(segment, options, episodes, cut);
    if (shipped === 'aborted') return;
    if (shipped === 'sent') {
      await source.sent(segment);
      hooks?.segment?.();
    } else {
      options.logger?.error(
        { segment: segment.id, reason: shipped.reason },
        'segment set aside: ClickHouse refused it',
      );
      await source.deadLetter(segment, shipped.reason);
      hooks?.deadLettered?.();
    }
  }
}

async function shipSegment(
  segment: SealedSegment,
  options: ShipperOptions,
  episodes: Episodes,
  cut: AbortSignal,
): Promise<'sent' | 'aborted' | { readonly reason: string }> {
  for (const { table, rows, bytes } of segment.tables) {
    for (let attempt = 0; ; attempt++) {
      const failure = await insert(segment, table, options.client, cut);
      if (failure === undefined) break;
      if (failure.kind === 'permanent') return { reason: `${table}: ${failure.reason}` };
      episodes.failed(failure);
      options.hooks?.retried?.();
      if (!(await pause(backoffMs(attempt, failure.kind), options.signal))) return 'aborted';
    }
    episodes.worked();
    options.hooks?.inserted?.(table, rows, bytes);
  }
  return 'sent';
}

async function insert(
  segment: SealedSegment,
  table: RowTableName,
  client: StoreClient,
  cut: AbortSignal,
): Promise<StoreFailure | undefined> {
  try {
    const buffers = await segment.read(table);
    const { stream } = await client.exec({
      query: `INSERT INTO ${table} (${insertColumns[table].join(', ')}) FORMAT RowBinary`,
      values: Readable.from(buffers, { objectMode: false }),
      abort_signal: cut,
      clickhouse_settings: {
        async_insert: 0,
        insert_deduplicate: 1,
        insert_deduplication_token: `${segment.id}:${table}`,
        deduplicate_blocks_in_dependent_materialized_views: 1,
        // The encoder keeps times within the retention, so this many partitions are meant.
        max_partitions_per_insert_block: '4000',
        wait_end_of_query: 1,
        ...blockSettings(segment, table),
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
 * A segment is one block, unless it is so large that ClickHouse would need gigabytes for it. Then it is cut by rows,
 * always at the same ones, because ClickHouse tells blocks of one token apart by their position.
 */
function blockSettings(segment: SealedSegment, table: RowTableName): Record<string, string> {
  const part = segment.tables.find((each) => each.table === table);
  if (part === undefined || part.bytes <= insertBlockBytesMax) return {};
  const rows = String(Math.max(1, Math.floor((part.rows * insertBlockBytesMax) / part.bytes)));
  return { max_insert_block_size: rows, min_insert_block_size_rows: rows, min_insert_block_size_bytes: '0' };
}

/** A signal that aborts some time after another. */
function later(signal: AbortSignal, ms: number): AbortSignal {
  const controller = new AbortController();
  const abort = () => setTimeout(() => controller.abort(), ms).unref();
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return controller.signal;
}

/** Capped and exponential, between half and all of it; a wrong configuration is looked at slowly. */
export function backoffMs(attempt: number, kind: StoreFailure['kind'], random: () => number = Math.random): number {
  const firstMs = kind === 'config' ? backoffConfigFirstMs : backoffFirstMs;
  const full = Math.min(backoffMaxMs, firstMs * 2 ** Math.min(attempt, 20));
  return full * (0.5 + random() / 2);
}

/** False when the signal aborted instead. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}

/** One log line when inserting starts to fail or fails in another way, one when it works again. */
class Episodes {
  readonly #options: ShipperOptions;
  #kind: StoreFailure['kind'] | undefined;
  #retries = 0;

  constructor(options: ShipperOptions) {
    this.#options = options;
  }

  failed(failure: StoreFailure): void {
    this.#retries++;
    this.#options.health?.(failure);
    if (failure.kind === this.#kind) return;
    this.#kind = failure.kind;
    const advice =
      failure.kind === 'config'
        ? 'ClickHouse refuses our inserts: check url, username, password, database and grants in the section clickhouse'
        : 'ClickHouse takes no rows: they wait in the spool and are sent when it does';
    this.#options.logger?.warn({ reason: failure.reason }, advice);
  }

  worked(): void {
    if (this.#kind === undefined) return;
    this.#options.logger?.info({ retries: this.#retries }, 'ClickHouse takes rows again');
    this.#options.health?.(undefined);
    this.#kind = undefined;
    this.#retries = 0;
  }
}
