import { exporterTraceColumns } from './otel-tables.ts';

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

/**
 * The columns of `otel_traces_in`, by which a cluster of shards takes spans: a Distributed table does not hand on what
 * arrives in EPHEMERAL columns, so here they are plain ones. It is only ever inserted into.
 */
export const shardedTraceColumns = `${exporterTraceColumns},
  AttributeTypesIn String,
  FactsIn Map(LowCardinality(String), Array(String))`;
