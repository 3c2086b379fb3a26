import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, beforeEach, describe, test } from 'node:test';
import type OpenAI from 'openai';
import { openai } from '../../instrumentation/src/patches/openai.ts';
import {
  chatCompletion,
  type OpenAiReply,
  type OpenAiRequest,
  type OpenAiServer,
  outputText,
  responseObject,
  startOpenAiServer,
} from '../support/openai-server.ts';
import { attributesOf, installedCopy, settled, startRecorder } from '../support/recorder.ts';

const require = createRequire(import.meta.url);
const recorder = startRecorder();
let server: OpenAiServer;

before(async () => {
  server = await startOpenAiServer({ reply: replyTo });
});
beforeEach(() => {
  recorder.reset();
  server.requests.splice(0);
});
after(() => server.close());

const embedding = Buffer.from(new Float32Array([0.5, 0.25]).buffer).toString('base64');

/** The model's name says what the server does. */
function replyTo({ path, body }: OpenAiRequest): OpenAiReply {
  const whole = chatCompletion('hello world, how are you');
  const answered = Array.isArray(body.messages) && body.messages.some((message) => message.role === 'tool');
  if (path === '/embeddings') {
    const usage = { prompt_tokens: 4, total_tokens: 4 };
    return { object: 'list', model: 'embed-test', data: [{ object: 'embedding', index: 0, embedding }], usage };
  }
  if (path === '/completions') {
    return {
      id: 'cmpl-1',
      object: 'text_completion',
      model: 'gpt-test-2026',
      choices: [{ index: 0, text: 'ok', finish_reason: 'stop' }],
    };
  }
  switch (body.model) {
    case 'refuse':
      return { wire: 'error', status: 400, message: 'no such thing', code: 'invalid_value' };
    case 'garbage':
      return { wire: 'text', status: 200, text: '{"id":' };
    case 'cut':
      return {
        wire: 'cut',
        afterEvents: 3,
        body: path === '/responses' ? responseObject([outputText('hello world')]) : whole,
      };
    case 'hold':
      return { wire: 'hold', afterEvents: 3, body: whole };
    case 'tools':
      return answered ? whole : chatCompletion([{ id: 'call_1', name: 'add', arguments: '{"a":1,"b":2}' }]);
    case 'json':
      return chatCompletion('{"a":1}');
    case 'failed':
      return responseObject([], { status: 'failed', error: { code: 'server_error', message: 'the model broke' } });
    default:
      return path === '/responses' ? responseObject([outputText('hello world')]) : whole;
  }
}

const messages = [{ role: 'user' as const, content: 'hi' }];

interface Style {
  /** Gives something comparable: what the caller of the SDK sees. */
  readonly call: (client: OpenAI) => Promise<unknown>;
  /** Spans expected; 1 when left out. */
  readonly spans?: number;
}

const collect = async (stream: AsyncIterable<unknown>): Promise<unknown[]> => {
  const seen: unknown[] = [];
  for await (const item of stream) seen.push(item);
  return seen;
};

const errorOf = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    return { gave: await work() };
  } catch (error) {
    const { name, message, status, code, constructor: made } = error as Record<string, unknown> & Error;
    return { name, message, status, code, class: made.name };
  }
};

const chat = (client: OpenAI, model = 'm') => client.chat.completions.create({ model, messages });
const streamed = (client: OpenAI, model = 'm') => client.chat.completions.create({ model, messages, stream: true });

const styles: Record<string, Style> = {
  await: { call: async (client) => ({ ...(await chat(client)) }) },
  'request id': { call: async (client) => (await chat(client))._request_id },
  withResponse: {
    call: async (client) => {
      const { data, response, request_id } = await chat(client).withResponse();
      return { data, status: response.status, request_id };
    },
  },
  'asResponse, read by the caller': {
    call: async (client) => (await (await chat(client).asResponse()).json()) as unknown,
  },
  'then, catch, finally': {
    call: async (client) => {
      let finished = 0;
      const value = await chat(client)
        .then((reply) => reply.id)
        .catch(() => 'caught')
        .finally(() => finished++);
      return { value, finished };
    },
  },
  'awaited twice': {
    call: async (client) => {
      const promise = chat(client);
      const [first, second] = [await promise, await promise];
      return first === second;
    },
  },
  parse: {
    call: async (client) => {
      const json_schema = { name: 'x', schema: { type: 'object' }, strict: true };
      const reply = await client.chat.completions.parse({
        model: 'json',
        messages,
        response_format: { type: 'json_schema', json_schema },
      });
      return { ...reply.choices[0]?.message };
    },
  },
  withOptions: { call: async (client) => (await chat(client.withOptions({ timeout: 9000 }))).id },
  runTools: {
    spans: 2,
    call: (client) => client.chat.completions.runTools({ model: 'tools', messages, tools: [adder] }).finalContent(),
  },
  'runTools, streamed': {
    spans: 2,
    call: (client) =>
      client.chat.completions.runTools({ model: 'tools', messages, tools: [adder], stream: true }).finalContent(),
  },
  'stream: for await': { call: async (client) => collect(await streamed(client)) },
  'stream: withResponse': {
    call: async (client) => {
      const { data, response } = await streamed(client).withResponse();
      return { seen: await collect(data), status: response.status };
    },
  },
  'stream: break': {
    call: async (client) => {
      const stream = await streamed(client);
      for await (const chunk of stream) return { id: chunk.id, aborted: stream.controller.signal.aborted };
      return undefined;
    },
  },
  'stream: tee': {
    call: async (client) => {
      const [left, right] = (await streamed(client)).tee();
      return { left: await collect(left), right: await collect(right) };
    },
  },
  'stream: toReadableStream': {
    call: async (client) => new Response((await streamed(client)).toReadableStream()).text(),
  },
  'stream: read twice': {
    call: async (client) => {
      const stream = await streamed(client);
      await collect(stream);
      return errorOf(() => collect(stream));
    },
  },
  'stream: helper': {
    call: async (client) => {
      const helper = client.chat.completions.stream({ model: 'm', messages });
      const seen = await collect(helper);
      return { seen, text: await helper.finalContent() };
    },
  },
  'stream: abort while it waits': {
    call: (client) =>
      errorOf(async () => {
        const stream = await streamed(client, 'hold');
        const seen: unknown[] = [];
        for await (const chunk of stream) {
          seen.push(chunk);
          if (seen.length === 3) setImmediate(() => stream.controller.abort());
        }
        return seen;
      }),
  },
  'stream: cut': { call: (client) => errorOf(async () => collect(await streamed(client, 'cut'))) },
  'error: status': { call: (client) => errorOf(() => chat(client, 'refuse')) },
  'error: status, streamed': { call: (client) => errorOf(() => streamed(client, 'refuse')) },
  'error: withResponse': { call: (client) => errorOf(() => chat(client, 'refuse').withResponse()) },
  'error: asResponse': { call: (client) => errorOf(() => chat(client, 'refuse').asResponse()) },
  'error: parse': { call: (client) => errorOf(() => client.chat.completions.parse({ model: 'refuse', messages })) },
  'error: garbage': { call: (client) => errorOf(() => chat(client, 'garbage')) },
  'error: aborted before': {
    call: (client) =>
      errorOf(() => client.chat.completions.create({ model: 'm', messages }, { signal: AbortSignal.abort() })),
  },
  'error: nobody listens there': {
    call: (client) => errorOf(() => chat(client.withOptions({ baseURL: 'http://127.0.0.1:9/v1', maxRetries: 0 }))),
  },
  'bad arguments': { call: (client) => errorOf(async () => client.chat.completions.create(undefined as never)) },
  responses: { call: async (client) => ({ ...(await client.responses.create({ model: 'm', input: 'hi' })) }) },
  'responses: withResponse': {
    call: async (client) =>
      (await client.responses.create({ model: 'm', input: 'hi' }).withResponse()).data.output_text,
  },
  'responses: parse': {
    call: async (client) => (await client.responses.parse({ model: 'm', input: 'hi' })).output_text,
  },
  'responses: stream': {
    call: async (client) => collect(await client.responses.create({ model: 'm', input: 'hi', stream: true })),
  },
  'responses: helper': {
    call: async (client) => (await client.responses.stream({ model: 'm', input: 'hi' }).finalResponse()).output_text,
  },
  'responses: cut': {
    call: (client) =>
      errorOf(async () => collect(await client.responses.create({ model: 'cut', input: 'hi', stream: true }))),
  },
  'responses: failed': {
    call: async (client) => (await client.responses.create({ model: 'failed', input: 'hi' })).status,
  },
  embeddings: {
    call: async (client) => {
      const reply = await client.embeddings.create({ model: 'm', input: 'hi' });
      return [...(reply.data[0]?.embedding ?? [])];
    },
  },
  completions: { call: async (client) => ({ ...(await client.completions.create({ model: 'm', prompt: 'hi' })) }) },
};

const adder = {
  type: 'function' as const,
  function: {
    name: 'add',
    description: 'Adds',
    parameters: { type: 'object', properties: {} },
    parse: JSON.parse,
    function: ({ a, b }: { a: number; b: number }) => String(a + b),
  },
};

const copies = ['openai', 'openai6', 'openai5'].flatMap((name) => [
  installedCopy(name, 'esm'),
  installedCopy(name, 'cjs'),
]);

function clientOf(copy: (typeof copies)[number], options: object = {}): OpenAI {
  const exports = require(`${copy.directory}/index.${copy.format === 'esm' ? 'mjs' : 'js'}`) as {
    OpenAI: typeof OpenAI;
  };
  return new exports.OpenAI({ apiKey: 'k', baseURL: server.url, maxRetries: 0, ...options });
}

/** What differs between two runs of the same call whoever watches. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

for (const copy of copies) {
  describe(`openai ${copy.version}, ${copy.format}`, () => {
    const plain = new Map<string, unknown>();
    let client: OpenAI;

    before(async () => {
      client = clientOf(copy);
      recorder.reset();
      for (const [name, { call }] of Object.entries(styles)) plain.set(name, comparable(await call(client)));
      assert.equal(recorder.spans().length, 0);
      assert.equal(openai.apply(copy, recorder.context).length, 4);
      assert.equal(openai.apply(copy, recorder.context).length, 4);
    });

    for (const [name, { call, spans = 1 }] of Object.entries(styles)) {
      test(`${name}: as without us, ${spans} span`, async () => {
        assert.deepEqual(comparable(await call(client)), plain.get(name));
        await ended(spans);
        assert.equal(recorder.spans().length, spans);
        assert.deepEqual(recorder.failures, []);
      });
    }
  });
}

/** Waits for the spans that are to come: a body nobody parses is waited for by the patch too. */
async function ended(count: number): Promise<void> {
  for (let turn = 0; turn < 300 && recorder.spans().length < count; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await settled();
}

describe('what is told', () => {
  const copy = installedCopy('openai', 'esm');
  const only = async (): Promise<Record<string, unknown>> => {
    await ended(1);
    assert.equal(recorder.spans().length, 1);
    return attributesOf(recorder.spans()[0]);
  };
  const json = (value: unknown): unknown => JSON.parse(String(value));

  test('chat: request, messages with tool calls and results, definitions, usage', async () => {
    await clientOf(copy).chat.completions.create({
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
    const client = clientOf(copy);
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
    await styles['stream: break']?.call(clientOf(copy));
    assert.equal((await only())['spanwarden.stream.end'], 'abandoned');
    recorder.reset();
    await styles['stream: cut']?.call(clientOf(copy));
    const told = await only();
    assert.match(String(told['gen_ai.output.messages']), /hell/);
    assert.equal(typeof told['error.type'], 'string');
    assert.equal(recorder.spans()[0]?.status.code, 2);
  });

  test('errors: status as type', async () => {
    await errorOf(() => chat(clientOf(copy), 'refuse'));
    assert.equal((await only())['error.type'], '400');
    recorder.reset();
    await styles['responses: failed']?.call(clientOf(copy));
    assert.equal((await only())['error.type'], 'server_error');
  });

  test('responses: items of both sides, instructions, conversation', async () => {
    await clientOf(copy).responses.create({
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
    await clientOf(copy).embeddings.create({ model: 'e', input: 'private words' });
    const told = await only();
    assert.equal(recorder.spans()[0]?.name, 'embeddings e');
    assert.equal(told['gen_ai.usage.input_tokens'], 4);
    assert.equal(told['gen_ai.embeddings.dimension.count'], 2);
    assert.doesNotMatch(JSON.stringify(told), /private words/);
  });

  test('AzureOpenAI is another provider', async () => {
    const { AzureOpenAI } = require(`${copy.directory}/index.mjs`) as typeof import('openai');
    const client = new AzureOpenAI({ apiKey: 'k', apiVersion: '2026-01-01', baseURL: server.url, maxRetries: 0 });
    await chat(client as unknown as OpenAI);
    assert.equal((await only())['gen_ai.provider.name'], 'azure.ai.openai');
  });

  test('metadata_only tells no text, but how much there was and which tools were proposed', async () => {
    recorder.context.contentMode = 'metadata_only';
    await chat(clientOf(copy), 'tools');
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
    await chat(clientOf(copy), 'tools');
    const told = await only();
    assert.match(String(told['gen_ai.input.messages']), /"hi"/);
    assert.doesNotMatch(String(told['gen_ai.output.messages']), /"a"/);
    assert.match(String(told['gen_ai.output.messages']), /arguments_hash/);
  });
});
