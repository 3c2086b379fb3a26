import type { Value } from '../../model/value.ts';
import { member, parsedOrCut } from '../json-value.ts';
import { ownWords } from './corrections.ts';
import type { Dialect, Reading, SpanSource } from './dialect.ts';
import { converted, either, exceptionType, first, has, inJson, when } from './readings.ts';

const request = 'gcp.vertex.agent.llm_request';
const response = 'gcp.vertex.agent.llm_response';
/** `{}` stands on every model call whose content was left out, and on every tool span of the older schema. */
const isModelCall = (span: SpanSource): boolean =>
  span.attribute(request) !== undefined && span.attribute('gen_ai.tool.name') === undefined;

/**
 * Google's Agent Development Kit: requests and answers as Gemini has them, arguments and results of tools beside canonical names. What it
 * is told to leave out is `{}` or `N/A`.
 * https://google.github.io/adk-docs/observability/
 */
export const googleAdk: Dialect = {
  name: 'google_adk',
  marks: { scopes: ['gcp.vertex.agent'], attributes: ['gcp.vertex.agent.*'] },
  fields: {
    'gen_ai.operation.name': when(isModelCall, () => 'chat'),
    'mcp.method.name': when(has('gen_ai.tool.type', 'McpTool', 'MCPTool'), () => 'tools/call'),
    // It says `gcp.vertex.agent` whatever the model; LiteLLM's names of models begin with their provider.
    'gen_ai.provider.name': when(isModelCall, converted(inJson(request, 'model'), providerOf)),
    'gen_ai.request.model': inJson(request, 'model'),
    'gen_ai.response.model': inJson(response, 'model_version'),
    'gen_ai.input.messages': sent(request),
    'gen_ai.output.messages': sent(response),
    'gen_ai.tool.definitions': inJson(request, 'config', 'tools'),
    'gen_ai.tool.call.arguments': sent('gcp.vertex.agent.tool_call_args'),
    'gen_ai.tool.call.result': converted(sent('gcp.vertex.agent.tool_response'), unwrappedResult),
    'gen_ai.response.finish_reasons': inJson(response, 'finish_reason'),
    'gen_ai.usage.input_tokens': inJson(response, 'usage_metadata', 'prompt_token_count'),
    'gen_ai.usage.output_tokens': inJson(response, 'usage_metadata', 'candidates_token_count'),
    'gen_ai.usage.cache_read.input_tokens': inJson(response, 'usage_metadata', 'cached_content_token_count'),
    'gen_ai.usage.reasoning.output_tokens': inJson(response, 'usage_metadata', 'thoughts_token_count'),
    'gen_ai.conversation.id': first('gcp.vertex.agent.session_id'),
    'error.type': either(exceptionType, when(has('gen_ai.operation.name', 'execute_tool'), failedResult)),
  },
  corrects: ownWords,
};

/** An attribute whose content was not left out. */
function sent(name: string): Reading {
  return converted(first(name), (value) => (value === '{}' || value === 'N/A' ? undefined : value));
}

function providerOf(model: Value): Value | undefined {
  return typeof model === 'string' ? /^([a-z_]{2,40})\//.exec(model)?.[1] : undefined;
}

/** A function that returns text is wrapped as `{ result }`. */
function unwrappedResult(value: Value): Value {
  const parsed = parsedOrCut(value);
  const result = member(parsed, 'result');
  return typeof result === 'string' && Object.keys(parsed as object).length === 1 ? result : value;
}

function failedResult(span: SpanSource): Value | undefined {
  const result = parsedOrCut(span.attribute('gcp.vertex.agent.tool_response'));
  return member(result, 'isError') === true ? 'tool_error' : undefined;
}
