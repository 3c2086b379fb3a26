import type { Case, CaseDecision, CaseFinding, CaseVote } from '../../model/case.ts';
import { type Level, severityId } from '../../model/severity.ts';
import type { Rows } from '../../model/spool.ts';
import { RowReader } from './row-reader.ts';
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
  'Alerted',
  'DecidedAt',
  'Decision',
  'DecidedAs',
  'DecidedWhy',
  'DecidedBy',
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
  writer.u8(Number(row.alerted));
  writeDecision(writer, row.decision);
}

function writeDecision(writer: RowWriter, decision: CaseDecision | undefined): void {
  writer.i64(decision?.atMicros ?? 0n);
  for (const key of ['action', 'disposition', 'reason', 'by'] as const) writer.string(decision?.[key] ?? '');
}

function writeVotes(writer: RowWriter, votes: readonly CaseVote[]): void {
  for (const key of ['ruleId', 'ruleTitle', 'level'] as const)
    column(writer, votes, (vote) => writer.string(vote[key]));
  for (const key of ['findings', 'count'] as const) column(writer, votes, (vote) => writer.u64(BigInt(vote[key])));
}

const timelineTexts = [
  ...(['ruleId', 'ruleTitle', 'level', 'traceId', 'spanId'] as const),
  ...(['spanName', 'agentName', 'toolName', 'shown'] as const),
] as const;

type TimelineText = (typeof timelineTexts)[number];

function writeTimeline(writer: RowWriter, timeline: readonly CaseFinding[]): void {
  column(writer, timeline, ({ findingId }) => writer.string(findingId));
  column(writer, timeline, ({ timeNanos }) => writer.i64(timeNanos));
  column(writer, timeline, ({ lastSeenNanos }) => writer.i64(lastSeenNanos));
  column(writer, timeline, ({ count }) => writer.u64(BigInt(count)));
  for (const key of timelineTexts) column(writer, timeline, (each) => writer.string(each[key]));
}

function column<T>(writer: RowWriter, members: readonly T[], write: (member: T) => void): void {
  writer.varint(members.length);
  for (const member of members) write(member);
}

/** The cases in rows of `encodeCases`. Throws a RangeError as `decodeFindings` does. */
export function decodeCases(bytes: Buffer, columns: number = casesColumns.length): Case[] {
  if (columns !== casesColumns.length) throw new RangeError(`cases of ${columns} columns`);
  const reader = new RowReader(bytes);
  const cases: Case[] = [];
  while (!reader.isAtEnd) cases.push(readCase(reader));
  return cases;
}

/** One row of them, or of the answer to a query for `casesColumns` in RowBinary. */
export function readCase(reader: RowReader): Case {
  const text = () => reader.string();
  const head = { id: text(), version: reader.u64(), day: reader.u16(), mergedInto: text(), headline: text() };
  const level = text() as Level;
  // The severity follows from the level.
  reader.u8();
  const seen = { raisedBy: text(), firstSeenNanos: reader.i64(), lastSeenNanos: reader.i64() };
  const counts = { findings: Number(reader.u64()), count: Number(reader.u64()) };
  const votes = readVotes(reader);
  const timeline = readTimeline(reader);
  const names = { agents: reader.array(text), users: reader.array(text), conversations: reader.array(text) };
  const ids = { traceIds: reader.array(text), chainIds: reader.array(text) };
  const alerts = { alertSeq: reader.u32(), alerted: reader.u8() !== 0 };
  const decision = readDecision(reader);
  return {
    ...head,
    level,
    ...seen,
    ...counts,
    votes,
    timeline,
    ...names,
    ...ids,
    ...alerts,
    ...(decision && { decision }),
  };
}

function readDecision(reader: RowReader): CaseDecision | undefined {
  const atMicros = reader.i64();
  const action = reader.string() as CaseDecision['action'] | '';
  const rest = { disposition: reader.string(), reason: reader.string(), by: reader.string() };
  return action === '' ? undefined : { action, atMicros, ...rest };
}

function readVotes(reader: RowReader): CaseVote[] {
  const text = () => reader.array(() => reader.string());
  const number = () => reader.array(() => Number(reader.u64()));
  const [ruleIds, ruleTitles, levels] = [text(), text(), text()];
  const [findings, counts] = [number(), number()];
  return ruleIds.map((ruleId, i) => ({
    ...{ ruleId, ruleTitle: ruleTitles[i]!, level: levels[i] as Level, findings: findings[i]!, count: counts[i]! },
  }));
}

function readTimeline(reader: RowReader): CaseFinding[] {
  const text = () => reader.array(() => reader.string());
  const nanos = () => reader.array(() => reader.i64());
  const findingIds = text();
  const [times, lastSeen] = [nanos(), nanos()];
  const counts = reader.array(() => Number(reader.u64()));
  const texts = timelineTexts.map((key) => [key, text()] as const);
  return findingIds.map((findingId, i) => ({
    ...{ findingId, timeNanos: times[i]!, lastSeenNanos: lastSeen[i]!, count: counts[i]! },
    ...(Object.fromEntries(texts.map(([key, values]) => [key, values[i]])) as Pick<CaseFinding, TimelineText>),
  }));
}
