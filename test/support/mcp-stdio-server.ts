import { writeFileSync } from 'node:fs';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';
import { mcp } from '../../instrumentation/src/patches/mcp.ts';
import { installedCopy, startRecorder } from './recorder.ts';

/** An MCP server over standard input and output; given a file name it is patched and writes its spans there at the end. */
const recordTo = process.argv[2];
if (recordTo !== undefined) {
  const recorder = startRecorder();
  mcp.apply(installedCopy('@modelcontextprotocol/sdk', 'esm'), recorder.context);
  process.stdin.on('end', () => {
    const spans = recorder.spans().map((span) => ({
      name: span.name,
      kind: span.kind,
      ...span.spanContext(),
      parentSpanId: span.parentSpanContext?.spanId,
      attributes: span.attributes,
    }));
    writeFileSync(recordTo, JSON.stringify(spans));
  });
}

const server = new McpServer({ name: 'orders', version: '1.2.3' }, { instructions: 'Read orders only.' });
server.registerTool(
  'orders.read',
  { description: 'Read one order', inputSchema: { id: z.string() } },
  async ({ id }) => ({ content: [{ type: 'text', text: `order ${id}` }] }),
);
await server.connect(new StdioServerTransport());
