import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { z } from 'zod';
import { mcp } from '../../instrumentation/src/patches/mcp.ts';
import { attributesOf, installedCopy, settled, startRecorder } from '../support/recorder.ts';

const recorder = startRecorder();
const hooked = mcp.apply(installedCopy('@modelcontextprotocol/sdk', 'esm'), recorder.context);

beforeEach(() => recorder.reset());

function newServer(extra: (server: McpServer) => void = () => {}): McpServer {
  const server = new McpServer({ name: 'shop', version: '3.1.0' }, { instructions: 'Never refund twice.' });
  server.registerTool(
    'refund',
    { description: 'Pay back', inputSchema: { order: z.string() }, annotations: { destructiveHint: true } },
    async ({ order }) => ({ content: [{ type: 'text', text: `refunded ${order}` }] }),
  );
  server.registerTool('broken', {}, async () => {
    throw new Error('out of order');
  });
  extra(server);
  return server;
}

async function connected(server: McpServer, client = new Client({ name: 'agent', version: '0.9' })): Promise<Client> {
  const [one, two] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(one), client.connect(two)]);
  return client;
}

function named(name: string, kind: SpanKind) {
  return recorder.spans().filter((span) => span.name === name && span.kind === kind);
}

test('both methods are hooked, and hooking again changes nothing', async () => {
  assert.deepEqual(hooked, ['Protocol.prototype.request', 'Protocol.prototype._onrequest']);
  mcp.apply(installedCopy('@modelcontextprotocol/sdk', 'esm'), recorder.context);
  const client = await connected(newServer());
  await client.callTool({ name: 'refund', arguments: { order: 'A1' } });
  await settled();
  assert.equal(named('tools/call refund', SpanKind.CLIENT).length, 1);
  assert.equal(named('tools/call refund', SpanKind.SERVER).length, 1);
  assert.deepEqual(recorder.failures, []);
});

test('initialize tells both identities, the version and the instructions', async () => {
  await connected(newServer());
  await settled();
  const [client] = named('initialize', SpanKind.CLIENT);
  const attributes = attributesOf(client);
  assert.equal(attributes['mcp.method.name'], 'initialize');
  assert.equal(attributes['spanwarden.mcp.server.name'], 'shop');
  assert.equal(attributes['spanwarden.mcp.server.version'], '3.1.0');
  assert.equal(attributes['spanwarden.mcp.client.name'], 'agent');
  assert.equal(attributes['spanwarden.mcp.server.instructions'], 'Never refund twice.');
  assert.match(String(attributes['mcp.protocol.version']), /^\d{4}-\d\d-\d\d$/);
  assert.equal('gen_ai.operation.name' in attributes, false);
  assert.equal(named('initialize', SpanKind.SERVER).length, 1);
});

test('a tool call is one client and one server span of one trace, with arguments and result', async () => {
  const client = await connected(newServer());
  recorder.reset();
  await client.callTool({ name: 'refund', arguments: { order: 'A1' } });
  await settled();
  assert.equal(recorder.spans().length, 2);
  const [sent] = named('tools/call refund', SpanKind.CLIENT);
  const [served] = named('tools/call refund', SpanKind.SERVER);
  assert.equal(served?.spanContext().traceId, sent?.spanContext().traceId);
  assert.equal(served?.parentSpanContext?.spanId, sent?.spanContext().spanId);
  for (const span of [sent, served]) {
    const attributes = attributesOf(span);
    assert.equal(attributes['gen_ai.operation.name'], 'execute_tool');
    assert.equal(attributes['gen_ai.tool.name'], 'refund');
    assert.equal(attributes['gen_ai.tool.call.arguments'], '{"order":"A1"}');
    assert.match(String(attributes['gen_ai.tool.call.result']), /refunded A1/);
    assert.match(String(attributes['mcp.protocol.version']), /^\d{4}-/);
    assert.equal(attributes['spanwarden.mcp.server.name'], 'shop');
    assert.equal(attributes['jsonrpc.request.id'], '1');
  }
});

test('a failing tool is a tool_error, a refused request has the code of the protocol', async () => {
  const client = await connected(newServer());
  recorder.reset();
  const result = await client.callTool({ name: 'broken' });
  assert.equal(result.isError, true);
  await assert.rejects(client.getPrompt({ name: 'none' }), { code: -32601 });
  await settled();
  for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
    const [tool] = named('tools/call broken', kind);
    assert.equal(attributesOf(tool)['error.type'], 'tool_error');
    assert.equal(tool?.status.code, SpanStatusCode.ERROR);
    const [prompt] = named('prompts/get none', kind);
    assert.equal(attributesOf(prompt)['rpc.response.status_code'], '-32601');
    assert.equal(attributesOf(prompt)['error.type'], '-32601');
    assert.equal(attributesOf(prompt)['gen_ai.prompt.name'], 'none');
  }
});

test('tools/list carries every definition with a hash that a changed description or name changes', async () => {
  const hashes = async (description: string, name = 'pay') => {
    recorder.reset();
    const server = new McpServer({ name: 's', version: '1' });
    server.registerTool(name, { description, inputSchema: { b: z.string(), a: z.number() } }, async () => ({
      content: [],
    }));
    const client = await connected(server);
    await client.listTools();
    const attributes = attributesOf(named('tools/list', SpanKind.CLIENT)[0]);
    assert.deepEqual(attributes['spanwarden.tool.definition.names'], [name]);
    assert.match(String(attributes['gen_ai.tool.definitions']), new RegExp(description));
    return (attributes['spanwarden.tool.definition.hashes'] as string[])[0];
  };
  const first = await hashes('Pay a bill');
  assert.match(String(first), /^[0-9a-f]{64}$/);
  assert.equal(await hashes('Pay a bill'), first);
  assert.notEqual(await hashes('Pay a bill and send a copy'), first);
  assert.notEqual(await hashes('Pay a bill', 'pay2'), first);
});

test('content modes: without content there are hashes, never text', async () => {
  for (const mode of ['no_tool_content', 'metadata_only'] as const) {
    recorder.reset();
    recorder.context.contentMode = mode;
    const client = await connected(newServer());
    await client.listTools();
    await client.callTool({ name: 'refund', arguments: { order: 'secret-7' } });
    await settled();
    const told = JSON.stringify(recorder.spans().map(attributesOf));
    assert.equal(told.includes('secret-7'), false);
    assert.equal(told.includes('Pay back'), false);
    assert.equal(told.includes('Never refund'), mode === 'no_tool_content');
    const [call] = named('tools/call refund', SpanKind.CLIENT);
    assert.match(String(attributesOf(call)['spanwarden.tool.call.arguments_hash']), /^[0-9a-f]{16}$/);
    const list = attributesOf(named('tools/list', SpanKind.CLIENT)[0]);
    assert.equal((list['spanwarden.tool.definition.hashes'] as string[]).length, 2);
    assert.match(String(list['spanwarden.mcp.server.instructions_hash']), /^[0-9a-f]{16}$/);
  }
});

test('the params of the caller stay as they are; a context of its own is passed on', async () => {
  let seen: unknown;
  const server = newServer((s) => {
    s.registerTool('look', { inputSchema: {} }, async (_args, extra) => {
      seen = extra._meta;
      return { content: [] };
    });
  });
  const client = await connected(server);
  const params = Object.freeze({ name: 'look', arguments: Object.freeze({}), _meta: Object.freeze({ 'x/y': 1 }) });
  await client.callTool(params);
  assert.deepEqual(params, { name: 'look', arguments: {}, _meta: { 'x/y': 1 } });
  assert.deepEqual(Object.keys(seen as object), ['x/y', 'traceparent']);
  const mine = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  await client.callTool({ name: 'look', _meta: { traceparent: mine } });
  assert.equal((seen as { traceparent: string }).traceparent, mine);
});

test('baggage and trace state travel along', async () => {
  let seen: Record<string, unknown> = {};
  let baggage: string | undefined;
  const server = newServer((s) => {
    s.registerTool('look', { inputSchema: {} }, async (_args, extra) => {
      seen = extra._meta as Record<string, unknown>;
      baggage = propagation.getActiveBaggage()?.getEntry('tenant')?.value;
      return { content: [] };
    });
  });
  const client = await connected(server);
  const bag = propagation.createBaggage({ tenant: { value: 'a b' } });
  await context.with(propagation.setBaggage(context.active(), bag), () => client.callTool({ name: 'look' }));
  assert.equal(seen.baggage, 'tenant=a%20b');
  assert.equal(baggage, 'a b');
});

test('calls at the same time keep their own parents and ids', async () => {
  const client = await connected(newServer());
  recorder.reset();
  const tracer = trace.getTracer('host');
  const orders = Array.from({ length: 20 }, (_, index) => `o${index}`);
  await Promise.all(
    orders.map((order) =>
      tracer.startActiveSpan(order, async (span) => {
        await client.callTool({ name: 'refund', arguments: { order } });
        span.end();
      }),
    ),
  );
  await settled();
  const ids = new Set<unknown>();
  for (const order of orders) {
    const root = recorder.spans().find((span) => span.name === order);
    const inTrace = recorder.spans().filter((span) => span.spanContext().traceId === root?.spanContext().traceId);
    assert.equal(inTrace.length, 3);
    for (const span of inTrace) {
      if (span !== root) assert.equal(attributesOf(span)['gen_ai.tool.call.arguments'], `{"order":"${order}"}`);
    }
    const sent = inTrace.find((span) => span.kind === SpanKind.CLIENT);
    assert.equal(sent?.parentSpanContext?.spanId, root?.spanContext().spanId);
    ids.add(attributesOf(sent)['jsonrpc.request.id']);
  }
  assert.equal(ids.size, orders.length);
});

test('an enclosing execute_tool span of the same tool is enriched, once', async () => {
  const client = await connected(newServer());
  recorder.reset();
  const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'refund' };
  await trace.getTracer('host').startActiveSpan('execute_tool refund', { attributes }, async (span) => {
    await client.callTool({ name: 'refund', arguments: { order: '1' } });
    await client.callTool({ name: 'refund', arguments: { order: '2' } });
    span.end();
  });
  await settled();
  assert.equal(named('tools/call refund', SpanKind.CLIENT).length, 1);
  const outer = recorder.spans().find((span) => span.name === 'execute_tool refund');
  assert.equal(attributesOf(outer)['mcp.method.name'], 'tools/call');
  assert.equal(attributesOf(outer)['gen_ai.tool.call.arguments'], '{"order":"1"}');
  assert.equal(named('tools/call refund', SpanKind.SERVER)[0]?.parentSpanContext?.spanId, outer?.spanContext().spanId);
});

test('a gateway that passes a call on has a span for each leg', async () => {
  const inner = await connected(newServer());
  const gateway = new McpServer({ name: 'gateway', version: '1' });
  gateway.registerTool('refund', { inputSchema: { order: z.string() } }, async (args) => {
    const { content } = await inner.callTool({ name: 'refund', arguments: args });
    return { content: content as { type: 'text'; text: string }[] };
  });
  const client = await connected(gateway);
  recorder.reset();
  await client.callTool({ name: 'refund', arguments: { order: 'A1' } });
  await settled();
  const servers = named('tools/call refund', SpanKind.CLIENT).map(
    (span) => attributesOf(span)['spanwarden.mcp.server.name'],
  );
  assert.deepEqual(servers.sort(), ['gateway', 'shop']);
  assert.equal(named('tools/call refund', SpanKind.SERVER).length, 2);
});

test('what a server asks of the person is seen on both sides, with the answer', async () => {
  const server = newServer((s) => {
    s.registerTool('ask', { inputSchema: {} }, async () => {
      const { action } = await s.server.elicitInput({
        message: 'Sure?',
        requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } } },
      });
      return { content: [{ type: 'text', text: action }] };
    });
  });
  const client = new Client({ name: 'agent', version: '1' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'decline' as const }));
  await connected(server, client);
  recorder.reset();
  await client.callTool({ name: 'ask' });
  await settled();
  for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
    const [span] = named('elicitation/create', kind);
    assert.equal(attributesOf(span)['spanwarden.mcp.elicitation.action'], 'decline');
  }
  assert.equal(new Set(recorder.spans().map((span) => span.spanContext().traceId)).size, 1);
});

test('registered handlers are the application’s own after a call, also a fallback', async () => {
  const client = new Client({ name: 'c', version: '1' });
  const server = newServer();
  const fallback = async () => ({ answer: 42 });
  server.server.fallbackRequestHandler = fallback;
  await connected(server, client);
  const handlers = Reflect.get(server.server, '_requestHandlers') as Map<string, unknown>;
  const before = new Map(handlers);
  await client.callTool({ name: 'refund', arguments: { order: '1' } });
  const answer = await client.request({ method: 'x/custom' }, z.object({ answer: z.number() }));
  assert.deepEqual(answer, { answer: 42 });
  assert.deepEqual(new Map(handlers), before);
  assert.equal(server.server.fallbackRequestHandler, fallback);
  assert.equal(named('x/custom', SpanKind.SERVER).length, 1);
});

test('errors of our own never reach the application', async () => {
  const client = await connected(newServer());
  recorder.reset();
  const working = recorder.context.tracer;
  try {
    recorder.context.tracer = () => {
      throw new Error('no tracer');
    };
    const result = await client.callTool({ name: 'refund', arguments: { order: 'A1' } });
    assert.deepEqual(result.content, [{ type: 'text', text: 'refunded A1' }]);
    assert.ok(recorder.failures.some((line) => line.includes('no tracer')));
  } finally {
    recorder.context.tracer = working;
  }
  recorder.reset();
  Object.defineProperty(recorder.context, 'contentMode', {
    configurable: true,
    get() {
      throw new Error('no mode');
    },
  });
  try {
    await client.listTools();
    await assert.rejects(client.getPrompt({ name: 'none' }), { code: -32601 });
    assert.ok(recorder.failures.some((line) => line.includes('no mode')));
  } finally {
    Object.defineProperty(recorder.context, 'contentMode', { configurable: true, writable: true, value: 'full' });
  }
});

test('not connected and aborted calls fail as without us', async () => {
  const lonely = new Client({ name: 'c', version: '1' });
  await assert.rejects(lonely.request({ method: 'tools/list' }, z.object({})), /Not connected/);
  const client = await connected(newServer());
  const signal = AbortSignal.abort('enough');
  await assert.rejects(client.callTool({ name: 'refund' }, undefined, { signal }));
  assert.equal(named('tools/list', SpanKind.CLIENT)[0]?.status.code, SpanStatusCode.ERROR);
});

test('the CommonJS copy is a class of its own and is patched too', async () => {
  const require = createRequire(import.meta.url);
  const { Client: CjsClient } = require('@modelcontextprotocol/sdk/client/index.js') as { Client: typeof Client };
  assert.notEqual(CjsClient, Client);
  assert.equal(mcp.apply(installedCopy('@modelcontextprotocol/sdk', 'cjs'), recorder.context).length, 2);
  const client = await connected(newServer(), new CjsClient({ name: 'cjs', version: '1' }));
  await client.callTool({ name: 'refund', arguments: { order: 'A1' } });
  assert.equal(named('tools/call refund', SpanKind.CLIENT).length, 1);
});

test('over standard input and output a real child continues the trace', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'spanwarden-mcp-'));
  try {
    const file = join(directory, 'spans.json');
    const script = new URL('../support/mcp-stdio-server.ts', import.meta.url).pathname;
    const transport = new StdioClientTransport({ command: process.execPath, args: [script, file], stderr: 'inherit' });
    const client = new Client({ name: 'agent', version: '1' });
    await client.connect(transport);
    await client.listTools();
    await client.callTool({ name: 'orders.read', arguments: { id: '7' } });
    await client.close();
    const [sent] = named('tools/call orders.read', SpanKind.CLIENT);
    assert.equal(attributesOf(sent)['network.transport'], 'pipe');
    assert.equal(attributesOf(sent)['spanwarden.mcp.server.version'], '1.2.3');
    const child = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>[];
    assert.deepEqual(
      child.map((span) => span.name),
      ['initialize', 'tools/list', 'tools/call orders.read'],
    );
    assert.equal(child[2]?.traceId, sent?.spanContext().traceId);
    assert.equal(child[2]?.parentSpanId, sent?.spanContext().spanId);
    assert.deepEqual((child[2]?.attributes as Record<string, unknown> | undefined)?.['network.transport'], 'pipe');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
