import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '../model/limits.ts';
import type { CheckpointStore, StateLogger } from './checkpoint-store.ts';
import type { CheckpointWriter } from './checkpoint-writer.ts';
import type { JournalLog } from './journal-log.ts';

/** What is kept: detection, as far as checkpoints see it. */
export interface Kept {
  slices(): KeptSlices;
}

/** The state of one moment in pieces, while detection goes on: `Slices` of `detect/state.ts`. */
export interface KeptSlices {
  next(): Uint8Array | undefined;
  cancel(): void;
  readonly isCut: boolean;
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
  /** So many milliseconds are worked on a checkpoint before others have a turn; default 8. */
  readonly turnMs?: number;
  /** Lets others work after so many milliseconds of work. */
  readonly rest?: (workedMs: number) => Promise<unknown>;
  readonly logger?: StateLogger;
}

export interface KeeperStats {
  readonly checkpoints: number;
  readonly failed: number;
  /** Of the newest checkpoint: of when it is, and how large. */
  readonly timeMs: number;
  readonly bytes: number;
  /** The longest that detection stood still for it, all such times together, and how long it took until it was durable. */
  readonly pauseMs: number;
  readonly workMs: number;
  readonly durationMs: number;
}

/** Checkpoints take one in so many parts of the time at most, and while one is written it takes one in so many. */
const workShare = 20;
const restShare = 8;
const turnMsDefault = 8;

interface Work {
  pauseMs: number;
  workMs: number;
}

/** Takes checkpoints when they are due, one at a time. */
export class StateKeeper {
  readonly #options: KeeperOptions;
  #running: Promise<boolean> | undefined;
  #lastNumber: number;
  #lastBytes: number;
  #triedMs: number;
  #isFailing = false;
  #isClosing = false;
  /** When a checkpoint of the end has to be written. */
  #untilMs = Number.POSITIVE_INFINITY;
  #slices: KeptSlices | undefined;
  #stats: KeeperStats;

  /** @param timeMs of the checkpoint that the state began with, 0 when there was none */
  constructor(options: KeeperOptions, from: { readonly number: number; readonly timeMs: number }) {
    this.#options = options;
    this.#lastNumber = from.number;
    this.#lastBytes = options.journal.bytes;
    this.#triedMs = options.now();
    const none = { bytes: 0, pauseMs: 0, workMs: 0, durationMs: 0 };
    this.#stats = { checkpoints: 0, failed: 0, timeMs: from.timeMs, ...none };
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

  /**
   * Puts the journal on disk, then takes the last checkpoint, of everything there is; for the end, when nothing comes any more. One that
   * would not be there within the time is not taken: the next start replays the journals since the one before.
   */
  async close(msMax = Number.POSITIVE_INFINITY): Promise<void> {
    this.#isClosing = true;
    this.#untilMs = performance.now() + msMax;
    this.#slices?.cancel();
    await this.#running;
    await this.#options.storeJournal();
    if (this.#options.journal.last === this.#lastNumber) return;
    // What the last one took is the least that this one takes.
    const isTime = performance.now() + this.#stats.workMs <= this.#untilMs;
    if (isTime && (await this.checkpoint())) return;
    if (this.#isFailing) return;
    const fields = { stateBytes: this.#stats.bytes, timeMs: msMax };
    this.#options.logger?.info(
      fields,
      'state: no checkpoint in the time of a stop; the next start replays the journals',
    );
  }

  #isDue(): boolean {
    const { journal, intervalMs, segments, segmentBytesMax, now } = this.#options;
    if (journal.last === this.#lastNumber) return false;
    const passedMs = now() - this.#triedMs;
    const isTime = passedMs >= intervalMs;
    if (this.#isFailing) return isTime;
    // A large memory takes long to write down: that shall not be what the processor does most of the time.
    if (passedMs < this.#stats.workMs * workShare) return false;
    const isMuch = journal.bytes - this.#lastBytes >= limits.checkpointJournalBytesMax;
    return isTime || isMuch || segments.stats().journalKeptBytes >= segmentBytesMax;
  }

  async #checkpoint(): Promise<boolean> {
    const { journal, store, segments, now, logger } = this.#options;
    this.#triedMs = now();
    const timeMs = this.#triedMs;
    let file: CheckpointWriter | undefined;
    try {
      const started = performance.now();
      const slices = this.#options.kept.slices();
      this.#slices = slices;
      const { last: number, segment, bytes: journalBytes } = journal;
      const work: Work = { pauseMs: performance.now() - started, workMs: performance.now() - started };
      file = await store.begin(number);
      await this.#write(slices, file, work);
      if (slices.isCut) {
        await file.abandon();
        return false;
      }
      await this.#landed(number);
      const bytes = await file.finish({ segment, timeMs });
      segments.keepFrom(store.neededSegment);
      this.#lastNumber = number;
      this.#lastBytes = journalBytes;
      const durationMs = performance.now() - started;
      const checkpoints = this.#stats.checkpoints + 1;
      this.#stats = { ...this.#stats, ...work, checkpoints, timeMs, bytes, durationMs };
      if (this.#isFailing) logger?.info({}, 'state: checkpoints work again');
      this.#isFailing = false;
      return true;
    } catch (error) {
      await file?.abandon();
      this.#failed(error);
      return false;
    } finally {
      this.#slices?.cancel();
      this.#slices = undefined;
    }
  }

  /** Writes all pieces, a few at a time: detection has its turns in between. */
  async #write(slices: KeptSlices, file: CheckpointWriter, work: Work): Promise<void> {
    const { rest = restFor, turnMs = turnMsDefault } = this.#options;
    for (;;) {
      const pieces: Uint8Array[] = [];
      const started = performance.now();
      let piece = slices.next();
      for (; piece; piece = slices.next()) {
        pieces.push(piece);
        if (performance.now() - started >= turnMs) break;
      }
      const workedMs = performance.now() - started;
      work.workMs += workedMs;
      work.pauseMs = Math.max(work.pauseMs, workedMs);
      if (pieces.length > 0) await file.add(Buffer.concat(pieces));
      if (piece === undefined) return;
      if (!this.#isClosing) await rest(workedMs);
      else if (performance.now() >= this.#untilMs) slices.cancel();
    }
  }

  /** What is in the state must not be known to it before the findings that came of it are on disk. */
  async #landed(number: number): Promise<void> {
    const { journal, storeJournal } = this.#options;
    if (journal.stored < number) await storeJournal();
    if (journal.stored < number) throw new Error('the spool does not take the journal');
  }

  #failed(error: unknown): void {
    this.#stats = { ...this.#stats, failed: this.#stats.failed + 1 };
    if (!this.#isFailing) {
      this.#options.logger?.error({ err: error }, 'state: a checkpoint failed; journals are kept until one works');
    }
    this.#isFailing = true;
  }
}

function restFor(workedMs: number): Promise<unknown> {
  return sleep(workedMs * (restShare - 1));
}
