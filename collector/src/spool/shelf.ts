import type { RefusedRows, SealedSegment, SegmentSource } from '../model/spool.ts';
import type { SpoolLogger } from './contract.ts';
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
  /** File operations run one after the other, so that `close` can wait for the last. */
  #tail: Promise<void> = Promise.resolve();
  setAsideBytes = 0;

  constructor(options: ShelfOptions) {
    this.#options = options;
    this.#keepFrom = options.keepFrom;
  }

  keepFrom(segment: number): void {
    this.#keepFrom = segment;
    this.#isLosing = false;
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
    return this.#sent.reduce((sum, { sequence, bytes }) => (sequence < this.#keepFrom ? sum : sum + bytes), 0);
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
    return stored;
  }

  async #prune(): Promise<void> {
    const { files, now, graceMs, sentBytesMax, counters, logger } = this.#options;
    while (this.#sent.length > 0) {
      const oldest = this.#sent[0]!;
      const isNeeded = oldest.sequence >= this.#keepFrom;
      const isDue = (now() - oldest.sentAtMs > graceMs && !isNeeded) || this.#sentBytes > sentBytesMax;
      // The newest file says at the next start which sequence numbers are used up.
      if (!isDue || oldest.sequence === this.#highestSequence) return;
      this.#sent.shift();
      this.#sentBytes -= oldest.bytes;
      if (isNeeded) counters.journalSegmentsLost++;
      if (isNeeded && !this.#isLosing) {
        this.#isLosing = true;
        const fields = { segment: oldest.sequence, bytes: this.#sentBytes };
        logger?.error(fields, 'spool: no room for journals that no checkpoint covers; a crash now would lose windows');
      }
      await files.remove(oldest.path).catch((error) => {
        logger?.error({ err: error, file: oldest.path }, 'spool: a sent segment could not be deleted');
      });
    }
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
