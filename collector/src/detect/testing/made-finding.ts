import type { Finding } from '../../model/finding.ts';

/** A finding for tests, with what they care about. */
export function madeFinding(parts: Partial<Finding> = {}): Finding {
  return {
    id: 'f0'.repeat(16),
    timeNanos: 1_800_000_000_000_000_000n,
    ruleId: 'rule',
    ruleTitle: 'Rule',
    ruleVersion: 'v1',
    level: 'medium',
    response: 'alert',
    tags: [],
    reason: 'It matched.',
    groupKey: '',
    traceId: 'a1'.repeat(16),
    spanId: 'b2'.repeat(8),
    spanName: 'execute_tool http_post',
    serviceName: 'support',
    agentName: 'support-agent',
    conversationId: 'conversation-1',
    userId: 'user-1',
    toolName: 'http_post',
    evidence: [{ selection: 'selection', field: 'gen_ai.tool.name', wanted: 'is "http_post"', excerpt: 'http_post' }],
    ...parts,
  };
}
