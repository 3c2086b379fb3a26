import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { withCasework } from './detect/casework.ts';
import { createDetector } from './detect/engine.ts';
import { loadRules } from './detect/load.ts';
import { createJoiner } from './log-events.ts';
import { createFieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import { ok } from './model/outcome.ts';
import { Category } from './model/span-events.ts';
import { valueText } from './model/value.ts';
import { TracePipeline } from './pipeline.ts';
import { otlpProtobuf, type TestSpan } from './testing/otlp.ts';
import { createToolCalls, whileRules } from './tool-calls.ts';

const nowMs = 1_900_000_000_000;
const rules = `
title: A call
name: call
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name|exists: true}, condition: s}
---
title: Calls of a service
correlation: {type: event_count, rules: [call], group-by: [service.name], timespan: 1h, condition: {gte: 1}}
---
title: Each call
logsource: {product: ai_agent, category: tool}
detection: {s: {spanwarden.argument.n|exists: true}, condition: s}
---
title: Changed
logsource: {product: ai_agent, category: agent}
detection: {s: {spanwarden.tool_call.changed_arguments|exists: true}, condition: s}
---
title: Unanswered
logsource: {product: ai_agent, category: agent}
detection: {s: {spanwarden.tool_call.outcome: unanswered}, condition: s}
---
title: Unasked
logsource: {product: ai_agent, category: tool}
detection: {s: {spanwarden.tool_call.outcome: unasked}, condition: s}
`;

/** A pipeline with everything that judges; what its rules saw of tool calls, and what was found. */
function setup(areRulesLoaded = () => true) {
  const fields = createFieldTable();
  const calls = createToolCalls(fields, 30_000_000_000n);
  const joiner = createJoiner(fields, 30_000_000_000n);
  const detector = createDetector({ ...loadRules([{ path: 'r.yml', text: rules }]), fields, journal: true });
  const seen = new Set<string>();
  const watched: typeof detector = {
    ...detector,
    get newestNanos() {
      return detector.newestNanos;
    },
    get findingsDropped() {
      return detector.findingsDropped;
    },
    detect: (events, now) => {
      for (let span = 0; span < events.batch.spanCount; span++) {
        if ((events.categories(span) & Category.tool) === 0) continue;
        const text = (name: string) => valueText(events.value(span, fields.intern(name)) ?? '');
        seen.add(`${text('span_id')} ${text('gen_ai.tool.name')} ${json(text('gen_ai.tool.call.arguments'))}`);
      }
      return detector.detect(events, now);
    },
  };
  const whole = withCasework(watched, { fields, journal: true, parts: { calls, logs: joiner } });
  const journals: Uint8Array[] = [];
  const casework: typeof whole = {
    ...whole,
    get newestNanos() {
      return whole.newestNanos;
    },
    takeJournal: () => {
      journals.push(whole.takeJournal());
      return journals.at(-1)!;
    },
  };
  const found: Finding[] = [];
  const pipeline = new TracePipeline({
    ...{ fields, detector: casework, joiner, retentionMs: 30 * 86_400_000, now: () => nowMs },
    calls: whileRules(areRulesLoaded, calls),
    observer: {
      batch: (_, findings) => void found.push(...findings),
      settled: (findings) => void found.push(...findings),
      detectFailed: (error) => assert.fail(error as Error),
    },
    log: { committed: () => undefined, refusal: () => undefined, append: async () => ok },
  });
  return { pipeline, seen, found, calls, casework, journals };
}

/** Arguments in one form, whatever their emitter's. */
function json(text: string): string {
  return text === '' ? '' : JSON.stringify(JSON.parse(text));
}

/** Newest state of each finding. */
function shown(found: readonly Finding[]): string[] {
  const newest = new Map(found.map((finding) => [finding.id, finding]));
  return [...newest.values()].map(({ ruleTitle, count }) => `${ruleTitle} ${count ?? 1}`).sort();
}

async function play(requests: readonly Buffer[]) {
  const played = setup();
  for (const bytes of requests) assert.equal((await played.pipeline.consume('protobuf', bytes)).status, 'ok');
  await played.pipeline.flush();
  return played;
}

describe('captured traces', () => {
  const folder = join(import.meta.dirname, '../../test/fixtures/traces');
  const told: Readonly<Record<string, readonly string[]>> = {
    chatWithTool: ['find_order {"order":"4711","verbose":true}'],
    agentWithMcpError: ['refund {"order":"4711","amount":12.5}'],
    streamedRetrieval: [],
  };
  /** Semantic Kernel names a function with its plugin, CrewAI with its MCP server; LangChain's tool for MCP is named after its class where it fails. */
  const plain = (name: string) => name.replace(/^(?:Orders|shop)[-_]/, '').replace('DynamicStructuredTool', 'refund');
  for (const emitter of readdirSync(folder)) {
    if (emitter === 'demo' || emitter === 'regenerate') continue;
    for (const [story, expected] of Object.entries(told)) {
      test(`${emitter} tells the tool calls of ${story} once`, async () => {
        const { pipeline, seen, found } = setup();
        for (const [signal, ending] of [
          ['traces', ''],
          ['logs', '.logs'],
        ] as const) {
          const path = join(folder, emitter, `${story}${ending}.json`);
          if (existsSync(path)) await pipeline.consume('json', readFileSync(path), signal);
        }
        await pipeline.flush();
        const ids = new Set([...seen].map((each) => each.slice(0, 16)));
        const whole = [...seen].map((each) => plain(each.slice(17))).filter((each) => each.includes(' {'));
        assert.deepEqual(whole, emitter === 'autogen' ? [] : expected, 'AutoGen says no arguments');
        assert.equal(ids.size, expected.length, [...seen].join());
        assert.deepEqual(shown(found), expected.length > 0 ? ['Calls of a service 1'] : []);
      });
    }
  }
});

const at = (seconds: number) =>
  BigInt(nowMs - 3_600_000) * 1_000_000n + BigInt(Math.round(seconds * 1000)) * 1_000_000n;

/** One call and where it is seen. */
interface Story {
  readonly isProposed: boolean;
  readonly isExecuted: boolean;
  readonly hasClient: boolean;
  readonly hasServer: boolean;
  readonly isAnswered: boolean;
  readonly isWrapped: boolean;
  readonly hasIds: boolean;
  readonly isChanged: boolean;
  /** Under which name models know the tool `files.write` of an MCP server. */
  readonly naming: keyof typeof modelNames;
}

const modelNames = { asItIs: 'files.write', cleaned: 'files_write', qualified: 'mcp__disk__files_write' };

/** Without an id nothing says that a call with other arguments is the one that was proposed. */
const isChanged = (story: Story) => story.isChanged && story.isProposed && story.isExecuted && story.hasIds;

const hex = (n: number, length: number) => n.toString(16).padStart(length, '0');

/** The spans of one call, all within five seconds. */
function spansOf(story: Story, n: number): TestSpan[] {
  const traceId = hex(n + 1, 32);
  const id = (part: number) => hex((n + 1) * 16 + part, 16);
  const callId = story.hasIds ? `call_${n}` : '';
  const proposed = { n, path: '/tmp' };
  const executed = isChanged(story) ? { n, path: '/etc' } : proposed;
  const call = {
    type: 'tool_call',
    ...(story.hasIds && { id: callId }),
    name: modelNames[story.naming],
    arguments: proposed,
  };
  const answer = { type: 'tool_call_response', ...(story.hasIds && { id: callId }), response: 'done' };
  const chat = (part: number, start: number, attributes: Record<string, object>, parentSpanId = id(0)): TestSpan => ({
    ...{ traceId, spanId: id(part), parentSpanId, name: 'chat m', startNanos: at(start), endNanos: at(start + 1) },
    attributes: {
      'gen_ai.operation.name': 'chat',
      ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, JSON.stringify(value)])),
    },
  });
  const tool = (part: number, parent: number, more: Record<string, string>, kind = 1): TestSpan => ({
    ...{ traceId, spanId: id(part), parentSpanId: id(parent), name: 'execute_tool', kind },
    ...{ startNanos: at(1 + part / 10), endNanos: at(2.9 - part / 10) },
    attributes: {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': kind === 1 ? modelNames[story.naming] : modelNames.asItIs,
      'gen_ai.tool.call.arguments': JSON.stringify(executed),
      ...more,
    },
  });
  const mcp = { 'mcp.method.name': 'tools/call' };
  const ask = { 'gen_ai.output.messages': [{ role: 'assistant', parts: [call] }] };
  const asked = [
    { role: 'user', parts: [{ type: 'text', content: 'write' }] },
    { role: 'assistant', parts: [call] },
    { role: 'tool', parts: [answer] },
  ];
  const told = { 'gen_ai.input.messages': asked };
  return [
    ...(story.isProposed ? [chat(1, 0, ask)] : []),
    ...(story.isProposed && story.isWrapped ? [chat(2, 0, ask, id(1))] : []),
    ...(story.isExecuted ? [tool(3, 0, story.hasIds ? { 'gen_ai.tool.call.id': callId } : {})] : []),
    ...(story.hasClient ? [tool(4, story.isExecuted ? 3 : 0, mcp, 3)] : []),
    ...(story.hasServer ? [tool(5, story.hasClient ? 4 : story.isExecuted ? 3 : 0, mcp, 2)] : []),
    ...(story.isAnswered ? [chat(6, 3, told)] : []),
    ...(story.isAnswered && story.isWrapped ? [chat(7, 3, told, id(6))] : []),
  ];
}

function tick(seconds: number): TestSpan {
  const ids = { traceId: hex(seconds + 5000, 32), spanId: hex(seconds + 5000, 16) };
  const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'tick' };
  return { ...ids, name: 'tick', startNanos: at(seconds), endNanos: at(seconds), attributes };
}

/** Findings that the stories must give, whatever comes first. */
function wanted(stories: readonly Story[]): string[] {
  const isCall = (each: Story) => each.isExecuted || each.hasClient || each.hasServer || each.isAnswered;
  const calls = stories.filter(isCall).length;
  const changed = stories.filter(isChanged).length;
  const unanswered = stories.filter((each) => each.isProposed && !isCall(each)).length;
  return [
    `Calls of a service ${calls + 1}`,
    ...Array.from({ length: calls }, () => 'Each call 1'),
    ...Array.from({ length: changed }, () => 'Changed 1'),
    ...Array.from({ length: unanswered }, () => 'Unanswered 1'),
  ].sort();
}

/** Plays requests; where `restarts` says so everything goes on in a new process. */
async function playOn(requests: readonly Buffer[], restarts: ReadonlyMap<number, 'snapshot' | 'journal'>) {
  let played = setup();
  const found: Finding[] = [];
  for (const [i, bytes] of requests.entries()) {
    assert.equal((await played.pipeline.consume('protobuf', bytes)).status, 'ok');
    const way = restarts.get(i);
    if (way === undefined) continue;
    const next = setup();
    if (way === 'snapshot') assert.equal(next.casework.restore(played.casework.snapshot()).status, 'restored');
    else for (const journal of played.journals) next.casework.replay(journal);
    found.push(...played.found);
    // A second restart by journal needs all of them.
    next.journals.push(...played.journals);
    played = next;
  }
  await played.pipeline.flush();
  return [...found, ...played.found];
}

test('one call is one call, in any order, in any batches and over restarts', async () => {
  const story = fc.record({
    isProposed: fc.boolean(),
    isExecuted: fc.boolean(),
    hasClient: fc.boolean(),
    hasServer: fc.boolean(),
    isAnswered: fc.boolean(),
    isWrapped: fc.boolean(),
    hasIds: fc.boolean(),
    isChanged: fc.boolean(),
    naming: fc.constantFrom('asItIs' as const, 'cleaned' as const, 'qualified' as const),
  });
  const restart = fc.constantFrom('snapshot' as const, 'journal' as const);
  await fc.assert(
    fc.asyncProperty(
      fc.array(story, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 40, maxLength: 40 }),
      fc.array(fc.tuple(fc.nat({ max: 12 }), restart), { maxLength: 3 }),
      async (stories, keys, sizes, restarts) => {
        const spans = stories
          .flatMap(spansOf)
          .map((span, i) => [keys[i % keys.length]!, span] as const)
          .sort(([a], [b]) => a - b)
          .map(([, span]) => span);
        const requests: Buffer[] = [];
        for (let first = 0, i = 0; first < spans.length; i++) {
          requests.push(otlpProtobuf(spans.slice(first, first + sizes[i % sizes.length]!)));
          first += sizes[i % sizes.length]!;
        }
        // Time goes on, so that not everything is left for the end.
        const clock = [40, 800].map((seconds) => otlpProtobuf([tick(seconds)], { 'service.name': 'clock' }));
        // The first tool span of a service says that there are some.
        const first = otlpProtobuf([tick(-1)], { 'service.name': 'test' });
        const found = await playOn([first, ...requests, ...clock], new Map(restarts));
        assert.deepEqual(shown(found), [...wanted(stories), 'Calls of a service 2'].sort());
      },
    ),
    { numRuns: 150 },
  );
});

describe('calls that only messages tell', () => {
  const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) };
  const call = (id: string, n: number) => ({ type: 'tool_call', id, name: 'write', arguments: { n } });
  const result = (id: string, response: string) => ({ type: 'tool_call_response', id, response });
  const turn = (n: number, messages: readonly object[], more: Partial<TestSpan> = {}): TestSpan => ({
    ...{ ...ids, spanId: hex(n, 16), name: 'chat m', startNanos: at(n), endNanos: at(n + 1) },
    attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.input.messages': JSON.stringify(messages) },
    ...more,
  });
  const asked = (...parts: object[]) => ({ role: 'assistant', parts });
  const given = (...parts: object[]) => ({ role: 'tool', parts });

  test('are as many as there are, however many one model call brings back', async () => {
    const messages = [asked(call('a', 1), call('b', 2)), given(result('a', 'x'), result('b', 'y'))];
    const { found } = await play([otlpProtobuf([turn(1, messages)])]);
    assert.deepEqual(shown(found), ['Calls of a service 2', 'Each call 1', 'Each call 1']);
  });

  test('are found below the model call, which the finding names', async () => {
    const { found } = await play([otlpProtobuf([turn(1, [asked(call('a', 1)), given(result('a', 'x'))])])]);
    const finding = found.find(({ ruleTitle }) => ruleTitle === 'Each call')!;
    assert.equal(finding.traceId, ids.traceId);
    assert.equal(finding.toolName, 'write');
    assert.deepEqual(
      finding.evidence.filter(({ field }) => field === 'span_id').map(({ wanted: span }) => span),
      [`${hex(1, 16)} in trace ${ids.traceId}`],
    );
  });

  test('count again in a later turn where an emitter numbers calls anew in each', async () => {
    const first = [asked(call('call_0', 1)), given(result('call_0', 'x'))];
    const second = [...first, asked(call('call_0', 1)), given(result('call_0', 'x'))];
    const { found } = await play([otlpProtobuf([turn(1, first), turn(3, second)])]);
    assert.equal(shown(found)[0], 'Calls of a service 2');
  });

  test('count once where the same list is sent again', async () => {
    const messages = [asked(call('a', 1)), given(result('a', 'x'))];
    const { found } = await play([otlpProtobuf([turn(1, messages), turn(3, messages)])]);
    assert.deepEqual(shown(found), ['Calls of a service 1', 'Each call 1']);
  });

  test('may lack the call', async () => {
    const { found } = await play([otlpProtobuf([turn(1, [given(result('a', 'x'))])])]);
    assert.deepEqual(shown(found), ['Unasked 1']);
  });

  test('in history are no news', async () => {
    const messages = [asked(call('a', 1)), given(result('a', 'x')), asked({ type: 'text', content: 'done' })];
    const { found } = await play([otlpProtobuf([turn(1, [...messages, { role: 'user', content: 'thanks' }])])]);
    assert.deepEqual(shown(found), []);
  });
});

test('while no rules are loaded no call is remembered, and what was remembered goes when its time has come', async () => {
  let areLoaded = false;
  const { pipeline, calls, seen } = setup(() => areLoaded);
  const story: Story = {
    ...{ isProposed: true, isExecuted: false, hasClient: false, hasServer: false, isAnswered: true, isWrapped: false },
    ...{ hasIds: true, isChanged: false, naming: 'asItIs' },
  };
  const send = (spans: TestSpan[]) => pipeline.consume('protobuf', otlpProtobuf(spans));
  await send(spansOf(story, 1));
  assert.equal(calls.size, 0);
  areLoaded = true;
  await send(spansOf(story, 2));
  assert.equal(calls.size, 2);
  areLoaded = false;
  await send([tick(60)]);
  await send([tick(3_000)]);
  await send([tick(3_002)]);
  assert.equal(calls.size, 0);
  assert.equal([...seen].filter((each) => each.includes('files.write')).length, 1);
});
