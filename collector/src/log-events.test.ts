import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withCasework } from './detect/casework.ts';
import { createDetector } from './detect/engine.ts';
import { packed } from './detect/joining/event-json.ts';
import { loadRules } from './detect/load.ts';
import { createJoiner } from './log-events.ts';
import { createFieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import { ok } from './model/outcome.ts';
import { TracePipeline } from './pipeline.ts';
import { otlpLogsProtobuf, otlpProtobuf, type TestLog } from './testing/otlp.ts';

const rules = `
title: A model was told to
name: told
logsource: {product: ai_agent, category: llm}
detection: {s: {spanwarden.text.user|contains: secret word, gen_ai.request.model: m}, condition: s}
---
title: A refused call
name: refused
logsource: {product: ai_agent, category: tool}
detection: {s: {spanwarden.decision: denied, gen_ai.tool.name: Bash}, condition: s}
---
title: A tool said it
name: said
logsource: {product: ai_agent, category: tool}
detection: {s: {spanwarden.text.tool_result|contains: root:x, spanwarden.decision_source: user}, condition: s}
---
title: Model calls
name: call
logsource: {product: ai_agent, category: llm}
detection: {s: {gen_ai.operation.name: chat}, condition: s}
---
title: Two model calls in a trace
correlation: {type: event_count, rules: [call], group-by: [trace_id], timespan: 1m, condition: {gte: 2}}
`;

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const nowMs = 1_900_000_000_000;
const at = (seconds: number) => BigInt(nowMs) * 1_000_000n + BigInt(seconds) * 1_000_000_000n;

/** A pipeline with everything that judges, and the titles of what it found. The service has sent records before, or not. */
function setup(isKnown: boolean) {
  const fields = createFieldTable();
  const joiner = createJoiner(fields, 30_000_000_000n);
  if (isKnown) joiner.restore(Buffer.from(packed({ version: 2, newest: 0n, senders: ['test'], waiting: [] })));
  const detector = withCasework(
    createDetector({ ...loadRules([{ path: 'r.yml', text: rules }]), fields, journal: true }),
    {
      fields,
      journal: true,
      parts: { logs: joiner },
    },
  );
  const found: Finding[] = [];
  const tables: string[] = [];
  const observer = {
    batch: (_: unknown, findings: readonly Finding[]) => void found.push(...findings),
    settled: (findings: readonly Finding[]) => void found.push(...findings),
  };
  const pipeline = new TracePipeline({
    ...{ fields, detector, joiner, observer, retentionMs: 30 * 86_400_000, now: () => nowMs },
    log: {
      committed: () => undefined,
      refusal: () => undefined,
      append: async ({ rows }) => {
        tables.push(...rows.map(({ table, count }) => `${table} ${count}`));
        return ok;
      },
    },
  });
  return { pipeline, found, tables };
}

type Request = { readonly signal: 'logs' | 'traces'; readonly bytes: Buffer };
const logs = (...records: TestLog[]): Request => ({ signal: 'logs', bytes: otlpLogsProtobuf(records) });

/** Titles of what is found in requests that come in this order, without repeats. */
async function foundIn(requests: readonly Request[], isKnown = true): Promise<string[]> {
  const { pipeline, found } = setup(isKnown);
  for (const { signal, bytes } of requests)
    assert.equal((await pipeline.consume('protobuf', bytes, signal)).status, 'ok');
  await pipeline.flush();
  return [...new Map(found.map(({ id, ruleTitle }) => [id, ruleTitle])).values()].sort();
}

const chat: Request = {
  signal: 'traces',
  bytes: otlpProtobuf([
    {
      ...{ traceId, spanId, name: 'chat m', startNanos: at(0), endNanos: at(2) },
      attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'm' },
    },
  ]),
};
const question = logs({
  ...{ traceId, spanId, nanos: at(0), body: { content: 'the secret word' } },
  attributes: { 'event.name': 'gen_ai.user.message', 'gen_ai.system': 'openai' },
});
const answer = logs({
  ...{ traceId, spanId, nanos: at(1), body: { index: 0, message: { role: 'assistant', content: 'no' } } },
  attributes: { 'event.name': 'gen_ai.choice', 'gen_ai.system': 'openai' },
});

describe('content in log records, the rest on the span', () => {
  const orders = [
    [chat, question, answer],
    [question, chat, answer],
    [question, answer, chat],
    [answer, question, chat],
  ];
  for (const [i, order] of orders.entries()) {
    test(`is one model call for rules and for correlations, in order ${i + 1}`, async () => {
      assert.deepEqual(await foundIn(order), ['A model was told to']);
    });
  }

  test('the first records of a service may miss a span that came before them, and are judged alone', async () => {
    assert.deepEqual(await foundIn([chat, question, answer], false), ['Two model calls in a trace']);
    assert.deepEqual(await foundIn([question, chat, answer], false), ['A model was told to']);
  });

  test('two of them are two', async () => {
    const other = { traceId, spanId: 'b7ad6b7169203331', nanos: at(3), attributes: { 'event.name': 'gen_ai.choice' } };
    const second = logs({ ...other, body: { message: { content: 'yes' } } });
    assert.deepEqual(await foundIn([question, second, chat, answer]), [
      'A model was told to',
      'Two model calls in a trace',
    ]);
  });

  test('without the span there is no model, so nothing that asks for one is found', async () => {
    assert.deepEqual(await foundIn([question, answer]), []);
  });
});

describe('tool calls of a coding agent', () => {
  const base = { 'session.id': 's', tool_name: 'Bash', tool_use_id: 'toolu_1' };
  const record = (name: string, seconds: number, more: Record<string, string>): TestLog => ({
    ...{ nanos: at(seconds), body: `claude_code.${name}` },
    attributes: { 'event.name': name, ...base, ...more },
  });
  const asked = logs(record('tool_decision', 0, { decision: 'accept', source: 'user' }));
  const ran = logs(record('tool_result', 1, { success: 'true', tool_output: 'root:x:0:0' }));

  test('decision and result are one call, whichever comes first', async () => {
    assert.deepEqual(await foundIn([asked, ran]), ['A tool said it']);
    assert.deepEqual(await foundIn([ran, asked]), ['A tool said it']);
  });

  test('a refused call is known by its decision alone', async () => {
    assert.deepEqual(await foundIn([logs(record('tool_decision', 0, { decision: 'reject', source: 'user_reject' }))]), [
      'A refused call',
    ]);
  });
});

test('log records are stored, whatever they say, and a batch of refused ones is none', async () => {
  const { pipeline, tables } = setup(true);
  await pipeline.consume('protobuf', otlpLogsProtobuf([{ body: 'a' }, { body: 'b' }]), 'logs');
  assert.deepEqual(tables, ['otel_logs 2']);
  const refused = await pipeline.consume('protobuf', otlpLogsProtobuf([{ traceId: 'ab' }]), 'logs');
  assert.deepEqual(refused, { status: 'ok', rejected: 1, message: 'trace_id has 1 bytes instead of 16' });
  assert.deepEqual(tables, ['otel_logs 2']);
});
