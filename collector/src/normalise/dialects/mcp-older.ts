import type { Dialect } from './dialect.ts';
import { converted, either, first, has, when } from './readings.ts';

const isCall = has('mcp.method.name', 'tools/call');

/**
 * MCP spans that were instrumented after the drafts of OTel's MCP conventions, before the tool's name and arguments became
 * `gen_ai.tool.*`.
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md
 */
export const mcpOlder: Dialect = {
  name: 'mcp_older',
  older: true,
  marks: { attributes: ['mcp.tool.name', 'mcp.request.argument.*', 'mcp.request.id', 'mcp.method'] },
  fields: {
    'gen_ai.operation.name': when(
      (span) => isCall(span) || span.attribute('mcp.tool.name') !== undefined,
      () => 'execute_tool',
    ),
    // OpenLIT writes functions of the client there.
    'mcp.method.name': converted(first('mcp.method'), (method) =>
      typeof method === 'string' && /^(?:initialize|ping|[a-z]{1,40}(?:\/[a-z_]{1,40}){1,3})$/.test(method)
        ? method
        : undefined,
    ),
    'gen_ai.tool.name': first('mcp.tool.name'),
    'gen_ai.tool.call.arguments': either(first('mcp.tool.arguments'), (span) => span.tree('mcp.request.argument')),
    'gen_ai.tool.call.result': first('mcp.tool.result'),
    'network.transport': first('mcp.transport'),
  },
};
