import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, beforeEach, test } from 'node:test';
import type OpenAI from 'openai';
import { openai } from '../../instrumentation/src/patches/openai.ts';
import { collect, ended, errorOf, replyTo } from '../support/openai-calls.ts';
import { type OpenAiServer, startOpenAiServer } from '../support/openai-server.ts';
import { attributesOf, installedCopy, startRecorder } from '../support/recorder.ts';

const recorder = startRecorder();
const copy = installedCopy('openai', 'esm');
const { AzureOpenAI, OpenAI: Client } = createRequire(import.meta.url)(
  `${copy.directory}/index.mjs`,
) as typeof import('openai');
const messages = [{ role: 'user' as const, content: 'hi' }];
let server: OpenAiServer;
let client: OpenAI;

before(async () => {
  server = await startOpenAiServer({ reply: replyTo });
  client = new Client({ apiKey: 'k', baseURL: server.url, maxRetries: 0 });
  openai.apply(copy, recorder.context);
});
beforeEach(() => recorder.reset());
after(() => server.close());

const ask = (model = 'm') => client.chat.completions.create({ model, messages });
const streamed = (model = 'm') => client.chat.completions.create({ model, messages, stream: true });

const only = async (): Promise<Record<string, unknown>> => {
  await ended(recorder, 1);
  assert.equal(recorder.spans().length, 1);
  return attributesOf(recorder.spans()[0]);
};
const json = (value: unknown): unknown => JSON.parse(String(value));

test('chat: request, messages with tool calls and results, definitions, usage', async () => {
  await client.chat.completions.create({
    model: 'tools',
    temperature: 0.5,
    max_completion_tokens: 99,
    user: 'u-7',
    messages: [
      { role: 'developer', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'look' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        ],
      },
      {
        role: 'assistant',
        tool_calls: [{ id: 'c0', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } }],
      },
    ],
    tools: [{ type: 'function', function: { name: 'add', description: 'Adds', parameters: { type: 'object' } } }],
  });
  const told = await only();
  assert.equal(recorder.spans()[0]?.name, 'chat tools');
  assert.equal(told['gen_ai.provider.name'], 'openai');
  assert.equal(told['gen_ai.request.temperature'], 0.5);
  assert.equal(told['gen_ai.request.max_tokens'], 99);
  assert.equal(told['user.id'], 'u-7');
  assert.equal(told['server.address'], '127.0.0.1');
  assert.equal(told['server.port'], Number(new URL(server.url).port));
  assert.equal(told['gen_ai.response.id'], 'chatcmpl-1');
  assert.equal(told['gen_ai.response.model'], 'gpt-test-2026');
  assert.deepEqual(told['gen_ai.response.finish_reasons'], ['tool_calls']);
  assert.equal(told['gen_ai.usage.input_tokens'], 11);
  assert.equal(told['gen_ai.usage.output_tokens'], 7);
  assert.equal(told['gen_ai.usage.cache_read.input_tokens'], 3);
  assert.equal(told['gen_ai.usage.reasoning.output_tokens'], 2);
  assert.deepEqual(json(told['gen_ai.input.messages']), [
    { role: 'system', parts: [{ type: 'text', content: 'be brief' }] },
    {
      role: 'user',
      parts: [
        { type: 'text', content: 'look' },
        { type: 'blob', modality: 'image', mime_type: 'image/png', bytes: 26 },
      ],
    },
    { role: 'assistant', parts: [{ type: 'tool_call', id: 'c0', name: 'find', arguments: { q: 'x' } }] },
  ]);
  assert.deepEqual(json(told['gen_ai.output.messages']), [
    {
      role: 'assistant',
      parts: [{ type: 'tool_call', id: 'call_1', name: 'add', arguments: { a: 1, b: 2 } }],
      finish_reason: 'tool_call',
    },
  ]);
  assert.deepEqual(json(told['gen_ai.tool.definitions']), [
    { type: 'function', name: 'add', description: 'Adds', parameters: { type: 'object' } },
  ]);
  assert.match(String(told['spanwarden.tool.definition.hashes']), /^[0-9a-f]{64}$/);
});

test('a streamed tool call is told as an unstreamed one, with usage and time to the first chunk', async () => {
  const stream_options = { include_usage: true };
  await collect(await client.chat.completions.create({ model: 'tools', messages, stream: true, stream_options }));
  const told = await only();
  assert.deepEqual(json(told['gen_ai.output.messages']), [
    {
      role: 'assistant',
      parts: [{ type: 'tool_call', id: 'call_1', name: 'add', arguments: { a: 1, b: 2 } }],
      finish_reason: 'tool_call',
    },
  ]);
  assert.equal(told['gen_ai.usage.output_tokens'], 7);
  assert.equal(told['spanwarden.stream.end'], 'complete');
  assert.equal(typeof told['gen_ai.response.time_to_first_chunk'], 'number');
});

test('a stream left early and one that breaks tell what came', async () => {
  for await (const _chunk of await streamed()) break;
  assert.equal((await only())['spanwarden.stream.end'], 'abandoned');
  recorder.reset();
  await errorOf(async () => collect(await streamed('cut')));
  const told = await only();
  assert.match(String(told['gen_ai.output.messages']), /hell/);
  assert.equal(typeof told['error.type'], 'string');
  assert.equal(recorder.spans()[0]?.status.code, 2);
});

test('errors: status as type', async () => {
  await errorOf(() => ask('refuse'));
  assert.equal((await only())['error.type'], '400');
  recorder.reset();
  await client.responses.create({ model: 'failed', input: 'hi' });
  assert.equal((await only())['error.type'], 'server_error');
});

test('responses: items of both sides, instructions, conversation', async () => {
  await client.responses.create({
    model: 'm',
    instructions: 'be brief',
    conversation: { id: 'conv_1' },
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
      { type: 'function_call', call_id: 'c1', name: 'find', arguments: '{"q":1}' },
      { type: 'function_call_output', call_id: 'c1', output: '{"found":true}' },
    ],
    tools: [
      { type: 'function', name: 'find', parameters: { type: 'object' }, strict: true },
      { type: 'mcp', server_label: 'docs', server_url: 'https://mcp.example', authorization: 'secret-token' },
    ],
  });
  const told = await only();
  assert.equal(told['gen_ai.conversation.id'], 'conv_1');
  assert.deepEqual(json(told['gen_ai.system_instructions']), [{ type: 'text', content: 'be brief' }]);
  assert.deepEqual(json(told['gen_ai.input.messages']), [
    { role: 'user', parts: [{ type: 'text', content: 'hi' }] },
    { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'find', arguments: { q: 1 } }] },
    { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: { found: true } }] },
  ]);
  assert.deepEqual(json(told['gen_ai.output.messages']), [
    { role: 'assistant', parts: [{ type: 'text', content: 'hello world' }], finish_reason: 'stop' },
  ]);
  assert.equal(told['gen_ai.usage.input_tokens'], 21);
  assert.doesNotMatch(String(told['gen_ai.tool.definitions']), /secret-token/);
  assert.deepEqual(told['spanwarden.tool.definition.names'], ['find', 'docs']);
});

test('embeddings: model, tokens and dimensions, no text', async () => {
  await client.embeddings.create({ model: 'e', input: 'private words' });
  const told = await only();
  assert.equal(recorder.spans()[0]?.name, 'embeddings e');
  assert.equal(told['gen_ai.usage.input_tokens'], 4);
  assert.equal(told['gen_ai.embeddings.dimension.count'], 2);
  assert.doesNotMatch(JSON.stringify(told), /private words/);
});

test('AzureOpenAI is another provider', async () => {
  const azure = new AzureOpenAI({ apiKey: 'k', apiVersion: '2026-01-01', baseURL: server.url, maxRetries: 0 });
  await azure.chat.completions.create({ model: 'm', messages });
  assert.equal((await only())['gen_ai.provider.name'], 'azure.ai.openai');
});

test('metadata_only tells no text, but how much there was and which tools were proposed', async () => {
  recorder.context.contentMode = 'metadata_only';
  await ask('tools');
  const told = await only();
  assert.doesNotMatch(JSON.stringify(told), /"hi"|\\"a\\":1/);
  assert.equal(told['gen_ai.input.messages'], undefined);
  assert.equal(told['spanwarden.input.message_count'], 1);
  const [call] = json(told['spanwarden.output.tool_calls']) as Record<string, unknown>[];
  assert.equal(call?.name, 'add');
  assert.equal(call?.arguments_bytes, 13);
});

test('no_tool_content keeps texts and hides what tools get and give', async () => {
  recorder.context.contentMode = 'no_tool_content';
  await ask('tools');
  const told = await only();
  assert.match(String(told['gen_ai.input.messages']), /"hi"/);
  assert.doesNotMatch(String(told['gen_ai.output.messages']), /"a"/);
  assert.match(String(told['gen_ai.output.messages']), /arguments_hash/);
});
