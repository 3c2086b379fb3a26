import type { Case, CaseDecision } from '../model/case.ts';
import type { StoreClient } from './client.ts';
import { queryRows } from './row-query.ts';
import { casesColumns, readCase } from './rows/cases.ts';

/** What is looked for. */
export interface DecisionRange {
  /** Of the collector that made the cases, 16 hex digits. */
  readonly spoolId: string;
  /** Microseconds since the epoch; decisions after it are given. */
  readonly afterMicros: bigint;
}

/** Decisions that are read at once, and those of the same microsecond as the last. */
const decisionsMax = 200;
/** Characters of what somebody wrote; the command takes no more, others may have written. */
const [nameMax, reasonMax] = [200, 2_000];

/**
 * What people did about the cases of a collector, oldest first, each with the newest state of its case. `decidedMicros` is the time of the last
 * decision that was looked at, of whatever collector; there may be more when `isFull`. Rejects with the client's error.
 */
export async function readDecisions(
  client: StoreClient,
  { spoolId, afterMicros }: DecisionRange,
): Promise<{ readonly decided: Case[]; readonly decidedMicros: bigint; readonly isFull: boolean }> {
  const decisions = await decisionsAfter(client, afterMicros);
  const ids = [...new Set(decisions.map(({ caseId }) => caseId))];
  const cases = ids.length === 0 ? new Map<string, Case>() : await casesById(client, spoolId, ids);
  const decided = decisions.flatMap(({ caseId, decision }) => {
    const found = cases.get(caseId);
    return found === undefined ? [] : [{ ...found, alerted: false, decision }];
  });
  const decidedMicros = decisions.at(-1)?.decision.atMicros ?? afterMicros;
  return { decided, decidedMicros, isFull: decisions.length >= decisionsMax };
}

async function decisionsAfter(client: StoreClient, afterMicros: bigint) {
  const reader = await queryRows(
    client,
    `SELECT CaseId, toUnixTimestamp64Micro(At), toString(Action), leftUTF8(toString(Disposition), {nameMax:UInt32}),
  leftUTF8(Reason, {reasonMax:UInt32}), leftUTF8(DoneBy, {nameMax:UInt32}) FROM case_events
WHERE At > fromUnixTimestamp64Micro({after:Int64}) AND Action IN ('close', 'reopen') ORDER BY At LIMIT {limit:UInt32} WITH TIES`,
    { after: String(afterMicros), limit: decisionsMax, nameMax, reasonMax },
  );
  const decisions: { readonly caseId: string; readonly decision: CaseDecision }[] = [];
  while (!reader.isAtEnd) {
    const [caseId, atMicros, action] = [reader.string(), reader.i64(), reader.string() as CaseDecision['action']];
    const said = { disposition: reader.string(), reason: reader.string(), by: reader.string() };
    decisions.push({ caseId, decision: { action, atMicros, ...said } });
  }
  return decisions;
}

async function casesById(client: StoreClient, spoolId: string, ids: readonly string[]): Promise<Map<string, Case>> {
  const reader = await queryRows(
    client,
    `SELECT ${casesColumns.join(', ')} FROM cases FINAL WHERE CaseId IN {ids:Array(String)} AND SpoolId = {spoolId:String}`,
    { ids: [...ids], spoolId },
  );
  const cases = new Map<string, Case>();
  while (!reader.isAtEnd) {
    const { decision: _, ...row } = readCase(reader);
    cases.set(row.id, row);
  }
  return cases;
}
