import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { SegmentSource } from '../model/spool.ts';
import { type ClientOptions, createStoreClient, type StoreClient } from './client.ts';
import { type ClickhouseConfig, ownServer, schemaOptions } from './config.ts';
import { type EmbeddedServer, startEmbedded } from './embedded/start.ts';
import { classifyError } from './errors.ts';
import { migrate } from './schema/migrate.ts';
import { backoffMs, pause, runShipper, type ShipperHooks } from './shipper.ts';

/** A server that ran this long is one that works; before it, restarts come ever slower. */
const steadyMs = 60_000;
/** How long a close waits for a migration that is under way. */
const migrationGraceMs = 500;

export type Ready = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Where the store can be reached, for people and for Grafana. The accounts are those of the embedded server. */
export interface StoreEndpoints {
  readonly url: string;
  readonly database: string;
  /** Undefined for a server of the user's. */
  readonly embedded?: {
    readonly tcpPort: number;
    readonly pid: number;
    readonly grafana: { readonly username: string; readonly password: string };
  };
}

export interface Store {
  readonly client: StoreClient;
  readonly endpoints: StoreEndpoints;
  /** Whether the schema stands and inserts work, with the reason when not; no question is asked of the server. */
  ready(): Ready;
  /** Version of the ClickHouse server. Rejects when it cannot be reached. */
  version(): Promise<string>;
  /** Resolves when the schema stands, rejects when the store is closed before. */
  migrated(): Promise<void>;
  /** Ships sealed segments until the signal aborts; waits for the schema first. Never rejects for reasons of ClickHouse. */
  run(source: SegmentSource, signal: AbortSignal, hooks?: ShipperHooks): Promise<void>;
  /** Idempotent. Stops the embedded server after the inserts that are under way. */
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly dataDir: string;
  readonly logger?: Logger;
}

/**
 * Opens the store: the server that the config names, or an embedded one. A server that cannot be reached is no error: the
 * schema is brought up in the background until it can.
 *
 * Throws a SpanwardenError when the embedded server cannot be started.
 */
export async function openStore(config: ClickhouseConfig, options: StoreOptions): Promise<Store> {
  const client = ownServer(config);
  if (client !== undefined) return new OpenStore(config, client, options, undefined);
  const embedded = await startEmbedded(embeddedOptions(config, options));
  return new OpenStore(config, embedded, options, embedded);
}

function embeddedOptions(config: ClickhouseConfig, options: StoreOptions) {
  return {
    ...options,
    database: config.database,
    httpPort: config.embedded.http_port,
    tcpPort: config.embedded.tcp_port,
    memoryMaxMb: config.embedded.memory_max_mb,
  };
}

class OpenStore implements Store {
  readonly client: StoreClient;
  readonly #config: ClickhouseConfig;
  readonly #clientOptions: ClientOptions;
  readonly #options: StoreOptions;
  readonly #closing = new AbortController();
  readonly #migrated: Promise<void>;
  #embedded: EmbeddedServer | undefined;
  #supervision: Promise<void> = Promise.resolve();
  /** Why the store is not ready, by what is missing. */
  readonly #missing = new Map<'server' | 'schema' | 'inserts', string>([
    ['schema', 'the ClickHouse schema is not checked yet'],
  ]);
  #closed: Promise<void> | undefined;

  constructor(
    config: ClickhouseConfig,
    client: ClientOptions,
    options: StoreOptions,
    embedded: EmbeddedServer | undefined,
  ) {
    this.#config = config;
    this.#clientOptions = client;
    this.#options = options;
    this.#embedded = embedded;
    this.client = createStoreClient(this.#clientOptions);
    this.#migrated = this.#migrateUntilDone();
    // Whoever waits for it hears of a close; nobody has to wait.
    this.#migrated.catch(() => {});
    if (embedded) this.#supervision = this.#supervise(embedded);
  }

  get endpoints(): StoreEndpoints {
    const { url, database } = this.#clientOptions;
    if (this.#embedded === undefined) return { url, database };
    const { tcpPort, pid, grafana } = this.#embedded;
    return { url, database, embedded: { tcpPort, pid, grafana } };
  }

  ready(): Ready {
    if (this.#closing.signal.aborted) return { ok: false, reason: 'the store is closed' };
    const [reason] = this.#missing.values();
    return reason === undefined ? { ok: true } : { ok: false, reason };
  }

  async version(): Promise<string> {
    const result = await this.client.query({ query: 'SELECT version() AS version', format: 'JSONEachRow' });
    const [row] = await result.json<{ version: string }>();
    return row?.version ?? '';
  }

  migrated(): Promise<void> {
    return this.#migrated;
  }

  async run(source: SegmentSource, signal: AbortSignal, hooks?: ShipperHooks): Promise<void> {
    const either = AbortSignal.any([signal, this.#closing.signal]);
    const aborted = new Promise<void>((done) => either.addEventListener('abort', () => done(), { once: true }));
    await Promise.race([this.#migrated.catch(() => {}), aborted]);
    await runShipper({
      source,
      client: this.client,
      signal: either,
      ...(this.#options.logger && { logger: this.#options.logger }),
      ...(hooks && { hooks }),
      health: (failure) => {
        if (failure) this.#missing.set('inserts', `ClickHouse takes no rows: ${failure.reason}`);
        else this.#missing.delete('inserts');
      },
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    // A server that hangs would keep it for ever.
    await Promise.race([this.#migrated.catch(() => {}), sleep(migrationGraceMs, undefined, { ref: false })]);
    await this.client.close();
    await this.#embedded?.stop();
    await this.#supervision;
  }

  async #migrateUntilDone(): Promise<void> {
    const { logger } = this.#options;
    const schema = schemaOptions(this.#config);
    for (let attempt = 0; ; attempt++) {
      try {
        const how = { signal: this.#closing.signal, alone: this.#embedded !== undefined };
        await migrate(this.#clientOptions, schema, { ...(logger && { logger }), ...how });
        this.#missing.delete('schema');
        return;
      } catch (error) {
        const { kind, reason } = classifyError(error);
        this.#missing.set('schema', `the ClickHouse schema cannot be brought up: ${reason}`);
        if (attempt === 0) logger?.warn({ reason }, 'the ClickHouse schema cannot be brought up yet; trying again');
        const goOn = await pause(backoffMs(attempt, kind), this.#closing.signal);
        if (!goOn) throw error;
      }
    }
  }

  /** An engine abort ends the server's process; it is started again on the same ports, so that the client stays. */
  async #supervise(first: EmbeddedServer): Promise<void> {
    const { logger } = this.#options;
    const ports = { httpPort: Number(new URL(first.url).port), tcpPort: first.tcpPort };
    let running = first;
    let failures = 0;
    for (;;) {
      const startedAt = Date.now();
      await running.exited;
      if (this.#closing.signal.aborted) return;
      failures = Date.now() - startedAt > steadyMs ? 0 : failures + 1;
      this.#missing.set('server', 'the embedded ClickHouse ended and is started again');
      logger?.error('the embedded ClickHouse ended and is started again');
      const restarted = await this.#restart(ports, failures);
      if (restarted === undefined) return;
      running = restarted;
      this.#embedded = restarted;
      this.#missing.delete('server');
      if (this.#closing.signal.aborted) await restarted.stop();
    }
  }

  async #restart(ports: { httpPort: number; tcpPort: number }, failures: number): Promise<EmbeddedServer | undefined> {
    for (let attempt = failures; ; attempt++) {
      if (!(await pause(backoffMs(attempt, 'retryable'), this.#closing.signal))) return undefined;
      try {
        return await startEmbedded({ ...embeddedOptions(this.#config, this.#options), ...ports });
      } catch (error) {
        this.#options.logger?.error({ err: error }, 'the embedded ClickHouse could not be started again');
      }
    }
  }
}
