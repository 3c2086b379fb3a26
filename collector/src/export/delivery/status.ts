import { limits } from '../../model/limits.ts';
import type { Clock } from './clock.ts';
import type { CursorKeeper } from './cursor-keeper.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Delivery, DeliveryCounts } from './delivery.ts';
import { replaceFile } from './files.ts';
import type { DestinationState, ExportLogger, Said } from './health.ts';

export const statusFile = 'status.json';

/** How a destination stands, as its status file and the command line have it. Times are ISO 8601. */
export interface DestinationStatus {
  readonly name: string;
  readonly type: string;
  readonly state: DestinationState;
  /** Since when the state is what it is. */
  readonly since: string;
  /** When this was written; the collector does so every few seconds. */
  readonly updated: string;
  /** Since when counts are counted. */
  readonly started: string;
  readonly counts: Readonly<DeliveryCounts>;
  /** What is still to be delivered: events in memory, whether the stream has more, and the age of the oldest event in memory. */
  readonly lag: { readonly events: number; readonly more: boolean; readonly ms: number };
  readonly position: number;
  readonly deadLetters: { readonly count: number; readonly overflowed: number };
  /** When the receiver is asked again while it takes nothing. */
  readonly retryAt?: string;
  /** Why nothing can be read although there is more. */
  readonly waiting?: string;
  readonly lastSuccess?: { readonly time: string; readonly answer: string };
  readonly lastError?: { readonly time: string; readonly reason: string };
}

export interface StatusInput {
  readonly name: string;
  readonly type: string;
  readonly delivery: Pick<Delivery, 'health' | 'circuit' | 'counts' | 'waiting' | 'oldestMs' | 'isStopped'>;
  readonly cursor: CursorKeeper;
  readonly deadLetters: DeadLetters;
  readonly source: { readonly head: number; readonly waiting: string | undefined };
  readonly startedMs: number;
  readonly clock: Clock;
}

export function statusOf(input: StatusInput): DestinationStatus {
  const { name, type, delivery, cursor, deadLetters, source, clock } = input;
  const { health, circuit } = delivery;
  const { position } = cursor.ledger;
  const { oldestMs } = delivery;
  return {
    name,
    type,
    state: delivery.isStopped ? 'stopped' : health.state,
    since: iso(health.sinceMs),
    updated: iso(clock.now()),
    started: iso(input.startedMs),
    counts: { ...delivery.counts },
    lag: {
      events: delivery.waiting.events,
      more: cursor.ledger.through < source.head,
      ms: oldestMs === undefined ? 0 : Math.max(0, clock.now() - oldestMs),
    },
    position,
    deadLetters: { count: deadLetters.count, overflowed: cursor.overflowed },
    ...(circuit.retryAtMs > 0 && { retryAt: iso(circuit.retryAtMs) }),
    ...(source.waiting !== undefined && { waiting: source.waiting }),
    ...said(health.lastSuccess, health.lastError),
  };
}

/** Writes the status of a destination every few seconds, for commands to read. Not what anything depends on. */
export class StatusFile {
  readonly #directory: string;
  readonly #status: () => DestinationStatus;
  readonly #clock: Clock;
  readonly #logger: ExportLogger | undefined;
  #cancel: (() => void) | undefined;
  #isClosed = false;
  #isFailing = false;

  constructor(directory: string, status: () => DestinationStatus, clock: Clock, logger?: ExportLogger) {
    this.#directory = directory;
    this.#status = status;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Writes now, and from then on. */
  async start(): Promise<void> {
    await this.#write();
    if (!this.#isClosed) this.#cancel = this.#clock.timer(limits.exportStatusMs, () => void this.start());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#write();
  }

  async #write(): Promise<void> {
    const status = this.#status();
    try {
      await replaceFile(this.#directory, statusFile, Buffer.from(`${JSON.stringify(status)}\n`), false);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing)
        this.#logger?.warn({ err: error, destination: status.name }, 'export: the status file cannot be written');
      this.#isFailing = true;
    }
  }
}

function said(success: Said | undefined, error: Said | undefined) {
  return {
    ...(success && { lastSuccess: { time: iso(success.timeMs), answer: success.text } }),
    ...(error && { lastError: { time: iso(error.timeMs), reason: error.text } }),
  };
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
