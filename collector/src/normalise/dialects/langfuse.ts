import type { Value } from '../../model/value.ts';
import { isMap, member, parsedOrCut, parsedValue } from '../json-value.ts';
import { ownWords } from './corrections.ts';
import type { Dialect, Reading, SpanSource } from './dialect.ts';
import { toolContent, toolMessage } from './langchain.ts';
import { agentName, answers, isAgentRun, isSearch, withToolRoles } from './langfuse-langchain.ts';
import { converted, either, exceptionType, first, has, inJson, mapped, resultIn, when } from './readings.ts';

const kind = 'langfuse.observation.type';
const isModel = has(kind, 'generation');
const isTool = has(kind, 'tool');
const isAgent = anyOf(has(kind, 'agent'), isAgentRun);
const isRetriever = anyOf(has(kind, 'retriever'), isSearch);
const isRetrieval = anyOf(has(kind, 'embedding'), isRetriever);
const input = 'langfuse.observation.input';
const output = 'langfuse.observation.output';

/**
 * Langfuse's OTel packages: one observation is one span, its input and output are whatever the application gave.
 * https://langfuse.com/integrations/native/opentelemetry#property-mapping
 */
export const langfuse: Dialect = {
  name: 'langfuse',
  marks: { scopes: ['langfuse-sdk'], attributes: [kind] },
  fields: {
    'gen_ai.operation.name': either(
      mapped(first(kind), {
        generation: 'chat',
        tool: 'execute_tool',
        agent: 'invoke_agent',
        chain: 'invoke_workflow',
        retriever: 'retrieval',
        embedding: 'embeddings',
      }),
      when(isAgentRun, () => 'invoke_agent'),
      when(isSearch, () => 'retrieval'),
    ),
    'gen_ai.provider.name': first('langfuse.observation.metadata.ls_provider'),
    'gen_ai.request.model': first('langfuse.observation.model.name'),
    'gen_ai.input.messages': when(isModel, converted(first(input), withToolRoles)),
    'gen_ai.output.messages': when(isModel, first(output)),
    'gen_ai.tool.definitions': when(isModel, inJson(input, 'tools')),
    'gen_ai.tool.name': when(isTool, (span) => span.name),
    'gen_ai.tool.call.id': when(
      isTool,
      either(inJson('langfuse.observation.metadata', 'tool_call_id'), (span) =>
        member(toolMessage(span.attribute(output)), 'tool_call_id'),
      ),
    ),
    'gen_ai.tool.call.arguments': when(isTool, first(input)),
    'gen_ai.tool.call.result': when(
      isTool,
      either(converted(first(output), toolContent), first('langfuse.observation.status_message'), resultIn(output)),
    ),
    'gen_ai.response.finish_reasons': when(isModel, inJson(output, 'finish_reason')),
    'gen_ai.usage.input_tokens': usage('input', 'prompt_tokens', 'input_tokens'),
    'gen_ai.usage.output_tokens': usage('output', 'completion_tokens', 'output_tokens'),
    'gen_ai.usage.cache_read.input_tokens': usage('input_cached_tokens', 'cache_read_input_tokens'),
    'gen_ai.usage.cache_write.input_tokens': usage('input_cache_creation', 'cache_creation_input_tokens'),
    'gen_ai.usage.reasoning.output_tokens': usage('output_reasoning_tokens'),
    'gen_ai.request.temperature': inJson('langfuse.observation.model.parameters', 'temperature'),
    'gen_ai.request.max_tokens': either(
      inJson('langfuse.observation.model.parameters', 'max_completion_tokens'),
      inJson('langfuse.observation.model.parameters', 'max_tokens'),
    ),
    'gen_ai.request.stream': inJson('langfuse.observation.model.parameters', 'stream'),
    'gen_ai.agent.name': either(
      first(agentName),
      when(isAgent, (span) => span.name),
    ),
    'gen_ai.conversation.id': first(
      'session.id',
      'langfuse.session.id',
      // LangChain's runs below the first have the session in what they inherit alone.
      'langfuse.observation.metadata.langfuse_session_id',
      'langfuse.observation.metadata.session_id',
      'langfuse.observation.metadata.thread_id',
    ),
    'user.id': first('langfuse.user.id'),
    'gen_ai.retrieval.query.text': when(isRetrieval, converted(first(input), queryOf)),
    'gen_ai.retrieval.documents': when(isRetriever, first(output)),
    'error.type': either(exceptionType, mapped(first('langfuse.observation.level'), { error: '_OTHER' })),
  },
  corrects: ownWords,
  lastResort: {
    'gen_ai.input.messages': when(isAgent, converted(first(input), withToolRoles)),
    'gen_ai.output.messages': either(when(isAgentRun, converted(first(output), answers)), when(isAgent, first(output))),
  },
};

function anyOf(...conditions: readonly ((span: SpanSource) => boolean)[]): (span: SpanSource) => boolean {
  return (span) => conditions.some((condition) => condition(span));
}

function usage(...keys: readonly string[]): Reading {
  return either(...keys.map((key) => inJson('langfuse.observation.usage_details', key)));
}

/** The text searched for: bare, or where clients put it. */
function queryOf(value: Value): Value | undefined {
  const given = parsedValue(parsedOrCut(value));
  if (!isMap(given)) return given;
  return member(given, 'query') ?? member(given, 'input') ?? value;
}
