/**
 * The tables of the OpenTelemetry Collector's ClickHouse exporter, column by column, so that Grafana's ClickHouse data
 * source, HyperDX and existing dashboards read them with no mapping. What we add stands behind and is MATERIALIZED, which
 * keeps `SELECT *` and an INSERT without column list as the exporter knows them.
 * https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
 */

/**
 * Deduplication by token is what makes shipping exactly once. An insert is answered when it is fsynced, so that the
 * spool may forget its segment then. Retention drops whole days.
 */
export const tableSettings =
  'index_granularity = 8192, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000, ' +
  'fsync_after_insert = 1, fsync_part_directory = 1';

const attributes = 'Map(LowCardinality(String), String) CODEC(ZSTD(1))';
const name = 'LowCardinality(String) CODEC(ZSTD(1))';
const text = 'String CODEC(ZSTD(1))';

/** The columns of the exporter. */
export const exporterTraceColumns = `Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  TraceId ${text},
  SpanId ${text},
  ParentSpanId ${text},
  TraceState ${text},
  SpanName ${name},
  SpanKind ${name},
  ServiceName ${name},
  ResourceAttributes ${attributes},
  ScopeName ${text},
  ScopeVersion ${text},
  SpanAttributes ${attributes},
  Duration UInt64 CODEC(ZSTD(1)),
  StatusCode ${name},
  StatusMessage ${text},
  Events Nested (
    Timestamp DateTime64(9),
    Name LowCardinality(String),
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1)),
  Links Nested (
    TraceId String,
    SpanId String,
    TraceState String,
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1))`;

/** What rules, dashboards and hunts ask for most, taken out of the attributes at insert. */
const derivedColumns = `
  AgentName LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.agent.name'] CODEC(ZSTD(1)),
  ConversationId String MATERIALIZED SpanAttributes['gen_ai.conversation.id'] CODEC(ZSTD(1)),
  UserId String MATERIALIZED SpanAttributes['user.id'] CODEC(ZSTD(1)),
  ToolName LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.tool.name'] CODEC(ZSTD(1)),
  OperationName LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.operation.name'] CODEC(ZSTD(1)),
  RequestModel LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.request.model'] CODEC(ZSTD(1)),
  InputTokens UInt64 MATERIALIZED toUInt64OrZero(SpanAttributes['gen_ai.usage.input_tokens']) CODEC(T64, ZSTD(1)),
  OutputTokens UInt64 MATERIALIZED toUInt64OrZero(SpanAttributes['gen_ai.usage.output_tokens']) CODEC(T64, ZSTD(1)),
  INDEX idx_conversation_id ConversationId TYPE bloom_filter(0.01) GRANULARITY 1`;

export function otelTraces(database: string, ttlDays: number): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.otel_traces (
  ${exporterTraceColumns},
  ${derivedColumns.trim()},
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_duration Duration TYPE minmax GRANULARITY 1,
  INDEX idx_lower_span_name lower(SpanName) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
) ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
TTL toDate(Timestamp) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE TABLE IF NOT EXISTS ${database}.otel_traces_trace_id_ts (
  TraceId ${text},
  Start DateTime CODEC(Delta, ZSTD(1)),
  End DateTime CODEC(Delta, ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
TTL toDate(Start) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.otel_traces_trace_id_ts_mv
TO ${database}.otel_traces_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM ${database}.otel_traces WHERE TraceId != '' GROUP BY TraceId`,
  ];
}

const materializedResources = [
  'k8s.cluster.name',
  'k8s.container.name',
  'k8s.deployment.name',
  'k8s.namespace.name',
  'k8s.node.name',
  'k8s.pod.name',
  'k8s.pod.uid',
  'deployment.environment.name',
];

/** The shape since 2026-04, with the column whose loss broke Grafana's default log query back as an alias. */
export function otelLogs(database: string, ttlDays: number): string[] {
  const materialized = materializedResources.map(
    (each) =>
      `\`__otel_materialized_${each}\` LowCardinality(String) MATERIALIZED ResourceAttributes['${each}'] CODEC(ZSTD(1))`,
  );
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.otel_logs (
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  TraceId ${text},
  SpanId ${text},
  TraceFlags UInt8,
  SeverityText ${name},
  SeverityNumber UInt8,
  ServiceName ${name},
  Body ${text},
  ResourceSchemaUrl ${name},
  ResourceAttributes ${attributes},
  ScopeSchemaUrl ${name},
  ScopeName ${text},
  ScopeVersion ${name},
  ScopeAttributes ${attributes},
  LogAttributes ${attributes},
  EventName ${text},
  ${materialized.join(',\n  ')},
  TimestampTime DateTime ALIAS toDateTime(Timestamp),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_log_attr_key mapKeys(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_log_attr_value mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_lower_body lower(Body) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
) ENGINE = MergeTree
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)
TTL toDate(Timestamp) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
  ];
}
