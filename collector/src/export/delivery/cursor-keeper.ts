import { limits } from '../../model/limits.ts';
import type { Clock } from './clock.ts';
import { type Cursor, cursorFile, encodeCursor, readCursor, setAside } from './cursor.ts';
import type { DeliveryFiles } from './files.ts';
import type { ExportLogger } from './health.ts';
import { Ledger, type LedgerRecord } from './ledger.ts';

export interface CursorKeeperOptions {
  readonly name: string;
  /** None for a delivery that leaves no trace, such as a replay. */
  readonly files: DeliveryFiles | undefined;
  /** Where the stream ends now. */
  readonly head: number;
  /** Where to begin without a cursor. */
  readonly from: 'now' | 'oldest';
  readonly clock: Clock;
  readonly logger?: ExportLogger | undefined;
  /** Told of each position that the file says from then on. */
  written?(position: number): void;
}

/**
 * What is settled, in memory and on disk. The file is at most `limits.exportCursorMs` behind, so that a kill repeats little; it is never
 * ahead, so that a kill loses nothing.
 */
export class CursorKeeper {
  readonly #options: CursorKeeperOptions;
  readonly #settledBefore: Set<string>;
  readonly ledger: Ledger;
  /** Dead letters that found no place in the file, ever. */
  overflowed: number;
  #written = '';
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isFailing = false;
  #isClosed = false;

  private constructor(options: CursorKeeperOptions, cursor: Cursor) {
    this.#options = options;
    this.#settledBefore = new Set(cursor.ahead);
    this.ledger = new Ledger(cursor.position);
    this.overflowed = cursor.overflowed;
  }

  /**
   * Goes on where the cursor of the last run stands. A new destination begins where `from` says, and so does one whose cursor cannot be
   * used: that is loud, and the file is set aside. Rejects when the disk refuses.
   */
  static async open(options: CursorKeeperOptions): Promise<CursorKeeper> {
    const { files, head, from } = options;
    const begin: Cursor = { position: from === 'oldest' ? -1 : head, ahead: [], overflowed: 0 };
    const keeper = new CursorKeeper(options, (files && (await usable(files, options))) ?? begin);
    // Before anything is sent: without a file the next start would begin somewhere else.
    if (files !== undefined) await keeper.#write();
    return keeper;
  }

  /** Whether an event was settled in a run before, though its record was not. */
  isSettled(id: string): boolean {
    return this.#settledBefore.has(id);
  }

  settle(record: LedgerRecord, id: string): void {
    this.#settledBefore.delete(id);
    this.ledger.settle(record, id);
  }

  /** The file is written soon. */
  changed(): void {
    if (this.#options.files === undefined || this.#cancel !== undefined || this.#isClosed) return;
    this.#cancel = this.#options.clock.timer(limits.exportCursorMs, () => {
      this.#cancel = undefined;
      void this.save();
    });
  }

  /** Writes the file, if it would say something new. Never rejects: a disk that refuses is tried again with the next change. */
  save(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#write();
        this.#isFailing = false;
      } catch (error) {
        if (!this.#isFailing) this.#warn(error);
        this.#isFailing = true;
        this.changed();
      }
    });
    return this.#writing;
  }

  /** Writes the file a last time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    this.#cancel = undefined;
    await this.save();
  }

  async #write(): Promise<void> {
    const { files, written } = this.#options;
    const cursor = this.#cursor();
    const content = encodeCursor(cursor);
    const text = content.toString('latin1');
    if (files === undefined || text === this.#written) return;
    await files.replace(cursorFile, content);
    this.#written = text;
    written?.(cursor.position);
  }

  #cursor(): Cursor {
    const { position, ahead } = this.ledger;
    // What was settled before and has not come by again stays so, until all that was there then has come by.
    if (position >= this.#options.head) this.#settledBefore.clear();
    const settled = [...this.#settledBefore, ...ahead].slice(0, limits.exportWindowEventsMax);
    return { position, ahead: settled, overflowed: this.overflowed };
  }

  #warn(error: unknown): void {
    const message = 'export: the cursor cannot be written; events may be sent twice after a crash';
    this.#options.logger?.warn({ err: error, destination: this.#options.name }, message);
  }
}

async function usable(files: DeliveryFiles, options: CursorKeeperOptions): Promise<Cursor | undefined> {
  const { head, from, clock, logger, name } = options;
  const beginning = from === 'oldest' ? 'at the oldest event that is kept' : 'with what comes in from now on';
  const reading = await readCursor(files, clock.now());
  if (reading.status === 'none') return undefined;
  if (reading.status === 'damaged') {
    const fields = { destination: name, reason: reading.reason, movedTo: reading.movedTo };
    logger?.error(fields, `export: the cursor is damaged and was set aside; the destination begins ${beginning}`);
    return undefined;
  }
  if (reading.cursor.position <= head) return reading.cursor;
  const movedTo = await setAside(files, clock.now());
  const fields = { destination: name, position: reading.cursor.position, head, movedTo };
  const message =
    'export: the cursor is of another spool, further than this one, and was set aside; the destination begins';
  logger?.error(fields, `${message} ${beginning}`);
  return undefined;
}
