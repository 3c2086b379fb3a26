/** What somebody did about a case, on the row by which the collector tells it to other systems. Empty on all other rows. */
export function decisionColumns(database: string): string[] {
  return [
    `ALTER TABLE ${database}.cases
  ADD COLUMN IF NOT EXISTS DecidedAt DateTime64(6) CODEC(ZSTD(1)) AFTER Alerted,
  ADD COLUMN IF NOT EXISTS Decision LowCardinality(String) CODEC(ZSTD(1)) AFTER DecidedAt,
  ADD COLUMN IF NOT EXISTS DecidedAs LowCardinality(String) CODEC(ZSTD(1)) AFTER Decision,
  ADD COLUMN IF NOT EXISTS DecidedWhy String CODEC(ZSTD(1)) AFTER DecidedAs,
  ADD COLUMN IF NOT EXISTS DecidedBy String CODEC(ZSTD(1)) AFTER DecidedWhy`,
  ];
}
