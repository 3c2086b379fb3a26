import { type MetricKind, metricKinds } from '../../model/metric-batch.ts';
import { tableSettings } from './otel-tables.ts';

/**
 * Metrics as the OpenTelemetry Collector's ClickHouse exporter has them, a table for each kind.
 * https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
 */
const zstd = 'CODEC(ZSTD(1))';
const attributes = `Map(LowCardinality(String), String) ${zstd}`;
const exemplars = `Exemplars Nested (
    FilteredAttributes Map(LowCardinality(String), String),
    TimeUnix DateTime64(9),
    Value Float64,
    SpanId String,
    TraceId String
  ) ${zstd}`;
const flags = `Flags UInt32 ${zstd}`;
const temporality = `AggregationTemporality Int32 ${zstd}`;
const count = `Count UInt64 CODEC(Delta, ZSTD(1)),\n  Sum Float64 ${zstd}`;
const range = `Min Float64 ${zstd},\n  Max Float64 ${zstd}`;

/** What each kind has behind the common columns, in the exporter's order. */
const columns: Readonly<Record<MetricKind, readonly string[]>> = {
  gauge: [`Value Float64 ${zstd}`, flags, exemplars],
  sum: [`Value Float64 ${zstd}`, flags, exemplars, temporality, 'IsMonotonic Boolean CODEC(Delta, ZSTD(1))'],
  histogram: [
    ...[count, `BucketCounts Array(UInt64) ${zstd}`, `ExplicitBounds Array(Float64) ${zstd}`],
    ...[exemplars, flags, range, temporality],
  ],
  exponential_histogram: [
    ...[count, `Scale Int32 ${zstd}`, `ZeroCount UInt64 ${zstd}`],
    ...[`PositiveOffset Int32 ${zstd}`, `PositiveBucketCounts Array(UInt64) ${zstd}`],
    ...[`NegativeOffset Int32 ${zstd}`, `NegativeBucketCounts Array(UInt64) ${zstd}`],
    ...[exemplars, flags, range, temporality],
  ],
  summary: [count, `ValueAtQuantiles Nested (Quantile Float64, Value Float64) ${zstd}`, flags],
};

export const metricTables = metricKinds.map((kind) => `otel_metrics_${kind}` as const);

export function otelMetrics(database: string, ttlDays: number): string[] {
  return metricKinds.map(
    (kind) => `CREATE TABLE IF NOT EXISTS ${database}.otel_metrics_${kind} (
  ResourceAttributes ${attributes},
  ResourceSchemaUrl String ${zstd},
  ScopeName String ${zstd},
  ScopeVersion String ${zstd},
  ScopeAttributes ${attributes},
  ScopeDroppedAttrCount UInt32 ${zstd},
  ScopeSchemaUrl String ${zstd},
  ServiceName LowCardinality(String) ${zstd},
  MetricName String ${zstd},
  MetricDescription String ${zstd},
  MetricUnit String ${zstd},
  Attributes ${attributes},
  StartTimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  TimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  ${columns[kind].join(',\n  ')},
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_key mapKeys(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_value mapValues(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, Attributes, toUnixTimestamp64Nano(TimeUnix))
TTL toDate(TimeUnix) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
  );
}
