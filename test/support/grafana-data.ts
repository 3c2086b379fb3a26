import { TraceDecoder } from '../../collector/src/decode/trace-decoder.ts';
import type { Case } from '../../collector/src/model/case.ts';
import { createFieldTable } from '../../collector/src/model/fields.ts';
import type { Finding } from '../../collector/src/model/finding.ts';
import type { RuleState, RuleStatsDelta } from '../../collector/src/model/rule-health.ts';
import type { Rows, RowTableName, SealedSegment, SegmentSource } from '../../collector/src/model/spool.ts';
import type { Store } from '../../collector/src/store/index.ts';
import { encodeCases } from '../../collector/src/store/rows/cases.ts';
import { encodeFindings } from '../../collector/src/store/rows/findings.ts';
import { SpanRowEncoder } from '../../collector/src/store/rows/otel-traces.ts';
import { encodeRuleStates, encodeRuleStats } from '../../collector/src/store/rows/rule-health.ts';
import { otlpProtobuf, type TestSpan } from '../../collector/src/testing/otlp.ts';

export const now = Date.now();
export const traceId = 'a1'.repeat(16);
export const hostileTraceId = 'b2'.repeat(16);

/** What an attacker may put into an agent's or tool's name, an argument or a prompt. */
export const hostile = {
  agent: `\\' OR 1=1 -- "';DROP TABLE findings;{a:String}`,
  tool: `<img src=x onerror=alert(1)>\u0000\u001b[31m\u202e$__toTime \${trace_id} %27 ,{}`,
  text: `${'long '.repeat(2_000)}')) UNION ALL SELECT 1 --`,
};

/** Through the store's own encoders and shipper; the findings twice, as a replay would. */
export async function loadGrafanaData(store: Store): Promise<void> {
  const fields = createFieldTable();
  const decoded = new TraceDecoder(fields).decode(otlpProtobuf(spans, { 'service.name': 'support' }));
  if (decoded.status !== 'ok') throw new Error(decoded.message);
  const range = { fromMs: now - 86_400_000, toMs: now + 86_400_000 };
  await ship(store, 'first', [
    new SpanRowEncoder(fields).encode(decoded.batch, range),
    encodeFindings(findings),
    encodeCases(cases),
    encodeRuleStats(ruleStats, now),
    encodeRuleStates(ruleStates, now),
  ]);
  await ship(store, 'second', [encodeFindings(findings)]);
}

/** Stores rows as a segment of the spool. Throws when ClickHouse refuses one. */
export async function ship(store: Store, id: string, tables: readonly Rows[]): Promise<void> {
  const bytesOf = (table: RowTableName) =>
    tables.filter((rows) => rows.table === table).map(({ bytes }) => Buffer.from(bytes));
  const segment: SealedSegment = {
    id: `grafana-test-${id}`,
    takenMs: now,
    tables: tables.map(({ table, count, bytes }) => ({ table, columns: 0, rows: count, bytes: bytes.length })),
    read: async (table) => bytesOf(table),
  };
  let given = false;
  let refused: string | undefined;
  const source: SegmentSource = {
    next: async () => {
      if (given) return undefined;
      given = true;
      return segment;
    },
    sent: async () => {},
    deadLetter: async (_, [first]) => {
      refused = first?.reason;
    },
  };
  await store.run(source, new AbortController().signal);
  if (refused !== undefined) throw new Error(refused);
}

const nanos = (ms: number): bigint => BigInt(ms) * 1_000_000n;

const spans: readonly TestSpan[] = [
  {
    traceId,
    spanId: '11'.repeat(8),
    name: 'invoke_agent support-agent',
    startNanos: nanos(now - 60_000),
    endNanos: nanos(now - 50_000),
    attributes: { 'gen_ai.agent.name': 'support-agent', 'gen_ai.operation.name': 'invoke_agent' },
  },
  {
    traceId,
    spanId: '33'.repeat(8),
    parentSpanId: '11'.repeat(8),
    name: 'execute_tool payments.refund',
    startNanos: nanos(now - 60_000 + 50),
    endNanos: nanos(now - 60_000 + 300),
    attributes: {
      'gen_ai.tool.name': 'payments.refund',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.call.arguments': '{"amount":900}',
    },
    events: [{ name: 'exception', nanos: nanos(now - 59_900), attributes: { 'exception.message': 'no' } }],
    links: [{ traceId: hostileTraceId, spanId: '22'.repeat(8) }],
    status: { code: 2, message: 'refused' },
  },
  {
    traceId: hostileTraceId,
    spanId: '22'.repeat(8),
    name: hostile.tool,
    startNanos: nanos(now - 120_000),
    attributes: {
      'gen_ai.agent.name': hostile.agent,
      'gen_ai.tool.name': hostile.tool,
      'gen_ai.tool.call.arguments': hostile.text,
    },
  },
];

export const finding: Finding = {
  id: '01'.repeat(16),
  timeNanos: nanos(now - 60_000),
  ruleId: 'refund-unasked',
  ruleTitle: 'Refund nobody asked for',
  ruleVersion: 'v1',
  level: 'critical',
  response: 'alert',
  tags: ['attack.impact'],
  reason: 'The agent refunded without a request.',
  groupKey: '',
  traceId,
  spanId: '33'.repeat(8),
  spanName: 'execute_tool payments.refund',
  serviceName: 'support',
  agentName: 'support-agent',
  conversationId: 'c1',
  userId: 'u1',
  toolName: 'payments.refund',
  evidence: [
    { selection: 'tool', field: 'gen_ai.tool.name', wanted: 'is "payments.refund"', excerpt: 'payments.refund' },
    { selection: 'keywords', field: '', wanted: 'is "x"', excerpt: 'x' },
  ],
};

const findings: readonly Finding[] = [
  finding,
  {
    ...finding,
    id: '02'.repeat(16),
    timeNanos: nanos(now - 120_000),
    ruleId: 'odd-names',
    ruleTitle: 'Odd names',
    level: 'high',
    reason: hostile.tool,
    traceId: hostileTraceId,
    spanId: '22'.repeat(8),
    spanName: hostile.tool,
    agentName: hostile.agent,
    toolName: hostile.tool,
    conversationId: hostile.tool,
    userId: hostile.agent,
    evidence: [{ selection: 'tool', field: hostile.tool, wanted: hostile.agent, excerpt: hostile.tool }],
  },
  {
    ...finding,
    id: '03'.repeat(16),
    timeNanos: nanos(now - 130_000),
    ruleId: 'long-answer',
    ruleTitle: 'Long answer',
    level: 'low',
    reason: hostile.text,
    traceId: hostileTraceId,
    spanId: '22'.repeat(8),
    agentName: '',
    toolName: '',
    evidence: [{ selection: 'text', field: 'output', wanted: 'is long', excerpt: hostile.text }],
  },
];

/** One that is what it says and one whose texts are an attacker's; and an older state of the first. */
export const openCase: Case = {
  id: '0c'.repeat(16),
  version: 2n,
  day: Math.floor(now / 86_400_000),
  mergedInto: '',
  headline: 'support-agent called payments.refund: Refund nobody asked for',
  level: 'critical',
  raisedBy: '',
  firstSeenNanos: nanos(now - 60_000),
  lastSeenNanos: nanos(now - 60_000),
  findings: 1,
  count: 1,
  votes: [{ ruleId: 'refund-unasked', ruleTitle: 'Refund nobody asked for', level: 'critical', findings: 1, count: 1 }],
  timeline: [],
  agents: ['support-agent'],
  users: ['u1'],
  conversations: ['c1'],
  traceIds: [traceId],
  chainIds: ['0c'.repeat(16)],
  alertSeq: 1,
  alerted: true,
};

const cases: readonly Case[] = [
  { ...openCase, version: 1n, level: 'high' },
  openCase,
  { ...openCase, id: '0d'.repeat(16), level: 'high', headline: hostile.tool, agents: [hostile.agent, hostile.text] },
];

const notAsked = { spans: 0, candidates: 0, sampledSpans: 0, sampledNanos: 0 };

const ruleStats: readonly RuleStatsDelta[] = [
  {
    ruleId: 'refund-unasked',
    ruleVersion: 'v1',
    agentName: '',
    filterId: '',
    spans: 200,
    candidates: 120,
    matches: 0,
    findings: 0,
    suppressed: 0,
    errors: 0,
    sampledSpans: 4,
    sampledNanos: 10_000,
    lastMatchNanos: 0n,
  },
].flatMap((asked) => [
  asked,
  { ...asked, ...notAsked, agentName: hostile.agent, matches: 3, findings: 3, lastMatchNanos: nanos(now - 60_000) },
  { ...asked, ...notAsked, filterId: hostile.tool, suppressed: 2 },
]);

const ruleStates: readonly RuleState[] = ['refund-unasked', hostile.tool].map((ruleId, index) => ({
  ruleId,
  ruleName: '',
  ruleTitle: index === 0 ? 'Refund nobody asked for' : hostile.agent,
  ruleVersion: 'v1',
  formerIds: [],
  level: 'high',
  state: index === 0 ? 'active' : 'disabled',
  reason: index === 0 ? '' : hostile.text,
}));
