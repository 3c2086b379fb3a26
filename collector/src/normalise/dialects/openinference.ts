import type { Value } from '../../model/value.ts';
import { member, parsedValue } from '../json-value.ts';
import { ownWords } from './corrections.ts';
import type { Dialect } from './dialect.ts';
import { converted, either, exceptionType, first, has, indexed, inJson, listOf, mapped, when } from './readings.ts';

const isTool = has('openinference.span.kind', 'TOOL');
const isModel = has('openinference.span.kind', 'LLM');
const isRetrieval = has('openinference.span.kind', 'RETRIEVER', 'EMBEDDING', 'RERANKER');

/**
 * OpenInference, the convention of Arize Phoenix: flattened keys with indexes, raw input and output beside them.
 * https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
 */
export const openInference: Dialect = {
  name: 'openinference',
  marks: {
    scopes: ['@arizeai/openinference-*', 'openinference.instrumentation.*'],
    attributes: ['openinference.span.kind'],
  },
  fields: {
    'gen_ai.operation.name': mapped(first('openinference.span.kind'), {
      llm: 'chat',
      tool: 'execute_tool',
      agent: 'invoke_agent',
      chain: 'invoke_workflow',
      prompt: 'plan',
      retriever: 'retrieval',
      embedding: 'embeddings',
      reranker: 'rerank',
    }),
    'gen_ai.provider.name': first('llm.provider', 'llm.system'),
    'gen_ai.request.model': first(
      'llm.request.model_name',
      'llm.model_name',
      'embedding.model_name',
      'reranker.model_name',
    ),
    'gen_ai.response.model': either(
      first('llm.response.model_name'),
      when(isModel, inJson('output.value', 'model')),
      when(isModel, first('llm.model_name')),
    ),
    'gen_ai.response.id': when(isModel, inJson('output.value', 'id')),
    'gen_ai.response.finish_reasons': listOf(first('llm.finish_reason')),
    'gen_ai.input.messages': either(indexed('llm.input_messages'), converted(indexed('llm.prompts'), promptTexts)),
    'gen_ai.output.messages': either(indexed('llm.output_messages'), converted(indexed('llm.choices'), promptTexts)),
    'gen_ai.system_instructions': inJson('llm.invocation_parameters', 'instructions'),
    'gen_ai.tool.definitions': either(indexed('llm.tools'), when(isTool, first('tool.json_schema'))),
    'gen_ai.tool.name': either(
      first('tool.name'),
      when(isTool, (span) => span.name),
    ),
    'gen_ai.tool.description': first('tool.description'),
    'gen_ai.tool.call.id': first('tool.id', 'tool_call.id'),
    'gen_ai.tool.call.arguments': when(isTool, first('input.value')),
    'gen_ai.tool.call.result': when(isTool, first('output.value')),
    'gen_ai.usage.input_tokens': first('llm.token_count.prompt'),
    'gen_ai.usage.output_tokens': first('llm.token_count.completion'),
    'gen_ai.usage.cache_read.input_tokens': first('llm.token_count.prompt_details.cache_read'),
    'gen_ai.usage.cache_write.input_tokens': first('llm.token_count.prompt_details.cache_write'),
    'gen_ai.usage.reasoning.output_tokens': first('llm.token_count.completion_details.reasoning'),
    'gen_ai.request.temperature': inJson('llm.invocation_parameters', 'temperature'),
    'gen_ai.request.max_tokens': inJson('llm.invocation_parameters', 'max_tokens'),
    'gen_ai.agent.name': first('agent.name', 'graph.node.name', 'graph.node.id'),
    'gen_ai.agent.id': first('graph.node.id'),
    'gen_ai.conversation.id': first('session.id'),
    'gen_ai.retrieval.query.text': when(isRetrieval, first('reranker.query', 'input.value')),
    'gen_ai.retrieval.documents': converted(
      either(indexed('retrieval.documents'), indexed('reranker.output_documents')),
      documents,
    ),
    'error.type': exceptionType,
  },
  corrects: ownWords,
  lastResort: {
    'gen_ai.input.messages': when(isModel, first('input.value')),
    'gen_ai.output.messages': when(isModel, first('output.value')),
  },
};

/** `{ prompt: { text } }` of a text completion, or `{ completion: { text } }` of its answer, as bare texts. */
function promptTexts(list: Value): Value | undefined {
  if (!Array.isArray(list)) return undefined;
  return (list as readonly Value[]).flatMap(
    (item) => member(member(item, 'prompt'), 'text') ?? member(member(item, 'completion'), 'text') ?? [],
  );
}

function documents(list: Value): Value | undefined {
  if (!Array.isArray(list)) return undefined;
  return (list as readonly Value[]).flatMap((item) => parsedValue(member(item, 'document')) ?? []);
}
