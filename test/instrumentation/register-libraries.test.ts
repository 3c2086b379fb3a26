import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type AnthropicServer, startAnthropicServer } from '../support/anthropic-server.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { type ProgramOptions, type ProgramResult, registerFile, registerUrl, runProgram } from '../support/program.ts';

let model: AnthropicServer;
let receiver: OtlpReceiver;

before(async () => {
  model = await startAnthropicServer();
  receiver = await startOtlpReceiver();
});
beforeEach(() => void receiver.requests.splice(0));
after(() => Promise.all([model.close(), receiver.close()]));

function run(source: string, options: ProgramOptions = {}): Promise<ProgramResult> {
  const env = { MODEL: model.url, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  return runProgram(source, { ...options, env: { ...env, ...options.env } });
}

function spanNames(): string[] {
  return receiver
    .spans()
    .map((span) => span.name)
    .sort();
}

const ask = `const client = new Anthropic({ apiKey: 'k', baseURL: process.env.MODEL });
const tools = [{ name: 't', description: 'does', input_schema: { type: 'object' } }];
const messages = [{ role: 'user', content: 'hello there' }];
client.messages.create({ model: 'm', max_tokens: 9, messages, tools }).then((r) => console.log(r.content[0].text));`;

const serve = `const server = new McpServer({ name: 'shop', version: '1' });
server.registerTool('pay', {}, async () => ({ content: [{ type: 'text', text: 'paid' }] }));
const client = new Client({ name: 'agent', version: '1' });
const [one, two] = InMemoryTransport.createLinkedPair();
const work = async () => {
  await Promise.all([server.connect(one), client.connect(two)]);
  await client.listTools();
  console.log((await client.callTool({ name: 'pay' })).content[0].text);
};
work();`;

/** Programs by what they load; every one of them must give exactly these spans, in either way of loading. */
const programs = [
  {
    title: 'Anthropic with spans of its own, ESM',
    source: `import Anthropic from '@anthropic-ai/sdk';\n${ask}`,
    spans: ['anthropic.messages.create'],
    output: 'Hello.',
  },
  {
    title: 'Anthropic with spans of its own, CJS',
    format: 'cjs' as const,
    source: `const Anthropic = require('@anthropic-ai/sdk');\n${ask}`,
    spans: ['anthropic.messages.create'],
    output: 'Hello.',
  },
  {
    title: 'a tool runner of Anthropic as the first thing, CJS',
    format: 'cjs' as const,
    source: `const Anthropic = require('@anthropic-ai/sdk');
const client = new Anthropic({ apiKey: 'k', baseURL: process.env.MODEL });
const messages = [{ role: 'user', content: 'hello there' }];
const runner = client.beta.messages.toolRunner({ model: 'm', max_tokens: 9, messages, tools: [] });
runner.then((r) => console.log(r.content[0].text));`,
    spans: ['anthropic.messages.create', 'anthropic.messages.tool_runner'],
    output: 'Hello.',
  },
  {
    title: 'an old Anthropic',
    source: `import Anthropic from 'anthropic-old';\n${ask}`,
    spans: ['chat m'],
    output: 'Hello.',
    // Found by name only under its real one.
    watchedOnly: true,
  },
  {
    title: 'MCP 1, ESM',
    source: `import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';\n${serve}`,
    spans: ['initialize', 'initialize', 'tools/call pay', 'tools/call pay', 'tools/list', 'tools/list'],
    output: 'paid',
  },
  {
    title: 'MCP 1, CJS',
    format: 'cjs' as const,
    source: `const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
const { McpServer } = require('@modelcontextprotocol/sdk/server/mcp.js');
const { InMemoryTransport } = require('@modelcontextprotocol/sdk/inMemory.js');\n${serve}`,
    spans: ['initialize', 'initialize', 'tools/call pay', 'tools/call pay', 'tools/list', 'tools/list'],
    output: 'paid',
  },
  {
    title: 'MCP 2, ESM',
    source: `import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';\n${serve}`,
    spans: ['initialize', 'initialize', 'tools/call pay', 'tools/call pay', 'tools/list', 'tools/list'],
    output: 'paid',
  },
  {
    title: 'MCP 2, CJS',
    format: 'cjs' as const,
    source: `const { Client, InMemoryTransport } = require('@modelcontextprotocol/client');
const { McpServer } = require('@modelcontextprotocol/server');\n${serve}`,
    spans: ['initialize', 'initialize', 'tools/call pay', 'tools/call pay', 'tools/list', 'tools/list'],
    output: 'paid',
  },
];

for (const { title, source, format, spans, output, watchedOnly } of programs) {
  describe(title, () => {
    for (const load of watchedOnly ? [''] : ['', 'eager']) {
      test(load === '' ? 'watched while loading' : 'loaded at start', async () => {
        const args = ['--import', registerUrl];
        const result = await run(source, { args, ...(format && { format }), env: { SPANWARDEN_LOAD: load } });
        assert.deepEqual([result.code, result.stdout, result.stderr], [0, `${output}\n`, '']);
        assert.deepEqual(spanNames(), spans);
      });
    }
  });
}

test('as the first line of the program', async () => {
  const result = await run(
    `import ${JSON.stringify(registerFile)};\nimport Anthropic from '@anthropic-ai/sdk';\n${ask}`,
  );
  assert.deepEqual([result.code, result.stderr], [0, '']);
  assert.deepEqual(spanNames(), ['anthropic.messages.create']);
});

test('what the user set for the SDK itself stays in force', async () => {
  const source = `import Anthropic from '@anthropic-ai/sdk';\n${ask}`;
  const variable = 'ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE';
  for (const [own, theirs, told] of [
    ['full', '', true],
    ['full', 'metadata_only', false],
    ['metadata_only', '', false],
    ['metadata_only', 'content', true],
  ] as const) {
    receiver.requests.splice(0);
    const env = { SPANWARDEN_CONTENT: own, ...(theirs && { [variable]: theirs }) };
    await run(source, { args: ['--import', registerUrl], env });
    const [span] = receiver.spans();
    assert.equal(JSON.stringify(span).includes('hello there'), told, `${own} ${theirs}`);
    assert.deepEqual(span?.attributes['spanwarden.tool.definition.names'], ['t']);
  }
});
