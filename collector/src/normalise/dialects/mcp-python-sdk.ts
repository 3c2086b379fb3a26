import type { Value } from '../../model/value.ts';
import type { Dialect, Reading, SpanSource } from './dialect.ts';
import { either, exceptionType, first, has, when } from './readings.ts';

const isCall = has('mcp.method.name', 'tools/call');

/**
 * The MCP SDK for Python since 2.0, and FastMCP. Spans of clients have the tool in their name alone; arguments and results are nowhere.
 * https://github.com/modelcontextprotocol/python-sdk
 */
export const mcpPythonSdk: Dialect = {
  name: 'mcp_python_sdk',
  marks: { scopes: ['mcp-python-sdk', 'fastmcp'] },
  fields: {
    'gen_ai.operation.name': when(isCall, () => 'execute_tool'),
    'gen_ai.tool.name': when(isCall, either(first('fastmcp.component.key'), nameAfter('tools/call'))),
    'mcp.resource.uri': nameAfter('resources/read'),
    'error.type': exceptionType,
  },
};

/** What follows the method in the name of the span: `MCP send tools/call refund`, `tools/call refund`. */
function nameAfter(method: string): Reading {
  return ({ name }: SpanSource): Value | undefined => {
    const at = name.indexOf(`${method} `);
    return at < 0 ? undefined : name.slice(at + method.length + 1);
  };
}
