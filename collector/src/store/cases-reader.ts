import type { Case, CaseFinding } from '../model/case.ts';
import { type Level, severityId } from '../model/severity.ts';
import type { StoreClient } from './client.ts';
import type { Disposition } from './finding-marks.ts';

export type CaseStatus = 'open' | 'closed';

/** A case as it stands in ClickHouse. Times are ISO 8601 in UTC. */
export type StoredCase = Pick<Case, SharedKey> & {
  readonly status: CaseStatus;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly timeline: readonly StoredStep[];
};

type SharedKey =
  | ('id' | 'headline' | 'level' | 'raisedBy' | 'findings' | 'count' | 'votes')
  | ('agents' | 'users' | 'conversations' | 'traceIds' | 'chainIds');

/** A finding of the timeline, with its time as text. */
export type StoredStep = Omit<CaseFinding, 'timeNanos' | 'lastSeenNanos'> & { readonly time: string };

/** What somebody did about a case. */
export interface CaseEvent {
  readonly time: string;
  readonly caseId: string;
  readonly action: 'close' | 'reopen';
  /** Of a closing. */
  readonly disposition: Disposition | '';
  readonly reason: string;
  readonly by: string;
}

export interface CaseFilter {
  readonly status?: CaseStatus;
  /** At least this level. */
  readonly level?: Level;
  readonly agent?: string;
  /** One of these is in it. */
  readonly traceIds?: readonly string[];
  /** Event time of the newest finding. */
  readonly since?: Date;
  /** At most this many; default 50, at most 10 000. */
  readonly limit?: number;
}

const limitMax = 10_000;

/** Cases, the newest activity first. */
export async function listCases(client: StoreClient, filter: CaseFilter = {}): Promise<StoredCase[]> {
  const conditions: string[] = [];
  const parameters: Record<string, unknown> = {};
  const add = (condition: string, key: string, value: unknown): void => {
    if (value === undefined) return;
    conditions.push(condition);
    parameters[key] = value;
  };
  const { status, level, agent, traceIds, since, limit = 50 } = filter;
  add('Status = {status:String}', 'status', status);
  add('Severity >= {severity:UInt8}', 'severity', level === undefined ? undefined : severityId(level));
  add('has(Agents, {agent:String})', 'agent', agent);
  add('hasAny(TraceIds, {traceIds:Array(String)})', 'traceIds', traceIds);
  add('LastSeen >= fromUnixTimestamp64Milli({sinceMs:Int64})', 'sinceMs', since?.getTime());
  return select(client, conditions, { ...parameters, limit: Math.max(1, Math.min(limitMax, Math.floor(limit))) });
}

export type FoundCase =
  | { readonly status: 'found'; readonly found: StoredCase; readonly events: readonly CaseEvent[] }
  | { readonly status: 'none' | 'ambiguous' };

/** The case with this id, or the only one whose id starts so; of one that became part of another, that other one. */
export async function getCase(client: StoreClient, idOrPrefix: string): Promise<FoundCase> {
  const result = await client.query({
    query: `SELECT if(MergedInto = '', CaseId, MergedInto) AS id
FROM cases FINAL WHERE startsWith(CaseId, {prefix:String}) GROUP BY id ORDER BY id LIMIT 2`,
    query_params: { prefix: idOrPrefix },
    format: 'JSONEachRow',
  });
  const ids = await result.json<{ id: string }>();
  if (ids.length !== 1) return { status: ids.length === 0 ? 'none' : 'ambiguous' };
  const [found] = await select(client, ['CaseId = {id:String}'], { id: ids[0]!.id, limit: 1 });
  if (found === undefined) return { status: 'none' };
  return { status: 'found', found, events: await eventsOf(client, found) };
}

/** Notes what somebody did about a case, together with how the case stood then: by that a closing knows what is new. */
export async function addCaseEvent(
  client: StoreClient,
  { id, level, findings, chainIds }: StoredCase,
  event: Omit<CaseEvent, 'time' | 'caseId'>,
  at: Date,
): Promise<void> {
  const row = {
    CaseId: id,
    At: at.toISOString().replace('Z', ''),
    Action: event.action,
    Disposition: event.disposition,
    Reason: event.reason,
    DoneBy: event.by,
    Severity: severityId(level),
    Findings: findings,
    Chains: chainIds.length,
  };
  await client.insert({
    table: 'case_events',
    values: [row],
    format: 'JSONEachRow',
    // The person waits, and asks for the case next.
    clickhouse_settings: { async_insert: 0, date_time_input_format: 'best_effort' },
  });
}

/** How many findings there are, and how many of the spans, for an empty list that says why it is empty. */
export async function caseCounts(client: StoreClient): Promise<{ cases: number; findings: number; spans: number }> {
  const query = `SELECT (SELECT count() FROM case_list) AS cases, (SELECT count() FROM findings FINAL) AS findings,
  (SELECT count() FROM otel_traces) AS spans`;
  const result = await client.query({ query, format: 'JSONEachRow' });
  const [row] = await result.json<{ cases: string; findings: string; spans: string }>();
  return { cases: Number(row?.cases), findings: Number(row?.findings), spans: Number(row?.spans) };
}

/** Of a case that others became part of also what was done about those. */
async function eventsOf(client: StoreClient, { id, chainIds }: StoredCase): Promise<CaseEvent[]> {
  const result = await client.query({
    query: `SELECT formatDateTime(At, '%Y-%m-%dT%H:%i:%S', 'UTC') AS time, CaseId AS caseId, Action AS action,
  Disposition AS disposition, Reason AS reason, DoneBy AS by
FROM case_events WHERE CaseId IN {ids:Array(String)} ORDER BY At LIMIT 1000`,
    query_params: { ids: [id, ...chainIds] },
    format: 'JSONEachRow',
  });
  return result.json<CaseEvent>();
}

interface CaseRow extends Omit<StoredCase, 'votes' | 'timeline'> {
  readonly votes: readonly [string, string, Level, string, string][];
  readonly timeline: readonly (readonly string[])[];
}

const stepKeys = [
  ...['findingId', 'time', 'count', 'ruleId', 'ruleTitle', 'level', 'traceId', 'spanId', 'spanName', 'agentName'],
  ...['toolName', 'shown'],
] as const;

async function select(
  client: StoreClient,
  conditions: readonly string[],
  parameters: Record<string, unknown>,
): Promise<StoredCase[]> {
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const result = await client.query({
    query: `SELECT CaseId AS id, Status AS status, Headline AS headline, Level AS level, RaisedBy AS raisedBy,
  FirstSeen AS firstSeen, LastSeen AS lastSeen, toUInt32(least(Findings, 4294967295)) AS findings,
  toUInt32(least(Count, 4294967295)) AS count, Agents AS agents, Users AS users, Conversations AS conversations,
  TraceIds AS traceIds, ChainIds AS chainIds,
  arrayZip(Votes.RuleId, Votes.RuleTitle, Votes.Level, Votes.Findings, Votes.Count) AS votes,
  arrayZip(Timeline.FindingId, Timeline.Timestamp, Timeline.Count, Timeline.RuleId, Timeline.RuleTitle, Timeline.Level,
    Timeline.TraceId, Timeline.SpanId, Timeline.SpanName, Timeline.AgentName, Timeline.ToolName, Timeline.Shown) AS timeline
FROM case_list ${where} ORDER BY case_list.LastSeen DESC, case_list.CaseId LIMIT {limit:UInt32}`,
    query_params: parameters,
    format: 'JSONEachRow',
  });
  const rows = await result.json<CaseRow>();
  return rows.map((row) => ({
    ...row,
    votes: row.votes.map(([ruleId, ruleTitle, level, findings, count]) => ({
      ...{ ruleId, ruleTitle, level },
      ...{ findings: Number(findings), count: Number(count) },
    })),
    timeline: row.timeline.map((values) => {
      const step = Object.fromEntries(stepKeys.map((key, index) => [key, values[index]])) as unknown as StoredStep;
      return { ...step, count: Number(step.count) };
    }),
  }));
}
