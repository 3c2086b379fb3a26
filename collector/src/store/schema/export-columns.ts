/**
 * Where findings and cases stood in the spool of their collector, for exports that fell so far behind that the spool no longer has
 * them. ClickHouse takes it from the id of the INSERT (`insertQueryId`), so that rows need not carry what is not known when they are
 * written. 0 and '' for rows of before.
 */
export function exportColumns(database: string): string[] {
  return [
    `ALTER TABLE ${database}.cases ADD COLUMN IF NOT EXISTS Alerted Bool DEFAULT 0 CODEC(ZSTD(1)) AFTER AlertSeq`,
    ...['findings', 'cases'].map(
      (table) => `ALTER TABLE ${database}.${table}
  ADD COLUMN IF NOT EXISTS SpoolId LowCardinality(String) DEFAULT extract(initialQueryID(), '^spool-([0-9a-f]{16})-')
    CODEC(ZSTD(1)) AFTER InsertedAt,
  ADD COLUMN IF NOT EXISTS SpoolSegment UInt64 DEFAULT toUInt64OrZero(extract(initialQueryID(), '^spool-[0-9a-f]{16}-([0-9]{16})-'))
    CODEC(Delta(8), ZSTD(1)) AFTER SpoolId,
  ADD INDEX IF NOT EXISTS idx_spool_segment SpoolSegment TYPE minmax GRANULARITY 1`,
    ),
  ];
}
