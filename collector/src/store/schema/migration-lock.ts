import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseSettings } from '@clickhouse/client';
import type { Logger } from 'pino';
import type { StoreClient } from '../client.ts';

export const lockTable = 'spanwarden_migration_claims';

/** How long a holder that was killed holds others up; while a statement runs, a claim is renewed a few times in that time. */
const leaseMs = 20_000;
const renewalsPerLease = 4;
const retryFirstMs = 50;
const retryMaxMs = 2_000;

export interface LockOptions {
  readonly database: string;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
  /** How long a claim holds without being renewed; a dead holder blocks others as long. */
  readonly leaseMs?: number;
  /** What a cluster needs so that every server knows of every claim. */
  readonly settings?: ClickHouseSettings;
}

/** Claims, append only: the last row of a holder says how long its claim holds. */
export function lockTableDdl(database: string): string {
  return `CREATE TABLE IF NOT EXISTS ${database}.${lockTable} (
  Holder String,
  Host String,
  Step UInt32,
  ExpiresAt DateTime64(3)
) ENGINE = MergeTree
ORDER BY (Holder, Step)
TTL toDateTime(ExpiresAt) + toIntervalDay(1)`;
}

/** The right to change the schema, among all who use the same database. */
export class MigrationLock {
  readonly #session: StoreClient;
  readonly #options: LockOptions;
  readonly #holder = randomUUID();
  readonly #leaseMs: number;
  #step = 0;
  #heldUntilMs = 0;

  constructor(session: StoreClient, options: LockOptions) {
    this.#session = session;
    this.#leaseMs = options.leaseMs ?? leaseMs;
    this.#options = options;
  }

  /**
   * Waits until nobody else holds the lock. ClickHouse has no compare-and-set, so each first writes its own claim and then
   * looks for others: of two at once at least one sees the other and steps back, so never do two hold it. Times of claims
   * are the server's. Rejects with the client's error, or when the signal aborts.
   */
  async acquire(): Promise<void> {
    const { signal, logger } = this.#options;
    for (let attempt = 0; ; attempt++) {
      const other = (await this.#other()) ?? (await this.#claim());
      if (other === undefined) return;
      if (attempt === 0) logger?.info({ host: other }, 'another collector brings the ClickHouse schema up; waiting');
      const fullMs = Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(attempt, 10));
      await sleep(fullMs * Math.random(), undefined, { ...(signal && { signal }) });
    }
  }

  /** Before each statement. Throws when the claim ran out before, so that another may hold it. */
  async renew(): Promise<void> {
    const heldUntilMs = this.#heldUntilMs;
    await this.#write(this.#leaseMs);
    if (performance.now() >= heldUntilMs) throw new Error('the lock of the ClickHouse schema ran out');
  }

  /** Runs a statement under the claim, which does not run out meanwhile. Throws as `renew` does, and as the statement does. */
  async during<T>(statement: () => Promise<T>): Promise<T> {
    await this.renew();
    // One that fails is told by the next that is waited for.
    const renewing = setInterval(
      () => void this.#write(this.#leaseMs).catch(() => {}),
      this.#leaseMs / renewalsPerLease,
    );
    try {
      return await statement();
    } finally {
      clearInterval(renewing);
    }
  }

  async release(): Promise<void> {
    await this.#write(0);
  }

  /** Undefined when the claim stands alone; else it is taken back, and this is where the other's comes from. */
  async #claim(): Promise<string | undefined> {
    await this.#write(this.#leaseMs);
    const other = await this.#other();
    if (other !== undefined) await this.release();
    return other;
  }

  async #write(forMs: number): Promise<void> {
    this.#step++;
    // The server counts from when it gets this, which is later: here a claim never seems longer than it is.
    this.#heldUntilMs = performance.now() + forMs;
    await this.#session.command({
      query: `INSERT INTO ${this.#table} SELECT {holder:String}, {host:String}, {step:UInt32},
  now64(3) + toIntervalMillisecond({forMs:UInt32})`,
      query_params: { holder: this.#holder, host: hostname(), step: this.#step, forMs },
      clickhouse_settings: { ...this.#options.settings, async_insert: 0, wait_end_of_query: 1 },
    });
  }

  async #other(): Promise<string | undefined> {
    const result = await this.#session.query({
      query: `SELECT argMax(Host, Step) AS host FROM ${this.#table} WHERE Holder != {holder:String}
GROUP BY Holder HAVING argMax(ExpiresAt, Step) > now64(3) LIMIT 1`,
      query_params: { holder: this.#holder },
      format: 'JSONEachRow',
      ...(this.#options.settings && { clickhouse_settings: this.#options.settings }),
    });
    const [row] = await result.json<{ host: string }>();
    return row?.host;
  }

  get #table(): string {
    return `${this.#options.database}.${lockTable}`;
  }
}
