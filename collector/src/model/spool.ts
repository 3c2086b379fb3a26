/** The tables a spool record may carry rows for; the byte that names each on disk never changes. */
export const RowTable = { otel_traces: 1, findings: 2 } as const;

export type RowTableName = keyof typeof RowTable;

/** RowBinary rows for one table, ready to be the body of an INSERT. */
export interface Rows {
  readonly table: RowTableName;
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** A sealed segment as the store reads it. */
export interface SealedSegment {
  /** Unique for ever: spool id + sequence; the deduplication token is `<id>:<table>`. */
  readonly id: string;
  readonly tables: readonly { readonly table: RowTableName; readonly rows: number; readonly bytes: number }[];
  /** The RowBinary bytes of one table in order of arrival; always the same bytes in the same order. */
  read(table: RowTableName): Promise<Buffer[]>;
}
