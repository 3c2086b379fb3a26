import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { SpanKind } from '@opentelemetry/api';
import { mcp } from '../../instrumentation/src/patches/mcp.ts';
import { attributesOf, installedCopy, startRecorder } from '../support/recorder.ts';

const recorder = startRecorder();
mcp.apply(installedCopy('@modelcontextprotocol/sdk', 'esm'), recorder.context);

test('over HTTP spans name the server, its port and the session', async () => {
  const shop = new McpServer({ name: 'web', version: '1' });
  shop.registerTool('hello', {}, async () => ({ content: [{ type: 'text', text: 'hi' }] }));
  const serverTransport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID });
  await shop.connect(serverTransport as Transport);
  const http = createServer((request, response) => void serverTransport.handleRequest(request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const client = new Client({ name: 'agent', version: '1' });
  try {
    const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`));
    await client.connect(transport as Transport);
    await client.callTool({ name: 'hello' });
    const [sent, served] = [SpanKind.CLIENT, SpanKind.SERVER].map((kind) =>
      recorder.spans().find((span) => span.name === 'tools/call hello' && span.kind === kind),
    );
    const told = attributesOf(sent);
    assert.equal(told['network.transport'], 'tcp');
    assert.equal(told['server.address'], '127.0.0.1');
    assert.equal(told['server.port'], port);
    assert.equal(told['mcp.session.id'], transport.sessionId);
    assert.equal(attributesOf(served)['mcp.session.id'], transport.sessionId);
    assert.equal(attributesOf(served)['network.transport'], 'tcp');
    assert.equal(served?.parentSpanContext?.spanId, sent?.spanContext().spanId);
    const initialize = recorder.spans().find((span) => span.name === 'initialize' && span.kind === SpanKind.CLIENT);
    assert.equal(attributesOf(initialize)['mcp.session.id'], transport.sessionId);
    assert.deepEqual(recorder.failures, []);
  } finally {
    await client.close();
    await shop.close();
    http.closeAllConnections();
    http.close();
  }
});
