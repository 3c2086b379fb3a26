import { type Outcome, ok } from '../model/outcome.ts';
import type { SpoolLogger } from './contract.ts';
import type { SpoolCounters } from './counters.ts';
import { errorCode, type SpoolFiles } from './files.ts';
import type { PreparedRecord, SegmentHeader } from './format.ts';
import type { SpoolLock } from './lock.ts';
import { SegmentWriter } from './segment-writer.ts';

export interface CommitterOptions {
  readonly files: SpoolFiles;
  readonly directory: string;
  readonly lock: SpoolLock;
  readonly segmentBytesMax: number;
  readonly segmentAgeMaxMs: number;
  /** Whether sealed segments wait for the store already. */
  readonly isBehind: () => boolean;
  readonly counters: SpoolCounters;
  readonly logger: SpoolLogger | undefined;
  readonly now: () => number;
  readonly newHeader: () => SegmentHeader;
  /** Before a failed segment is mended: what it needs may be freed. */
  readonly onDiskFull: () => Promise<void>;
  readonly onSealed: (writer: SegmentWriter) => void;
  /** Records that are on disk now; the first has this sequence. */
  readonly onCommitted: (sequence: number, records: readonly PreparedRecord[]) => void;
}

interface Waiting {
  readonly record: PreparedRecord;
  readonly settle: (outcome: CommitOutcome) => void;
}

/** How a record ended; `segment` is the sequence of the segment that holds it. */
export type CommitOutcome = Outcome & { readonly segment?: number };

interface Failure {
  readonly outcome: Outcome;
  readonly untilMs: number;
  readonly counter: 'refusedFullRecords' | 'refusedWriteRecords';
}

/** How long after a failed write the disk is left alone, and senders are told to stay away. */
export const retryAfterMs = 1000;

/**
 * Group commit: while one fdatasync runs, batches gather, and the next write takes them all. One loop does every write,
 * so that records, segments and failures have one order.
 */
export class Committer {
  readonly #options: CommitterOptions;
  #queue: Waiting[] = [];
  #pendingBytes = 0;
  #pendingRecords = 0;
  #writer: SegmentWriter | undefined;
  /** A segment whose last commit failed and that must be cut before anything else is written. */
  #broken: SegmentWriter | undefined;
  #failure: Failure | undefined;
  #isFailing = false;
  #submitted = 0;
  #settled = 0;
  #isSealDue = false;
  /** Who waits for a seal, and how many records must be settled before it. */
  #sealWaiters: { readonly after: number; readonly done: () => void }[] = [];
  #sealTimer: NodeJS.Timeout | undefined;
  #isRunning = false;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get pendingRecords(): number {
    return this.#pendingRecords;
  }

  /** What a record is answered while the disk is left alone, counted; undefined when it would be tried. */
  refusal(): Outcome | undefined {
    const failure = this.#recentFailure();
    if (failure) this.#options.counters[failure.counter]++;
    return failure?.outcome;
  }

  /** The segment that is being written, when it holds something. */
  get open(): { readonly bytes: number; readonly firstTimeMs: number } | undefined {
    return this.#writer && this.#writer.records > 0 ? this.#writer : undefined;
  }

  submit(record: PreparedRecord): Promise<CommitOutcome> {
    return new Promise((resolve) => {
      this.#pendingBytes += record.bytes;
      this.#pendingRecords++;
      this.#submitted++;
      const settle = (outcome: CommitOutcome) => {
        this.#pendingBytes -= record.bytes;
        this.#pendingRecords--;
        this.#settled++;
        resolve(outcome);
      };
      this.#queue.push({ record, settle });
      this.#start();
    });
  }

  /** Resolves when everything submitted before is settled and the segment with it is sealed. */
  seal(): Promise<void> {
    return new Promise((resolve) => {
      this.#sealWaiters.push({ after: this.#submitted, done: resolve });
      this.#start();
    });
  }

  /**
   * Seals, and lets go of a segment that could not be cut. Nothing was acknowledged after it, so at the next start it is
   * recovered with all it holds, and resends of that are recognised.
   */
  async close(): Promise<void> {
    await this.seal();
    await this.#broken?.finish().catch(() => undefined);
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // What is submitted in the same turn of the event loop goes into the same write.
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#isSealDue || this.#isSealAwaited()) await this.#sealOnRequest();
      else if (this.#queue.length > 0) await this.#commit(await this.#takeGroup());
      else break;
    }
    this.#isRunning = false;
  }

  #isSealAwaited(): boolean {
    const first = this.#sealWaiters[0];
    return first !== undefined && first.after <= this.#settled;
  }

  async #sealOnRequest(): Promise<void> {
    this.#isSealDue = false;
    const served = this.#sealWaiters.filter(({ after }) => after <= this.#settled);
    this.#sealWaiters = this.#sealWaiters.filter(({ after }) => after > this.#settled);
    // What a broken segment holds was acknowledged and has to get out, also while nothing new is taken.
    await this.#mend().catch(() => undefined);
    await this.#seal();
    for (const { done } of served) done();
  }

  /** The first of the queue that fit into the segment; seals it first when not even one does. */
  async #takeGroup(): Promise<Waiting[]> {
    let bytes = this.#writer?.bytes ?? 0;
    let count = 0;
    for (const { record } of this.#queue) {
      if (bytes > 0 && bytes + record.bytes > this.#options.segmentBytesMax) break;
      if (this.#writer && !this.#writer.hasRoomFor(count + 1)) break;
      bytes += record.bytes;
      count++;
    }
    if (count === 0) await this.#seal();
    return this.#queue.splice(0, count);
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    if (group.length === 0) return;
    const failed = this.#recentFailure() ?? (await this.#write(group.map(({ record }) => record)));
    if (failed) this.#options.counters[failed.counter] += group.length;
    else this.#wantSealInTime();
    const outcome = failed?.outcome ?? { ...ok, segment: this.#writer!.header.sequence };
    for (const { settle } of group) settle(outcome);
  }

  #recentFailure(): Failure | undefined {
    if (this.#failure && this.#options.now() >= this.#failure.untilMs) this.#failure = undefined;
    return this.#failure;
  }

  async #write(records: readonly PreparedRecord[]): Promise<Failure | undefined> {
    const { counters, logger } = this.#options;
    try {
      await this.#mend();
      this.#writer ??= await this.#begin();
      await this.#writer.commit(records);
    } catch (error) {
      return this.#fail(error);
    }
    if (this.#isFailing) logger?.info({}, 'spool: writes work again');
    this.#isFailing = false;
    this.#options.onCommitted(this.#writer.nextSequence - records.length, records);
    counters.syncs++;
    counters.appendedRecords += records.length;
    for (const { rows, bytes } of records) {
      counters.appendedRows += rows;
      counters.appendedBytes += bytes;
    }
    return undefined;
  }

  async #begin(): Promise<SegmentWriter> {
    const { files, directory, lock, newHeader } = this.#options;
    if (!(await lock.isHeld())) throw new Error('the lock of the spool directory was taken away');
    return SegmentWriter.begin(files, directory, newHeader());
  }

  async #fail(error: unknown): Promise<Failure> {
    const { logger, now } = this.#options;
    const isFull = fullCodes.has(errorCode(error));
    if (!this.#isFailing) {
      logger?.error({ err: error }, 'spool: a write failed; senders are told to try again until writes work');
    }
    this.#isFailing = true;
    const reason = isFull
      ? 'SW_SPOOL_FULL: the disk of the spool is full'
      : 'SW_SPOOL_WRITE: the spool could not write';
    this.#failure = {
      outcome: { status: 'retryable', reason, retryAfterMs },
      untilMs: now() + retryAfterMs,
      counter: isFull ? 'refusedFullRecords' : 'refusedWriteRecords',
    };
    this.#broken ??= this.#writer;
    this.#writer = undefined;
    if (isFull) await this.#options.onDiskFull();
    // Now if it can be, so that a full disk gets its bytes back; before the next write if not.
    await this.#mend().catch((cause) => {
      logger?.error({ err: cause }, 'spool: a failed segment could not be cut yet');
    });
    return this.#failure;
  }

  /** Cuts and seals a broken segment. Nothing is acknowledged before that has worked. */
  async #mend(): Promise<void> {
    if (!this.#broken) return;
    await this.#broken.cut();
    const mended = this.#broken;
    this.#broken = undefined;
    await this.#sealWriter(mended);
  }

  async #seal(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    clearTimeout(this.#sealTimer);
    this.#sealTimer = undefined;
    if (writer) await this.#sealWriter(writer);
  }

  async #sealWriter(writer: SegmentWriter): Promise<void> {
    await writer.finish().catch((error) => {
      this.#options.logger?.warn({ err: error, file: writer.path }, 'spool: a sealed segment could not be closed');
    });
    if (writer.records === 0) return;
    this.#options.counters.sealedSegments++;
    this.#options.onSealed(writer);
  }

  /**
   * While others wait, a segment goes on to fill: its rows would come no sooner, and fewer, larger inserts are what a store that is behind
   * catches up with. The timer holds no process alive: what is not sealed when it ends is sealed by the next start.
   */
  #wantSealInTime(): void {
    this.#sealTimer ??= setTimeout(() => {
      this.#sealTimer = undefined;
      if (this.#options.isBehind()) return this.#wantSealInTime();
      this.#isSealDue = true;
      this.#start();
    }, this.#options.segmentAgeMaxMs).unref();
  }
}

const fullCodes: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
