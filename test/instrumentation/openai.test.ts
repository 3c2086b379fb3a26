import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, beforeEach, describe, test } from 'node:test';
import type OpenAI from 'openai';
import { openai } from '../../instrumentation/src/patches/openai.ts';
import { collect, ended, errorOf, replyTo } from '../support/openai-calls.ts';
import { type OpenAiServer, startOpenAiServer } from '../support/openai-server.ts';
import { installedCopy, startRecorder } from '../support/recorder.ts';

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

const messages = [{ role: 'user' as const, content: 'hi' }];

interface Style {
  /** Gives something comparable: what the caller of the SDK sees. */
  readonly call: (client: OpenAI) => Promise<unknown>;
  /** Spans expected; 1 when left out. */
  readonly spans?: number;
}

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
        await ended(recorder, spans);
        assert.equal(recorder.spans().length, spans);
        assert.deepEqual(recorder.failures, []);
      });
    }
  });
}
