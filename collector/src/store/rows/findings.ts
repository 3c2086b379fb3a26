import { type Evidence, type Finding, type RuleResponse, versionOf } from '../../model/finding.ts';
import { type SessionSource, sessionOf } from '../../model/session.ts';
import { type Level, severityId } from '../../model/severity.ts';
import type { Rows } from '../../model/spool.ts';
import { RowReader } from './row-reader.ts';
import { RowWriter } from './rowbinary.ts';

/** The columns of findings in the order in which `encodeFindings` writes them. */
export const findingsColumns = [
  'FindingId',
  'Timestamp',
  'Version',
  'RuleId',
  'RuleTitle',
  'RuleVersion',
  'Level',
  'Severity',
  'Response',
  'Tags',
  'Reason',
  'GroupKey',
  'ChainId',
  'TraceId',
  'SpanId',
  'SpanName',
  'ServiceName',
  'AgentName',
  'ConversationId',
  'SessionId',
  'SessionSource',
  'UserId',
  'ToolName',
  'Evidence.Selection',
  'Evidence.Field',
  'Evidence.Wanted',
  'Evidence.Excerpt',
  'Count',
  'LastSeen',
] as const;

/**
 * Findings → RowBinary rows for the table `findings`. The same finding gives the same bytes: its version, by default the
 * time it was last seen, only grows, so that an update replaces the row and a replay replaces it by itself.
 */
export function encodeFindings(findings: readonly Finding[]): Rows {
  const writer = new RowWriter(findings.length * 1024);
  for (const finding of findings) writeFinding(writer, finding);
  return { table: 'findings', bytes: writer.take(), count: findings.length };
}

function writeFinding(writer: RowWriter, finding: Finding): void {
  const session = sessionOf(finding);
  writer.string(finding.id);
  writer.i64(finding.timeNanos);
  writer.u64(versionOf(finding));
  writer.string(finding.ruleId);
  writer.string(finding.ruleTitle);
  writer.string(finding.ruleVersion);
  writer.string(finding.level);
  writer.u8(severityId(finding.level));
  writer.string(finding.response);
  writer.varint(finding.tags.length);
  for (const tag of finding.tags) writer.string(tag);
  writer.string(finding.reason);
  writer.string(finding.groupKey);
  writer.string(finding.chainId ?? '');
  writer.string(finding.traceId);
  writer.string(finding.spanId);
  writer.string(finding.spanName);
  writer.string(finding.serviceName);
  writer.string(finding.agentName);
  writer.string(finding.conversationId);
  writer.string(session.id);
  writer.string(session.source);
  writer.string(finding.userId);
  writer.string(finding.toolName);
  for (const part of ['selection', 'field', 'wanted', 'excerpt'] as const) {
    writer.varint(finding.evidence.length);
    for (const item of finding.evidence) writer.string(item[part]);
  }
  writer.u64(BigInt(finding.count ?? 1));
  writer.i64(finding.lastSeenNanos ?? finding.timeNanos);
}

/**
 * The findings in rows of `encodeFindings`: all but what is not stored. Throws a RangeError for bytes that are no such rows, and for
 * those of another version, with another number of columns.
 */
export function decodeFindings(bytes: Buffer, columns: number = findingsColumns.length): Finding[] {
  if (columns !== findingsColumns.length) throw new RangeError(`findings of ${columns} columns`);
  const reader = new RowReader(bytes);
  const findings: Finding[] = [];
  while (!reader.isAtEnd) findings.push(readFinding(reader));
  return findings;
}

/** One row of them, or of the answer to a query for `findingsColumns` in RowBinary. */
export function readFinding(reader: RowReader): Finding {
  const text = () => reader.string();
  const head = { id: text(), timeNanos: reader.i64(), version: reader.u64() };
  const rule = { ruleId: text(), ruleTitle: text(), ruleVersion: text(), level: text() as Level };
  // The severity follows from the level.
  reader.u8();
  const what = {
    response: text() as RuleResponse,
    tags: reader.array(text),
    ...{ reason: text(), groupKey: text(), chainId: text() },
  };
  const span = { traceId: text(), spanId: text(), spanName: text(), serviceName: text(), agentName: text() };
  const conversationId = text();
  const session = { id: text(), source: text() as SessionSource };
  const who = { userId: text(), toolName: text() };
  const evidence = readEvidence(reader);
  const seen = { count: Number(reader.u64()), lastSeenNanos: reader.i64() };
  const isPlain = session.source === 'conversation' || session.source === 'trace';
  return {
    ...{ ...head, ...rule, ...what, ...span, conversationId, ...who, evidence, ...seen },
    ...(!isPlain && { session }),
  };
}

function readEvidence(reader: RowReader): Evidence[] {
  const [selections, fields, wanted, excerpts] = Array.from({ length: 4 }, () => reader.array(() => reader.string()));
  return selections!.map((selection, i) => ({
    ...{ selection, field: fields![i]!, wanted: wanted![i]!, excerpt: excerpts![i]! },
  }));
}
