/** The tables a spool record may carry rows for; the byte that names each on disk never changes. */
export const RowTable = {
  otel_traces: 1,
  findings: 2,
  rule_stats: 3,
  seen_fields: 4,
  rule_states: 5,
  cases: 6,
  otel_logs: 7,
  otel_messages: 8,
  otel_metrics_gauge: 9,
  otel_metrics_sum: 10,
  otel_metrics_histogram: 11,
  otel_metrics_exponential_histogram: 12,
  otel_metrics_summary: 13,
} as const;

export type RowTableName = keyof typeof RowTable;

/** RowBinary rows for one table, ready to be the body of an INSERT. */
export interface Rows {
  readonly table: RowTableName;
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** A request as its sender wrote it, kept in the record of its rows for those who hand it on. Never goes to the store. */
export interface Original {
  /** What it is, 0 to 255, in the words of its readers. */
  readonly kind: number;
  /** Spans, log records or data points in it. */
  readonly records: number;
  readonly bytes: Uint8Array;
}

/** What a segment holds for one table. */
export interface SegmentTable {
  readonly table: RowTableName;
  readonly rows: number;
  readonly bytes: number;
  /**
   * How many of the table's columns each row carries. Columns are only ever added at the end, so that a segment written
   * before an update lands after it. 0 when its writer did not say.
   */
  readonly columns: number;
}

/** Rows that the store will never take, and why. */
export interface RefusedRows {
  readonly table: RowTableName;
  readonly columns: number;
  readonly rows: number;
  /** Place of the first of them among the segment's rows for the table, from 0. */
  readonly firstRow: number;
  readonly bytes: Uint8Array;
  readonly reason: string;
}

/** A sealed segment as the store reads it. */
export interface SealedSegment {
  /** Unique for ever: spool id + sequence; the deduplication token is `<id>:<table>`. */
  readonly id: string;
  /** When the first of it was taken in, ms since the epoch. */
  readonly takenMs: number;
  readonly tables: readonly SegmentTable[];
  /** The RowBinary bytes of one table in order of arrival; always the same bytes in the same order. */
  read(table: RowTableName): Promise<Buffer[]>;
}

/** Where the shipper takes sealed segments from. */
export interface SegmentSource {
  /** The oldest sealed segment that has not been sent; waits for one. Undefined after the signal aborted. */
  next(signal: AbortSignal): Promise<SealedSegment | undefined>;
  /** The store has the segment durably; its file may go after a grace time. */
  sent(segment: SealedSegment): Promise<void>;
  /** As `sent`, but for these rows, which are set aside with their reasons. */
  deadLetter(segment: SealedSegment, refused: readonly RefusedRows[]): Promise<void>;
}
