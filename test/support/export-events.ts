import type { CaseEvent, FindingEvent } from '../../collector/src/model/export-event.ts';

// Findings and cases as destinations get them. Their ids can be recognised in whatever a destination makes of them.

/** Ids of samples, wherever they stand in what arrived. */
export const sampleId = /e{28}\d{4}/g;

export function idOf(event: FindingEvent | CaseEvent): string {
  return event.kind === 'case' ? event.case.id : event.finding.id;
}

/** What prompts and tools may hold: ends of fields, lines and documents, mentions, links, lone surrogates. */
export const hostileText =
  'a"b\\c\n{"event":1}\r\n\u2028\u0000\u001b[31m <!channel> <@U1> <https://evil.example|x> [y](https://evil.example) <at>all</at> ' +
  '*b* _i_ ~s~ `c` &amp; \u202e \ud800 |=]\t%0d%0a';

export function findingEvent(number: number, text = 'Tool result tells the agent what to do'): FindingEvent {
  const id = `${'e'.repeat(28)}${String(number).padStart(4, '0')}`;
  return {
    kind: 'finding',
    id: `${id}-1`,
    activity: 'create',
    orderKey: 'chain',
    takenMs: 1_790_000_000_000,
    caseId: 'c'.repeat(32),
    isSample: false,
    finding: {
      id,
      timeNanos: 1_790_000_000_123_456_789n,
      ruleId: '5f0c2f0e-0000-4000-8000-000000000001',
      ruleTitle: text,
      ruleVersion: 'v1',
      level: 'high',
      response: 'alert',
      tags: ['attack.t1567'],
      reason: text,
      groupKey: 'g',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      spanName: 'execute_tool',
      serviceName: 'support',
      agentName: text,
      conversationId: 'conversation-1',
      userId: 'user-1',
      toolName: 'http.get',
      evidence: [{ selection: 'selection', field: 'gen_ai.tool.result', wanted: 'contains "ignore"', excerpt: text }],
    },
  };
}

export function caseEvent(number: number, text = 'Agent support sent data after reading a page'): CaseEvent {
  const id = `${'e'.repeat(28)}${String(number).padStart(4, '0')}`;
  return {
    kind: 'case',
    id: `${id}-1`,
    activity: 'create',
    orderKey: id,
    takenMs: 1_790_000_000_000,
    isSample: false,
    case: {
      id,
      version: 1n,
      day: 20_717,
      mergedInto: '',
      headline: text,
      level: 'critical',
      raisedBy: '',
      firstSeenNanos: 1_790_000_000_123_456_789n,
      lastSeenNanos: 1_790_000_060_000_000_000n,
      findings: 1,
      count: 2,
      votes: [{ ruleId: 'r1', ruleTitle: text, level: 'high', findings: 1, count: 2 }],
      timeline: [
        {
          findingId: 'f'.repeat(32),
          timeNanos: 1_790_000_000_123_456_789n,
          lastSeenNanos: 1_790_000_060_000_000_000n,
          count: 2,
          ruleId: 'r1',
          ruleTitle: text,
          level: 'high',
          traceId: '0af7651916cd43dd8448eb211c80319c',
          spanId: 'b7ad6b7169203331',
          spanName: 'execute_tool',
          agentName: text,
          toolName: 'http.get',
          shown: text,
        },
      ],
      agents: [text],
      users: ['user-1'],
      conversations: ['conversation-1'],
      traceIds: ['0af7651916cd43dd8448eb211c80319c'],
      chainIds: [id],
      alertSeq: 1,
      alerted: true,
    },
  };
}
