import { ownWords, sumsOn } from './corrections.ts';
import type { Dialect, Reading } from './dialect.ts';
import { either, exceptionType, first, has, mapped, operationIs, thrown, when } from './readings.ts';

const kind = 'mastra.span.type';
const isTool = has(kind, 'tool_call', 'mcp_tool_call', 'client_tool_call', 'provider_tool_call');
const isAgent = has(kind, 'agent_run');
const isMcp = has(kind, 'mcp_tool_call');

/**
 * Mastra's OTel exporter and bridge. Most is canonical; the kind of span, metadata and inputs outside model calls and tools are its own.
 * https://mastra.ai/docs/observability/tracing/exporters/otel
 */
export const mastra: Dialect = {
  name: 'mastra',
  marks: { scopes: ['@mastra/*'], attributes: [kind] },
  fields: {
    'gen_ai.operation.name': mapped(first(kind), {
      model_generation: 'chat',
      model_inference: 'chat',
      agent_run: 'invoke_agent',
      model_step: 'agent_step',
      workflow_run: 'invoke_workflow',
      tool_call: 'execute_tool',
      mcp_tool_call: 'execute_tool',
      client_tool_call: 'execute_tool',
      provider_tool_call: 'execute_tool',
      rag_embedding: 'embeddings',
      memory_operation: 'retrieval',
    }),
    'mcp.method.name': when(isMcp, () => 'tools/call'),
    'gen_ai.input.messages': either(
      of('model_generation', 'input'),
      of('model_step', 'input'),
      when(isAgent, first('mastra.agent_run.input')),
    ),
    'gen_ai.output.messages': either(
      of('model_generation', 'output'),
      of('model_step', 'output'),
      when(isAgent, first('mastra.agent_run.output')),
    ),
    'gen_ai.tool.call.arguments': either(first('gen_ai.tool.input'), of('client_tool_call', 'input')),
    'gen_ai.tool.call.result': either(
      first('gen_ai.tool.output'),
      of('client_tool_call', 'output'),
      when((span) => span.failed && isTool(span), either(first('error.message'), thrown)),
    ),
    'gen_ai.conversation.id': metadata('threadId', 'sessionId', 'conversationId'),
    'user.id': metadata('userId', 'resourceId'),
    'gen_ai.retrieval.query.text': when(operationIs('retrieval'), of('memory_operation', 'input')),
    'gen_ai.retrieval.documents': when(operationIs('retrieval'), of('memory_operation', 'output')),
    'error.type': exceptionType,
  },
  corrects: { ...ownWords, ...sumsOn(operationIs('invoke_agent', 'agent_step', 'model_generation')) },
};

function of(type: string, what: 'input' | 'output'): Reading {
  return first(`mastra.${type}.${what}`);
}

function metadata(...keys: readonly string[]): Reading {
  return first(...keys.map((key) => `mastra.metadata.${key}`));
}
