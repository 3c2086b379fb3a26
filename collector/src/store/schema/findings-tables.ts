import { tableSettings } from './otel-tables.ts';

/**
 * Findings, one row per version: read them with FINAL, which gives the newest version of each. `findings_logs` shows them
 * as logs, so that Grafana's Explore and every other reader of otel_logs works on them.
 */
export function findingsTables(database: string, ttlDays: number): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.findings (
  FindingId String CODEC(ZSTD(1)),
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  Version UInt64 CODEC(ZSTD(1)),
  RuleId LowCardinality(String) CODEC(ZSTD(1)),
  RuleTitle LowCardinality(String) CODEC(ZSTD(1)),
  RuleVersion LowCardinality(String) CODEC(ZSTD(1)),
  Level LowCardinality(String) CODEC(ZSTD(1)),
  Severity UInt8 CODEC(ZSTD(1)),
  Response LowCardinality(String) CODEC(ZSTD(1)),
  Tags Array(LowCardinality(String)) CODEC(ZSTD(1)),
  Reason String CODEC(ZSTD(1)),
  GroupKey String CODEC(ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  AgentName LowCardinality(String) CODEC(ZSTD(1)),
  ConversationId String CODEC(ZSTD(1)),
  UserId String CODEC(ZSTD(1)),
  ToolName LowCardinality(String) CODEC(ZSTD(1)),
  Evidence Nested (Selection String, Field String, Wanted String, Excerpt String) CODEC(ZSTD(1)),
  Count UInt64 CODEC(ZSTD(1)),
  LastSeen DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  InsertedAt DateTime64(3) DEFAULT now64(3) CODEC(Delta(8), ZSTD(1)),
  INDEX idx_finding_id FindingId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_conversation_id ConversationId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplacingMergeTree(Version)
PARTITION BY toDate(Timestamp)
ORDER BY (Timestamp, FindingId)
TTL toDate(Timestamp) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE VIEW IF NOT EXISTS ${database}.findings_logs AS
${asLogs(database, { severityText: 'Level', scopeAttributes: '', level: '' })}`,
  ];
}

/**
 * `findings_logs` with every column that Grafana's data source asks of logs, and with levels it knows. The level of a
 * finding is among the attributes.
 */
export function findingsAsGrafanaLogs(database: string): string[] {
  const texts = "['info', 'info', 'warn', 'error', 'critical']";
  return [
    `CREATE OR REPLACE VIEW ${database}.findings_logs AS
${asLogs(database, {
  severityText: `transform(Severity, [1, 2, 3, 4, 5], ${texts}, 'unknown')`,
  scopeAttributes: '\n  CAST(map() AS Map(LowCardinality(String), String)) AS ScopeAttributes,',
  level: "\n    'finding.level', toString(Level),",
})}`,
  ];
}

interface LogColumns {
  readonly severityText: string;
  readonly scopeAttributes: string;
  readonly level: string;
}

function asLogs(database: string, { severityText, scopeAttributes, level }: LogColumns): string {
  return `SELECT
  Timestamp,
  toDateTime(Timestamp) AS TimestampTime,
  TraceId,
  SpanId,
  ${severityText} AS SeverityText,
  transform(Severity, [1, 2, 3, 4, 5], [9, 10, 13, 17, 21], 0)::UInt8 AS SeverityNumber,
  ServiceName,
  concat(RuleTitle, ': ', Reason) AS Body,
  map('service.name', toString(ServiceName), 'gen_ai.agent.name', toString(AgentName)) AS ResourceAttributes,
  'spanwarden' AS ScopeName,${scopeAttributes}
  map(
    'finding.id', FindingId,${level}
    'finding.group_key', GroupKey,
    'finding.evidence', arrayStringConcat(arrayMap(
      (field, wanted, excerpt) -> concat(field, ' ', wanted, ': ', excerpt),
      Evidence.Field, Evidence.Wanted, Evidence.Excerpt), '\\n'),
    'rule.id', toString(RuleId),
    'rule.version', toString(RuleVersion),
    'rule.tags', arrayStringConcat(Tags, ' '),
    'rule.response', toString(Response),
    'span.name', toString(SpanName),
    'gen_ai.agent.name', toString(AgentName),
    'gen_ai.conversation.id', ConversationId,
    'gen_ai.tool.name', toString(ToolName),
    'user.id', UserId
  ) AS LogAttributes
FROM ${database}.findings FINAL`;
}
