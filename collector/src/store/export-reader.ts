import type { Case } from '../model/case.ts';
import type { Finding } from '../model/finding.ts';
import type { StoreClient } from './client.ts';
import { queryRows } from './row-query.ts';
import { casesColumns, readCase } from './rows/cases.ts';
import { findingsColumns, readFinding } from './rows/findings.ts';
import type { RowReader } from './rows/row-reader.ts';

/** A state of a finding or case that is stored, and when ClickHouse took it, milliseconds since the epoch. */
export interface StoredState<T> {
  readonly state: T;
  readonly takenMs: number;
}

/** A stretch of event time, milliseconds since the epoch: from `sinceMs`, before `untilMs`. */
export interface Stretch {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** How many findings and cases a stretch has. */
export async function countStates(client: StoreClient, stretch: Stretch): Promise<{ findings: number; cases: number }> {
  const result = await client.query({
    query: `SELECT
  (SELECT count() FROM findings FINAL WHERE ${within('Timestamp')}) AS findings,
  (SELECT count() FROM cases FINAL WHERE MergedInto = '' AND ${within('LastSeen')}) AS cases`,
    query_params: { ...stretch },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ findings: string; cases: string }>();
  return { findings: Number(row?.findings ?? 0), cases: Number(row?.cases ?? 0) };
}

/** The newest state of each finding whose event time is in a stretch, oldest first, in pages. */
export async function* findingStates(client: StoreClient, stretch: Stretch): AsyncGenerator<StoredState<Finding>[]> {
  yield* pages(async (after) => {
    const where = `${within('Timestamp')} AND ${behind('Timestamp', 'FindingId')}`;
    const rows = await selectFindings(client, `${where} ORDER BY Timestamp, FindingId`, { ...stretch, ...after });
    return { states: rows, last: rows.at(-1)?.state };
  });
}

/** The newest state of each case that is none of another and was last seen in a stretch, oldest first, in pages. */
export async function* caseStates(client: StoreClient, stretch: Stretch): AsyncGenerator<StoredState<Case>[]> {
  yield* pages(async (after) => {
    const where = `MergedInto = '' AND ${within('LastSeen')} AND ${behind('LastSeen', 'CaseId')}`;
    const rows = await selectCases(client, `${where} ORDER BY LastSeen, CaseId`, { ...stretch, ...after });
    const state = rows.at(-1)?.state;
    return { states: rows, last: state && { id: state.id, timeNanos: state.lastSeenNanos } };
  });
}

/** The newest states of findings with these ids, or that begin so. */
export function findingStatesById(client: StoreClient, ids: readonly string[]): Promise<StoredState<Finding>[]> {
  return selectFindings(client, 'arrayExists(id -> startsWith(FindingId, id), {ids:Array(String)})', { ids });
}

/** The newest states of cases with these ids, or that begin so. */
export function caseStatesById(client: StoreClient, ids: readonly string[]): Promise<StoredState<Case>[]> {
  return selectCases(client, 'arrayExists(id -> startsWith(CaseId, id), {ids:Array(String)})', { ids });
}

/** The cases that chains belong to, by chain. */
export async function casesOfChains(client: StoreClient, chainIds: readonly string[]): Promise<Map<string, string>> {
  const result = await client.query({
    query: `SELECT CaseId AS id, ChainIds AS chains FROM cases FINAL
WHERE MergedInto = '' AND hasAny(ChainIds, {chainIds:Array(String)})`,
    query_params: { chainIds: [...new Set(chainIds)] },
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ id: string; chains: string[] }>();
  return new Map(rows.flatMap(({ id, chains }) => chains.map((chain): [string, string] => [chain, id])));
}

const pageRows = 500;

interface Place {
  readonly id: string;
  readonly timeNanos: bigint;
}

async function* pages<T>(
  read: (after: object) => Promise<{ states: T[]; last: Place | undefined }>,
): AsyncGenerator<T[]> {
  let after = { afterNanos: '-9223372036854775808', afterId: '' };
  for (;;) {
    const { states, last } = await read(after);
    if (last === undefined) return;
    yield states;
    if (states.length < pageRows) return;
    after = { afterNanos: String(last.timeNanos), afterId: last.id };
  }
}

function within(column: string): string {
  return `${column} >= fromUnixTimestamp64Milli({sinceMs:Int64}) AND ${column} < fromUnixTimestamp64Milli({untilMs:Int64})`;
}

function behind(time: string, id: string): string {
  return `(toUnixTimestamp64Nano(${time}), ${id}) > ({afterNanos:Int64}, {afterId:String})`;
}

function selectFindings(
  client: StoreClient,
  condition: string,
  parameters: Record<string, unknown>,
): Promise<StoredState<Finding>[]> {
  return select(client, { table: 'findings', columns: findingsColumns, condition, parameters }, readFinding);
}

function selectCases(
  client: StoreClient,
  condition: string,
  parameters: Record<string, unknown>,
): Promise<StoredState<Case>[]> {
  return select(client, { table: 'cases', columns: casesColumns, condition, parameters }, readCase);
}

interface Selection {
  readonly table: string;
  readonly columns: readonly string[];
  readonly condition: string;
  readonly parameters: Record<string, unknown>;
}

async function select<T>(
  client: StoreClient,
  { table, columns, condition, parameters }: Selection,
  read: (reader: RowReader) => T,
): Promise<StoredState<T>[]> {
  const reader = await queryRows(
    client,
    `SELECT toUnixTimestamp64Milli(InsertedAt), ${columns.join(', ')}
FROM ${table} FINAL WHERE ${condition} LIMIT {limit:UInt32}`,
    { ...parameters, limit: pageRows },
  );
  const states: StoredState<T>[] = [];
  while (!reader.isAtEnd) states.push({ takenMs: Number(reader.i64()), state: read(reader) });
  return states;
}
