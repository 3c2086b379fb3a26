import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { clickhouseConfigSchema } from './config.ts';
import { openStore, type Store } from './index.ts';
import { MemorySource, segment, spanRows } from './testing/segments.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-activity-'));
const timeNanos = 1_795_000_000_000_000_000n;
let store: Store;

const chat = {
  'gen_ai.agent.name': 'support',
  'gen_ai.operation.name': 'chat',
  'gen_ai.conversation.id': 'c-1',
  'gen_ai.request.model': 'gpt-5',
  'gen_ai.response.model': 'gpt-5-2026',
  'gen_ai.tool.definitions': JSON.stringify([
    { type: 'function', name: 'mail' },
    { function: { name: `pay'` } },
    'odd',
  ]),
  'user.id': 'u-1',
};
const post = {
  'gen_ai.agent.name': 'support',
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.conversation.id': 'c-1',
  'gen_ai.tool.name': 'http.post',
};
const sent = {
  'spanwarden.effect.external_domains': 'evil.example',
  'spanwarden.effect.body_bytes': '512',
  'spanwarden.outgoing.secrets': 'aws_key',
};

const denied = {
  'gen_ai.agent.name': 'coder',
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.tool.name': 'Bash',
  'spanwarden.decision': 'denied',
  'spanwarden.decision_source': 'user',
  'spanwarden.sandbox_disabled': 'true',
};
const hostile = {
  'gen_ai.agent.name': `\u202e\u0000${'a'.repeat(300)}`,
  'gen_ai.operation.name': 'execute_tool',
  'gen_ai.tool.name': 'rm\u001b[31m',
};
const record = {
  'gen_ai.agent.name': 'coder',
  'gen_ai.tool.name': 'Edit',
  'spanwarden.agent_event': 'claude_code.tool_decision',
  'spanwarden.decision': 'approved',
  'spanwarden.decision_source': 'config',
  'spanwarden.trace_id': 't-5',
};

before(async () => {
  store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  await store.migrated();
  const rows = spanRows([
    {
      traceId: 't-1',
      timeNanos,
      attributes: chat,
      facts: { 'spanwarden.usage.input_tokens': '100', 'spanwarden.usage.cost_usd': '0.25' },
    },
    { traceId: 't-1', timeNanos: timeNanos + 1_000_000_000n, attributes: post, facts: sent },
    {
      traceId: 't-2',
      timeNanos: timeNanos + 2_000_000_000n,
      attributes: chat,
      facts: { 'spanwarden.usage.input_tokens': '7' },
    },
    { traceId: 't-3', timeNanos, attributes: { 'http.request.method': 'GET' } },
    { traceId: 't-4', timeNanos, attributes: denied },
    { traceId: 't-7', timeNanos, attributes: hostile },
  ]);
  const source = new MemorySource(...[1, 2, 3].map(() => segment('activity', rows)));
  const stop = new AbortController();
  const running = store.run(source, stop.signal);
  await source.settled(3);
  stop.abort();
  await running;
  const log = { Timestamp: '2026-11-18 11:06:40', ServiceName: 'cli', Body: 'x', LogAttributes: record };
  await store.client.insert({ table: 'otel_logs', values: [log, { ...log, TraceId: 't-6' }], format: 'JSONEachRow' });
});
after(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function rowsOf(query: string): Promise<Record<string, unknown>[]> {
  const result = await store.client.query({ query, format: 'JSONEachRow' });
  return result.json();
}

describe('what spans add up to', () => {
  it('counts each span once, however often its segment was sent', async () => {
    const [stored] = await rowsOf('SELECT count() AS spans FROM otel_traces');
    assert.deepEqual(await rowsOf('SELECT sum(Spans) AS spans FROM agent_activity'), [stored]);
    assert.deepEqual(stored, { spans: '6' });
  });

  it('tells agents by tool and model, with what they cost and the newest trace', async () => {
    const found = await rowsOf(`SELECT OperationName, ToolName, Model, sum(Spans) AS spans, sum(InputTokens) AS tokens,
      sum(CostUsd) AS cost, sum(UnpricedCalls) AS unpriced, argMaxMerge(LastTraceId) AS trace
      FROM agent_activity WHERE Agent = 'support' GROUP BY ALL ORDER BY OperationName`);
    assert.deepEqual(found, [
      {
        OperationName: 'chat',
        ToolName: '',
        Model: 'gpt-5-2026',
        spans: '2',
        tokens: '107',
        cost: 0.25,
        unpriced: '1',
        trace: 't-2',
      },
      {
        OperationName: 'execute_tool',
        ToolName: 'http.post',
        Model: '',
        spans: '1',
        tokens: '0',
        cost: 0,
        unpriced: '0',
        trace: 't-1',
      },
    ]);
  });

  it('tells sessions of agents, and none of other services', async () => {
    const found =
      await rowsOf(`SELECT Agent, SessionId, max(UserId) AS user, sum(ModelCalls) AS models, sum(ToolCalls) AS tools,
      dateDiff('second', min(Start), max(End)) AS seconds FROM session_activity
      WHERE Agent = 'support' OR Agent = 'service' GROUP BY Agent, SessionId`);
    assert.deepEqual(found, [
      { Agent: 'support', SessionId: 'c-1', user: 'u-1', models: '2', tools: '1', seconds: '2' },
    ]);
  });

  it('tells where sensitive data went, and which tools were offered in which definition', async () => {
    const found =
      await rowsOf(`SELECT Kind, ToolName, Value, if(Kind = 'tool_definition', toString(length(Detail)), Detail) AS detail,
      sum(Spans) AS spans, sum(Bytes) AS bytes, argMinMerge(FirstTraceId) AS trace
      FROM agent_values WHERE Agent = 'support' GROUP BY Kind, ToolName, Value, Detail ORDER BY Kind, Value`);
    assert.deepEqual(found, [
      {
        Kind: 'external_domain',
        ToolName: 'http.post',
        Value: 'evil.example',
        detail: 'aws_key',
        spans: '1',
        bytes: '512',
        trace: 't-1',
      },
      {
        Kind: 'missing_identity',
        ToolName: '',
        Value: 'user',
        detail: '',
        spans: '1',
        bytes: '512',
        trace: 't-1',
      },
      {
        Kind: 'outgoing_secret',
        ToolName: 'http.post',
        Value: 'aws_key',
        detail: '',
        spans: '1',
        bytes: '512',
        trace: 't-1',
      },
      { Kind: 'tool_definition', ToolName: '', Value: '', detail: '16', spans: '2', bytes: '0', trace: 't-1' },
      { Kind: 'tool_definition', ToolName: '', Value: 'mail', detail: '16', spans: '2', bytes: '0', trace: 't-1' },
      { Kind: 'tool_definition', ToolName: '', Value: "pay'", detail: '16', spans: '2', bytes: '0', trace: 't-1' },
    ]);
  });

  it('keeps names short and free of what hides text', async () => {
    const names = { Agent: `  ${'a'.repeat(198)}`, ToolName: 'rm [31m' };
    assert.deepEqual(await rowsOf("SELECT Agent, ToolName FROM agent_activity WHERE Agent LIKE '%aaa'"), [names]);
    assert.deepEqual(await rowsOf("SELECT Agent FROM session_activity WHERE Agent LIKE '%aaa'"), [
      { Agent: names.Agent },
    ]);
  });

  it('tells what was decided and by whom, in spans and in log records, and what ran outside a sandbox or as nobody', async () => {
    const found =
      await rowsOf(`SELECT concat(Kind, ' ', ToolName, ' ', Value, ' ', Detail) AS said, sum(Spans) AS spans,
      argMaxMerge(LastTraceId) AS trace FROM agent_values WHERE Agent = 'coder' GROUP BY said ORDER BY said`);
    assert.deepEqual(
      found.map(({ said, spans, trace }) => `${said}: ${spans} ${trace}`),
      [
        'decision Bash denied user: 1 t-4',
        'log_event Edit claude_code.tool_decision : 1 t-6',
        'log_event Edit claude_code.tool_decision without a trace: 1 t-5',
        'logged_decision Edit approved config: 2 t-5',
        'missing_identity  conversation : 1 t-4',
        'missing_identity  user : 1 t-4',
        'sandbox Bash disabled : 1 t-4',
      ],
    );
  });
});
