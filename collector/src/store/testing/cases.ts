import type { Case, CaseFinding } from '../../model/case.ts';

const today = Math.floor(Date.now() / 86_400_000);
/** Midnight, in nanoseconds since the epoch. */
export const nanos = BigInt(today) * 86_400_000_000_000n;
export const hostile = `O'Neil {a:String} "x" \u001b[31m; DROP TABLE cases`;

/** A case with two findings, under a hostile name. */
export function caseRow(id: string, changes: Partial<Case> = {}): Case {
  const step: CaseFinding = {
    ...{ findingId: 'f1'.repeat(16), timeNanos: nanos + 1n, lastSeenNanos: nanos + 5n, count: 3, ruleId: 'rule' },
    level: 'high',
    ...{ ruleTitle: 'Rule', traceId: 'a1'.repeat(16), spanId: 'b1'.repeat(8), spanName: 'span' },
    ...{ agentName: hostile, toolName: 'tool', shown: 'what matched' },
  };
  return {
    ...{ id, version: 1n, day: today, mergedInto: '', headline: `${hostile} did it`, raisedBy: '' },
    level: 'high',
    ...{ firstSeenNanos: nanos + 1n, lastSeenNanos: nanos + 5n, findings: 2, count: 3 },
    votes: [{ ruleId: 'rule', ruleTitle: 'Rule', level: 'high', findings: 1, count: 3 }],
    timeline: [step, { ...step, findingId: 'f2'.repeat(16), level: 'low' }],
    ...{ agents: [hostile], users: ['u'], conversations: ['c'], traceIds: ['a1'.repeat(16)], chainIds: [id] },
    alertSeq: 1,
    alerted: true,
    ...changes,
  };
}
