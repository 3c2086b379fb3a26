import type { Case, CaseFinding, CaseVote } from '../../model/case.ts';
import { severityId } from '../../model/severity.ts';
import type { Rows } from '../../model/spool.ts';
import { RowWriter } from './rowbinary.ts';

/** The columns of cases in the order in which `encodeCases` writes them. */
export const casesColumns = [
  'CaseId',
  'Version',
  'Day',
  'MergedInto',
  'Headline',
  'Level',
  'Severity',
  'RaisedBy',
  'FirstSeen',
  'LastSeen',
  'Findings',
  'Count',
  'Votes.RuleId',
  'Votes.RuleTitle',
  'Votes.Level',
  'Votes.Findings',
  'Votes.Count',
  'Timeline.FindingId',
  'Timeline.Timestamp',
  'Timeline.LastSeen',
  'Timeline.Count',
  'Timeline.RuleId',
  'Timeline.RuleTitle',
  'Timeline.Level',
  'Timeline.TraceId',
  'Timeline.SpanId',
  'Timeline.SpanName',
  'Timeline.AgentName',
  'Timeline.ToolName',
  'Timeline.Shown',
  'Agents',
  'Users',
  'Conversations',
  'TraceIds',
  'ChainIds',
  'AlertSeq',
] as const;

/** Cases → RowBinary rows for the table `cases`. The same case gives the same bytes. */
export function encodeCases(cases: readonly Case[]): Rows {
  const writer = new RowWriter(cases.length * 4096);
  for (const each of cases) writeCase(writer, each);
  return { table: 'cases', bytes: writer.take(), count: cases.length };
}

function writeCase(writer: RowWriter, row: Case): void {
  writer.string(row.id);
  writer.u64(row.version);
  // Days beyond what a Date holds are those of clocks that are wrong.
  writer.u16(Math.max(0, Math.min(65_535, row.day)));
  writer.string(row.mergedInto);
  writer.string(row.headline);
  writer.string(row.level);
  writer.u8(severityId(row.level));
  writer.string(row.raisedBy);
  writer.i64(row.firstSeenNanos);
  writer.i64(row.lastSeenNanos);
  writer.u64(BigInt(row.findings));
  writer.u64(BigInt(row.count));
  writeVotes(writer, row.votes);
  writeTimeline(writer, row.timeline);
  for (const list of [row.agents, row.users, row.conversations, row.traceIds, row.chainIds]) {
    column(writer, list, (text) => writer.string(text));
  }
  writer.u32(row.alertSeq);
}

function writeVotes(writer: RowWriter, votes: readonly CaseVote[]): void {
  for (const key of ['ruleId', 'ruleTitle', 'level'] as const)
    column(writer, votes, (vote) => writer.string(vote[key]));
  for (const key of ['findings', 'count'] as const) column(writer, votes, (vote) => writer.u64(BigInt(vote[key])));
}

function writeTimeline(writer: RowWriter, timeline: readonly CaseFinding[]): void {
  const texts = [
    'ruleId',
    'ruleTitle',
    'level',
    'traceId',
    'spanId',
    'spanName',
    'agentName',
    'toolName',
    'shown',
  ] as const;
  column(writer, timeline, ({ findingId }) => writer.string(findingId));
  column(writer, timeline, ({ timeNanos }) => writer.i64(timeNanos));
  column(writer, timeline, ({ lastSeenNanos }) => writer.i64(lastSeenNanos));
  column(writer, timeline, ({ count }) => writer.u64(BigInt(count)));
  for (const key of texts) column(writer, timeline, (each) => writer.string(each[key]));
}

function column<T>(writer: RowWriter, members: readonly T[], write: (member: T) => void): void {
  writer.varint(members.length);
  for (const member of members) write(member);
}
