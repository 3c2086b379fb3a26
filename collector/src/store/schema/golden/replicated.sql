SET flatten_nested = 1;

CREATE DATABASE IF NOT EXISTS spanwarden ON CLUSTER 'prod';

CREATE TABLE IF NOT EXISTS spanwarden.spanwarden_migration_claims ON CLUSTER 'prod' (
  Holder String,
  Host String,
  Step UInt32,
  ExpiresAt DateTime64(3)
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{database}/{table}', '{shard}-{replica}')
ORDER BY (Holder, Step)
TTL toDateTime(ExpiresAt) + toIntervalDay(1);

CREATE TABLE IF NOT EXISTS spanwarden.spanwarden_migrations ON CLUSTER 'prod'
(Version UInt32, Name String, AppliedAt DateTime64(3) DEFAULT now64(3)) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{database}/{table}', '{shard}-{replica}') ORDER BY Version;

CREATE TABLE IF NOT EXISTS spanwarden.otel_traces ON CLUSTER 'prod' (
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)),
  TraceState String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  Duration UInt64 CODEC(ZSTD(1)),
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
  StatusMessage String CODEC(ZSTD(1)),
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
  ) CODEC(ZSTD(1)),
  AgentName LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.agent.name'] CODEC(ZSTD(1)),
  ConversationId String MATERIALIZED SpanAttributes['gen_ai.conversation.id'] CODEC(ZSTD(1)),
  UserId String MATERIALIZED SpanAttributes['user.id'] CODEC(ZSTD(1)),
  ToolName LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.tool.name'] CODEC(ZSTD(1)),
  OperationName LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.operation.name'] CODEC(ZSTD(1)),
  RequestModel LowCardinality(String) MATERIALIZED SpanAttributes['gen_ai.request.model'] CODEC(ZSTD(1)),
  InputTokens UInt64 MATERIALIZED toUInt64OrZero(SpanAttributes['gen_ai.usage.input_tokens']) CODEC(T64, ZSTD(1)),
  OutputTokens UInt64 MATERIALIZED toUInt64OrZero(SpanAttributes['gen_ai.usage.output_tokens']) CODEC(T64, ZSTD(1)),
  INDEX idx_conversation_id ConversationId TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_key mapKeys(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_span_attr_value mapValues(SpanAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_duration Duration TYPE minmax GRANULARITY 1,
  INDEX idx_lower_span_name lower(SpanName) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(Timestamp)
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp))
TTL toDate(Timestamp) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spanwarden.otel_traces_trace_id_ts ON CLUSTER 'prod' (
  TraceId String CODEC(ZSTD(1)),
  Start DateTime CODEC(Delta, ZSTD(1)),
  End DateTime CODEC(Delta, ZSTD(1)),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
TTL toDate(Start) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spanwarden.otel_traces_trace_id_ts_mv ON CLUSTER 'prod'
TO spanwarden.otel_traces_trace_id_ts AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM spanwarden.otel_traces WHERE TraceId != '' GROUP BY TraceId;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (1, 'otel_traces');

CREATE TABLE IF NOT EXISTS spanwarden.otel_logs ON CLUSTER 'prod' (
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  TraceFlags UInt8,
  SeverityText LowCardinality(String) CODEC(ZSTD(1)),
  SeverityNumber UInt8,
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  Body String CODEC(ZSTD(1)),
  ResourceSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeSchemaUrl LowCardinality(String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion LowCardinality(String) CODEC(ZSTD(1)),
  ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  EventName String CODEC(ZSTD(1)),
  `__otel_materialized_k8s.cluster.name` LowCardinality(String) MATERIALIZED ResourceAttributes['k8s.cluster.name'] CODEC(ZSTD(1)),
  `__otel_materialized_k8s.container.name` LowCardinality(String) MATERIALIZED ResourceAttributes['k8s.container.name'] CODEC(ZSTD(1)),
  `__otel_materialized_k8s.deployment.name` LowCardinality(String) MATERIALIZED ResourceAttributes['k8s.deployment.name'] CODEC(ZSTD(1)),
  `__otel_materialized_k8s.namespace.name` LowCardinality(String) MATERIALIZED ResourceAttributes['k8s.namespace.name'] CODEC(ZSTD(1)),
  `__otel_materialized_k8s.node.name` LowCardinality(String) MATERIALIZED ResourceAttributes['k8s.node.name'] CODEC(ZSTD(1)),
  `__otel_materialized_k8s.pod.name` LowCardinality(String) MATERIALIZED ResourceAttributes['k8s.pod.name'] CODEC(ZSTD(1)),
  `__otel_materialized_k8s.pod.uid` LowCardinality(String) MATERIALIZED ResourceAttributes['k8s.pod.uid'] CODEC(ZSTD(1)),
  `__otel_materialized_deployment.environment.name` LowCardinality(String) MATERIALIZED ResourceAttributes['deployment.environment.name'] CODEC(ZSTD(1)),
  TimestampTime DateTime ALIAS toDateTime(Timestamp),
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_log_attr_key mapKeys(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_log_attr_value mapValues(LogAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_lower_body lower(Body) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp)
TTL toDate(Timestamp) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (2, 'otel_logs');

CREATE TABLE IF NOT EXISTS spanwarden.findings ON CLUSTER 'prod' (
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
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', Version)
PARTITION BY toDate(Timestamp)
ORDER BY (Timestamp, FindingId)
TTL toDate(Timestamp) + toIntervalDay(365)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS spanwarden.findings_logs ON CLUSTER 'prod' AS
SELECT
  Timestamp,
  toDateTime(Timestamp) AS TimestampTime,
  TraceId,
  SpanId,
  Level AS SeverityText,
  transform(Severity, [1, 2, 3, 4, 5], [9, 10, 13, 17, 21], 0)::UInt8 AS SeverityNumber,
  ServiceName,
  concat(RuleTitle, ': ', Reason) AS Body,
  map('service.name', toString(ServiceName), 'gen_ai.agent.name', toString(AgentName)) AS ResourceAttributes,
  'spanwarden' AS ScopeName,
  map(
    'finding.id', FindingId,
    'finding.group_key', GroupKey,
    'finding.evidence', arrayStringConcat(arrayMap(
      (field, wanted, excerpt) -> concat(field, ' ', wanted, ': ', excerpt),
      Evidence.Field, Evidence.Wanted, Evidence.Excerpt), '\n'),
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
FROM spanwarden.findings FINAL;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (3, 'findings');

CREATE TABLE IF NOT EXISTS spanwarden.rule_stats ON CLUSTER 'prod' (
  Hour DateTime CODEC(Delta, ZSTD(1)),
  RuleId LowCardinality(String) CODEC(ZSTD(1)),
  RuleVersion LowCardinality(String) CODEC(ZSTD(1)),
  AgentName LowCardinality(String) CODEC(ZSTD(1)),
  FilterId LowCardinality(String) CODEC(ZSTD(1)),
  Spans SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Candidates SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Matches SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Findings SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Suppressed SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Errors SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  SampledSpans SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  SampledNanos SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  LastMatch SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(Hour)
ORDER BY (RuleId, Hour, RuleVersion, AgentName, FilterId)
TTL toDate(Hour) + toIntervalDay(365)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spanwarden.seen_fields ON CLUSTER 'prod' (
  Day Date CODEC(Delta, ZSTD(1)),
  Category LowCardinality(String) CODEC(ZSTD(1)),
  Field String CODEC(ZSTD(1)),
  LastSeen SimpleAggregateFunction(max, DateTime) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY Day
ORDER BY (Category, Field)
TTL Day + toIntervalDay(365)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spanwarden.rule_states ON CLUSTER 'prod' (
  RuleId String CODEC(ZSTD(1)),
  RuleName String CODEC(ZSTD(1)),
  RuleTitle String CODEC(ZSTD(1)),
  RuleVersion String CODEC(ZSTD(1)),
  FormerIds Array(String) CODEC(ZSTD(1)),
  Level LowCardinality(String) CODEC(ZSTD(1)),
  State LowCardinality(String) CODEC(ZSTD(1)),
  Reason String CODEC(ZSTD(1)),
  At DateTime64(3) CODEC(ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', At)
ORDER BY RuleId
SETTINGS index_granularity = 8192, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spanwarden.finding_marks ON CLUSTER 'prod' (
  FindingId String CODEC(ZSTD(1)),
  RuleId LowCardinality(String) CODEC(ZSTD(1)),
  Disposition LowCardinality(String) CODEC(ZSTD(1)),
  Reason String CODEC(ZSTD(1)),
  MarkedBy String CODEC(ZSTD(1)),
  MarkedAt DateTime64(6) CODEC(ZSTD(1)),
  INDEX idx_finding_id FindingId TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(MarkedAt)
ORDER BY (RuleId, FindingId, MarkedAt)
TTL toDate(MarkedAt) + toIntervalDay(365)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (4, 'rule_health');

ALTER TABLE spanwarden.findings ON CLUSTER 'prod' ADD COLUMN IF NOT EXISTS ChainId String CODEC(ZSTD(1)) AFTER GroupKey;

ALTER TABLE spanwarden.findings ON CLUSTER 'prod' ADD INDEX IF NOT EXISTS idx_chain_id ChainId TYPE bloom_filter(0.001) GRANULARITY 1;

CREATE TABLE IF NOT EXISTS spanwarden.findings_by_hour ON CLUSTER 'prod' AS spanwarden.findings
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{uuid}', '{replica}', Version)
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfHour(Timestamp, 'UTC'), FindingId)
TTL toDate(Timestamp) + toIntervalDay(365)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

DROP TABLE IF EXISTS spanwarden.findings_before_cases ON CLUSTER 'prod' SYNC;

RENAME TABLE spanwarden.findings TO spanwarden.findings_before_cases,
  spanwarden.findings_by_hour TO spanwarden.findings ON CLUSTER 'prod';

DROP TABLE IF EXISTS spanwarden.findings_before_cases ON CLUSTER 'prod' SYNC;

CREATE TABLE IF NOT EXISTS spanwarden.cases ON CLUSTER 'prod' (
  CaseId String CODEC(ZSTD(1)),
  Version UInt64 CODEC(ZSTD(1)),
  Day Date CODEC(ZSTD(1)),
  MergedInto String CODEC(ZSTD(1)),
  Headline String CODEC(ZSTD(1)),
  Level LowCardinality(String) CODEC(ZSTD(1)),
  Severity UInt8 CODEC(ZSTD(1)),
  RaisedBy String CODEC(ZSTD(1)),
  FirstSeen DateTime64(9) CODEC(ZSTD(1)),
  LastSeen DateTime64(9) CODEC(ZSTD(1)),
  Findings UInt64 CODEC(ZSTD(1)),
  Count UInt64 CODEC(ZSTD(1)),
  Votes Nested (RuleId String, RuleTitle String, Level LowCardinality(String), Findings UInt64, Count UInt64) CODEC(ZSTD(1)),
  Timeline Nested (
    FindingId String, Timestamp DateTime64(9), LastSeen DateTime64(9), Count UInt64, RuleId String, RuleTitle String,
    Level LowCardinality(String), TraceId String, SpanId String, SpanName String, AgentName String, ToolName String, Shown String
  ) CODEC(ZSTD(1)),
  Agents Array(String) CODEC(ZSTD(1)),
  Users Array(String) CODEC(ZSTD(1)),
  Conversations Array(String) CODEC(ZSTD(1)),
  TraceIds Array(String) CODEC(ZSTD(1)),
  ChainIds Array(String) CODEC(ZSTD(1)),
  AlertSeq UInt32 CODEC(ZSTD(1)),
  InsertedAt DateTime64(3) DEFAULT now64(3) CODEC(ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', Version)
PARTITION BY toYYYYMM(Day)
ORDER BY CaseId
TTL Day + toIntervalDay(365)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spanwarden.case_events ON CLUSTER 'prod' (
  CaseId String CODEC(ZSTD(1)),
  At DateTime64(6) CODEC(ZSTD(1)),
  Action LowCardinality(String) CODEC(ZSTD(1)),
  Disposition LowCardinality(String) CODEC(ZSTD(1)),
  Reason String CODEC(ZSTD(1)),
  DoneBy String CODEC(ZSTD(1)),
  Severity UInt8 CODEC(ZSTD(1)),
  Findings UInt64 CODEC(ZSTD(1)),
  Chains UInt64 CODEC(ZSTD(1))
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toYYYYMM(At)
ORDER BY (CaseId, At)
TTL toDate(At) + toIntervalDay(365)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS spanwarden.case_list ON CLUSTER 'prod' AS
SELECT
  newest.*,
  done.Action AS LastAction,
  done.At AS LastActionAt,
  done.Disposition AS Disposition,
  done.Reason AS Reason,
  done.DoneBy AS DoneBy,
  if(
    done.Action = 'close' AND newest.Severity <= done.Severity AND length(newest.ChainIds) <= done.Chains
      AND (done.Disposition IN ('false-positive', 'benign') OR newest.Findings <= done.Findings),
    'closed', 'open') AS Status
FROM (SELECT * FROM spanwarden.cases FINAL WHERE MergedInto = '') AS newest
LEFT JOIN (
  SELECT
    CaseId,
    argMax(Action, case_events.At) AS Action,
    argMax(Disposition, case_events.At) AS Disposition,
    argMax(Reason, case_events.At) AS Reason,
    argMax(DoneBy, case_events.At) AS DoneBy,
    argMax(Severity, case_events.At) AS Severity,
    argMax(Findings, case_events.At) AS Findings,
    argMax(Chains, case_events.At) AS Chains,
    max(case_events.At) AS At
  FROM spanwarden.case_events GROUP BY CaseId
) AS done ON newest.CaseId = done.CaseId;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (5, 'cases');

ALTER TABLE spanwarden.otel_traces ON CLUSTER 'prod'
  ADD COLUMN IF NOT EXISTS AttributeTypesIn String EPHEMERAL,
  ADD COLUMN IF NOT EXISTS AttributeTypes LowCardinality(String) MATERIALIZED AttributeTypesIn CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS FactsIn Map(LowCardinality(String), Array(String)) EPHEMERAL,
  ADD COLUMN IF NOT EXISTS Facts Map(LowCardinality(String), Array(String)) MATERIALIZED FactsIn CODEC(ZSTD(1));

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (6, 'history');

ALTER TABLE spanwarden.otel_traces ON CLUSTER 'prod'
  ADD COLUMN IF NOT EXISTS StitchedSession String MATERIALIZED Facts['spanwarden.session'][1] CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS SessionId String ALIAS multiIf(
    StitchedSession != '', StitchedSession, ConversationId != '', ConversationId, TraceId),
  ADD COLUMN IF NOT EXISTS SessionSource String ALIAS multiIf(
    StitchedSession != '', Facts['spanwarden.session.source'][1], ConversationId != '', 'conversation', 'trace'),
  ADD INDEX IF NOT EXISTS idx_stitched_session StitchedSession TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE spanwarden.findings ON CLUSTER 'prod'
  ADD COLUMN IF NOT EXISTS SessionId String DEFAULT if(ConversationId != '', ConversationId, TraceId)
    CODEC(ZSTD(1)) AFTER ConversationId,
  ADD COLUMN IF NOT EXISTS SessionSource LowCardinality(String) DEFAULT if(ConversationId != '', 'conversation', 'trace')
    CODEC(ZSTD(1)) AFTER SessionId,
  ADD INDEX IF NOT EXISTS idx_session_id SessionId TYPE bloom_filter(0.01) GRANULARITY 1;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (7, 'sessions');

CREATE TABLE IF NOT EXISTS spanwarden.otel_messages ON CLUSTER 'prod' (
  Day Date CODEC(ZSTD(1)),
  Conversation String CODEC(ZSTD(1)),
  Hash String CODEC(ZSTD(1)),
  Text String CODEC(ZSTD(1))
) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY Day
ORDER BY (Conversation, Hash)
TTL Day + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS spanwarden.otel_traces_full ON CLUSTER 'prod' AS
SELECT span.* EXCEPT (MessagesOf, Hashes) REPLACE (if(
    empty(span.Hashes),
    span.SpanAttributes,
    mapUpdate(span.SpanAttributes, map('gen_ai.input.messages', concat('[', arrayStringConcat(
      arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), span.Hashes), ','), ']')))
  ) AS SpanAttributes)
FROM (
  SELECT *, AgentName, ConversationId, UserId, ToolName, OperationName, RequestModel, InputTokens, OutputTokens,
    AttributeTypes, Facts, StitchedSession, SessionId, SessionSource,
    if(ConversationId = '', TraceId, ConversationId) AS MessagesOf,
    if(substring(toString(AttributeTypes), indexOf(mapKeys(SpanAttributes), 'gen_ai.input.messages'), 1) = 'r', splitByChar(' ', SpanAttributes['gen_ai.input.messages']), []) AS Hashes
  FROM spanwarden.otel_traces
) AS span
LEFT JOIN (
  SELECT Conversation, mapFromArrays(groupArray(Hash), groupArray(Text)) AS Texts
  FROM (SELECT Conversation, Hash, Text FROM spanwarden.otel_messages LIMIT 1 BY Conversation, Hash)
  GROUP BY Conversation
) AS said ON said.Conversation = span.MessagesOf;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (8, 'messages');

CREATE TABLE IF NOT EXISTS spanwarden.otel_metrics_gauge ON CLUSTER 'prod' (
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ResourceSchemaUrl String CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
  ScopeSchemaUrl String CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  MetricName String CODEC(ZSTD(1)),
  MetricDescription String CODEC(ZSTD(1)),
  MetricUnit String CODEC(ZSTD(1)),
  Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  StartTimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  TimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  Value Float64 CODEC(ZSTD(1)),
  Flags UInt32 CODEC(ZSTD(1)),
  Exemplars Nested (
    FilteredAttributes Map(LowCardinality(String), String),
    TimeUnix DateTime64(9),
    Value Float64,
    SpanId String,
    TraceId String
  ) CODEC(ZSTD(1)),
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_key mapKeys(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_value mapValues(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, Attributes, toUnixTimestamp64Nano(TimeUnix))
TTL toDate(TimeUnix) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spanwarden.otel_metrics_sum ON CLUSTER 'prod' (
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ResourceSchemaUrl String CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
  ScopeSchemaUrl String CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  MetricName String CODEC(ZSTD(1)),
  MetricDescription String CODEC(ZSTD(1)),
  MetricUnit String CODEC(ZSTD(1)),
  Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  StartTimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  TimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  Value Float64 CODEC(ZSTD(1)),
  Flags UInt32 CODEC(ZSTD(1)),
  Exemplars Nested (
    FilteredAttributes Map(LowCardinality(String), String),
    TimeUnix DateTime64(9),
    Value Float64,
    SpanId String,
    TraceId String
  ) CODEC(ZSTD(1)),
  AggregationTemporality Int32 CODEC(ZSTD(1)),
  IsMonotonic Boolean CODEC(Delta, ZSTD(1)),
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_key mapKeys(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_value mapValues(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, Attributes, toUnixTimestamp64Nano(TimeUnix))
TTL toDate(TimeUnix) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spanwarden.otel_metrics_histogram ON CLUSTER 'prod' (
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ResourceSchemaUrl String CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
  ScopeSchemaUrl String CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  MetricName String CODEC(ZSTD(1)),
  MetricDescription String CODEC(ZSTD(1)),
  MetricUnit String CODEC(ZSTD(1)),
  Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  StartTimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  TimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  Count UInt64 CODEC(Delta, ZSTD(1)),
  Sum Float64 CODEC(ZSTD(1)),
  BucketCounts Array(UInt64) CODEC(ZSTD(1)),
  ExplicitBounds Array(Float64) CODEC(ZSTD(1)),
  Exemplars Nested (
    FilteredAttributes Map(LowCardinality(String), String),
    TimeUnix DateTime64(9),
    Value Float64,
    SpanId String,
    TraceId String
  ) CODEC(ZSTD(1)),
  Flags UInt32 CODEC(ZSTD(1)),
  Min Float64 CODEC(ZSTD(1)),
  Max Float64 CODEC(ZSTD(1)),
  AggregationTemporality Int32 CODEC(ZSTD(1)),
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_key mapKeys(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_value mapValues(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, Attributes, toUnixTimestamp64Nano(TimeUnix))
TTL toDate(TimeUnix) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spanwarden.otel_metrics_exponential_histogram ON CLUSTER 'prod' (
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ResourceSchemaUrl String CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
  ScopeSchemaUrl String CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  MetricName String CODEC(ZSTD(1)),
  MetricDescription String CODEC(ZSTD(1)),
  MetricUnit String CODEC(ZSTD(1)),
  Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  StartTimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  TimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  Count UInt64 CODEC(Delta, ZSTD(1)),
  Sum Float64 CODEC(ZSTD(1)),
  Scale Int32 CODEC(ZSTD(1)),
  ZeroCount UInt64 CODEC(ZSTD(1)),
  PositiveOffset Int32 CODEC(ZSTD(1)),
  PositiveBucketCounts Array(UInt64) CODEC(ZSTD(1)),
  NegativeOffset Int32 CODEC(ZSTD(1)),
  NegativeBucketCounts Array(UInt64) CODEC(ZSTD(1)),
  Exemplars Nested (
    FilteredAttributes Map(LowCardinality(String), String),
    TimeUnix DateTime64(9),
    Value Float64,
    SpanId String,
    TraceId String
  ) CODEC(ZSTD(1)),
  Flags UInt32 CODEC(ZSTD(1)),
  Min Float64 CODEC(ZSTD(1)),
  Max Float64 CODEC(ZSTD(1)),
  AggregationTemporality Int32 CODEC(ZSTD(1)),
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_key mapKeys(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_value mapValues(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, Attributes, toUnixTimestamp64Nano(TimeUnix))
TTL toDate(TimeUnix) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS spanwarden.otel_metrics_summary ON CLUSTER 'prod' (
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ResourceSchemaUrl String CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  ScopeAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeDroppedAttrCount UInt32 CODEC(ZSTD(1)),
  ScopeSchemaUrl String CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  MetricName String CODEC(ZSTD(1)),
  MetricDescription String CODEC(ZSTD(1)),
  MetricUnit String CODEC(ZSTD(1)),
  Attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  StartTimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  TimeUnix DateTime64(9) CODEC(Delta, ZSTD(1)),
  Count UInt64 CODEC(Delta, ZSTD(1)),
  Sum Float64 CODEC(ZSTD(1)),
  ValueAtQuantiles Nested (Quantile Float64, Value Float64) CODEC(ZSTD(1)),
  Flags UInt32 CODEC(ZSTD(1)),
  INDEX idx_res_attr_key mapKeys(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_res_attr_value mapValues(ResourceAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_key mapKeys(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_scope_attr_value mapValues(ScopeAttributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_key mapKeys(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_attr_value mapValues(Attributes) TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, Attributes, toUnixTimestamp64Nano(TimeUnix))
TTL toDate(TimeUnix) + toIntervalDay(30)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (9, 'metrics');

CREATE OR REPLACE VIEW spanwarden.otel_traces_full ON CLUSTER 'prod' AS
SELECT span.* EXCEPT (MessagesOf, Letters) REPLACE (if(
    position(span.Letters, 'r') = 0,
    span.SpanAttributes,
    CAST(mapFromArrays(
      mapKeys(span.SpanAttributes),
      arrayMap(
        (value, place) -> if(substring(span.Letters, place, 1) = 'r', concat('[', arrayStringConcat(
          arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), splitByChar(' ', value)), ','), ']'), value),
        mapValues(span.SpanAttributes),
        range(1, length(span.SpanAttributes) + 1))
    ) AS Map(LowCardinality(String), String))
  ) AS SpanAttributes)
FROM (
  SELECT *, AgentName, ConversationId, UserId, ToolName, OperationName, RequestModel, InputTokens, OutputTokens,
    AttributeTypes, Facts, StitchedSession, SessionId, SessionSource,
    if(ConversationId = '', TraceId, ConversationId) AS MessagesOf,
    splitByChar('|', toString(AttributeTypes))[1] AS Letters
  FROM spanwarden.otel_traces
) AS span
LEFT JOIN (
  SELECT Conversation, mapFromArrays(groupArray(Hash), groupArray(Text)) AS Texts
  FROM (SELECT Conversation, Hash, Text FROM spanwarden.otel_messages LIMIT 1 BY Conversation, Hash)
  GROUP BY Conversation
) AS said ON said.Conversation = span.MessagesOf;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (10, 'lists');

ALTER TABLE spanwarden.cases ON CLUSTER 'prod' ADD COLUMN IF NOT EXISTS Alerted Bool DEFAULT 0 CODEC(ZSTD(1)) AFTER AlertSeq;

ALTER TABLE spanwarden.findings ON CLUSTER 'prod'
  ADD COLUMN IF NOT EXISTS SpoolId LowCardinality(String) DEFAULT extract(initialQueryID(), '^spool-([0-9a-f]{16})-')
    CODEC(ZSTD(1)) AFTER InsertedAt,
  ADD COLUMN IF NOT EXISTS SpoolSegment UInt64 DEFAULT toUInt64OrZero(extract(initialQueryID(), '^spool-[0-9a-f]{16}-([0-9]{16})-'))
    CODEC(Delta(8), ZSTD(1)) AFTER SpoolId,
  ADD INDEX IF NOT EXISTS idx_spool_segment SpoolSegment TYPE minmax GRANULARITY 1;

ALTER TABLE spanwarden.cases ON CLUSTER 'prod'
  ADD COLUMN IF NOT EXISTS SpoolId LowCardinality(String) DEFAULT extract(initialQueryID(), '^spool-([0-9a-f]{16})-')
    CODEC(ZSTD(1)) AFTER InsertedAt,
  ADD COLUMN IF NOT EXISTS SpoolSegment UInt64 DEFAULT toUInt64OrZero(extract(initialQueryID(), '^spool-[0-9a-f]{16}-([0-9]{16})-'))
    CODEC(Delta(8), ZSTD(1)) AFTER SpoolId,
  ADD INDEX IF NOT EXISTS idx_spool_segment SpoolSegment TYPE minmax GRANULARITY 1;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (11, 'exports');

CREATE TABLE IF NOT EXISTS spanwarden.agent_activity ON CLUSTER 'prod' (
  Time DateTime CODEC(Delta, ZSTD(1)),
  Agent LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  OperationName LowCardinality(String) CODEC(ZSTD(1)),
  ToolName LowCardinality(String) CODEC(ZSTD(1)),
  Model LowCardinality(String) CODEC(ZSTD(1)),
  McpMethod LowCardinality(String) CODEC(ZSTD(1)),
  ServerAddress LowCardinality(String) CODEC(ZSTD(1)),
  Decision LowCardinality(String) CODEC(ZSTD(1)),
  Spans SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Errors SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Duration SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Durations AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), UInt64) CODEC(ZSTD(1)),
  InputTokens SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  OutputTokens SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  CachedTokens SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  CostUsd SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  UnpricedCalls SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  FirstSeen SimpleAggregateFunction(min, DateTime64(9)) CODEC(ZSTD(1)),
  LastSeen SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1)),
  LastTraceId AggregateFunction(argMax, String, DateTime64(9)) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(Time)
ORDER BY (Agent, Time, OperationName, ToolName, Model, ServiceName, McpMethod, ServerAddress, Decision)
TTL toDate(Time) + toIntervalDay(365)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spanwarden.agent_activity_mv ON CLUSTER 'prod'
TO spanwarden.agent_activity AS
SELECT
  toStartOfFiveMinutes(Timestamp) AS Time,
  leftUTF8(replaceRegexpAll(if(span.AgentName = '', span.ServiceName, span.AgentName), '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Agent,
  ServiceName,
  OperationName,
  leftUTF8(replaceRegexpAll(span.ToolName, '[\\p{Cc}\\p{Cf}]', ' '), 200) AS ToolName,
  if(SpanAttributes['gen_ai.response.model'] = '', RequestModel, SpanAttributes['gen_ai.response.model']) AS Model,
  SpanAttributes['mcp.method.name'] AS McpMethod,
  if(McpMethod = '', '', SpanAttributes['server.address']) AS ServerAddress,
  SpanAttributes['spanwarden.decision'] AS Decision,
  count() AS Spans,
  countIf(StatusCode IN ('Error', 'STATUS_CODE_ERROR')) AS Errors,
  sum(Duration) AS Duration,
  quantilesTDigestState(0.5, 0.95, 0.99)(span.Duration) AS Durations,
  sum(toUInt64OrZero(Facts['spanwarden.usage.input_tokens'][1])) AS InputTokens,
  sum(toUInt64OrZero(Facts['spanwarden.usage.output_tokens'][1])) AS OutputTokens,
  sum(toUInt64OrZero(Facts['spanwarden.usage.cached_tokens'][1])) AS CachedTokens,
  sum(toFloat64OrZero(Facts['spanwarden.usage.cost_usd'][1])) AS CostUsd,
  countIf(mapContains(Facts, 'spanwarden.usage.input_tokens') AND NOT mapContains(Facts, 'spanwarden.usage.cost_usd')) AS UnpricedCalls,
  min(Timestamp) AS FirstSeen,
  max(Timestamp) AS LastSeen,
  argMaxState(TraceId, Timestamp) AS LastTraceId
FROM spanwarden.otel_traces AS span
GROUP BY Time, Agent, ServiceName, OperationName, ToolName, Model, McpMethod, ServerAddress, Decision;

CREATE TABLE IF NOT EXISTS spanwarden.session_activity ON CLUSTER 'prod' (
  Day Date CODEC(Delta, ZSTD(1)),
  Agent LowCardinality(String) CODEC(ZSTD(1)),
  SessionId String CODEC(ZSTD(1)),
  ServiceName SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
  UserId SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
  Start SimpleAggregateFunction(min, DateTime64(9)) CODEC(ZSTD(1)),
  End SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1)),
  Spans SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Errors SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  ModelCalls SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  ToolCalls SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  InputTokens SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  OutputTokens SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  CostUsd SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  LastTraceId AggregateFunction(argMax, String, DateTime64(9)) CODEC(ZSTD(1)),
  INDEX idx_session_id SessionId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY Day
ORDER BY (Agent, SessionId)
TTL Day + toIntervalDay(365)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spanwarden.session_activity_mv ON CLUSTER 'prod'
TO spanwarden.session_activity AS
SELECT
  toDate(Timestamp) AS Day,
  leftUTF8(replaceRegexpAll(if(span.AgentName = '', span.ServiceName, span.AgentName), '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Agent,
  multiIf(StitchedSession != '', StitchedSession, ConversationId != '', ConversationId, TraceId) AS SessionId,
  max(toString(span.ServiceName)) AS ServiceName,
  max(span.UserId) AS UserId,
  min(Timestamp) AS Start,
  max(addNanoseconds(Timestamp, Duration)) AS End,
  count() AS Spans,
  countIf(StatusCode IN ('Error', 'STATUS_CODE_ERROR')) AS Errors,
  countIf(OperationName IN ('chat', 'text_completion', 'generate_content')) AS ModelCalls,
  countIf(OperationName = 'execute_tool') AS ToolCalls,
  sum(toUInt64OrZero(Facts['spanwarden.usage.input_tokens'][1])) AS InputTokens,
  sum(toUInt64OrZero(Facts['spanwarden.usage.output_tokens'][1])) AS OutputTokens,
  sum(toFloat64OrZero(Facts['spanwarden.usage.cost_usd'][1])) AS CostUsd,
  argMaxState(TraceId, Timestamp) AS LastTraceId
FROM spanwarden.otel_traces AS span
WHERE OperationName != ''
GROUP BY Day, Agent, SessionId;

CREATE TABLE IF NOT EXISTS spanwarden.agent_values ON CLUSTER 'prod' (
  Time DateTime CODEC(Delta, ZSTD(1)),
  Kind LowCardinality(String) CODEC(ZSTD(1)),
  Agent LowCardinality(String) CODEC(ZSTD(1)),
  ToolName LowCardinality(String) CODEC(ZSTD(1)),
  Value String CODEC(ZSTD(1)),
  Detail String CODEC(ZSTD(1)),
  Spans SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  Bytes SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  FirstSeen SimpleAggregateFunction(min, DateTime64(9)) CODEC(ZSTD(1)),
  LastSeen SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1)),
  FirstTraceId AggregateFunction(argMin, String, DateTime64(9)) CODEC(ZSTD(1)),
  LastTraceId AggregateFunction(argMax, String, DateTime64(9)) CODEC(ZSTD(1))
) ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')
PARTITION BY toDate(Time)
ORDER BY (Kind, Agent, Value, Time, ToolName, Detail)
TTL toDate(Time) + toIntervalDay(365)
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS spanwarden.agent_values_mv ON CLUSTER 'prod'
TO spanwarden.agent_values AS
SELECT
  toStartOfHour(Timestamp) AS Time,
  entry.1 AS Kind,
  leftUTF8(replaceRegexpAll(if(span.AgentName = '', span.ServiceName, span.AgentName), '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Agent,
  if(Kind IN ('dialect', 'missing_identity'), '', leftUTF8(replaceRegexpAll(span.ToolName, '[\\p{Cc}\\p{Cf}]', ' '), 200)) AS ToolName,
  leftUTF8(entry.2, 200) AS Value,
  leftUTF8(entry.3, 200) AS Detail,
  count() AS Spans,
  sum(toUInt64OrZero(Facts['spanwarden.effect.body_bytes'][1])) AS Bytes,
  min(Timestamp) AS FirstSeen,
  max(Timestamp) AS LastSeen,
  argMinState(TraceId, Timestamp) AS FirstTraceId,
  argMaxState(TraceId, Timestamp) AS LastTraceId
FROM spanwarden.otel_traces AS span
ARRAY JOIN arrayConcat(
  arraySlice(arrayMap(v -> ('external_domain', v, arrayStringConcat(arrayConcat(Facts['spanwarden.outgoing.secrets'], Facts['spanwarden.outgoing.pii']), ',')), Facts['spanwarden.effect.external_domains']), 1, 50),
  arraySlice(arrayMap(v -> ('host_class', v, ''), Facts['spanwarden.effect.host_classes']), 1, 50),
  arraySlice(arrayMap(v -> ('effect', v, ''), Facts['spanwarden.effect.kinds']), 1, 50),
  arraySlice(arrayMap(v -> ('program', v, ''), Facts['spanwarden.effect.programs']), 1, 50),
  arraySlice(arrayMap(v -> ('sql_kind', v, ''), Facts['spanwarden.effect.sql_kinds']), 1, 50),
  arraySlice(arrayMap(v -> ('sql_table', v, ''), Facts['spanwarden.effect.sql_tables']), 1, 50),
  arraySlice(arrayMap(v -> ('outgoing_secret', v, ''), Facts['spanwarden.outgoing.secrets']), 1, 50),
  arraySlice(arrayMap(v -> ('outgoing_pii', v, ''), Facts['spanwarden.outgoing.pii']), 1, 50),
  arraySlice(arrayMap(v -> ('hidden_unicode', v, ''), Facts['spanwarden.content.hidden_unicode']), 1, 50),
  arraySlice(arrayMap(v -> ('untrusted_sink', v, ''), Facts['spanwarden.flow.sink_kinds']), 1, 50),
  arraySlice(arrayMap(v -> ('missing_content', v, ''), Facts['spanwarden.coverage.missing']), 1, 50),
  arraySlice(arrayMap(v -> ('dialect', v, ''), Facts['spanwarden.dialect']), 1, 50),
  arraySlice(arrayMap(v -> ('missing_identity', v, ''), arrayFilter(v -> v != '', if(OperationName = '', [], [if(ConversationId = '', 'conversation', ''), if(UserId = '', 'user', '')]))), 1, 50),
  arraySlice(arrayMap(v -> ('sandbox', v, ''), arrayFilter(v -> v != '', [SpanAttributes['spanwarden.sandbox'], if(SpanAttributes['spanwarden.sandbox_disabled'] = 'true', 'disabled', '')])), 1, 50),
  arraySlice(arrayMap(v -> ('decision', v, SpanAttributes['spanwarden.decision_source']), arrayFilter(v -> v != '', [SpanAttributes['spanwarden.decision']])), 1, 50),
  arraySlice(arrayMap(v -> ('tool_definition', coalesce(nullIf(JSONExtractString(v, 'name'), ''), JSONExtractString(v, 'function', 'name')), lower(hex(sipHash64(v)))), JSONExtractArrayRaw(SpanAttributes['gen_ai.tool.definitions'])), 1, 50)
) AS entry
GROUP BY Time, Kind, Agent, ToolName, Value, Detail;

CREATE MATERIALIZED VIEW IF NOT EXISTS spanwarden.agent_values_logs_mv ON CLUSTER 'prod'
TO spanwarden.agent_values AS
SELECT
  toStartOfHour(Timestamp) AS Time,
  entry.1 AS Kind,
  leftUTF8(replaceRegexpAll(if(LogAttributes['gen_ai.agent.name'] = '', log.ServiceName, LogAttributes['gen_ai.agent.name']), '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Agent,
  leftUTF8(replaceRegexpAll(LogAttributes['gen_ai.tool.name'], '[\\p{Cc}\\p{Cf}]', ' '), 200) AS ToolName,
  leftUTF8(entry.2, 200) AS Value,
  leftUTF8(entry.3, 200) AS Detail,
  count() AS Spans,
  0 AS Bytes,
  min(Timestamp) AS FirstSeen,
  max(Timestamp) AS LastSeen,
  argMinState(if(log.TraceId = '', LogAttributes['spanwarden.trace_id'], log.TraceId), Timestamp) AS FirstTraceId,
  argMaxState(if(log.TraceId = '', LogAttributes['spanwarden.trace_id'], log.TraceId), Timestamp) AS LastTraceId
FROM spanwarden.otel_logs AS log
ARRAY JOIN arrayFilter(e -> e.2 != '', [
  ('log_event', LogAttributes['spanwarden.agent_event'], if(log.TraceId = '', 'without a trace', '')),
  ('logged_decision', LogAttributes['spanwarden.decision'], LogAttributes['spanwarden.decision_source']),
  ('sandbox', if(LogAttributes['spanwarden.sandbox_disabled'] = 'true', 'disabled', ''), '')
]) AS entry
GROUP BY Time, Kind, Agent, ToolName, Value, Detail;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (12, 'activity');

ALTER TABLE spanwarden.cases ON CLUSTER 'prod'
  ADD COLUMN IF NOT EXISTS DecidedAt DateTime64(6) CODEC(ZSTD(1)) AFTER Alerted,
  ADD COLUMN IF NOT EXISTS Decision LowCardinality(String) CODEC(ZSTD(1)) AFTER DecidedAt,
  ADD COLUMN IF NOT EXISTS DecidedAs LowCardinality(String) CODEC(ZSTD(1)) AFTER Decision,
  ADD COLUMN IF NOT EXISTS DecidedWhy String CODEC(ZSTD(1)) AFTER DecidedAs,
  ADD COLUMN IF NOT EXISTS DecidedBy String CODEC(ZSTD(1)) AFTER DecidedWhy;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (13, 'decisions');

CREATE OR REPLACE VIEW spanwarden.findings_logs ON CLUSTER 'prod' AS
SELECT
  Timestamp,
  toDateTime(Timestamp) AS TimestampTime,
  TraceId,
  SpanId,
  transform(Severity, [1, 2, 3, 4, 5], ['info', 'info', 'warn', 'error', 'critical'], 'unknown') AS SeverityText,
  transform(Severity, [1, 2, 3, 4, 5], [9, 10, 13, 17, 21], 0)::UInt8 AS SeverityNumber,
  ServiceName,
  concat(RuleTitle, ': ', Reason) AS Body,
  map('service.name', toString(ServiceName), 'gen_ai.agent.name', toString(AgentName)) AS ResourceAttributes,
  'spanwarden' AS ScopeName,
  CAST(map() AS Map(LowCardinality(String), String)) AS ScopeAttributes,
  map(
    'finding.id', FindingId,
    'finding.level', toString(Level),
    'finding.group_key', GroupKey,
    'finding.evidence', arrayStringConcat(arrayMap(
      (field, wanted, excerpt) -> concat(field, ' ', wanted, ': ', excerpt),
      Evidence.Field, Evidence.Wanted, Evidence.Excerpt), '\n'),
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
FROM spanwarden.findings FINAL;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (14, 'finding_lines');

CREATE OR REPLACE VIEW spanwarden.otel_traces_full ON CLUSTER 'prod' AS
SELECT span.* EXCEPT (MessagesOf, Letters, Whole) REPLACE (
  if(
    empty(span.Whole),
    span.SpanAttributes,
    CAST(mapFromArrays(arrayMap(each -> each.1, span.Whole), arrayMap(each -> each.2, span.Whole)) AS Map(LowCardinality(String), String))
  ) AS SpanAttributes,
  if(
    empty(span.Whole),
    toString(span.AttributeTypes),
    concat(arrayStringConcat(arrayMap(each -> each.3, span.Whole)), substring(toString(span.AttributeTypes), length(span.Letters) + 1))
  ) AS AttributeTypes)
FROM (
  SELECT span.*,
    if(NOT match(span.Letters, '[rpkw]'), [], arraySort(each -> each.1, arrayFlatten(arrayMap(
      (name, value, place) -> multiIf(
        substring(span.Letters, place, 1) = 'r', [(name, concat('[', arrayStringConcat(arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), splitByChar(' ', value)), ','), ']'), 's')],
        substring(span.Letters, place, 1) = 'w', [(name, concat(arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), splitByChar(' ', value))[1], arrayStringConcat(arraySlice(arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), splitByChar(' ', value)), 2, -1), ','), arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), splitByChar(' ', value))[-1]), 's')],
        substring(span.Letters, place, 1) = 'p', [(name, concat('[', arrayStringConcat(arrayMap(hash -> if(mapContains(said.Texts, hash), said.Texts[hash], 'null'), splitByChar(' ', value)), ','), ']'), 'o')],
        substring(span.Letters, place, 1) = 'k', arrayFlatten(arrayMap(
          (hash, number) -> arrayMap(
            part -> (
              concat(name, '.', toString(number - 1), '.', part.1),
              if(startsWith(part.2, '['), JSONExtractString(part.2, 2), JSONExtractString(part.2)),
              if(startsWith(part.2, '['), JSONExtractString(part.2, 1), 's')),
            JSONExtractKeysAndValuesRaw(said.Texts[hash])),
          splitByChar(' ', value), arrayEnumerate(splitByChar(' ', value)))),
        [(name, value, substring(span.Letters, place, 1))]),
      arrayMap(name -> toString(name), mapKeys(span.SpanAttributes)),
      mapValues(span.SpanAttributes),
      range(1, length(span.SpanAttributes) + 1))))) AS Whole
  FROM (
    SELECT *, AgentName, ConversationId, UserId, ToolName, OperationName, RequestModel, InputTokens, OutputTokens,
      AttributeTypes, Facts, StitchedSession, SessionId, SessionSource,
      if(ConversationId = '', TraceId, ConversationId) AS MessagesOf,
      splitByChar('|', toString(AttributeTypes))[1] AS Letters
    FROM spanwarden.otel_traces
  ) AS span
  LEFT JOIN (
  SELECT Conversation, mapFromArrays(groupArray(Hash), groupArray(Text)) AS Texts
  FROM (SELECT Conversation, Hash, Text FROM spanwarden.otel_messages LIMIT 1 BY Conversation, Hash)
  GROUP BY Conversation
) AS said ON said.Conversation = span.MessagesOf
) AS span;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (15, 'keyed_lists');

ALTER TABLE spanwarden.agent_values_mv ON CLUSTER 'prod' MODIFY QUERY
SELECT
  toStartOfHour(Timestamp) AS Time,
  entry.1 AS Kind,
  leftUTF8(replaceRegexpAll(if(span.AgentName = '', span.ServiceName, span.AgentName), '[\\p{Cc}\\p{Cf}]', ' '), 200) AS Agent,
  if(Kind IN ('dialect', 'missing_identity'), '', leftUTF8(replaceRegexpAll(span.ToolName, '[\\p{Cc}\\p{Cf}]', ' '), 200)) AS ToolName,
  leftUTF8(entry.2, 200) AS Value,
  leftUTF8(entry.3, 200) AS Detail,
  count() AS Spans,
  sum(toUInt64OrZero(Facts['spanwarden.effect.body_bytes'][1])) AS Bytes,
  min(Timestamp) AS FirstSeen,
  max(Timestamp) AS LastSeen,
  argMinState(TraceId, Timestamp) AS FirstTraceId,
  argMaxState(TraceId, Timestamp) AS LastTraceId
FROM spanwarden.otel_traces AS span
ARRAY JOIN arrayConcat(
  arraySlice(arrayMap(v -> ('external_domain', v, arrayStringConcat(arrayConcat(Facts['spanwarden.outgoing.secrets'], Facts['spanwarden.outgoing.pii']), ',')), Facts['spanwarden.effect.external_domains']), 1, 50),
  arraySlice(arrayMap(v -> ('host_class', v, ''), Facts['spanwarden.effect.host_classes']), 1, 50),
  arraySlice(arrayMap(v -> ('effect', v, ''), Facts['spanwarden.effect.kinds']), 1, 50),
  arraySlice(arrayMap(v -> ('program', v, ''), Facts['spanwarden.effect.programs']), 1, 50),
  arraySlice(arrayMap(v -> ('sql_kind', v, ''), Facts['spanwarden.effect.sql_kinds']), 1, 50),
  arraySlice(arrayMap(v -> ('sql_table', v, ''), Facts['spanwarden.effect.sql_tables']), 1, 50),
  arraySlice(arrayMap(v -> ('outgoing_secret', v, ''), Facts['spanwarden.outgoing.secrets']), 1, 50),
  arraySlice(arrayMap(v -> ('outgoing_pii', v, ''), Facts['spanwarden.outgoing.pii']), 1, 50),
  arraySlice(arrayMap(v -> ('hidden_unicode', v, ''), Facts['spanwarden.content.hidden_unicode']), 1, 50),
  arraySlice(arrayMap(v -> ('untrusted_sink', v, ''), Facts['spanwarden.flow.sink_kinds']), 1, 50),
  arraySlice(arrayMap(v -> ('missing_content', v, ''), Facts['spanwarden.coverage.missing']), 1, 50),
  arraySlice(arrayMap(v -> ('dialect', v, ''), Facts['spanwarden.dialect']), 1, 50),
  arraySlice(arrayMap(v -> ('missing_identity', v, ''), arrayFilter(v -> v != '', if(OperationName = '', [], [if(ConversationId = '', 'conversation', ''), if(UserId = '', 'user', '')]))), 1, 50),
  arraySlice(arrayMap(v -> ('sandbox', v, ''), arrayFilter(v -> v != '', [SpanAttributes['spanwarden.sandbox'], if(SpanAttributes['spanwarden.sandbox_disabled'] = 'true', 'disabled', '')])), 1, 50),
  arraySlice(arrayMap(v -> ('decision', v, SpanAttributes['spanwarden.decision_source']), arrayFilter(v -> v != '', [SpanAttributes['spanwarden.decision']])), 1, 50),
  arraySlice(arrayConcat(
    arrayMap(v -> ('tool_definition', substring(v, 1, length(v) - length(substringIndex(v, ' ', -1)) - 1), substringIndex(v, ' ', -1)), Facts['spanwarden.tool.definition_hashes']),
    arrayFilter(e -> NOT has(arrayMap(h -> substring(h, 1, length(h) - length(substringIndex(h, ' ', -1)) - 1), Facts['spanwarden.tool.definition_hashes']), e.2), arrayMap(v -> ('tool_definition', coalesce(nullIf(JSONExtractString(v, 'name'), ''), JSONExtractString(v, 'function', 'name')), lower(hex(sipHash64(v)))), JSONExtractArrayRaw(SpanAttributes['gen_ai.tool.definitions'])))), 1, 50)
) AS entry
GROUP BY Time, Kind, Agent, ToolName, Value, Detail;

INSERT INTO spanwarden.spanwarden_migrations (Version, Name) VALUES (16, 'definitions');
