import { keyedPlace } from '../model/repeated-lists.ts';
import type { StoreClient } from './client.ts';

/** What one rule did within a time, under one of its ids. */
export interface RuleActivity {
  readonly ruleId: string;
  readonly spans: number;
  readonly candidates: number;
  readonly matches: number;
  readonly suppressed: number;
  readonly errors: number;
  readonly sampledSpans: number;
  readonly sampledNanos: number;
  /** Event time of the newest match, ISO 8601; '' without one. */
  readonly lastMatch: string;
}

/** Counters of every rule since a time, by the hour. */
export async function ruleActivity(client: StoreClient, since: Date): Promise<RuleActivity[]> {
  const rows = await ask<Record<keyof RuleActivity, string>>(
    client,
    `SELECT RuleId AS ruleId, sum(Spans) AS spans, sum(Candidates) AS candidates, sum(Matches) AS matches,
  sum(Suppressed) AS suppressed, sum(Errors) AS errors, sum(SampledSpans) AS sampledSpans,
  sum(SampledNanos) AS sampledNanos, if(max(LastMatch) = 0, '', toString(max(LastMatch))) AS lastMatch
FROM rule_stats WHERE Hour >= toStartOfHour(fromUnixTimestamp64Milli({sinceMs:Int64})) GROUP BY RuleId`,
    { sinceMs: since.getTime() },
  );
  return rows.map(({ ruleId, lastMatch, ...counts }) => ({ ...numbers(counts), ruleId, lastMatch }));
}

/** Spans that each filter took from each rule since a time. */
export async function suppressedByFilter(
  client: StoreClient,
  since: Date,
): Promise<{ readonly filterId: string; readonly ruleId: string; readonly suppressed: number }[]> {
  const rows = await ask<{ filterId: string; ruleId: string; suppressed: string }>(
    client,
    `SELECT FilterId AS filterId, RuleId AS ruleId, sum(Suppressed) AS suppressed FROM rule_stats
WHERE FilterId != '' AND Hour >= toStartOfHour(fromUnixTimestamp64Milli({sinceMs:Int64})) GROUP BY FilterId, RuleId`,
    { sinceMs: since.getTime() },
  );
  return rows.map((row) => ({ ...row, suppressed: Number(row.suppressed) }));
}

export interface RuleFindings {
  readonly ruleId: string;
  readonly agent: string;
  readonly findings: number;
  /** Event time of the newest, ISO 8601. */
  readonly last: string;
}

/** Findings of every rule since a time, by agent; of each rule the ten agents with most. */
export async function findingsByRule(client: StoreClient, since: Date): Promise<RuleFindings[]> {
  const rows = await ask<{ ruleId: string; agent: string; findings: string; last: string }>(
    client,
    `SELECT RuleId AS ruleId, if(AgentName = '', ServiceName, AgentName) AS agent, count() AS findings,
  toString(max(Timestamp)) AS last
FROM findings FINAL WHERE Timestamp >= fromUnixTimestamp64Milli({sinceMs:Int64})
GROUP BY ruleId, agent ORDER BY findings DESC, agent LIMIT 10 BY ruleId`,
    { sinceMs: since.getTime() },
  );
  return rows.map((row) => ({ ...row, findings: Number(row.findings) }));
}

/** A finding of a detection rule, as far as its span has to be found again. */
export interface FoundSpan {
  readonly id: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly agent: string;
  readonly endNanos: bigint;
  /** What somebody said it is, last; '' when nobody did. */
  readonly disposition: string;
}

/** Findings of some rules since a time, the newest first. */
export async function findingsOfRules(
  client: StoreClient,
  ruleIds: readonly string[],
  since: Date,
  limit: number,
): Promise<FoundSpan[]> {
  const rows = await ask<Omit<FoundSpan, 'endNanos'> & { readonly endNanos: string }>(
    client,
    `SELECT FindingId AS id, TraceId AS traceId, SpanId AS spanId, if(AgentName = '', ServiceName, AgentName) AS agent,
  toUnixTimestamp64Nano(Timestamp) AS endNanos, Marked.said AS disposition
FROM findings FINAL LEFT JOIN (
  SELECT FindingId AS marked, argMax(Disposition, MarkedAt) AS said FROM finding_marks GROUP BY FindingId
) AS Marked ON FindingId = Marked.marked
WHERE RuleId IN {ruleIds:Array(String)} AND Timestamp >= fromUnixTimestamp64Milli({sinceMs:Int64})
ORDER BY Timestamp DESC LIMIT {limit:UInt32}`,
    { ruleIds, sinceMs: since.getTime(), limit },
  );
  return rows.map((row) => ({ ...row, endNanos: BigInt(row.endNanos) }));
}

/** How many findings of each rule people called what, whenever. */
export async function dispositionsByRule(
  client: StoreClient,
): Promise<{ readonly ruleId: string; readonly disposition: string; readonly findings: number }[]> {
  const rows = await ask<{ ruleId: string; disposition: string; findings: string }>(
    client,
    `SELECT rule AS ruleId, disposition, count() AS findings FROM (
  SELECT FindingId, any(RuleId) AS rule, argMax(Disposition, MarkedAt) AS disposition FROM finding_marks GROUP BY FindingId
) GROUP BY ruleId, disposition`,
    {},
  );
  return rows.map((row) => ({ ...row, findings: Number(row.findings) }));
}

export interface StoredRuleState {
  readonly ruleId: string;
  readonly ruleVersion: string;
  readonly state: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
}

/** How rules stand in the collector that wrote last; the set as a whole has the id ''. */
export function ruleStates(client: StoreClient): Promise<StoredRuleState[]> {
  const query = `SELECT RuleId AS ruleId, RuleVersion AS ruleVersion, State AS state, Reason AS reason, At AS at
FROM rule_states FINAL`;
  return ask(client, query, {});
}

export interface ArrivedFields {
  /** Names of attributes by category; resource attributes under `resource`. */
  readonly fields: readonly { readonly category: string; readonly field: string }[];
  /** Spans of agents since then. */
  readonly spans: number;
}

/** What arrived since a day. */
export async function arrivedFields(client: StoreClient, since: Date): Promise<ArrivedFields> {
  const parameters = { sinceMs: since.getTime() };
  const [fields, spans] = await Promise.all([
    ask<{ category: string; field: string }>(
      client,
      `SELECT DISTINCT Category AS category, Field AS field FROM seen_fields
WHERE Day >= toDate(fromUnixTimestamp64Milli({sinceMs:Int64}))`,
      parameters,
    ),
    ask<{ spans: string }>(
      client,
      `SELECT count() AS spans FROM otel_traces WHERE Timestamp >= fromUnixTimestamp64Milli({sinceMs:Int64})`,
      parameters,
    ),
  ]);
  return { fields, spans: Number(spans[0]?.spans ?? 0) };
}

/** Which of these attributes stand on any stored span since a time; the index on keys makes a miss cheap. */
export async function storedAttributes(
  client: StoreClient,
  names: readonly string[],
  since: Date,
): Promise<ReadonlySet<string>> {
  const rows = await Promise.all(
    names.slice(0, storedAttributesMax).map((name) =>
      ask<{ name: string }>(
        client,
        `SELECT {name:String} AS name FROM otel_traces WHERE Timestamp >= fromUnixTimestamp64Milli({sinceMs:Int64})
AND (mapContains(SpanAttributes, {name:String}) OR mapContains(ResourceAttributes, {name:String})
  OR mapContains(SpanAttributes, {list:String})) LIMIT 1`,
        // Of messages that are stored once the name of their list stands there: nothing says that they have no such attribute.
        { name, list: keyedPlace(name)?.list ?? name, sinceMs: since.getTime() },
      ),
    ),
  );
  return new Set(rows.flat().map(({ name }) => name));
}

/** Attributes that are looked for at once. */
const storedAttributesMax = 256;

async function ask<T>(client: StoreClient, query: string, parameters: Record<string, unknown>): Promise<T[]> {
  const result = await client.query({ query, query_params: parameters, format: 'JSONEachRow' });
  return result.json<T>();
}

function numbers<K extends string>(counts: Readonly<Record<K, string>>): Record<K, number> {
  return Object.fromEntries(Object.entries<string>(counts).map(([key, value]) => [key, Number(value)])) as Record<
    K,
    number
  >;
}
