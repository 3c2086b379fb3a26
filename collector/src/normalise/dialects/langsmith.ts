import type { Value } from '../../model/value.ts';
import { isMap, member, parsedOrCut, parsedValue } from '../json-value.ts';
import { ownWords } from './corrections.ts';
import type { Dialect, Reading } from './dialect.ts';
import { converted, either, exceptionType, first, has, inJson, mapped, when } from './readings.ts';

const kind = 'langsmith.span.kind';
const isModel = has(kind, 'llm');
const isTool = has(kind, 'tool');
const isRetriever = has(kind, 'retriever', 'embedding');
const input = 'gen_ai.prompt';
const output = 'gen_ai.completion';

/**
 * LangSmith's OTel export: inputs and outputs of every run, whatever its kind, as JSON in `gen_ai.prompt` and `gen_ai.completion`.
 * https://docs.langchain.com/langsmith/trace-with-opentelemetry
 */
export const langSmith: Dialect = {
  name: 'langsmith',
  marks: { scopes: ['langsmith'], attributes: [kind, 'langsmith.trace.name'] },
  fields: {
    'gen_ai.operation.name': mapped(first(kind), {
      llm: 'chat',
      tool: 'execute_tool',
      chain: 'invoke_workflow',
      agent: 'invoke_agent',
      prompt: 'plan',
      retriever: 'retrieval',
      embedding: 'embeddings',
    }),
    'gen_ai.provider.name': first('langsmith.metadata.ls_provider'),
    'gen_ai.request.model': first('langsmith.metadata.ls_model_name'),
    'gen_ai.input.messages': when((span) => !isTool(span) && !isRetriever(span), converted(first(input), unwrapped)),
    'gen_ai.output.messages': when((span) => !isTool(span) && !isRetriever(span), converted(first(output), unwrapped)),
    'gen_ai.tool.definitions': when(
      isModel,
      either(inJson(input, 'tools'), inJson('langsmith.metadata.ls_invocation_params', 'tools')),
    ),
    'gen_ai.tool.name': when(isTool, first('langsmith.trace.name')),
    'gen_ai.tool.call.arguments': when(isTool, converted(first(input), unwrapped)),
    'gen_ai.tool.call.result': when(isTool, converted(first(output), unwrapped)),
    'gen_ai.usage.input_tokens': usage('input_tokens'),
    'gen_ai.usage.output_tokens': usage('output_tokens'),
    'gen_ai.usage.cache_read.input_tokens': usage('input_token_details', 'cache_read'),
    'gen_ai.usage.cache_write.input_tokens': usage('input_token_details', 'cache_creation'),
    'gen_ai.usage.reasoning.output_tokens': usage('output_token_details', 'reasoning'),
    'gen_ai.request.temperature': first('langsmith.metadata.ls_temperature'),
    'gen_ai.request.max_tokens': first('langsmith.metadata.ls_max_tokens'),
    'gen_ai.request.stream': first('langsmith.request.streaming'),
    'gen_ai.agent.name': when(has(kind, 'agent'), first('langsmith.trace.name')),
    'gen_ai.workflow.name': when(has(kind, 'chain'), first('langsmith.trace.name')),
    'gen_ai.conversation.id': first(
      'langsmith.metadata.session_id',
      'langsmith.metadata.thread_id',
      'langsmith.metadata.conversation_id',
    ),
    'user.id': first('langsmith.metadata.user_id'),
    'gen_ai.retrieval.query.text': when(isRetriever, converted(first(input), unwrapped)),
    'gen_ai.retrieval.documents': when(has(kind, 'retriever'), converted(first(output), documents)),
    'error.type': exceptionType,
  },
  corrects: {
    ...ownWords,
    // Retrievers call themselves embeddings; a chain is no operation.
    'gen_ai.operation.name': mapped(first(kind), {
      retriever: 'retrieval',
      chain: 'invoke_workflow',
      agent: 'invoke_agent',
    }),
  },
};

function usage(...path: readonly string[]): Reading {
  return when(isModel, inJson('langsmith.usage_metadata', ...path));
}

/** What is no map is wrapped: `{ input }` or `{ query }` before, `{ outputs }`, `{ output }` or `{ documents }` after. */
function unwrapped(value: Value): Value {
  const given = parsedOrCut(value);
  if (!isMap(given) || Object.keys(given).length !== 1) return value;
  const inner = wrappers.map((key) => member(given, key)).find((each) => each !== undefined && each !== null);
  return parsedValue(inner) ?? value;
}

/** LangChain's documents have their text in `page_content`, and a type that says no more than that. */
function documents(value: Value): Value {
  const found = unwrapped(value);
  if (!Array.isArray(found)) return found;
  return (found as readonly Value[]).map((each) => {
    const content = member(each, 'page_content') ?? member(each, 'pageContent');
    const metadata = member(each, 'metadata');
    return content === undefined ? each : { content, ...(metadata !== undefined && { metadata }) };
  });
}

const wrappers = ['input', 'query', 'outputs', 'output', 'documents'];
