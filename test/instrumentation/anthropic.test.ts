import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, beforeEach, test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import AnthropicOld from 'anthropic-old';
import { withAgentContext } from '../../instrumentation/src/agent-context.ts';
import { anthropic } from '../../instrumentation/src/patches/anthropic.ts';
import { startAnthropicServer } from '../support/anthropic-server.ts';
import { attributesOf, installedCopy, settled, startRecorder } from '../support/recorder.ts';

const recorder = startRecorder();
const server = await startAnthropicServer();
const options = { baseURL: server.url, apiKey: 'test', maxRetries: 0 };
// Made before the patch, so without content from the SDK itself.
const early = new Anthropic(options);
const hooked = [
  anthropic.apply(installedCopy('@anthropic-ai/sdk', 'esm'), recorder.context),
  anthropic.apply({ ...installedCopy('anthropic-old', 'esm'), name: '@anthropic-ai/sdk' }, recorder.context),
];
const current = new Anthropic(options);
const old = new AnthropicOld(options);

/** Every client must be told alike, whoever makes the span. */
const clients = [
  { title: '1.12, its own spans with content', client: current },
  { title: '1.12, its own spans without content', client: early },
  { title: '0.60, spans of ours', client: old as unknown as Anthropic },
];

after(() => server.close());
beforeEach(() => {
  recorder.reset();
  server.requests.length = 0;
});

const refundTool = {
  name: 'refund',
  description: 'Pay back',
  input_schema: { type: 'object' as const, properties: { order: { type: 'string' } } },
};
const toolUse = { type: 'tool_use', id: 'toolu_1', name: 'refund', input: { order: 'A1' } };
const request = {
  model: 'claude-test',
  max_tokens: 64,
  system: 'Be careful.',
  messages: [
    { role: 'user' as const, content: 'Refund A1' },
    {
      role: 'user' as const,
      content: [{ type: 'tool_result' as const, tool_use_id: 'toolu_0', content: 'ticket text' }],
    },
  ],
  tools: [refundTool],
};

function onlySpan(): ReadableSpan {
  const spans = recorder.spans();
  assert.equal(spans.length, 1, spans.map((span) => span.name).join());
  assert.deepEqual(recorder.failures, []);
  return spans[0]!;
}

function assertTold(span: ReadableSpan): void {
  const told = attributesOf(span);
  assert.equal(told['gen_ai.operation.name'], 'chat');
  assert.equal(told['gen_ai.provider.name'], 'anthropic');
  assert.equal(told['gen_ai.request.model'], 'claude-test');
  assert.equal(told['gen_ai.response.model'], 'claude-test-20260101');
  assert.equal(told['gen_ai.usage.input_tokens'], 13);
  assert.equal(told['gen_ai.usage.output_tokens'], 9);
  assert.equal(told['gen_ai.usage.cache_read.input_tokens'], 7);
  assert.equal(told['gen_ai.usage.cache_write.input_tokens'], 1);
  assert.match(String(told['gen_ai.system_instructions']), /Be careful/);
  assert.match(String(told['gen_ai.input.messages']), /Refund A1.*ticket text/);
  assert.match(String(told['gen_ai.tool.definitions']), /"name":"refund","description":"Pay back","parameters":\{/);
  assert.deepEqual(told['spanwarden.tool.definition.names'], ['refund']);
  const output = JSON.parse(String(told['gen_ai.output.messages'])) as { parts: Record<string, unknown>[] }[];
  assert.deepEqual(output[0]?.parts.at(-1), {
    type: 'tool_call',
    id: 'toolu_1',
    name: 'refund',
    arguments: { order: 'A1' },
  });
}

test('create is hooked in current and in old versions, once', () => {
  for (const hooks of hooked) assert.deepEqual(hooks, ['messages/messages.create', 'beta/messages/messages.create']);
  const before = Anthropic.Messages.prototype.create;
  anthropic.apply(installedCopy('@anthropic-ai/sdk', 'esm'), recorder.context);
  assert.equal(Anthropic.Messages.prototype.create, before);
});

for (const { title, client } of clients) {
  test(`${title}: one span tells a plain call`, async () => {
    server.script({ content: [{ type: 'text', text: 'On it.' }, toolUse], stopReason: 'tool_use' });
    const tracer = Reflect.get(client, '_tracer');
    const message = await client.messages.create(request);
    assert.equal(message.stop_reason, 'tool_use');
    assert.equal(Reflect.get(client, '_tracer'), tracer);
    assertTold(onlySpan());
    assert.deepEqual(server.requests[0]?.body, request);
  });

  test(`${title}: one span tells each way to stream`, async () => {
    server.script({ content: [{ type: 'text', text: 'On it.' }, toolUse], stopReason: 'tool_use' });
    const types: string[] = [];
    for await (const event of await client.messages.create({ ...request, stream: true })) types.push(event.type);
    assert.equal(types.at(-1), 'message_stop');
    await settled();
    const plain = onlySpan();
    assert.equal(attributesOf(plain)['gen_ai.request.stream'], true);
    assertTold(plain);
    recorder.reset();
    const helper = client.messages.stream(request);
    const final = await helper.finalMessage();
    assert.deepEqual(final.content.at(-1), toolUse);
    await settled();
    assertTold(onlySpan());
  });

  test(`${title}: withResponse, asResponse and leaving a stream early work and end the span`, async () => {
    server.script({ content: [{ type: 'text', text: 'Hi' }] });
    const { data, response } = await client.messages.create(request).withResponse();
    assert.equal(data.content.length, 1);
    assert.equal(response.status, 200);
    onlySpan();
    recorder.reset();
    const raw = await client.messages.create(request).asResponse();
    assert.equal(((await raw.json()) as { role: string }).role, 'assistant');
    recorder.reset();
    for await (const _event of await client.messages.create({ ...request, stream: true })) break;
    await settled();
    onlySpan();
  });

  test(`${title}: errors come through and stand on the span`, async () => {
    server.script({ status: 400 });
    await assert.rejects(client.messages.create(request), { status: 400 });
    const span = onlySpan();
    assert.match(String(attributesOf(span)['error.type']), /^(400|invalid_request_error)$/);
    assert.deepEqual(attributesOf(span)['spanwarden.tool.definition.names'], ['refund']);
  });

  test(`${title}: who acts stands on the span, also of calls at the same time`, async () => {
    server.script({ content: [{ type: 'text', text: 'Hi' }] });
    await Promise.all(
      ['a', 'b', 'c'].map((agentName) =>
        withAgentContext({ agentName, conversationId: `s-${agentName}` }, () =>
          client.messages.create({ ...request, model: agentName }),
        ),
      ),
    );
    const told = recorder.spans().map(attributesOf);
    assert.equal(told.length, 3);
    for (const attributes of told) {
      assert.equal(attributes['gen_ai.agent.name'], attributes['gen_ai.request.model']);
      assert.equal(attributes['gen_ai.conversation.id'], `s-${String(attributes['gen_ai.request.model'])}`);
    }
  });

  test(`${title}: a failure of ours leaves the call alone`, async () => {
    server.script({ content: [{ type: 'text', text: 'Hi' }] });
    const working = recorder.context.tracer;
    recorder.context.tracer = () => {
      throw new Error('no tracer');
    };
    try {
      const message = await client.messages.create(request);
      assert.equal(message.content.length, 1);
    } finally {
      recorder.context.tracer = working;
    }
    assert.ok(recorder.failures.some((line) => line.includes('no tracer')));
    Object.defineProperty(recorder.context, 'contentMode', {
      configurable: true,
      get() {
        throw new Error('no mode');
      },
    });
    try {
      assert.equal((await client.messages.create(request)).content.length, 1);
      for await (const event of await client.messages.create({ ...request, stream: true })) assert.ok(event.type);
    } finally {
      Object.defineProperty(recorder.context, 'contentMode', { configurable: true, writable: true, value: 'full' });
    }
    assert.ok(recorder.failures.some((line) => line.includes('no mode')));
  });
}

for (const { title, client } of clients.slice(1)) {
  test(`${title}: content modes`, async () => {
    server.script({ content: [{ type: 'text', text: 'On it.' }, toolUse], stopReason: 'tool_use' });
    recorder.context.contentMode = 'no_tool_content';
    await client.messages.create(request);
    const some = JSON.stringify(attributesOf(onlySpan()));
    assert.match(some, /Refund A1/);
    assert.doesNotMatch(some, /ticket text|Pay back|\\"order\\"/);
    recorder.reset();
    recorder.context.contentMode = 'metadata_only';
    await client.messages.create(request);
    const none = JSON.stringify(attributesOf(onlySpan()));
    assert.doesNotMatch(none, /Refund A1|ticket text|Pay back|Be careful|On it/);
    assert.match(none, /spanwarden\.tool\.definition\.hashes/);
    assert.match(none, /spanwarden\.output\.tool_calls/);
  });
}

test('the tool runner: one span per model call and one per tool', async () => {
  server.script(
    { content: [toolUse], stopReason: 'tool_use' },
    { content: [{ type: 'text', text: 'Done.' }], stopReason: 'end_turn' },
  );
  const final = await current.beta.messages.toolRunner({
    model: 'claude-test',
    max_tokens: 64,
    messages: [{ role: 'user', content: 'Refund A1' }],
    tools: [{ ...refundTool, run: () => 'refunded', parse: (input: unknown) => input }],
  });
  assert.equal(final.stop_reason, 'end_turn');
  await settled();
  const names = recorder.spans().map((span) => span.name);
  assert.deepEqual(names.filter((name) => name === 'anthropic.messages.create').length, 2);
  assert.equal(names.filter((name) => name.endsWith('refund')).length, 1);
  assert.equal(names.length, 4);
  const tool = recorder.spans().find((span) => span.name.endsWith('refund'));
  assert.match(String(attributesOf(tool)['gen_ai.tool.call.arguments']), /A1/);
});

test('remote MCP servers count as tools, without their token', async () => {
  server.script({ content: [{ type: 'text', text: 'Hi' }] });
  await current.beta.messages.create({
    ...request,
    betas: ['mcp-client-2025-11-20'],
    mcp_servers: [{ type: 'url', name: 'crm', url: 'https://crm.example/mcp', authorization_token: 'secret' }],
  });
  const told = attributesOf(onlySpan());
  assert.deepEqual(told['spanwarden.tool.definition.names'], ['refund', 'crm']);
  assert.match(String(told['gen_ai.tool.definitions']), /crm\.example/);
  assert.doesNotMatch(String(told['gen_ai.tool.definitions']), /secret/);
});

test('the CommonJS copy is a class of its own and is patched too', async () => {
  const require = createRequire(import.meta.url);
  const CjsAnthropic = require('@anthropic-ai/sdk') as typeof Anthropic;
  assert.notEqual(CjsAnthropic, Anthropic);
  assert.equal(anthropic.apply(installedCopy('@anthropic-ai/sdk', 'cjs'), recorder.context).length, 2);
  server.script({ content: [toolUse], stopReason: 'tool_use' });
  await new CjsAnthropic(options).messages.create(request);
  assertTold(onlySpan());
});
