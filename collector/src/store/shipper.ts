import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RowTableName, SegmentSource } from '../model/spool.ts';
import type { StoreClient } from './client.ts';
import type { StoreFailure } from './errors.ts';
import { type Shipping, shipSegment } from './shipment.ts';

/** Called as things happen, once per segment or table. */
export interface ShipperHooks {
  inserted?(table: RowTableName, rows: number, bytes: number): void;
  /** All of a segment is in, this long after the first of it was taken in. */
  segment?(lagMs: number): void;
  retried?(): void;
  /** Rows of an insert that ClickHouse noted and lost were sent once more. */
  restored?(rows: number): void;
  /** Rows that ClickHouse refuses were set aside. */
  deadLettered?(rows: number): void;
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
const insertGraceMs = 500;
const backoffFirstMs = 100;
const backoffConfigFirstMs = 2_000;
const backoffMaxMs = 30_000;

/**
 * Ships sealed segments to ClickHouse, oldest first, one INSERT per table, until the signal aborts. Never rejects for
 * reasons of ClickHouse: what may work later is tried again for ever, rows it refuses go to the dead letters, and the rest
 * of their segment lands.
 *
 * Each INSERT is exactly once: the token names segment, table and rows, and the bytes of a segment never change. Where
 * ClickHouse may have noted a token and lost its rows, they are looked for.
 */
export async function runShipper(options: ShipperOptions): Promise<void> {
  const { source, signal, hooks } = options;
  const episodes = new Episodes(options);
  const shipping: Shipping = {
    client: options.client,
    cut: later(signal, insertGraceMs),
    sinceMs: Date.now(),
    retry: (failure, attempt) => {
      episodes.failed(failure);
      hooks?.retried?.();
      return pause(backoffMs(attempt, failure.kind), signal);
    },
    inserted: (table, rows, bytes) => {
      episodes.worked();
      hooks?.inserted?.(table, rows, bytes);
    },
    restored: (table, rows) => {
      hooks?.restored?.(rows);
      options.logger?.warn(
        { table, rows },
        'ClickHouse was stopped while it took rows, and then took them for a repetition: they are sent once more',
      );
    },
  };
  while (!signal.aborted) {
    const segment = await source.next(signal);
    if (segment === undefined) return;
    const refused = await shipSegment(segment, shipping);
    if (refused === 'aborted') return;
    if (refused.length === 0) await source.sent(segment);
    else {
      await source.deadLetter(segment, refused);
      hooks?.deadLettered?.(refused.reduce((sum, { rows }) => sum + rows, 0));
    }
    hooks?.segment?.(Math.max(0, Date.now() - segment.takenMs));
  }
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
