import { member, parsedOrCut } from '../json-value.ts';
import { ownWords } from './corrections.ts';
import type { Dialect, SpanSource } from './dialect.ts';
import { either, exceptionType, first, has, inJson, when } from './readings.ts';

const isMcp = (span: SpanSource): boolean => span.scopeName === 'logfire.mcp';
const isMcpCall = (span: SpanSource): boolean => isMcp(span) && has('rpc.method', 'tools/call')(span);
const providers = ['anthropic', 'google_genai', 'litellm', 'mcp', 'openai', 'openai_agents'];

/**
 * Logfire's integrations: model calls are canonical since 4.20 and have request and response as JSON before; MCP is JSON-RPC as it was
 * spoken. A streamed answer is a span of its own beside the call's.
 * https://logfire.pydantic.dev/docs/integrations/llms/openai/
 */
export const logfire: Dialect = {
  name: 'logfire',
  marks: { scopes: providers.map((name) => `logfire.${name}`) },
  fields: {
    'gen_ai.operation.name': either(
      when(isMcpCall, () => 'execute_tool'),
      (span) => (span.attribute('request_data') === undefined ? undefined : 'chat'),
    ),
    'mcp.method.name': when(isMcp, first('rpc.method')),
    'gen_ai.request.model': inJson('request_data', 'model'),
    'gen_ai.input.messages': either(inJson('request_data', 'messages'), inJson('request_data', 'input')),
    'gen_ai.output.messages': either(
      inJson('response_data', 'message'),
      inJson('response_data', 'combined_chunk_content'),
    ),
    'gen_ai.tool.definitions': either(inJson('request_data', 'tools'), when(isMcp, inJson('response', 'tools'))),
    'gen_ai.tool.name': when(isMcpCall, inJson('request', 'params', 'name')),
    'gen_ai.tool.call.arguments': when(isMcpCall, inJson('request', 'params', 'arguments')),
    'gen_ai.tool.call.result': when(isMcpCall, first('response')),
    'gen_ai.usage.input_tokens': either(
      inJson('response_data', 'usage', 'prompt_tokens'),
      inJson('response_data', 'usage', 'input_tokens'),
    ),
    'gen_ai.usage.output_tokens': either(
      inJson('response_data', 'usage', 'completion_tokens'),
      inJson('response_data', 'usage', 'output_tokens'),
    ),
    'error.type': either(exceptionType, when(isMcpCall, failedResult)),
  },
  corrects: ownWords,
};

function failedResult(span: SpanSource): string | undefined {
  return member(parsedOrCut(span.attribute('response')), 'isError') === true ? 'tool_error' : undefined;
}
