import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import {
  createMcpHandler,
  fromJsonSchema,
  InMemoryTransport,
  inputRequired,
  McpServer,
} from '@modelcontextprotocol/server';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { mcp } from '../../instrumentation/src/patches/mcp.ts';
import { attributesOf, installedCopy, settled, startRecorder } from '../support/recorder.ts';

const recorder = startRecorder();
const hooked = ['@modelcontextprotocol/client', '@modelcontextprotocol/server'].map((name) =>
  mcp.apply(installedCopy(name, 'esm'), recorder.context),
);

const orderSchema = fromJsonSchema<{ order: string }>({
  type: 'object',
  properties: { order: { type: 'string' } },
  required: ['order'],
});
const nothingSchema = fromJsonSchema<object>({ type: 'object' });

beforeEach(() => recorder.reset());

function newServer(): McpServer {
  const server = new McpServer({ name: 'shop', version: '3.1.0' }, { instructions: 'Never refund twice.' });
  server.registerTool('refund', { description: 'Pay back', inputSchema: orderSchema }, async ({ order }) => ({
    content: [{ type: 'text', text: `refunded ${order}` }],
  }));
  server.registerTool('broken', { inputSchema: nothingSchema }, async () => {
    throw new Error('out of order');
  });
  server.registerTool('ask', { inputSchema: nothingSchema }, async (_args, ctx) => {
    const { action } = await ctx.mcpReq.send({
      method: 'elicitation/create',
      params: { message: 'Sure?', requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } } } },
    });
    return { content: [{ type: 'text', text: action }] };
  });
  return server;
}

async function connected(server: McpServer): Promise<Client> {
  const client = new Client({ name: 'agent', version: '0.9' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler('elicitation/create', async () => ({ action: 'decline' as const }));
  const [one, two] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(one), client.connect(two)]);
  return client;
}

function named(name: string, kind: SpanKind) {
  return recorder.spans().filter((span) => span.name === name && span.kind === kind);
}

test('each package has a Protocol of its own and both are hooked', () => {
  const methods = ['Protocol.prototype._requestWithSchemaViaCodec', 'Protocol.prototype._onrequest'];
  assert.deepEqual(hooked, [methods, methods]);
});

test('initialize, tools/list and tools/call: one span on each side, one trace', async () => {
  const client = await connected(newServer());
  await client.listTools();
  const result = await client.callTool({ name: 'refund', arguments: { order: 'A1' } });
  assert.deepEqual(result.content, [{ type: 'text', text: 'refunded A1' }]);
  await settled();
  assert.deepEqual(recorder.failures, []);
  for (const name of ['initialize', 'tools/list', 'tools/call refund']) {
    const [sent, ...moreSent] = named(name, SpanKind.CLIENT);
    const [served, ...moreServed] = named(name, SpanKind.SERVER);
    assert.equal(moreSent.length + moreServed.length, 0, name);
    assert.equal(served?.parentSpanContext?.spanId, sent?.spanContext().spanId, name);
    assert.equal(attributesOf(sent)['spanwarden.mcp.server.name'], 'shop');
  }
  const call = attributesOf(named('tools/call refund', SpanKind.CLIENT)[0]);
  assert.equal(call['gen_ai.tool.call.arguments'], '{"order":"A1"}');
  assert.match(String(call['gen_ai.tool.call.result']), /refunded A1/);
  assert.match(String(call['mcp.protocol.version']), /^\d{4}-/);
  assert.match(String(call['jsonrpc.request.id']), /^\d+$/);
  const list = attributesOf(named('tools/list', SpanKind.CLIENT)[0]);
  assert.deepEqual(list['spanwarden.tool.definition.names'], ['refund', 'broken', 'ask']);
  assert.equal(list['spanwarden.mcp.server.instructions'], 'Never refund twice.');
});

test('failures: tool_error, and the code of the protocol', async () => {
  const client = await connected(newServer());
  assert.equal((await client.callTool({ name: 'broken' })).isError, true);
  await assert.rejects(client.request({ method: 'x/none' }, nothingSchema), { code: -32601 });
  await settled();
  for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
    const [tool] = named('tools/call broken', kind);
    assert.equal(attributesOf(tool)['error.type'], 'tool_error');
    assert.equal(tool?.status.code, SpanStatusCode.ERROR);
    const [refused] = named('x/none', kind);
    assert.equal(attributesOf(refused)['rpc.response.status_code'], '-32601');
  }
});

test('requests that a handler sends back to the client are seen', async () => {
  const client = await connected(newServer());
  const result = await client.callTool({ name: 'ask' });
  assert.deepEqual(result.content, [{ type: 'text', text: 'decline' }]);
  await settled();
  const [asked] = named('elicitation/create', SpanKind.CLIENT);
  const [served] = named('tools/call ask', SpanKind.SERVER);
  assert.equal(attributesOf(asked)['spanwarden.mcp.elicitation.action'], 'decline');
  assert.equal(asked?.parentSpanContext?.spanId, served?.spanContext().spanId);
});

test('the params of the caller stay as they are', async () => {
  const client = await connected(newServer());
  const params = Object.freeze({ name: 'refund', arguments: Object.freeze({ order: '1' }) });
  await client.callTool(params);
  assert.deepEqual(params, { name: 'refund', arguments: { order: '1' } });
});

test('errors of our own never reach the application', async () => {
  const client = await connected(newServer());
  const working = recorder.context.tracer;
  recorder.context.tracer = () => {
    throw new Error('no tracer');
  };
  try {
    const result = await client.callTool({ name: 'refund', arguments: { order: 'A1' } });
    assert.deepEqual(result.content, [{ type: 'text', text: 'refunded A1' }]);
    assert.notEqual(recorder.failures.length, 0);
  } finally {
    recorder.context.tracer = working;
  }
});

test('a client of version 2 and a server of version 1 over standard input and output', async () => {
  const script = new URL('../support/mcp-stdio-server.ts', import.meta.url).pathname;
  const client = new Client({ name: 'agent', version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [script], stderr: 'inherit' }));
  await client.callTool({ name: 'orders.read', arguments: { id: '7' } });
  await client.close();
  const attributes = attributesOf(named('tools/call orders.read', SpanKind.CLIENT)[0]);
  assert.equal(attributes['network.transport'], 'pipe');
  assert.equal(attributes['spanwarden.mcp.server.version'], '1.2.3');
});

test('revision 2026-07-28: a call that first asks the person is one client span over both legs', async () => {
  const answers: unknown[] = [];
  const handler = createMcpHandler(() => {
    const server = newServer();
    server.registerTool('deploy', { inputSchema: nothingSchema }, async (_args, ctx) => {
      answers.push(ctx.mcpReq.inputResponses);
      if (ctx.mcpReq.inputResponses !== undefined) return { content: [{ type: 'text', text: 'deployed' }] };
      const requestedSchema = { type: 'object' as const, properties: { ok: { type: 'boolean' as const } } };
      return inputRequired({ inputRequests: { sure: inputRequired.elicit({ message: 'Sure?', requestedSchema }) } });
    });
    return server;
  });
  const transport = new StreamableHTTPClientTransport(new URL('http://mcp.example/mcp'), {
    fetch: (url, init) => handler.fetch(new Request(url, init)),
  });
  const options = { capabilities: { elicitation: {} }, versionNegotiation: { mode: 'auto' as const } };
  const client = new Client({ name: 'agent', version: '1' }, options);
  client.setRequestHandler('elicitation/create', async () => ({ action: 'accept' as const, content: { ok: true } }));
  await client.connect(transport);
  await client.listTools();
  const result = await client.callTool({ name: 'deploy', arguments: {} });
  assert.deepEqual(result.content, [{ type: 'text', text: 'deployed' }]);
  await settled();
  assert.equal(answers.length, 2);
  const [sent, ...more] = named('tools/call deploy', SpanKind.CLIENT);
  assert.equal(more.length, 0);
  assert.equal(attributesOf(sent)['mcp.protocol.version'], '2026-07-28');
  assert.equal(attributesOf(sent)['server.address'], 'mcp.example');
  const served = named('tools/call deploy', SpanKind.SERVER);
  assert.equal(served.length, 2);
  for (const span of served) assert.equal(span.parentSpanContext?.spanId, sent?.spanContext().spanId);
  const list = attributesOf(named('tools/list', SpanKind.CLIENT)[0]);
  assert.equal(list['spanwarden.mcp.server.name'], 'shop');
  assert.equal(list['spanwarden.mcp.server.instructions'], 'Never refund twice.');
  await client.close();
});
