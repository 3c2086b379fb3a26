/**
 * A customer-support agent as anybody might write it: the OpenAI SDK, tools from an MCP server over stdio and a loop
 * around both. It knows nothing of tracing; the one line that instruments it stands on its command line:
 *
 *     node --import @spanwarden/instrumentation/register agent.js 4711
 */
import { extname } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import OpenAI from 'openai';

const systemPrompt =
  'You are the support agent of a small shop. Read the ticket, look up the order it is about and answer the customer ' +
  'in one or two friendly sentences. Use the tools you are given.';
const stepsMax = 10;

const ticketId = process.argv[2];
if (!ticketId) throw new Error('usage: agent <ticket id>');

const model = process.env.OPENAI_MODEL ?? 'gpt-5-mini';
const openai = new OpenAI();
const mcp = new Client({ name: 'support-agent', version: '1.0.0' });
await mcp.connect(
  new StdioClientTransport({
    command: process.execPath,
    args: [`${import.meta.dirname}/mcp-server${extname(import.meta.filename)}`],
    env: Object.fromEntries(
      Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  }),
);
try {
  process.stdout.write(`${await handleTicket(ticketId)}\n`);
} finally {
  await mcp.close();
}

async function handleTicket(id: string): Promise<string> {
  const { tools } = await mcp.listTools();
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: 'system', content: systemPrompt },
    { role: 'user', content: `Please handle ticket ${id}.` },
  ];
  for (let step = 0; step < stepsMax; step += 1) {
    const completion = await openai.chat.completions.create({
      model,
      messages,
      // OpenAI allows no dots in the names of functions.
      tools: tools.map((tool) => ({
        type: 'function',
        function: {
          name: tool.name.replaceAll('.', '_'),
          description: tool.description ?? '',
          parameters: tool.inputSchema,
        },
      })),
    });
    const message = completion.choices[0]?.message;
    if (!message) throw new Error('the model gave no answer');
    messages.push(message);
    if (!message.tool_calls?.length) return message.content ?? '';
    for (const call of message.tool_calls) {
      if (call.type !== 'function') continue;
      const name = tools.find((tool) => tool.name.replaceAll('.', '_') === call.function.name)?.name;
      messages.push({ role: 'tool', tool_call_id: call.id, content: await callTool(name, call.function.arguments) });
    }
  }
  throw new Error(`no answer after ${stepsMax} steps`);
}

async function callTool(name: string | undefined, args: string): Promise<string> {
  if (name === undefined) return 'There is no such tool.';
  const result = await mcp.callTool({ name, arguments: JSON.parse(args) });
  const parts = Array.isArray(result.content) ? result.content : [];
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}
