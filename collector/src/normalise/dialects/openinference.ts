import type { Value } from '../../model/value.ts';
import { isMap, member, parsedValue } from '../json-value.ts';
import { parseMessages } from '../messages.ts';
import { ownWords } from './corrections.ts';
import type { Dialect, Reading, SpanSource } from './dialect.ts';
import { someMember } from './grown-values.ts';
import { toolContent, toolMessage } from './langchain.ts';
import {
  converted,
  either,
  exceptionType,
  first,
  has,
  indexed,
  inJson,
  listOf,
  mapped,
  resultIn,
  thrown,
  when,
} from './readings.ts';

const isToolKind = has('openinference.span.kind', 'TOOL');
/** OpenAI's Agents SDK for JavaScript asks an MCP server which tools it has, which is a span of that kind, too. */
const isListing = (span: SpanSource): boolean =>
  span.name === 'mcp_tools' && isToolKind(span) && span.attribute('tool.name') === undefined;
const isTool = (span: SpanSource): boolean => isToolKind(span) && !isListing(span);
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
    'gen_ai.operation.name': when(
      (span) => !isListing(span),
      mapped(first('openinference.span.kind'), {
        llm: 'chat',
        tool: 'execute_tool',
        agent: 'invoke_agent',
        chain: 'invoke_workflow',
        prompt: 'plan',
        retriever: 'retrieval',
        embedding: 'embeddings',
        reranker: 'rerank',
      }),
    ),
    'gen_ai.provider.name': either(first('llm.provider', 'llm.system'), inJson('metadata', 'ls_provider')),
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
    'gen_ai.input.messages': either(
      whole('llm.input_messages', 'input.value'),
      converted(indexed('llm.prompts'), promptTexts),
    ),
    'gen_ai.output.messages': either(indexed('llm.output_messages'), converted(indexed('llm.choices'), promptTexts)),
    'gen_ai.system_instructions': inJson('llm.invocation_parameters', 'instructions'),
    'gen_ai.tool.definitions': either(indexed('llm.tools'), when(isTool, first('tool.json_schema'))),
    'gen_ai.tool.name': either(
      first('tool.name'),
      when(isTool, (span) => span.name),
    ),
    'gen_ai.tool.description': first('tool.description'),
    'gen_ai.tool.call.id': either(
      first('tool.id', 'tool_call.id'),
      when(isTool, (span) => member(toolMessage(span.attribute('output.value')), 'tool_call_id')),
    ),
    'gen_ai.tool.call.arguments': when(isTool, first('input.value')),
    'gen_ai.tool.call.result': when(
      isTool,
      either(converted(first('output.value'), toolContent), thrown, resultIn('output.value')),
    ),
    'gen_ai.usage.input_tokens': first('llm.token_count.prompt'),
    'gen_ai.usage.output_tokens': first('llm.token_count.completion'),
    'gen_ai.usage.cache_read.input_tokens': first('llm.token_count.prompt_details.cache_read'),
    'gen_ai.usage.cache_write.input_tokens': first('llm.token_count.prompt_details.cache_write'),
    'gen_ai.usage.reasoning.output_tokens': first('llm.token_count.completion_details.reasoning'),
    'gen_ai.request.temperature': inJson('llm.invocation_parameters', 'temperature'),
    'gen_ai.request.max_tokens': inJson('llm.invocation_parameters', 'max_tokens'),
    'gen_ai.agent.name': either(
      first('agent.name', 'graph.node.name', 'graph.node.id'),
      inJson('metadata', 'lc_agent_name'),
    ),
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

/** LangChain's list contents have no flattened form: such a message has a role alone, and what was said stands in the raw input. */
function whole(flattened: string, raw: string): Reading {
  return (span) => {
    const list = span.tree(flattened);
    if (!Array.isArray(list) || !someMember(list, 'bare', (each) => isBare(member(each, 'message')))) return list;
    const said = span.attribute(raw);
    return parseMessages(said).length === list.length ? said : list;
  };
}

function isBare(message: Value | undefined): boolean {
  return isMap(message) && Object.keys(message).join() === 'role';
}

function documents(list: Value): Value | undefined {
  if (!Array.isArray(list)) return undefined;
  return (list as readonly Value[]).flatMap((item) => {
    const document = parsedValue(member(item, 'document'));
    if (!isMap(document)) return document ?? [];
    const { metadata, ...rest } = document;
    const about = parsedValue(metadata);
    return isMap(about) && Object.keys(about).length > 0 ? { ...rest, metadata: about } : rest;
  });
}
