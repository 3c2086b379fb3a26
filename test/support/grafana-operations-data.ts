import type { Finding } from '../../collector/src/model/finding.ts';
import type { RuleState, RuleStatsDelta } from '../../collector/src/model/rule-health.ts';
import type { Store } from '../../collector/src/store/index.ts';
import { encodeFindings } from '../../collector/src/store/rows/findings.ts';
import { encodeRuleStates, encodeRuleStats } from '../../collector/src/store/rows/rule-health.ts';
import { spanRows, type TestRow } from '../../collector/src/store/testing/segments.ts';
import { finding, now, ship } from './grafana-data.ts';

// What the boards about rules, approvals, coverage and collectors show: small enough to work out by hand.

export const coder = 'coder';
export const quietRule = 'quiet-rule';
export const tunedRule = 'tuned-rule';
const deniedTrace = 'd1'.repeat(16);
const minute = 60_000;

/** Beside what is there. */
export async function loadOperationsData(store: Store): Promise<void> {
  await ship(store, 'operations', [
    spanRows(spans),
    encodeFindings(findings),
    encodeRuleStats(ruleStats, now),
    encodeRuleStates(ruleStates, now),
  ]);
  await ship(store, 'operations-before', [
    spanRows(stoppedSpans),
    encodeRuleStats(ruleStatsBefore, now - 3 * 3_600_000),
  ]);
  const insert = (table: string, values: readonly object[]) =>
    store.client.insert({ table, values, format: 'JSONEachRow' });
  await insert('finding_marks', marks);
  await insert('otel_logs', logs);
  await insert('seen_fields', seenFields);
  await insert('otel_metrics_sum', sums);
  await insert('otel_metrics_gauge', gauges);
  await insert('otel_metrics_histogram', histograms);
}

const nanos = (ms: number): bigint => BigInt(Math.trunc(ms)) * 1_000_000n;
const ago = (minutes: number) => now - minutes * minute;
const isoMillis = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

const call = {
  'gen_ai.agent.name': coder,
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.conversation.id': 'c-9',
};
const yes = { 'spanwarden.decision': 'approved', 'spanwarden.decision_source': 'user_temporary' };

/** Eleven times yes of a person to Bash; Edit denied by a hook, and written by Bash ten seconds later; a chat that shows little. */
const spans: readonly TestRow[] = [
  ...Array.from({ length: 11 }, (_, at) => ({
    traceId: 'c1'.repeat(16),
    spanId: `c1${String(at).padStart(14, '0')}`,
    name: 'execute_tool Bash',
    timeNanos: nanos(ago(20) + at * 1000),
    attributes: { ...call, ...yes, 'gen_ai.tool.name': 'Bash', 'user.id': 'u-9' },
    facts: { 'spanwarden.effect.kinds': 'execute', 'spanwarden.dialect': 'claude_code' },
  })),
  {
    traceId: deniedTrace,
    spanId: 'd1'.repeat(8),
    name: 'execute_tool Edit',
    timeNanos: nanos(ago(10)),
    attributes: {
      ...call,
      'gen_ai.tool.name': 'Edit',
      'gen_ai.tool.call.arguments': '{"file_path":"/etc/hosts"}',
      'spanwarden.decision': 'denied',
      'spanwarden.decision_source': 'hook',
    },
    facts: { 'spanwarden.coverage.missing': 'tool_result' },
  },
  {
    traceId: deniedTrace,
    spanId: 'd2'.repeat(8),
    name: 'execute_tool Write',
    timeNanos: nanos(ago(10) + 10_000),
    attributes: { ...call, 'gen_ai.tool.name': 'Write', 'spanwarden.sandbox_disabled': 'true' },
    facts: { 'spanwarden.coverage.missing': 'tool_arguments', 'spanwarden.effect.kinds': 'execute' },
  },
  {
    traceId: deniedTrace,
    spanId: 'd3'.repeat(8),
    name: 'chat',
    timeNanos: nanos(ago(11)),
    attributes: { 'gen_ai.agent.name': coder, 'gen_ai.operation.name': 'chat' },
    facts: { 'spanwarden.coverage.missing': 'input_messages' },
  },
];

/** An agent that was there every ten minutes, and is not since four hours. */
const stoppedSpans: readonly TestRow[] = [300, 290, 280, 270, 260, 250, 240].map((minutes) => ({
  traceId: 'f1'.repeat(16),
  spanId: `f1${String(minutes).padStart(14, '0')}`,
  timeNanos: nanos(ago(minutes)),
  attributes: { 'gen_ai.agent.name': 'stopped', 'gen_ai.operation.name': 'chat' },
}));

const found: Finding = {
  ...{ ...finding, ruleId: tunedRule, ruleTitle: 'Tuned', agentName: coder, traceId: deniedTrace },
  ...{ tags: ['owasp.llm06', 'acme.own'], timeNanos: nanos(ago(10)) },
};
const findings: readonly Finding[] = [
  { ...found, id: '11'.repeat(16), response: 'block', toolName: 'Edit' },
  // When its calls were made: an hour's decisions stand beside it.
  { ...found, id: '12'.repeat(16), response: 'approve', toolName: 'Bash', timeNanos: nanos(ago(20)) },
];

const marks = findings.map(({ id }, at) => ({
  ...{ FindingId: id, RuleId: tunedRule, Disposition: at === 0 ? 'false-positive' : 'true-positive' },
  ...{ Reason: '', MarkedBy: 'a', MarkedAt: isoMillis(ago(5)) },
}));

const counted: RuleStatsDelta = {
  ...{
    ruleId: tunedRule,
    ruleVersion: 'v2',
    agentName: '',
    filterId: '',
    spans: 1000,
    candidates: 500,
    matches: 0,
    findings: 0,
  },
  ...{ suppressed: 0, errors: 0, sampledSpans: 10, sampledNanos: 40_000, lastMatchNanos: 0n },
};
const notAsked = { spans: 0, candidates: 0, sampledSpans: 0, sampledNanos: 0 };

const ruleStats: readonly RuleStatsDelta[] = [
  counted,
  { ...counted, ...notAsked, agentName: coder, matches: 6, findings: 2, lastMatchNanos: nanos(ago(10)) },
  { ...counted, ...notAsked, filterId: 'own-filter', suppressed: 2 },
  { ...counted, ruleId: quietRule, ruleVersion: 'v1', candidates: 0 },
];
/** The version before, three hours ago: twice as many matches a span. */
const ruleStatsBefore: readonly RuleStatsDelta[] = [
  { ...counted, ruleVersion: 'v1' },
  { ...counted, ...notAsked, ruleVersion: 'v1', agentName: coder, matches: 12 },
];

const ruleStates: readonly RuleState[] = [tunedRule, quietRule].map((ruleId) => ({
  ...{
    ruleId,
    ruleName: '',
    ruleTitle: ruleId === tunedRule ? 'Tuned' : 'Quiet',
    ruleVersion: 'v2',
    formerIds: [],
    level: 'high',
  },
  ...{ state: 'active', reason: '' },
}));

/** A decision that a span tells, too, and one of an agent that sends log records alone. */
const logs = [
  { agent: coder, tool: 'Edit', trace: deniedTrace },
  { agent: 'cli', tool: 'shell', trace: '' },
].map(({ agent, tool, trace }) => ({
  ...{ Timestamp: isoMillis(ago(10)), ServiceName: 'cli', Body: 'codex.tool_decision', TraceId: trace },
  LogAttributes: {
    'spanwarden.agent_event': 'codex.tool_decision',
    'gen_ai.agent.name': agent,
    'gen_ai.tool.name': tool,
    'spanwarden.decision': 'denied',
    'spanwarden.decision_source': 'user',
    'spanwarden.trace_id': 'e1'.repeat(16),
  },
}));

const day = (days: number) => new Date(now - days * 86_400_000).toISOString().slice(0, 10);
const seenFields = [
  { Day: day(0), Category: 'tool', Field: 'gen_ai.tool.name', LastSeen: Math.floor(now / 1000) },
  { Day: day(9), Category: 'tool', Field: 'gen_ai.tool.call.arguments', LastSeen: Math.floor(now / 1000) - 9 * 86_400 },
];

const point = (name: string, minutesAgo: number, labels: Readonly<Record<string, string>> = {}) => ({
  ResourceAttributes: {
    'service.name': 'spanwarden-collector',
    'service.instance.id': 'c0ffee',
    'service.version': '0.1.0',
  },
  ...{ ServiceName: 'spanwarden-collector', MetricName: `spanwarden_${name}`, Attributes: labels },
  ...{ StartTimeUnix: isoMillis(ago(120)), TimeUnix: isoMillis(ago(minutesAgo)) },
});

/** A counter at 100 before the range, 160 in it, then a start and 30; everything else goes from 1 to 3. */
const sums = [
  ...[[65, 100] as const, [40, 160] as const, [30, 30] as const].map(([minutes, Value]) => ({
    ...point('receive_accepted_spans_total', minutes),
    Value,
  })),
  ...(
    [
      ['receive_requests_total', { code: '200' }],
      ['receive_refused_requests_total', { reason: 'memory' }],
      ['store_rows_total', { table: 'otel_traces' }],
      ['store_retries_total', {}],
      ['export_delivered_events_total', { destination: 'siem' }],
      ['export_lost_records_total', { destination: 'siem' }],
    ] as const
  ).flatMap(([name, labels]) => [
    { ...point(name, 65, labels), Value: 1 },
    { ...point(name, 5, labels), Value: 3 },
  ]),
];

const gauges = [
  ...(
    [
      ['spool_bytes', 4096],
      ['spool_oldest_age_seconds', 400],
      ['memory_resident_bytes', 100],
      ['memory_limit_bytes', 400],
      ['rules_active', 44],
      ['receive_last_span_timestamp_seconds', Math.floor(now / 1000)],
      ['correlate_late_events', 7],
    ] as const
  ).map(([name, Value]) => ({ ...point(name, 2), Value })),
  ...(
    [
      ['export_lag_seconds', 900],
      ['export_waiting_events', 12],
      ['export_dead_letters', 1],
    ] as const
  ).map(([name, Value]) => ({ ...point(name, 2, { destination: 'siem' }), Value })),
  ...['ok', 'retrying'].map((state) => ({
    ...point('export_state', 2, { destination: 'siem', state }),
    Value: state === 'retrying' ? 1 : 0,
  })),
];

/** Between them 100 requests: 50 up to 10 ms, 40 up to 100 ms, 10 above the last bound of 1 s. */
const histograms = ['receive_ack_seconds', 'store_lag_seconds'].flatMap((name) =>
  [
    { minutes: 65, BucketCounts: [5, 5, 0, 0] },
    { minutes: 5, BucketCounts: [55, 45, 0, 10] },
  ].map(({ minutes, BucketCounts }) => ({
    ...point(name, minutes),
    ...{ BucketCounts, ExplicitBounds: [0.01, 0.1, 1], Count: BucketCounts.reduce((all, each) => all + each), Sum: 1 },
  })),
);
