import { tableSettings as usualSettings } from './otel-tables.ts';

/**
 * Who reads one of these asks for an agent or a kind, of which a day has some hundreds of rows: with the usual granule of 8,192 rows most of
 * what is read would belong to others.
 */
const tableSettings = usualSettings.replace('index_granularity = 8192', 'index_granularity = 1024');

const name = 'LowCardinality(String) CODEC(ZSTD(1))';
const text = 'String CODEC(ZSTD(1))';
const count = 'SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1))';
const firstSeen = 'SimpleAggregateFunction(min, DateTime64(9)) CODEC(ZSTD(1))';
const lastSeen = 'SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1))';

/** Values of one kind that a span brings to `agent_values`, and characters of a value or name; more is left out. */
const valuesPerKind = 50;
const valueCharacters = 200;

/**
 * A name as dashboards show it and choose by it: bounded, and without characters that hide or reverse text. Kept so, it is compared by the
 * sorting key and not row by row.
 */
const shown = (text: string) => `leftUTF8(replaceRegexpAll(${text}, '[\\\\p{Cc}\\\\p{Cf}]', ' '), ${valueCharacters})`;
// Of the span: an alias of the view may have the same name.
const agent = shown("if(span.AgentName = '', span.ServiceName, span.AgentName)");
const tool = shown('span.ToolName');
// An insert into a view sees what is stored, not what is an ALIAS.
const session = "multiIf(StitchedSession != '', StitchedSession, ConversationId != '', ConversationId, TraceId)";
const attribute = (key: string) => `SpanAttributes['${key}']`;
const fact = (key: string) => `Facts['spanwarden.${key}']`;
const figure = (key: string) => `toUInt64OrZero(${fact(key)}[1])`;
const isError = "StatusCode IN ('Error', 'STATUS_CODE_ERROR')";
const model = `if(${attribute('gen_ai.response.model')} = '', RequestModel, ${attribute('gen_ai.response.model')})`;
const cost = `toFloat64OrZero(${fact('usage.cost_usd')}[1])`;
const listedName = "coalesce(nullIf(JSONExtractString(v, 'name'), ''), JSONExtractString(v, 'function', 'name'))";
const listed = `JSONExtractArrayRaw(${attribute('gen_ai.tool.definitions')})`;
/** Definitions of tools as (kind, name, hash), out of the list that the span has. */
const listedDefinitions = `arrayMap(v -> ('tool_definition', ${listedName}, lower(hex(sipHash64(v)))), ${listed})`;
const unpriced =
  "mapContains(Facts, 'spanwarden.usage.input_tokens') AND NOT mapContains(Facts, 'spanwarden.usage.cost_usd')";

/**
 * What spans add up to, so that a dashboard over millions of them reads thousands of rows: kept by views as spans arrive, and by the
 * same deduplication as the spans. All three are read with sum(), min(), max() and the like, because rows of one key meet when
 * merges come. They begin with the spans that arrive after the migration.
 */
export function activityTables(database: string, ttlDays: number): string[] {
  return [
    ...agentActivity(database, ttlDays),
    ...sessionActivity(database, ttlDays),
    ...agentValues(database, ttlDays),
  ];
}

/** Which agent did what with which tool or model, in steps of five minutes. */
function agentActivity(database: string, ttlDays: number): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.agent_activity (
  Time DateTime CODEC(Delta, ZSTD(1)),
  Agent ${name},
  ServiceName ${name},
  OperationName ${name},
  ToolName ${name},
  Model ${name},
  McpMethod ${name},
  ServerAddress ${name},
  Decision ${name},
  Spans ${count},
  Errors ${count},
  Duration ${count},
  Durations AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), UInt64) CODEC(ZSTD(1)),
  InputTokens ${count},
  OutputTokens ${count},
  CachedTokens ${count},
  CostUsd SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  UnpricedCalls ${count},
  FirstSeen ${firstSeen},
  LastSeen ${lastSeen},
  LastTraceId AggregateFunction(argMax, String, DateTime64(9)) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toDate(Time)
ORDER BY (Agent, Time, OperationName, ToolName, Model, ServiceName, McpMethod, ServerAddress, Decision)
TTL toDate(Time) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.agent_activity_mv
TO ${database}.agent_activity AS
SELECT
  toStartOfFiveMinutes(Timestamp) AS Time,
  ${agent} AS Agent,
  ServiceName,
  OperationName,
  ${tool} AS ToolName,
  ${model} AS Model,
  ${attribute('mcp.method.name')} AS McpMethod,
  if(McpMethod = '', '', ${attribute('server.address')}) AS ServerAddress,
  ${attribute('spanwarden.decision')} AS Decision,
  count() AS Spans,
  countIf(${isError}) AS Errors,
  sum(Duration) AS Duration,
  quantilesTDigestState(0.5, 0.95, 0.99)(span.Duration) AS Durations,
  sum(${figure('usage.input_tokens')}) AS InputTokens,
  sum(${figure('usage.output_tokens')}) AS OutputTokens,
  sum(${figure('usage.cached_tokens')}) AS CachedTokens,
  sum(${cost}) AS CostUsd,
  countIf(${unpriced}) AS UnpricedCalls,
  min(Timestamp) AS FirstSeen,
  max(Timestamp) AS LastSeen,
  argMaxState(TraceId, Timestamp) AS LastTraceId
FROM ${database}.otel_traces AS span
GROUP BY Time, Agent, ServiceName, OperationName, ToolName, Model, McpMethod, ServerAddress, Decision`,
  ];
}

/** One row for each session and day: how long, how many calls, what it cost. */
function sessionActivity(database: string, ttlDays: number): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.session_activity (
  Day Date CODEC(Delta, ZSTD(1)),
  Agent ${name},
  SessionId ${text},
  ServiceName SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
  UserId SimpleAggregateFunction(max, String) CODEC(ZSTD(1)),
  Start ${firstSeen},
  End ${lastSeen},
  Spans ${count},
  Errors ${count},
  ModelCalls ${count},
  ToolCalls ${count},
  InputTokens ${count},
  OutputTokens ${count},
  CostUsd SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  LastTraceId AggregateFunction(argMax, String, DateTime64(9)) CODEC(ZSTD(1)),
  INDEX idx_session_id SessionId TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = AggregatingMergeTree
PARTITION BY Day
ORDER BY (Agent, SessionId)
TTL Day + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.session_activity_mv
TO ${database}.session_activity AS
SELECT
  toDate(Timestamp) AS Day,
  ${agent} AS Agent,
  ${session} AS SessionId,
  max(toString(span.ServiceName)) AS ServiceName,
  max(span.UserId) AS UserId,
  min(Timestamp) AS Start,
  max(addNanoseconds(Timestamp, Duration)) AS End,
  count() AS Spans,
  countIf(${isError}) AS Errors,
  countIf(OperationName IN ('chat', 'text_completion', 'generate_content')) AS ModelCalls,
  countIf(OperationName = 'execute_tool') AS ToolCalls,
  sum(${figure('usage.input_tokens')}) AS InputTokens,
  sum(${figure('usage.output_tokens')}) AS OutputTokens,
  sum(${cost}) AS CostUsd,
  argMaxState(TraceId, Timestamp) AS LastTraceId
FROM ${database}.otel_traces AS span
WHERE OperationName != ''
GROUP BY Day, Agent, SessionId`,
  ];
}

/**
 * Values that spans of agents brought, by their kind: external domains, programs, tables and so on. `Detail` goes with the value: of a
 * domain the kinds of secrets and personal data that were sent there, of a tool definition its hash, of a decision who or what
 * decided. Decisions and events in log records are of kinds of their own, because a call may be told both ways.
 */
function agentValues(database: string, ttlDays: number): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.agent_values (
  Time DateTime CODEC(Delta, ZSTD(1)),
  Kind ${name},
  Agent ${name},
  ToolName ${name},
  Value ${text},
  Detail ${text},
  Spans ${count},
  Bytes ${count},
  FirstSeen ${firstSeen},
  LastSeen ${lastSeen},
  FirstTraceId AggregateFunction(argMin, String, DateTime64(9)) CODEC(ZSTD(1)),
  LastTraceId AggregateFunction(argMax, String, DateTime64(9)) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toDate(Time)
ORDER BY (Kind, Agent, Value, Time, ToolName, Detail)
TTL toDate(Time) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.agent_values_mv
TO ${database}.agent_values AS
${spanValuesQuery(database, listedDefinitions)}`,
    logValuesView(database),
  ];
}

/**
 * Definitions of tools by their stored hashes, which are there whatever becomes of the list and whichever dialect told it. What has none, as tools that
 * were offered by their names alone, is taken from the list as before.
 */
export function definitionsByHash(database: string): string[] {
  const hashes = fact('tool.definition_hashes');
  const hash = "substringIndex(v, ' ', -1)";
  const name = (v: string) => `substring(${v}, 1, length(${v}) - length(substringIndex(${v}, ' ', -1)) - 1)`;
  const definitions = `arrayConcat(
    arrayMap(v -> ('tool_definition', ${name('v')}, ${hash}), ${hashes}),
    arrayFilter(e -> NOT has(arrayMap(h -> ${name('h')}, ${hashes}), e.2), ${listedDefinitions}))`;
  return [`ALTER TABLE ${database}.agent_values_mv MODIFY QUERY\n${spanValuesQuery(database, definitions)}`];
}

/** @param definitions of tools, as (kind, value, detail) */
function spanValuesQuery(database: string, definitions: string): string {
  return `SELECT
  toStartOfHour(Timestamp) AS Time,
  entry.1 AS Kind,
  ${agent} AS Agent,
  if(Kind IN ('dialect', 'missing_identity'), '', ${tool}) AS ToolName,
  leftUTF8(entry.2, ${valueCharacters}) AS Value,
  leftUTF8(entry.3, ${valueCharacters}) AS Detail,
  count() AS Spans,
  sum(${figure('effect.body_bytes')}) AS Bytes,
  min(Timestamp) AS FirstSeen,
  max(Timestamp) AS LastSeen,
  argMinState(TraceId, Timestamp) AS FirstTraceId,
  argMaxState(TraceId, Timestamp) AS LastTraceId
FROM ${database}.otel_traces AS span
ARRAY JOIN arrayConcat(
  ${spanValues(definitions).join(',\n  ')}
) AS entry
GROUP BY Time, Kind, Agent, ToolName, Value, Detail`;
}

/** Lists of (kind, value, detail), one for each kind of what a span may bring. */
function spanValues(definitions: string): string[] {
  const outgoing = `arrayStringConcat(arrayConcat(${fact('outgoing.secrets')}, ${fact('outgoing.pii')}), ',')`;
  const plain = (kind: string, values: string) => `arrayMap(v -> ('${kind}', v, ''), ${values})`;
  const unidentified = ['ConversationId', 'UserId'].map((column) => `if(${column} = '', '${missing[column]}', '')`);
  return [
    `arrayMap(v -> ('external_domain', v, ${outgoing}), ${fact('effect.external_domains')})`,
    plain('host_class', fact('effect.host_classes')),
    plain('effect', fact('effect.kinds')),
    plain('program', fact('effect.programs')),
    plain('sql_kind', fact('effect.sql_kinds')),
    plain('sql_table', fact('effect.sql_tables')),
    plain('outgoing_secret', fact('outgoing.secrets')),
    plain('outgoing_pii', fact('outgoing.pii')),
    plain('hidden_unicode', fact('content.hidden_unicode')),
    plain('untrusted_sink', fact('flow.sink_kinds')),
    plain('missing_content', fact('coverage.missing')),
    plain('dialect', fact('dialect')),
    plain('missing_identity', given(`if(OperationName = '', [], [${unidentified.join(', ')}])`)),
    plain('sandbox', given(`[${attribute('spanwarden.sandbox')}, ${sandboxDisabled('SpanAttributes')}]`)),
    `arrayMap(v -> ('decision', v, ${attribute('spanwarden.decision_source')}), ${given(`[${attribute('spanwarden.decision')}]`)})`,
    definitions,
  ].map((values) => `arraySlice(${values}, 1, ${valuesPerKind})`);
}

const missing: Readonly<Record<string, string>> = { ConversationId: 'conversation', UserId: 'user' };

function given(values: string): string {
  return `arrayFilter(v -> v != '', ${values})`;
}

function sandboxDisabled(attributes: string): string {
  return `if(${attributes}['spanwarden.sandbox_disabled'] = 'true', 'disabled', '')`;
}

/** What log records of agents tell: each event, and what was decided about tool calls. */
function logValuesView(database: string): string {
  const said = (key: string) => `LogAttributes['${key}']`;
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.agent_values_logs_mv
TO ${database}.agent_values AS
SELECT
  toStartOfHour(Timestamp) AS Time,
  entry.1 AS Kind,
  ${shown(`if(${said('gen_ai.agent.name')} = '', log.ServiceName, ${said('gen_ai.agent.name')})`)} AS Agent,
  ${shown(said('gen_ai.tool.name'))} AS ToolName,
  leftUTF8(entry.2, ${valueCharacters}) AS Value,
  leftUTF8(entry.3, ${valueCharacters}) AS Detail,
  count() AS Spans,
  0 AS Bytes,
  min(Timestamp) AS FirstSeen,
  max(Timestamp) AS LastSeen,
  argMinState(if(log.TraceId = '', ${said('spanwarden.trace_id')}, log.TraceId), Timestamp) AS FirstTraceId,
  argMaxState(if(log.TraceId = '', ${said('spanwarden.trace_id')}, log.TraceId), Timestamp) AS LastTraceId
FROM ${database}.otel_logs AS log
ARRAY JOIN arrayFilter(e -> e.2 != '', [
  ('log_event', ${said('spanwarden.agent_event')}, if(log.TraceId = '', 'without a trace', '')),
  ('logged_decision', ${said('spanwarden.decision')}, ${said('spanwarden.decision_source')}),
  ('sandbox', ${sandboxDisabled('LogAttributes')}, '')
]) AS entry
GROUP BY Time, Kind, Agent, ToolName, Value, Detail`;
}
