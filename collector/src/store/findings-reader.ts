import type { Finding } from '../model/finding.ts';
import { type Level, severityId } from '../model/severity.ts';
import type { StoreClient } from './client.ts';
import { type Disposition, type FindingMark, markedSo, newestMarks, unmarked } from './finding-marks.ts';

/** A finding as it stands in ClickHouse. Times are ISO 8601 in UTC with nanoseconds. */
export interface StoredFinding extends Omit<Finding, 'timeNanos' | 'session'> {
  readonly time: string;
  readonly sessionId: string;
  readonly sessionSource: string;
  /** How often it was seen; more than 1 for correlations. */
  readonly count: number;
  readonly lastSeen: string;
  /** When ClickHouse took it. */
  readonly insertedAt: string;
  /** What somebody said it is, last. */
  readonly mark?: FindingMark;
}

export interface FindingFilter {
  /** At least this level. */
  readonly level?: Level;
  /** The id or name of a rule, one it had before a rename, or a part of its title in any case. */
  readonly rule?: string;
  /** The name of the agent, or of its service. */
  readonly agent?: string;
  readonly traceId?: string;
  readonly conversationId?: string;
  readonly sessionId?: string;
  /** Event time. */
  readonly since?: Date;
  readonly disposition?: Disposition | 'unmarked';
  /** At most this many; default 50, at most 10 000. */
  readonly limit?: number;
}

const limitDefault = 50;
const limitMax = 10_000;

/** Findings, newest first. */
export async function listFindings(client: StoreClient, filter: FindingFilter = {}): Promise<StoredFinding[]> {
  const { conditions, parameters } = conditionsOf(filter);
  return select(client, {
    where: conditions,
    order: 'Timestamp DESC, FindingId',
    parameters: { ...parameters, limit: clampLimit(filter.limit) },
  });
}

/** The finding with this id, or the only one whose id starts so. */
export async function getFinding(
  client: StoreClient,
  idOrPrefix: string,
): Promise<{ status: 'found'; finding: StoredFinding } | { status: 'none' | 'ambiguous' }> {
  const found = await select(client, {
    where: ['startsWith(FindingId, {prefix:String})'],
    order: 'Timestamp DESC, FindingId',
    parameters: { prefix: idOrPrefix, limit: 2 },
  });
  const [finding] = found;
  if (finding === undefined) return { status: 'none' };
  return found.length > 1 ? { status: 'ambiguous' } : { status: 'found', finding };
}

/** Where a tail stands; begin with `tailStart`. */
export interface TailCursor {
  readonly insertedAt: string;
  readonly id: string;
}

/** A cursor before every finding that is inserted after `time`. */
export function tailStart(time: Date): TailCursor {
  return { insertedAt: time.toISOString(), id: '' };
}

/**
 * Findings inserted after the cursor, in the order of insertion, and the cursor for the next call. An updated finding
 * comes again.
 */
export async function findingsAfter(
  client: StoreClient,
  cursor: TailCursor,
  filter: FindingFilter = {},
): Promise<{ findings: StoredFinding[]; cursor: TailCursor }> {
  const { conditions, parameters } = conditionsOf(filter);
  const findings = await select(client, {
    where: [...conditions, "(InsertedAt, FindingId) > (parseDateTime64BestEffort({at:String}, 3, 'UTC'), {id:String})"],
    order: 'InsertedAt, FindingId',
    parameters: { ...parameters, at: cursor.insertedAt, id: cursor.id, limit: clampLimit(filter.limit ?? limitMax) },
  });
  const last = findings.at(-1);
  return { findings, cursor: last === undefined ? cursor : { insertedAt: last.insertedAt, id: last.id } };
}

type CountedTable = 'otel_traces' | 'findings';

/** How many rows each table has; findings are counted once each. */
export async function rowCounts(client: StoreClient): Promise<Record<CountedTable, number>> {
  const query = `SELECT (SELECT count() FROM otel_traces) AS otel_traces, (SELECT count() FROM findings FINAL) AS findings`;
  const result = await client.query({ query, format: 'JSONEachRow' });
  const [row] = await result.json<Record<CountedTable, string>>();
  return { otel_traces: Number(row?.otel_traces ?? 0), findings: Number(row?.findings ?? 0) };
}

export interface StoredSpan {
  readonly time: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  readonly serviceName: string;
  readonly durationNanos: string;
  readonly statusCode: string;
  readonly statusMessage: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The spans of one trace by start, at most 10 000. */
export async function traceSpans(client: StoreClient, traceId: string): Promise<StoredSpan[]> {
  const result = await client.query({
    query: `WITH (SELECT (min(Start), max(End) + 1) FROM otel_traces_trace_id_ts WHERE TraceId = {traceId:String}) AS range
SELECT Timestamp AS time, TraceId AS traceId, SpanId AS spanId, ParentSpanId AS parentSpanId, SpanName AS name,
  SpanKind AS kind, ServiceName AS serviceName, Duration AS durationNanos, StatusCode AS statusCode,
  StatusMessage AS statusMessage, SpanAttributes AS attributes
FROM otel_traces
WHERE TraceId = {traceId:String} AND Timestamp >= range.1 AND Timestamp <= range.2
ORDER BY Timestamp, SpanId LIMIT {limit:UInt32}`,
    query_params: { traceId, limit: limitMax },
    format: 'JSONEachRow',
  });
  return result.json<StoredSpan>();
}

function conditionsOf(filter: FindingFilter): { conditions: string[]; parameters: Record<string, unknown> } {
  const conditions: string[] = [];
  const parameters: Record<string, unknown> = {};
  const add = (condition: string, name: string, value: unknown) => {
    if (value === undefined) return;
    conditions.push(condition);
    parameters[name] = value;
  };
  const { level, rule, agent, traceId, conversationId, sessionId, since, disposition } = filter;
  add('Severity >= {severity:UInt8}', 'severity', level === undefined ? undefined : severityId(level));
  add(ofRule, 'rule', rule);
  add(disposition === 'unmarked' ? unmarked : markedSo, 'disposition', disposition);
  add('(AgentName = {agent:String} OR ServiceName = {agent:String})', 'agent', agent);
  add('TraceId = {traceId:String}', 'traceId', traceId);
  add('ConversationId = {conversationId:String}', 'conversationId', conversationId);
  add('SessionId = {sessionId:String}', 'sessionId', sessionId);
  add('Timestamp >= fromUnixTimestamp64Milli({sinceMs:Int64})', 'sinceMs', since?.getTime());
  return { conditions, parameters };
}

/** A rule has all the findings that it made under the ids it had before. */
const ofRule = `(RuleId = {rule:String} OR positionCaseInsensitiveUTF8(RuleTitle, {rule:String}) > 0 OR RuleId IN (
  SELECT arrayJoin(arrayPushBack(FormerIds, RuleId)) FROM rule_states FINAL
  WHERE RuleId = {rule:String} OR RuleName = {rule:String} OR has(FormerIds, {rule:String})))`;

type FindingRow = Omit<StoredFinding, 'evidence'> & {
  readonly evidence: readonly [string, string, string, string][];
};

async function select(
  client: StoreClient,
  parts: { where: readonly string[]; order: string; parameters: Record<string, unknown> },
): Promise<StoredFinding[]> {
  const where = parts.where.length === 0 ? '' : `WHERE ${parts.where.join(' AND ')}`;
  const result = await client.query({
    query: `SELECT FindingId AS id, Timestamp AS time, RuleId AS ruleId, RuleTitle AS ruleTitle,
  RuleVersion AS ruleVersion, Level AS level, Response AS response, Tags AS tags, Reason AS reason,
  GroupKey AS groupKey, TraceId AS traceId, SpanId AS spanId, SpanName AS spanName, ServiceName AS serviceName,
  AgentName AS agentName, ConversationId AS conversationId, SessionId AS sessionId,
  SessionSource AS sessionSource, UserId AS userId, ToolName AS toolName,
  arrayZip(Evidence.Selection, Evidence.Field, Evidence.Wanted, Evidence.Excerpt) AS evidence,
  toUInt32(least(Count, 4294967295)) AS count, LastSeen AS lastSeen,
  InsertedAt AS insertedAt
FROM findings FINAL ${where} ORDER BY ${parts.order} LIMIT {limit:UInt32}`,
    query_params: parts.parameters,
    format: 'JSONEachRow',
  });
  const rows = await result.json<FindingRow>();
  const marks = await newestMarks(
    client,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => ({
    ...row,
    ...(marks.has(row.id) && { mark: marks.get(row.id)! }),
    evidence: row.evidence.map(([selection, field, wanted, excerpt]) => ({ selection, field, wanted, excerpt })),
  }));
}

function clampLimit(limit: number | undefined): number {
  return Math.max(1, Math.min(limitMax, Math.floor(limit ?? limitDefault)));
}
