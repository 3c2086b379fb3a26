import type { RefusedRows, SealedSegment, SegmentSource } from '../model/spool.ts';
import type { HoldOptions, SpoolLogger } from './contract.ts';
import type { SpoolCounters } from './counters.ts';
import { writeDeadLetter } from './dead-letters.ts';
import type { SpoolFiles } from './files.ts';
import { Sleepers } from './sleepers.ts';
import type { StoredSegment } from './stored-segment.ts';

const reasonsLoggedMax = 4;

/** A shipped segment within its grace time. */
export interface SentFile {
  readonly path: string;
  readonly sequence: number;
  readonly bytes: number;
  readonly sentAtMs: number;
}

export interface ShelfOptions {
  readonly files: SpoolFiles;
  readonly directory: string;
  readonly counters: SpoolCounters;
  readonly logger: SpoolLogger | undefined;
  readonly now: () => number;
  readonly graceMs: number;
  readonly sentBytesMax: number;
  /** Sent segments from this one on are kept beyond their grace time. */
  readonly keepFrom: number;
  /** Then all of them are held until `holdFrom` says from where. */
  readonly hold?: HoldOptions | undefined;
}

/** The sealed segments: waiting in order for the store, then kept for their grace time, or set aside. */
export class SegmentShelf implements SegmentSource {
  readonly #options: ShelfOptions;
  readonly #waiting: StoredSegment[] = [];
  readonly #sent: SentFile[] = [];
  readonly #sleepers = new Sleepers();
  #highestSequence = -1;
  #waitingBytes = 0;
  #sentBytes = 0;
  #isClosed = false;
  #keepFrom: number;
  #isLosing = false;
  #holdFrom: number;
  #isDropping = false;
  /** File operations run one after the other, so that `close` can wait for the last. */
  #tail: Promise<void> = Promise.resolve();
  setAsideBytes = 0;

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#keepFrom = options.keepFrom;
    this.#holdFrom = options.hold === undefined ? Number.POSITIVE_INFINITY : 0;
  }

  keepFrom(segment: number): void {
    this.#keepFrom = segment;
    this.#isLosing = false;
  }

  holdFrom(segment: number): void {
    if (this.#options.hold === undefined) return;
    if (segment > this.#holdFrom) this.#isDropping = false;
    this.#holdFrom = segment;
  }

  get waitingSegments(): number {
    return this.#waiting.length;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get oldestTimeMs(): number | undefined {
    return this.#waiting[0]?.facts.firstTimeMs;
  }

  get sentSegments(): number {
    return this.#sent.length;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Bytes of sent segments that are kept for their journals. */
  get journalBytes(): number {
    return this.#bytesFrom(this.#keepFrom);
  }

  /** Bytes of sent segments that are held for those who read requests. */
  get heldBytes(): number {
    return this.#bytesFrom(this.#holdFrom);
  }

  add(segment: StoredSegment): void {
    this.#waiting.push(segment);
    this.#waitingBytes += segment.facts.bytes;
    this.#highestSequence = Math.max(this.#highestSequence, segment.facts.sequence);
    this.#sleepers.wake();
  }

  /** A file that an earlier run shipped. */
  addSent(file: SentFile): void {
    this.#sent.push(file);
    this.#sentBytes += file.bytes;
    this.#highestSequence = Math.max(this.#highestSequence, file.sequence);
  }

  async next(signal: AbortSignal): Promise<SealedSegment | undefined> {
    while (!signal.aborted && !this.#isClosed) {
      const oldest = this.#waiting[0];
      if (oldest) return oldest;
      await this.#sleepers.sleep(signal);
    }
    return undefined;
  }

  sent(segment: SealedSegment): Promise<void> {
    return this.#enqueue(async () => {
      const stored = this.#take(segment);
      if (stored) await this.#keepSent(stored);
    });
  }

  deadLetter(segment: SealedSegment, refused: readonly RefusedRows[]): Promise<void> {
    return this.#enqueue(async () => {
      const stored = this.#take(segment);
      if (!stored) return;
      const { files, directory, counters, logger, now } = this.#options;
      const rows = refused.reduce((sum, each) => sum + each.rows, 0);
      counters.deadLetteredSegments++;
      counters.deadLetteredRows += rows;
      const reasons = refused
        .slice(0, reasonsLoggedMax)
        .map(({ table, firstRow, reason }) => ({ table, firstRow, reason }));
      logger?.error(
        { segment: stored.id, rows, reasons },
        'spool: rows that ClickHouse refuses are set aside in dead-letter/',
      );
      try {
        this.setAsideBytes += await writeDeadLetter({ files, directory, timeMs: now() }, stored.facts, refused);
      } catch (error) {
        // The segment stays as it is and is offered again at the next start: what has landed is known by its tokens.
        logger?.error(
          { err: error, segment: stored.id },
          'spool: refused rows could not be set aside; their segment stays',
        );
        return;
      }
      await this.#keepSent(stored);
    });
  }

  /** Deletes shipped segments whose grace is over and whose journals nobody needs, or that are too many bytes. */
  prune(): Promise<void> {
    return this.#enqueue(() => this.#prune());
  }

  /** Gives disk space back: segments that nobody but readers of requests needs go, the oldest first, until so much is free. */
  makeRoom(bytes: number): Promise<void> {
    return this.#enqueue(async () => {
      const { files, directory } = this.#options;
      for (let oldest = this.#sent[0]; oldest !== undefined; oldest = this.#sent[0]) {
        const isOthers = oldest.sequence < this.#holdFrom || oldest.sequence >= this.#keepFrom;
        if (isOthers || oldest.sequence === this.#highestSequence) return;
        if ((await files.freeBytes(directory)) >= bytes) return;
        await this.#drop(oldest);
      }
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sleepers.wake();
    await this.#tail;
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const run = async () => {
      if (!this.#isClosed) await work();
    };
    const result = this.#tail.then(run);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #take(segment: SealedSegment): StoredSegment | undefined {
    const index = this.#waiting.findIndex(({ id }) => id === segment.id);
    if (index < 0) return undefined;
    const [stored] = this.#waiting.splice(index, 1);
    this.#waitingBytes -= stored!.facts.bytes;
    stored!.release();
    return stored;
  }

  async #prune(): Promise<void> {
    while (this.#sent.length > 0) {
      const oldest = this.#sent[0]!;
      // The newest file says at the next start which sequence numbers are used up.
      if (!this.#isDue(oldest) || oldest.sequence === this.#highestSequence) return;
      await this.#drop(oldest);
    }
  }

  #isDue({ sequence, sentAtMs }: SentFile): boolean {
    const { now, graceMs, sentBytesMax, hold } = this.#options;
    const ageMs = now() - sentAtMs;
    if (this.#sentBytes > sentBytesMax + (hold?.bytesMax ?? 0)) return true;
    if (hold !== undefined && sequence >= this.#holdFrom && ageMs <= hold.ageMaxMs) return false;
    // What is held has room of its own.
    return (ageMs > graceMs && sequence < this.#keepFrom) || this.#sentBytes - this.heldBytes > sentBytesMax;
  }

  /** Deletes the oldest sent segment. */
  async #drop({ path, sequence, bytes }: SentFile): Promise<void> {
    const { files, counters, logger } = this.#options;
    this.#sent.shift();
    this.#sentBytes -= bytes;
    if (sequence >= this.#keepFrom) counters.journalSegmentsLost++;
    if (sequence >= this.#keepFrom && !this.#isLosing) {
      this.#isLosing = true;
      const fields = { segment: sequence, bytes: this.#sentBytes };
      logger?.error(fields, 'spool: no room for journals that no checkpoint covers; a crash now would lose windows');
    }
    if (sequence >= this.#holdFrom) counters.heldSegmentsLost++;
    if (sequence >= this.#holdFrom && !this.#isDropping) {
      this.#isDropping = true;
      const fields = { segment: sequence, bytes: this.#sentBytes };
      logger?.error(fields, 'spool: requests that a tee has not sent yet are given up: they are too old or too many');
    }
    await files.remove(path).catch((error) => {
      logger?.error({ err: error, file: path }, 'spool: a sent segment could not be deleted');
    });
  }

  #bytesFrom(segment: number): number {
    return this.#sent.reduce((sum, { sequence, bytes }) => (sequence < segment ? sum : sum + bytes), 0);
  }

  async #keepSent(stored: StoredSegment): Promise<void> {
    this.#options.counters.sentSegments++;
    const { path, sequence, bytes } = stored.facts;
    const sentPath = path.replace(/\.seg$/, '.sent');
    try {
      await this.#options.files.rename(path, sentPath);
      await this.#options.files.syncDirectory(this.#options.directory);
    } catch (error) {
      // The store knows the segment by its id, so that offering it again after a restart adds nothing.
      this.#options.logger?.error({ err: error, segment: stored.id }, 'spool: a sent segment could not be renamed');
      return;
    }
    this.addSent({ path: sentPath, sequence, bytes, sentAtMs: this.#options.now() });
    await this.#prune();
  }
}
