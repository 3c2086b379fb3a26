import type { Outcome } from '../model/outcome.ts';
import type { Original, Rows, RowTableName, SegmentSource } from '../model/spool.ts';

/** One accepted OTLP batch: its spans and its findings land together or not at all. */
export interface SpoolBatch {
  /** 16 bytes that identify the batch's content, by which a resend is recognised. */
  readonly digest: Uint8Array;
  /** The spool writes these bytes without a copy: leave them alone until `append` has resolved. */
  readonly rows: readonly Rows[];
  /**
   * What detection took in with this batch. It lands with the rows or not at all, never goes to the store, and is read
   * back by `journals`. A batch may consist of it alone.
   */
  readonly journal?: Uint8Array;
  /** The request itself, for those who read `originals`. */
  readonly original?: Original | undefined;
}

/** How many columns the rows of each table carry, as far as it is known. */
export type ColumnCounts = Readonly<Partial<Record<RowTableName, number>>>;

/** The journal of one record, where it stands. */
export interface StoredJournal {
  /** The sequence of the segment that holds it. */
  readonly segment: number;
  readonly bytes: Buffer;
}

/**
 * The reason of a retryable or permanent outcome starts with its code: `SW_SPOOL_FULL: …`, `SW_SPOOL_WRITE: …`,
 * `SW_SHUTTING_DOWN: …`.
 */
export type AppendOutcome = Outcome & {
  /** True when the batch was not written because the same one is on disk already or on its way there. */
  readonly duplicate?: boolean;
  /** The sequence of the segment that holds the batch, when it was written. */
  readonly segment?: number;
};

/** The fsynced buffer on disk between detection and the store. */
export interface Spool extends SegmentSource {
  /** 16 hex digits, its own for ever. */
  readonly id: string;
  /**
   * Puts a batch on disk. Resolves only when it is fsynced, or when it was refused; never rejects for reasons of the
   * disk. Retryable: full, failed write, shutting down. Permanent: larger than `limits.spoolRecordBytesMax`.
   */
  append(batch: SpoolBatch): Promise<AppendOutcome>;
  /** Why a batch of so many bytes would be refused at once, so that nobody works on it in vain. */
  refusal(bytes: number): AppendOutcome | undefined;
  /** How the batch with this digest ended, when it was committed within the window or is being committed now. */
  committed(digest: Uint8Array): Promise<Outcome> | undefined;
  /**
   * The journals of all segments from this one on that are still here, sent and dead-lettered ones too, in the order in
   * which they were written. For the start, before anything is appended. Damaged records are left out.
   */
  journals(fromSegment: number): AsyncIterable<StoredJournal>;
  /**
   * Sent segments from this one on are kept beyond their grace time, because their journals are still needed. The disk
   * limit stands above it: past `sentBytesMax` the oldest go all the same, and `stats().journalSegmentsLost` says so.
   */
  keepFrom(segment: number): void;
  /** Reads along: the rows of these tables, from any position on. To be called before anything is appended. */
  tail(tables: readonly RowTableName[]): SpoolTail;
  /** Reads along: requests as they came. Each is for one reader. To be called before anything is appended. */
  originals(): OriginalTail;
  /**
   * Sent segments from this one on are kept for those who read `originals`, within the bounds of `SpoolOptions.hold`. Past them the
   * oldest go all the same, and `stats().heldSegmentsLost` says so.
   */
  holdFrom(segment: number): void;
  /** Commits what is pending and seals the open segment, so that `next` offers it. For a drain before `close`. */
  seal(): Promise<void>;
  stats(): SpoolStats;
  /**
   * Commits what is pending, seals, ends every waiting `next` with undefined and gives the directory back. Idempotent.
   * `sent` and `deadLetter` after it do nothing: the segment is offered again at the next start.
   */
  close(): Promise<void>;
}

/** Rows of one table in a record. */
export interface TailTable {
  readonly table: RowTableName;
  /** How many columns each row has; 0 when its writer did not say. */
  readonly columns: number;
  readonly rows: number;
  /** RowBinary. */
  readonly bytes: Buffer;
}

/** A record that has rows of the wanted tables. */
export interface TailRecord {
  /** The record's sequence: grows for ever, and never comes again in this spool. */
  readonly position: number;
  /** When the batch was taken in, ms since the epoch. */
  readonly timeMs: number;
  readonly tables: readonly TailTable[];
}

/** What follows a position: records up to `through`, or that those after it and up to `through` are no longer on disk. */
export type TailRead =
  | { readonly status: 'rows'; readonly records: readonly TailRecord[]; readonly through: number }
  | { readonly status: 'gone'; readonly after: number; readonly through: number };

/** Rows in the order in which they were committed, for those who keep a place of their own. Nothing is held back for them. */
export interface SpoolTail {
  /** The position of the newest record that is on disk; what a new reader begins after. */
  readonly newest: number;
  /** What comes after a position, not more than is good at once; waits until there is something. Undefined when the signal aborted. */
  read(after: number, signal: AbortSignal): Promise<TailRead | undefined>;
}

/** A request as it came, and the record that it is in. */
export interface OriginalRecord extends Original {
  readonly position: number;
  /** When it was taken in, ms since the epoch. */
  readonly timeMs: number;
  readonly bytes: Buffer;
}

/** What follows a position; `gone`: so many segments are no longer on disk. */
export type OriginalRead =
  | { readonly status: 'read'; readonly records: readonly OriginalRecord[]; readonly through: number }
  | { readonly status: 'gone'; readonly segments: number; readonly through: number };

/** As `SpoolTail`, but from the files alone, so that nothing of it stays in memory. One read at a time. */
export interface OriginalTail {
  readonly newest: number;
  read(after: number, signal: AbortSignal): Promise<OriginalRead | undefined>;
}

/** How much is kept for those who read `originals`, beyond `bytesMax`. */
export interface HoldOptions {
  readonly bytesMax: number;
  /** Counted from when the store had a segment. */
  readonly ageMaxMs: number;
}

export interface SpoolOptions {
  /** Made with mode 700 when missing; belongs to one process at a time. */
  readonly directory: string;
  /** A segment is sealed before it grows over this; a single larger record gets a segment of its own. */
  readonly segmentBytesMax: number;
  /** A segment is sealed when its first record is this old, and no more than one waits for the store. */
  readonly segmentAgeMaxMs: number;
  /** Bytes of all files in the directory; past it appends answer SW_SPOOL_FULL. */
  readonly bytesMax: number;
  /** How long shipped segments are kept, and how long a resend is recognised. */
  readonly graceMs: number;
  /** Bytes that wait for their fsync; past it appends answer SW_SPOOL_FULL. */
  readonly pendingBytesMax: number;
  /** Disk space kept in a file that is given up when the disk is full; none unless said otherwise. */
  readonly reserveBytes?: number;
  /** Noted with the rows, so that they can be inserted after columns were added. */
  readonly columns?: ColumnCounts;
  /** Bytes of shipped segments kept during their grace time; an eighth of `bytesMax` unless said otherwise. */
  readonly sentBytesMax?: number;
  /** Bytes of rows that a tail keeps in memory; `limits.spoolTailBytesMax` unless said otherwise. */
  readonly tailBytesMax?: number;
  /** As by `keepFrom`, from opening on; nothing is kept for its journal unless said otherwise. */
  readonly keepFrom?: number;
  /** From opening on every sent segment is held, until `holdFrom` says from where; none is unless said otherwise. */
  readonly hold?: HoldOptions | undefined;
  /** Milliseconds since the epoch; `Date.now` unless said otherwise. */
  readonly now?: () => number;
  readonly logger?: SpoolLogger;
}

/** The part of a pino logger that the spool uses. */
export interface SpoolLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Gauges say what is now; the others count since the spool was opened. */
export interface SpoolStats {
  /** Gauge: segments not yet sent, the open one included. */
  readonly segments: number;
  /** Gauge: their bytes. */
  readonly bytes: number;
  /** Gauge: age of the oldest record not yet sent, 0 when there is none. */
  readonly oldestAgeMs: number;
  /** Gauge: batches that wait for their fsync, and their bytes. */
  readonly pendingRecords: number;
  readonly pendingBytes: number;
  /** Gauge: shipped segments within their grace time. */
  readonly sentKeptSegments: number;
  readonly sentKeptBytes: number;
  /** Gauge: those of them whose journals are still needed, in bytes. */
  readonly journalKeptBytes: number;
  /** Gauge: those that are held for `originals`, in bytes. */
  readonly heldBytes: number;
  /** Gauge: whether the reserve of disk space is given up, so that nothing is taken until it is there again. */
  readonly reserveReleased: boolean;
  /** Gauge: files set aside in `dead-letter/` and `quarantine/`, from earlier runs too. */
  readonly setAsideBytes: number;
  readonly appendedRecords: number;
  readonly appendedRows: number;
  readonly appendedBytes: number;
  readonly syncs: number;
  readonly duplicateRecords: number;
  readonly refusedFullRecords: number;
  readonly refusedWriteRecords: number;
  readonly refusedTooLargeRecords: number;
  readonly sealedSegments: number;
  readonly sentSegments: number;
  /** Rows that the store refused and that are set aside, and the segments they were in. */
  readonly deadLetteredRows: number;
  readonly deadLetteredSegments: number;
  /** Sent segments deleted for lack of room although their journals were still needed. */
  readonly journalSegmentsLost: number;
  /** Sent segments deleted for their age, or for lack of room, although they were held. */
  readonly heldSegmentsLost: number;
  readonly recoveredRecords: number;
  /** Segments that the start could read but not sync: a power loss may still take them. */
  readonly unsyncedSegments: number;
  readonly tornTails: number;
  readonly tornBytes: number;
  readonly corruptRanges: number;
  readonly corruptBytes: number;
}
