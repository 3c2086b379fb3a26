import { createHash } from 'node:crypto';
import type { ExportEvent } from '../model/export-event.ts';
import type { Finding } from '../model/finding.ts';

const title = 'Spanwarden test event';
const text = 'Somebody ran spanwarden export test to see whether events arrive. Nothing happened.';

/** An event that says of itself that it is an example. Another one each millisecond, so that a receiver takes it for new. */
export function sampleEvent(kind: ExportEvent['kind'], nowMs: number): ExportEvent {
  const id = createHash('sha256').update(`spanwarden export test ${kind} ${nowMs}`).digest('hex').slice(0, 32);
  const timeNanos = BigInt(nowMs) * 1_000_000n;
  const common = { activity: 'create', orderKey: id, takenMs: nowMs, isSample: true } as const;
  const finding = sampleFinding(id, timeNanos);
  if (kind === 'finding') return { ...common, kind, id: `${id}-${timeNanos}`, finding, caseId: '' };
  const { ruleId, ruleTitle, level, agentName, userId, traceId, conversationId } = finding;
  const sample = {
    ...{ id, version: timeNanos, day: Math.floor(nowMs / 86_400_000), mergedInto: '', headline: text },
    ...{
      level,
      raisedBy: '',
      firstSeenNanos: timeNanos,
      lastSeenNanos: timeNanos,
      findings: 1,
      count: 1,
      timeline: [],
    },
    votes: [{ ruleId, ruleTitle, level, findings: 1, count: 1 }],
    ...{ agents: [agentName], users: [userId], conversations: [conversationId], traceIds: [traceId], chainIds: [id] },
    ...{ alertSeq: 1, alerted: true },
  };
  return { ...common, kind, id: `${id}-1`, case: sample };
}

function sampleFinding(id: string, timeNanos: bigint): Finding {
  return {
    id,
    timeNanos,
    ruleId: 'spanwarden-export-test',
    ruleTitle: title,
    ruleVersion: '1',
    level: 'informational',
    response: 'alert',
    tags: [],
    reason: text,
    groupKey: '',
    traceId: id,
    spanId: id.slice(0, 16),
    spanName: 'spanwarden export test',
    serviceName: 'spanwarden',
    agentName: 'spanwarden-test',
    conversationId: 'spanwarden-test',
    userId: 'nobody',
    toolName: 'none',
    evidence: [{ selection: 'test', field: 'test', wanted: 'exists', excerpt: text }],
    count: 1,
  };
}
