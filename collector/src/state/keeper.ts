import { limits } from '../model/limits.ts';
import type { CheckpointStore, StateLogger } from './checkpoint-store.ts';
import type { JournalLog } from './journal-log.ts';

/** What is kept: detection, as far as checkpoints see it. */
export interface Kept {
  snapshot(): Uint8Array;
}

/** The spool, as far as checkpoints need it. */
export interface JournalSegments {
  keepFrom(segment: number): void;
  stats(): { readonly journalKeptBytes: number };
}

export interface KeeperOptions {
  readonly kept: Kept;
  readonly journal: JournalLog;
  readonly store: CheckpointStore;
  readonly segments: JournalSegments;
  /** Puts what the journal still holds on disk; its answer does not matter, only what `journal.stored` says after it. */
  readonly storeJournal: () => Promise<unknown>;
  /** A checkpoint is taken this long after the last one when anything was taken in since. */
  readonly intervalMs: number;
  /** Bytes of sent segments kept for their journals, after which a checkpoint is taken early. */
  readonly segmentBytesMax: number;
  readonly now: () => number;
  readonly logger?: StateLogger;
}

export interface KeeperStats {
  readonly checkpoints: number;
  readonly failed: number;
  /** Of the newest checkpoint: when, how large, how long detection stood still for it, and until it was durable. */
  readonly timeMs: number;
  readonly bytes: number;
  readonly pauseMs: number;
  readonly durationMs: number;
}

/** Detection stands still for one in so many parts of the time at most. */
const pauseShare = 50;

/** Takes checkpoints when they are due, one at a time. */
export class StateKeeper {
  readonly #options: KeeperOptions;
  #running: Promise<boolean> | undefined;
  #lastNumber: number;
  #lastBytes: number;
  #triedMs: number;
  #isFailing = false;
  #stats: KeeperStats;

  /** @param timeMs of the checkpoint that the state began with, 0 when there was none */
  constructor(options: KeeperOptions, from: { readonly number: number; readonly timeMs: number }) {
    this.#options = options;
    this.#lastNumber = from.number;
    this.#lastBytes = options.journal.bytes;
    this.#triedMs = options.now();
    this.#stats = { checkpoints: 0, failed: 0, timeMs: from.timeMs, bytes: 0, pauseMs: 0, durationMs: 0 };
  }

  stats(): KeeperStats {
    return this.#stats;
  }

  /** To be called often; takes a checkpoint when one is due. */
  async tick(): Promise<void> {
    if (this.#running === undefined && this.#isDue()) await this.checkpoint();
  }

  /**
   * Takes a checkpoint and makes it durable. False when it could not be, which changes nothing: the journals since the last
   * one are still there. Never rejects.
   */
  checkpoint(): Promise<boolean> {
    this.#running ??= this.#checkpoint().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The last checkpoint, of everything there is; for the end, when nothing comes any more. */
  async close(): Promise<void> {
    await this.#running;
    await this.#options.storeJournal();
    if (this.#options.journal.last !== this.#lastNumber) await this.checkpoint();
  }

  #isDue(): boolean {
    const { journal, intervalMs, segments, segmentBytesMax, now } = this.#options;
    if (journal.last === this.#lastNumber) return false;
    const passedMs = now() - this.#triedMs;
    const isTime = passedMs >= intervalMs;
    if (this.#isFailing) return isTime;
    // A large memory takes long to write down: spans shall not wait for it most of the time.
    if (passedMs < this.#stats.pauseMs * pauseShare) return false;
    const isMuch = journal.bytes - this.#lastBytes >= limits.checkpointJournalBytesMax;
    return isTime || isMuch || segments.stats().journalKeptBytes >= segmentBytesMax;
  }

  async #checkpoint(): Promise<boolean> {
    const { journal, kept, store, segments, storeJournal, now, logger } = this.#options;
    this.#triedMs = now();
    try {
      const started = performance.now();
      const sections = [kept.snapshot()];
      const pauseMs = performance.now() - started;
      const { last: number, segment, bytes: journalBytes } = journal;
      // What the snapshot holds must not be known to the state before the findings that came of it are on disk.
      if (journal.stored < number) await storeJournal();
      if (journal.stored < number) throw new Error('the spool does not take the journal');
      const { bytes } = await store.write({ number, segment, timeMs: this.#triedMs, sections });
      segments.keepFrom(store.neededSegment);
      this.#lastNumber = number;
      this.#lastBytes = journalBytes;
      const durationMs = performance.now() - started;
      this.#stats = { ...this.#stats, timeMs: this.#triedMs, bytes, pauseMs, durationMs };
      this.#stats = { ...this.#stats, checkpoints: this.#stats.checkpoints + 1 };
      if (this.#isFailing) logger?.info({}, 'state: checkpoints work again');
      this.#isFailing = false;
      return true;
    } catch (error) {
      this.#stats = { ...this.#stats, failed: this.#stats.failed + 1 };
      if (!this.#isFailing) {
        logger?.error({ err: error }, 'state: a checkpoint failed; journals are kept until one works');
      }
      this.#isFailing = true;
      return false;
    }
  }
}
