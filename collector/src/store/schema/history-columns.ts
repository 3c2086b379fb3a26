/**
 * What a span needs to be read back as it came, and to be searched for by its derived facts. The values arrive in EPHEMERAL
 * columns, which only an INSERT that names them can fill, and are kept as MATERIALIZED: so `SELECT *` and an INSERT without
 * a column list see the exporter's 22 columns and nothing else. Rows of other writers, and older ones, have both empty.
 */
export function historyColumns(database: string): string[] {
  return [
    `ALTER TABLE ${database}.otel_traces
  ADD COLUMN IF NOT EXISTS AttributeTypesIn String EPHEMERAL,
  ADD COLUMN IF NOT EXISTS AttributeTypes LowCardinality(String) MATERIALIZED AttributeTypesIn CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS FactsIn Map(LowCardinality(String), Array(String)) EPHEMERAL,
  ADD COLUMN IF NOT EXISTS Facts Map(LowCardinality(String), Array(String)) MATERIALIZED FactsIn CODEC(ZSTD(1))`,
  ];
}
