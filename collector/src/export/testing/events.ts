import type { Case } from '../../model/case.ts';
import type { CaseEvent, FindingEvent } from '../../model/export-event.ts';
import type { Finding } from '../../model/finding.ts';

const timeNanos = 1_767_225_600_000_000_000n;

/** A finding as it could have been made. */
export function findingOf(changes: Partial<Finding> = {}): Finding {
  return {
    id: 'f1'.repeat(16),
    timeNanos,
    ruleId: '5f0c9a52-3c0f-4a55-9d2e-6a9a6d1f0001',
    ruleTitle: 'Secret sent to an unknown host',
    ruleVersion: 'ab'.repeat(32),
    level: 'high',
    response: 'alert',
    tags: ['attack.exfiltration', 'owasp.llm01'],
    reason: 'A secret left with a tool call.',
    groupKey: '',
    traceId: 'a1'.repeat(16),
    spanId: 'b1'.repeat(8),
    spanName: 'execute_tool http',
    serviceName: 'support',
    agentName: 'helpdesk',
    conversationId: 'conversation-1',
    userId: 'user-1',
    toolName: 'http_post',
    evidence: [{ selection: 'secret', field: 'tool.arguments', wanted: 'contains "sk-"', excerpt: 'key=sk-…' }],
    count: 1,
    chainId: 'c1'.repeat(16),
    ...changes,
  };
}

/** The event number `number` of an order key. */
export function findingEvent(
  number: number,
  orderKey = 'key',
  changes: Partial<Finding> & { readonly caseId?: string } = {},
): FindingEvent {
  const { caseId = '', ...rest } = changes;
  const finding = findingOf({ id: number.toString(16).padStart(32, '0'), ...rest });
  const common = { kind: 'finding', activity: 'create', orderKey, takenMs: 1_767_225_600_000 + number } as const;
  return { ...common, id: `${finding.id}-${timeNanos}`, finding, caseId, isSample: false };
}

/** A case as it could have been made. */
export function caseOf(changes: Partial<Case> = {}): Case {
  return {
    ...{ id: 'c1'.repeat(16), version: 1n, day: 20_454, mergedInto: '', headline: 'helpdesk sent a secret away' },
    level: 'high',
    ...{ raisedBy: '', firstSeenNanos: timeNanos, lastSeenNanos: timeNanos + 5n, findings: 1, count: 1 },
    votes: [{ ruleId: 'rule-1', ruleTitle: 'Secret sent to an unknown host', level: 'high', findings: 1, count: 1 }],
    ...{ timeline: [], agents: ['helpdesk'], users: ['user-1'], conversations: ['conversation-1'] },
    ...{ traceIds: ['a1'.repeat(16)], chainIds: ['c1'.repeat(16)], alertSeq: 1, alerted: true },
    ...changes,
  };
}

export function caseEvent(changes: Partial<Case> = {}): CaseEvent {
  const row = caseOf(changes);
  const common = { kind: 'case', activity: 'create', orderKey: row.id, takenMs: 1_767_225_600_000 } as const;
  return { ...common, id: `${row.id}-${row.alertSeq}`, case: row, isSample: false };
}
