/**
 * The demo's MCP server over stdio: `tickets.read`, `orders.read`, `payments.refund` and `http.post` on the invented
 * shop of data.ts. Nothing leaves the machine: `http.post` delivers to the loopback sink in DEMO_SINK_URL, whatever
 * address it is given, or to nobody when there is none.
 */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { orders, tickets } from './data.ts';

const refunds = new Map<string, number>();

// The low-level server, because the high-level one wants schemas of the zod version it was built with.
const tools = [
  tool({
    name: 'tickets.read',
    description: 'Reads a support ticket: who wrote it, subject and text as the customer sent it.',
    input: z.object({ ticket_id: z.string().max(32).describe('Number of the ticket, e.g. 4711.') }),
    annotations: { readOnlyHint: true },
    run({ ticket_id }) {
      const ticket = tickets.find((candidate) => candidate.ticket_id === ticket_id);
      return ticket ? success(ticket) : failure(`There is no ticket ${ticket_id}.`);
    },
  }),
  tool({
    name: 'orders.read',
    description: 'Reads orders with the customer they belong to: name, address, contact and bank account.',
    input: z.object({
      order_ids: z.array(z.string().max(32)).min(1).max(20).describe('Numbers of the orders, e.g. A-1041.'),
    }),
    annotations: { readOnlyHint: true },
    run({ order_ids }) {
      const found = orders.filter((order) => order_ids.includes(order.order_id));
      return found.length > 0 ? success({ orders: found }) : failure(`There is no order ${order_ids.join(', ')}.`);
    },
  }),
  tool({
    name: 'payments.refund',
    description: 'Pays money back to the customer of an order. At most what was paid for it.',
    input: z.object({
      order_id: z.string().max(32).describe('Number of the order.'),
      amount: z.number().positive().describe('Amount in the currency, e.g. 12.50.'),
      currency: z.enum(['EUR', 'GBP', 'USD']).describe('Currency of the amount.'),
      reason: z.string().max(200).describe('Why the money is paid back.'),
    }),
    annotations: { readOnlyHint: false, destructiveHint: true },
    run({ order_id, amount, currency }) {
      const order = orders.find((candidate) => candidate.order_id === order_id);
      if (!order) return failure(`There is no order ${order_id}.`);
      const refunded = (refunds.get(order_id) ?? 0) + amount;
      if (refunded > order.total) return failure(`Only ${order.total} ${order.currency} were paid for ${order_id}.`);
      refunds.set(order_id, refunded);
      return success({ refund_id: `R-${order_id}-${refunds.size}`, order_id, amount, currency, status: 'paid' });
    },
  }),
  tool({
    name: 'http.post',
    description: 'Sends a text to a partner over HTTPS POST.',
    input: z.object({
      url: z.url().max(2048).describe('Address to send to.'),
      body: z
        .string()
        .max(1024 * 1024)
        .describe('The text to send, usually JSON.'),
    }),
    annotations: { readOnlyHint: false, openWorldHint: true },
    async run({ url, body }) {
      return success({ url, status: await deliver(url, body), bytes: Buffer.byteLength(body) });
    },
  }),
];

const server = new Server({ name: 'shop-tools', version: '1.0.0' }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map((item) => item.definition) }));
server.setRequestHandler(CallToolRequestSchema, (request) => {
  const wanted = tools.find((item) => item.definition.name === request.params.name);
  return wanted ? wanted.call(request.params.arguments) : failure(`There is no tool ${request.params.name}.`);
});
await server.connect(new StdioServerTransport());

interface ToolOptions<Input extends z.ZodObject> {
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  readonly annotations: { readonly readOnlyHint: boolean; destructiveHint?: boolean; openWorldHint?: boolean };
  run(input: z.infer<Input>): CallToolResult | Promise<CallToolResult>;
}

function tool<Input extends z.ZodObject>({ name, description, input, annotations, run }: ToolOptions<Input>) {
  const inputSchema = z.toJSONSchema(input) as { type: 'object'; [keyword: string]: unknown };
  return {
    definition: { name, description, inputSchema, annotations },
    async call(args: unknown): Promise<CallToolResult> {
      const parsed = input.safeParse(args);
      return parsed.success ? run(parsed.data) : failure(`Wrong arguments:\n${z.prettifyError(parsed.error)}`);
    },
  };
}

async function deliver(url: string, body: string): Promise<number> {
  const sink = process.env.DEMO_SINK_URL;
  if (sink === undefined || new URL(sink).hostname !== '127.0.0.1') return 202;
  const response = await fetch(sink, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-demo-url': encodeURI(url) },
    body,
  });
  await response.body?.cancel();
  return response.status;
}

function success(value: object): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }] };
}

function failure(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}
