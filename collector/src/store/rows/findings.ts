import { type Finding, versionOf } from '../../model/finding.ts';
import { sessionOf } from '../../model/session.ts';
import { severityId } from '../../model/severity.ts';
import type { Rows } from '../../model/spool.ts';
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
