import type { Value } from '../../model/value.ts';
import { member, parsedOrCut, textMember } from '../json-value.ts';
import { absentOn, ownWords } from './corrections.ts';
import type { Dialect, Reading } from './dialect.ts';
import {
  converted,
  either,
  embeddedText,
  exceptionType,
  first,
  has,
  inJson,
  mapped,
  operationIs,
  when,
} from './readings.ts';

const isCall = has('mcp.operation.name', 'tools_call');
const isRetrieval = operationIs('embeddings', 'retrieval', 'rerank');

/**
 * OpenLIT. Its model spans are canonical but for some names; those of MCP have names of their own, and `mcp.method` is the tool.
 * https://docs.openlit.io/latest/sdk/destinations/overview
 */
export const openLit: Dialect = {
  name: 'openlit',
  marks: {
    scopes: ['@openlit/*', 'openlit.*'],
    attributes: ['gen_ai.sdk.version', 'openlit.*', 'mcp.operation.name'],
    resource: [['telemetry.sdk.name', 'openlit']],
  },
  version: first('gen_ai.sdk.version'),
  fields: {
    'gen_ai.operation.name': when(isCall, () => 'execute_tool'),
    'mcp.method.name': mapped(first('mcp.operation.name'), {
      tools_call: 'tools/call',
      tools_list: 'tools/list',
      resources_read: 'resources/read',
      resources_list: 'resources/list',
      prompts_get: 'prompts/get',
      prompts_list: 'prompts/list',
      initialize: 'initialize',
    }),
    'gen_ai.tool.name': either(first('mcp.tool.name'), when(isCall, givenToClient(0))),
    'gen_ai.tool.call.arguments': either(
      first('mcp.tool.arguments'),
      when(operationIs('execute_tool'), first('gen_ai.tool.args', 'gen_ai.tool.input')),
      inJson('mcp.request.payload', 'kwargs', 'arguments'),
      when(isCall, givenToClient(1)),
    ),
    'gen_ai.tool.call.result': either(
      first('gen_ai.tool.output', 'mcp.tool.result'),
      when(isCall, converted(first('mcp.response.payload'), mcpResult)),
    ),
    'gen_ai.tool.definitions': either(first('gen_ai.tool.definition'), inJson('mcp.response.payload', 'tools')),
    'gen_ai.tool.type': first('gen_ai.tool.call.type'),
    'gen_ai.conversation.id': first('gen_ai.agent.session_id'),
    'user.id': first('gen_ai.request.user', 'gen_ai.user.id'),
    'gen_ai.request.stream': first('gen_ai.request.is_stream'),
    'gen_ai.usage.cache_read.input_tokens': first('gen_ai.usage.prompt_tokens_details.cache_read'),
    'gen_ai.usage.cache_write.input_tokens': first('gen_ai.usage.prompt_tokens_details.cache_write'),
    'gen_ai.usage.reasoning.output_tokens': first('gen_ai.usage.reasoning_tokens'),
    'gen_ai.retrieval.query.text': when(isRetrieval, either(first('gen_ai.retrieval.query'), embeddedText)),
    'network.transport': mapped(first('mcp.transport.type'), { stdio: 'pipe', sse: 'tcp', websocket: 'tcp' }),
    'error.type': either(
      when(
        (span) => span.attribute('mcp.error.message') !== undefined,
        () => 'tool_error',
      ),
      when(
        (span) => member(parsedOrCut(span.attribute('mcp.response.payload')), 'is_error') === true,
        () => 'tool_error',
      ),
      exceptionType,
    ),
  },
  corrects: {
    ...ownWords,
    // What the model proposes stands there as if it were done; what is embedded is no message.
    ...absentOn(operationIs('chat'), 'gen_ai.tool.name', 'gen_ai.tool.call.id', 'gen_ai.tool.call.arguments'),
    ...absentOn(isRetrieval, 'gen_ai.input.messages'),
  },
};

/** In Python a call has the positional arguments of the client's method: the tool's name and what it gets. */
function givenToClient(place: 0 | 1): Reading {
  return converted(inJson('mcp.request.payload', 'params', 'args'), (args) =>
    Array.isArray(args) ? (args[place] as Value | undefined) : undefined,
  );
}

/** Python writes the parts of a result as it prints them, and a result that is not there yet as a coroutine. */
function mcpResult(payload: Value): Value | undefined {
  const parsed = parsedOrCut(payload);
  if (textMember(parsed, 'type') === 'mcp_coroutine') return undefined;
  const content = member(parsed, 'content');
  if (!Array.isArray(content)) return payload;
  return {
    content: (content as readonly Value[]).map((part) => (typeof part === 'string' ? printedText(part) : part)),
  };
}

/** The text in `type='text' text='…' annotations=None`. */
function printedText(part: string): string {
  const printed = /^type='text' text=(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/s.exec(part);
  const text = printed?.[1] ?? printed?.[2];
  if (text === undefined) return part;
  return text.replace(/\\(.)/gs, (_, escaped: string) => escapes[escaped] ?? escaped);
}

const escapes: Readonly<Record<string, string>> = Object.assign(Object.create(null), { n: '\n', t: '\t', r: '\r' });
