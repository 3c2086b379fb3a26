import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createDetector } from './detect/engine.ts';
import { loadRules } from './detect/load.ts';
import { createJoiner } from './log-events.ts';
import { createFieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import { ok } from './model/outcome.ts';
import { sessionOf } from './model/session.ts';
import { TracePipeline } from './pipeline.ts';
import { otlpProtobuf, type TestSpan } from './testing/otlp.ts';
import { answer, type Call, callSpan, givenCall, result, traceOf, user } from './testing/sessions.ts';
import { createToolCalls } from './tool-calls.ts';

const rules = loadRules([
  {
    path: 'r.yml',
    text: `
title: A call
logsource: {product: ai_agent}
detection: {s: {gen_ai.operation.name: [chat, execute_tool, invoke_agent, agent_event]}, condition: s}
`,
  },
]);

interface Sent {
  /** \`<source> <id>\` by span, of all findings together with those at the end. */
  readonly sessions: ReadonlyMap<string, string>;
  /** The same for those that came with their request. */
  readonly atOnce: ReadonlyMap<string, string>;
}

/** Sends requests of spans one after the other. */
async function sent(
  requests: readonly (readonly TestSpan[])[],
  resources: readonly Readonly<Record<string, string>>[] = [],
  withCalls = false,
): Promise<Sent> {
  const fields = createFieldTable();
  const found: Finding[] = [];
  const pipeline = new TracePipeline({
    fields,
    detector: createDetector({ ...rules, fields, sessionWaitNanos: 30_000_000_000n }),
    ...(withCalls && { calls: createToolCalls(fields, 30_000_000_000n) }),
    log: { committed: () => undefined, refusal: () => undefined, append: async () => ok },
    retentionMs: 1e12,
    now: () => 1_900_000_100_000,
    observer: { batch: (_, findings) => found.push(...findings), settled: (findings) => found.push(...findings) },
  });
  const told = () =>
    new Map(
      found.map((finding) => {
        const { id, source } = sessionOf(finding);
        return [
          `${finding.serviceName === 'test' ? '' : `${finding.serviceName} `}${spanNumber(finding)}`,
          `${source} ${id}`,
        ];
      }),
    );
  for (const [index, spans] of requests.entries()) {
    await pipeline.consume('protobuf', otlpProtobuf(spans, resources[index]));
  }
  const atOnce = told();
  await pipeline.flush();
  return { sessions: told(), atOnce };
}

function spanNumber({ spanId }: Finding): string {
  return String(Number.parseInt(spanId, 16));
}

/** Requests of one call each. */
function alone(...calls: readonly Call[]): TestSpan[][] {
  return calls.map((call) => [callSpan(call)]);
}

const ids = (sessions: ReadonlyMap<string, string>): string[] =>
  [...sessions.values()].map((text) => text.split(' ')[1]!);
const sources = (sessions: ReadonlyMap<string, string>): string =>
  [...sessions].map(([span, text]) => `${span} ${text.split(' ')[0]}`).join(', ');
const distinct = (sessions: ReadonlyMap<string, string>): number => new Set(ids(sessions)).size;

test('calls that send the whole history are one session by the first tool call', async () => {
  const history = [user('buy a watch'), givenCall('call_first_one'), result('call_first_one')];
  const { sessions, atOnce } = await sent(
    alone(
      { at: 1, input: history.slice(0, 1), output: [givenCall('call_first_one')] },
      { at: 2, input: history, output: [givenCall('call_second_one')] },
      { at: 3, input: [...history, givenCall('call_second_one'), result('call_second_one')], output: [answer('done')] },
    ),
  );
  assert.equal(sources(sessions), '1 tool_call, 2 tool_call, 3 tool_call');
  assert.equal(distinct(sessions), 1);
  assert.deepEqual(atOnce, sessions, 'nobody waits');
});

test('a call that was given only a later part of the history finds its session', async () => {
  const { sessions } = await sent(
    alone(
      { at: 1, input: [user('go')], output: [givenCall('call_first_one')] },
      { at: 2, input: [givenCall('call_first_one'), result('call_first_one')], output: [givenCall('call_second_one')] },
      { at: 3, input: [givenCall('call_second_one'), result('call_second_one')], output: [answer('done')] },
    ),
  );
  assert.equal(distinct(sessions), 1);
});

test('calls that go on from a response are one session, named by the trace of the first', async () => {
  const { sessions } = await sent(
    alone(
      { at: 1, input: [user('hi')], output: [answer('hello')], response: 'resp_0001' },
      { at: 2, input: [user('and')], output: [answer('yes')], response: 'resp_0002', previous: 'resp_0001' },
      { at: 3, input: [user('so')], output: [answer('no')], response: 'resp_0003', previous: 'resp_0002' },
    ),
  );
  assert.equal(sources(sessions), '1 trace, 2 response, 3 response');
  assert.deepEqual(new Set(ids(sessions)), new Set([traceOf(1)]));
});

test('names of the response that older instrumentations use count as well', async () => {
  for (const previousName of ['gen_ai.openai.request.previous_response_id', 'gen_ai.request.previous_response_id']) {
    const { sessions } = await sent(
      alone({ at: 1, response: 'resp_0001' }, { at: 2, response: 'resp_0002', previous: 'resp_0001', previousName }),
    );
    assert.equal(distinct(sessions), 1, previousName);
  }
});

test('calls that repeat the messages before them are one session', async () => {
  const first = [user('what is the weather in Oslo'), answer('Rain, all of the week.')];
  const second = [...first, user('and in Rome'), answer('Sun.')];
  const { sessions } = await sent(
    alone(
      { at: 1, input: first.slice(0, 1), output: first.slice(1) },
      { at: 2, input: second.slice(0, 3), output: second.slice(3) },
      { at: 3, input: [...second, user('book it')], output: [givenCall('call_first_one')] },
      {
        at: 4,
        input: [...second, user('book it'), givenCall('call_first_one'), result('call_first_one')],
        output: [answer('ok')],
      },
    ),
  );
  assert.equal(sources(sessions), '1 trace, 2 prefix, 3 prefix, 4 tool_call');
  assert.deepEqual(new Set(ids(sessions)), new Set([traceOf(1)]));
});

test('an opening that two sessions have in common joins nothing to either', async () => {
  const hello = [user('hello'), answer('How can I help?')];
  const { sessions } = await sent(
    alone(
      { at: 1, input: hello.slice(0, 1), output: hello.slice(1) },
      { at: 2, input: hello.slice(0, 1), output: hello.slice(1) },
      { at: 3, input: [...hello, user('my order')], output: [answer('Which?')] },
      { at: 4, input: [...hello, user('my bill')], output: [answer('Paid.')] },
      { at: 5, input: [...hello, user('my order'), answer('Which?'), user('1038')], output: [answer('Sent.')] },
    ),
  );
  assert.equal(distinct(sessions), 4, 'the fifth goes on from the third');
  assert.equal(sources(sessions), '1 trace, 2 trace, 3 trace, 4 trace, 5 prefix');
});

test('a tool call that only messages tell, and what is said about it, are of the session of the model call', async () => {
  const calls = alone(
    { at: 1, input: [user('go')], output: [givenCall('call_first_one'), givenCall('call_never_answered')] },
    { at: 2, input: [givenCall('call_first_one'), result('call_first_one')], output: [answer('done')] },
    { at: 900, conversation: 'talk-1' },
  );
  const { sessions } = await sent(calls, [], true);
  assert.equal(sessions.size, 5, 'three calls of models, one that messages tell, one that nobody answered');
  assert.equal(distinct(sessions), 2);
});

test('a tool call that only messages tell goes with its model call, also without an id that says so', async () => {
  const said = [user('where is order 4711'), givenCall('call_7')];
  const calls = alone(
    { at: 1, input: said.slice(0, 1), output: said.slice(1) },
    { at: 2, input: [...said, result('call_7')], output: [answer('gone')] },
    { at: 60, conversation: 'talk-1' },
  );
  const { sessions } = await sent(calls, [], true);
  assert.equal(sessions.size, 4);
  assert.deepEqual(new Set(ids(sessions)), new Set([traceOf(1), 'talk-1']));
});

test('a tool in a trace of its own belongs to the call that asked for it', async () => {
  const { sessions } = await sent(
    alone({ at: 1, input: [user('go')], output: [givenCall('call_first_one')] }, { at: 2, tool: 'call_first_one' }),
  );
  assert.equal(sources(sessions), '1 tool_call, 2 tool_call');
  assert.equal(distinct(sessions), 1);
});

test('a conversation id and the trace of an agent come first', async () => {
  const { sessions } = await sent([
    [
      callSpan({ at: 1, conversation: 'talk-1', input: [user('go')], output: [givenCall('call_first_one')] }),
      callSpan({ at: 2, conversation: 'talk-2', input: [givenCall('call_first_one'), result('call_first_one')] }),
      callSpan({ at: 3, agent: true }),
      {
        ...callSpan({ at: 4, input: [givenCall('call_first_one')] }),
        traceId: traceOf(3),
        parentSpanId: '03'.padStart(16, '0'),
      },
    ],
  ]);
  assert.deepEqual(
    [...sessions.values()],
    ['conversation talk-1', 'conversation talk-2', `trace ${traceOf(3)}`, `trace ${traceOf(3)}`],
  );
});

test('a call that comes before the one it goes on from waits for it', async () => {
  const [first, second, third] = alone(
    { at: 1, response: 'resp_0001' },
    { at: 2, response: 'resp_0002', previous: 'resp_0001' },
    { at: 3, response: 'resp_0003', previous: 'resp_0002' },
  );
  const { sessions, atOnce } = await sent([third!, second!]);
  assert.equal(atOnce.size, 0);
  assert.equal(distinct(sessions), 1, 'what never comes gives its name');
  const whole = await sent([third!, first!, second!]);
  assert.deepEqual(new Set(ids(whole.sessions)), new Set([traceOf(1)]));
  assert.equal(whole.atOnce.size, 3, 'it waits no longer than that');
});

test('what waits comes out when event time has gone on', async () => {
  const { atOnce } = await sent(alone({ at: 1, previous: 'resp_gone' }, { at: 32, conversation: 'talk-1' }));
  assert.equal(sources(atOnce), '1 response, 32 conversation');
});

test('a session that was silent for long is closed', async () => {
  const fiveHours = 5 * 3600;
  const { sessions } = await sent(
    alone({ at: 1, response: 'resp_0001' }, { at: fiveHours, response: 'resp_0002', previous: 'resp_0001' }),
  );
  assert.equal(distinct(sessions), 2);
});

test('nothing is joined across services and environments', async () => {
  const calls = alone(
    { at: 1, input: [user('go')], output: [givenCall('call_first_one')], response: 'resp_0001' },
    { at: 2, input: [givenCall('call_first_one'), result('call_first_one')], previous: 'resp_0001' },
    { at: 3, input: [givenCall('call_first_one'), result('call_first_one')], previous: 'resp_0001' },
    { at: 4, input: [givenCall('call_first_one'), result('call_first_one')], previous: 'resp_0001' },
  );
  const { sessions } = await sent(calls, [
    { 'service.name': 'a' },
    { 'service.name': 'b' },
    { 'service.name': 'a', 'service.namespace': 'other' },
    { 'service.name': 'a', 'deployment.environment.name': 'dev' },
  ]);
  assert.equal(distinct(sessions), 4);
});

test('ids that are counters, names or no ids at all join nothing', async () => {
  for (const id of ['', '1', 'call_1', 'x'.repeat(257)]) {
    const { sessions } = await sent(
      alone(
        { at: 1, input: [user('a')], output: [givenCall(id)], response: id },
        { at: 2, input: [user('b')], output: [givenCall(id)], previous: id },
      ),
    );
    assert.equal(distinct(sessions), 2, id);
  }
});

test('hostile ids are ids', async () => {
  for (const id of [
    '__proto__',
    'constructor',
    'a\u0000b\u0000c\u0000d\u0000e',
    '"],["x"],"',
    '漢'.repeat(60),
    '\ud800'.repeat(9),
  ]) {
    const { sessions } = await sent(
      alone(
        { at: 1, input: [user('a')], output: [givenCall(id)] },
        { at: 2, input: [givenCall(id), result(id)], output: [answer('b')] },
        { at: 3, input: [user('c')], output: [givenCall('call_of_others')] },
      ),
    );
    assert.equal(distinct(sessions), 2, JSON.stringify(id));
  }
});

test('what real instrumentations without a trace around their calls send is one session', async () => {
  for (const emitter of ['openlit', 'otel-openai', 'otel-openai-v2', 'otel-openai-v2-events', 'logfire']) {
    const file = new URL(`../../test/fixtures/traces/${emitter}/chatWithTool`, import.meta.url);
    const fields = createFieldTable();
    const found: Finding[] = [];
    const pipeline = new TracePipeline({
      fields,
      detector: createDetector({ ...rules, fields, sessionWaitNanos: 30_000_000_000n }),
      joiner: createJoiner(fields, 30_000_000_000n),
      calls: createToolCalls(fields, 30_000_000_000n),
      log: { committed: () => undefined, refusal: () => undefined, append: async () => ok },
      retentionMs: 1e12,
      now: Date.now,
      observer: { batch: (_, findings) => found.push(...findings), settled: (findings) => found.push(...findings) },
    });
    await pipeline.consume('json', readFileSync(new URL(`${file}.json`)));
    const logs = new URL(`${file}.logs.json`);
    if (existsSync(logs)) await pipeline.consume('json', readFileSync(logs), 'logs');
    await pipeline.flush();
    // Of a span whose content came later the last finding counts.
    const last = new Map(found.map((finding) => [finding.spanId, sessionOf(finding).id]));
    assert.equal(last.size, 3, `${emitter}: two model calls, and the tool call that their messages tell`);
    assert.equal(new Set(last.values()).size, 1, emitter);
  }
});

test('what a sender says about its session itself is not believed', async () => {
  const attributes = { 'spanwarden.session': 'forged', 'spanwarden.session.source': 'conversation' };
  const span = callSpan({ at: 1, input: [user('a')], output: [givenCall('call_first_one')] });
  const { sessions } = await sent([[{ ...span, attributes: { ...span.attributes, ...attributes } }]]);
  assert.match([...sessions.values()].join(), /^tool_call [0-9a-f]{32}$/);
});
