import type { StoreClient } from './client.ts';

/** What a finding turned out to be: wrong; right; or right and harmless. */
export const dispositions = ['false-positive', 'true-positive', 'benign'] as const;

export type Disposition = (typeof dispositions)[number];

/** What somebody said about a finding. */
export interface FindingMark {
  readonly disposition: Disposition;
  readonly reason: string;
  readonly by: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Says what a finding is. Earlier marks stay and tell the history; the newest holds. */
export async function markFinding(
  client: StoreClient,
  finding: { readonly id: string; readonly ruleId: string },
  mark: { readonly disposition: Disposition; readonly reason: string; readonly by: string },
): Promise<void> {
  await client.command({
    query: `INSERT INTO finding_marks (FindingId, RuleId, Disposition, Reason, MarkedBy, MarkedAt)
SELECT {id:String}, {ruleId:String}, {disposition:String}, {reason:String}, {by:String}, now64(6)`,
    query_params: { ...mark, id: finding.id, ruleId: finding.ruleId },
    clickhouse_settings: { async_insert: 0 },
  });
}

/** Everything that was said about a finding, newest first. */
export async function marksOf(client: StoreClient, findingId: string): Promise<FindingMark[]> {
  const result = await client.query({
    query: `SELECT Disposition AS disposition, Reason AS reason, MarkedBy AS by, MarkedAt AS at FROM finding_marks
WHERE FindingId = {id:String} ORDER BY MarkedAt DESC LIMIT 100`,
    query_params: { id: findingId },
    format: 'JSONEachRow',
  });
  return result.json<FindingMark>();
}

/** What holds now, by finding. */
export async function newestMarks(
  client: StoreClient,
  findingIds: readonly string[],
): Promise<ReadonlyMap<string, FindingMark>> {
  if (findingIds.length === 0) return new Map();
  const result = await client.query({
    query: `SELECT FindingId AS id, argMax(Disposition, MarkedAt) AS disposition, argMax(Reason, MarkedAt) AS reason,
  argMax(MarkedBy, MarkedAt) AS by, max(MarkedAt) AS at
FROM finding_marks WHERE FindingId IN {ids:Array(String)} GROUP BY FindingId`,
    query_params: { ids: findingIds },
    format: 'JSONEachRow',
  });
  const rows = await result.json<FindingMark & { readonly id: string }>();
  return new Map(rows.map(({ id, ...mark }) => [id, mark]));
}

/** Findings that stand marked so; in a query with the parameter `disposition`. */
export const markedSo = `FindingId IN (
  SELECT FindingId FROM finding_marks GROUP BY FindingId HAVING argMax(Disposition, MarkedAt) = {disposition:String})`;
/** Findings that nobody has marked; takes the same parameter and makes nothing of it. */
export const unmarked = `FindingId NOT IN (SELECT FindingId FROM finding_marks) AND {disposition:String} != ''`;
