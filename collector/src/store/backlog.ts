import type { Case } from '../model/case.ts';
import type { Finding } from '../model/finding.ts';
import type { StoreClient } from './client.ts';
import { queryRows } from './row-query.ts';
import { casesColumns, readCase } from './rows/cases.ts';
import { findingsColumns, readFinding } from './rows/findings.ts';
import type { RowReader } from './rows/row-reader.ts';

/** What the collector with this spool stored out of some of its segments. */
export interface BacklogRange {
  /** 16 hex digits. */
  readonly spoolId: string;
  readonly fromSegment: number;
  readonly throughSegment: number;
}

/** Findings and cases of one segment. Their order within it is that of their versions. */
export interface BacklogSegment {
  readonly segment: number;
  /** When ClickHouse took the first of them, milliseconds since the epoch. */
  readonly insertedMs: number;
  readonly findings: readonly Finding[];
  readonly cases: readonly Case[];
}

export interface Backlog {
  readonly segments: readonly BacklogSegment[];
  /** Everything up to this segment is in `segments`. */
  readonly throughSegment: number;
}

/** Segments that are read at once. */
const segmentsMax = 16;

/**
 * The next findings and cases of a range, oldest segment first. States that newer ones have replaced by now may be missing.
 * Rejects with the client's error.
 */
export async function readBacklog(client: StoreClient, range: BacklogRange): Promise<Backlog> {
  const found = await segmentsWithRows(client, range);
  const segments = new Map(found.map(({ segment, insertedMs }) => [segment, { insertedMs, rows: emptyRows() }]));
  if (found.length > 0) {
    const within = { spoolId: range.spoolId, segments: found.map(({ segment }) => segment) };
    await read(client, 'findings', findingsColumns, within, (segment, reader) => {
      const finding = readFinding(reader);
      segments.get(segment)?.rows.findings.push(finding);
    });
    await read(client, 'cases', casesColumns, within, (segment, reader) => {
      const each = readCase(reader);
      segments.get(segment)?.rows.cases.push(each);
    });
  }
  return {
    segments: [...segments].map(([segment, { insertedMs, rows }]) => ({ segment, insertedMs, ...rows })),
    throughSegment: found.length < segmentsMax ? range.throughSegment : found.at(-1)!.segment,
  };
}

function emptyRows(): { readonly findings: Finding[]; readonly cases: Case[] } {
  return { findings: [], cases: [] };
}

async function segmentsWithRows(client: StoreClient, { spoolId, fromSegment, throughSegment }: BacklogRange) {
  const of = (table: string): string => `SELECT SpoolSegment, InsertedAt FROM ${table}
  WHERE SpoolId = {spoolId:String} AND SpoolSegment BETWEEN {fromSegment:UInt64} AND {throughSegment:UInt64}`;
  const result = await client.query({
    query: `SELECT SpoolSegment AS segment, toUnixTimestamp64Milli(min(InsertedAt)) AS insertedMs
FROM (${of('findings')} UNION ALL ${of('cases')})
GROUP BY segment ORDER BY segment LIMIT {segmentsMax:UInt32}`,
    query_params: { spoolId, fromSegment, throughSegment, segmentsMax },
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ segment: string; insertedMs: string }>();
  return rows.map(({ segment, insertedMs }) => ({ segment: Number(segment), insertedMs: Number(insertedMs) }));
}

async function read(
  client: StoreClient,
  table: string,
  columns: readonly string[],
  { spoolId, segments }: { readonly spoolId: string; readonly segments: readonly number[] },
  row: (segment: number, reader: RowReader) => void,
): Promise<void> {
  const reader = await queryRows(
    client,
    `SELECT SpoolSegment, ${columns.join(', ')} FROM ${table}
WHERE SpoolId = {spoolId:String} AND SpoolSegment IN {segments:Array(UInt64)} ORDER BY SpoolSegment, Version`,
    { spoolId, segments: [...segments] },
  );
  while (!reader.isAtEnd) row(Number(reader.u64()), reader);
}
