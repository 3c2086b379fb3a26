import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { storedFacts } from '../collector/src/normalise/stored-facts.ts';
import { SpanRowEncoder } from '../collector/src/store/rows/otel-traces.ts';
import { otlpProtobuf, type Plain, type TestSpan } from '../collector/src/testing/otlp.ts';
import { now, ship } from './support/grafana-data.ts';
import { type Answer, dashboardQueries, testGrafana } from './support/grafana-queries.ts';

// Every panel shows the same whether messages are stored with each span or once.

const grafana = testGrafana();
const traceId = '7a'.repeat(16);
const session = 'session-7';
const agent = 'teller';
const turns = 6;

const long = 'what was said at length, and then some more of it. '.repeat(8);
const said = (turn: number) =>
  Array.from({ length: 2 * turn + 1 }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: `${i} "${long}`,
  }));
/** One tool changes its definition half way. */
const tools = (turn: number) =>
  ['pay', 'mail'].map((name, i) => ({
    name,
    description: `${i === 0 && turn > turns / 2 ? 'changed' : 'as ever'} ${long}`,
  }));

const input = (value: unknown) => ({
  'gen_ai.operation.name': 'invoke_agent',
  'gen_ai.conversation.id': session,
  'input.value': JSON.stringify(value),
});

const emitters: Readonly<Record<string, (turn: number) => Record<string, Plain>>> = {
  canonical: (turn) => ({
    'gen_ai.operation.name': 'chat',
    'gen_ai.conversation.id': session,
    'gen_ai.input.messages': JSON.stringify(
      said(turn).map(({ role, content }) => ({ role, parts: [{ type: 'text', content }] })),
    ),
    'gen_ai.tool.definitions': JSON.stringify(tools(turn)),
  }),
  openinference: (turn) => ({
    'openinference.span.kind': 'LLM',
    'session.id': session,
    ...Object.fromEntries(
      said(turn).flatMap(({ role, content }, i) => [
        [`llm.input_messages.${i}.message.role`, role],
        [`llm.input_messages.${i}.message.content`, content],
        [`llm.input_messages.${i}.message.index`, i],
      ]),
    ),
    ...Object.fromEntries(tools(turn).map((tool, i) => [`llm.tools.${i}.tool.json_schema`, JSON.stringify(tool)])),
  }),
  openllmetry: (turn) => ({
    'llm.request.type': 'chat',
    'traceloop.association.properties.session_id': session,
    ...Object.fromEntries(
      said(turn).flatMap(({ role, content }, i) => [
        [`gen_ai.prompt.${i}.role`, role],
        [`gen_ai.prompt.${i}.content`, content],
      ]),
    ),
  }),
  'raw input': (turn) => input(said(turn)),
  'raw request': (turn) => input({ model: 'gpt-5', messages: said(turn), tools: tools(turn) }),
  'lists in a list': (turn) => input({ messages: [said(turn)] }),
};

function spans(): TestSpan[] {
  return Object.values(emitters).flatMap((attributesOf, emitter) =>
    Array.from({ length: turns }, (_, turn): TestSpan => {
      const startNanos = BigInt(now - 600_000 + turn * 1000 + emitter) * 1_000_000n;
      const attributes = { 'gen_ai.agent.name': agent, 'gen_ai.request.model': 'gpt-5', ...attributesOf(turn) };
      const spanId = `${emitter}${turn}`.padStart(16, 'b');
      return { traceId, spanId, startNanos, endNanos: startNanos + 5_000_000n, attributes };
    }),
  );
}

async function load(messages: 'full' | 'once'): Promise<number> {
  for (const table of [
    'otel_traces',
    'otel_traces_trace_id_ts',
    'otel_messages',
    'agent_activity',
    'session_activity',
    'agent_values',
  ])
    await grafana.store.client.command({ query: `TRUNCATE TABLE ${table}` });
  const fields = createFieldTable();
  const decoded = new TraceDecoder(fields).decode(otlpProtobuf(spans()));
  if (decoded.status !== 'ok') throw new Error(decoded.message);
  const encoder = new SpanRowEncoder(fields, storedFacts, undefined, messages);
  const range = { fromMs: now - 86_400_000, toMs: now + 86_400_000 };
  const rows = encoder.encode(decoded.batch, range, new NormalisedEvents(fields).bind(decoded.batch));
  const taken = encoder.takeMessages();
  await ship(grafana.store, messages, taken === undefined ? [rows] : [rows, taken.rows]);
  return taken?.rows.count ?? 0;
}

async function allAnswers(): Promise<Map<string, Answer['rows']>> {
  const answers = new Map<string, Answer['rows']>();
  for (const query of dashboardQueries) {
    const { rows } = await grafana.run(query, { trace_id: traceId, session, agent });
    // The clock goes on in between.
    answers.set(
      query.name,
      rows.map(({ Silence: _, ...row }) => row),
    );
  }
  return answers;
}

test('every panel shows the same where messages are stored once', async () => {
  assert.equal(await load('full'), 0);
  const full = await allAnswers();
  assert.ok((await load('once')) > 4 * turns);
  const once = await allAnswers();
  for (const [name, rows] of full) assert.deepEqual(once.get(name), rows, name);

  const calls = once.get('spanwarden-session: panel 5')!;
  assert.equal(calls.length, Object.keys(emitters).length * turns);
  for (const call of calls) assert.match(String(call['Arguments or newest message']), /^\d+ "what was said/);
  const tags = JSON.stringify(once.get('spanwarden-session: panel 9'));
  for (const key of ['llm.input_messages.4.message.content', 'gen_ai.prompt.10.role', 'llm.tools.1.tool.json_schema'])
    assert.ok(tags.includes(`"${key}"`), key);
  const definitions = once.get('spanwarden-inventory: panel 11')!;
  assert.deepEqual(
    definitions.map(({ Tool }) => Tool),
    ['pay', 'pay'],
  );
});
