import type { Value } from '../../model/value.ts';
import { isMap, member, parsedValue } from '../json-value.ts';
import { ownWords } from './corrections.ts';
import type { Dialect, SourceEvent } from './dialect.ts';
import { converted, either, exceptionType, first, has, indexedList, mapped, operationIs, when } from './readings.ts';

const isTool = has('traceloop.span.kind', 'tool');
const isAgent = has('traceloop.span.kind', 'agent');
const isModelCall = operationIs('chat', 'text_completion');

/** The Python packages are named as OTel's own; these are OpenLLMetry's alone. */
const pythonPackages = [
  ...['anthropic', 'openai', 'bedrock', 'cohere', 'google_generativeai', 'groq', 'mistralai', 'ollama', 'replicate'],
  ...['sagemaker', 'together', 'transformers', 'vertexai', 'watsonx', 'alephalpha', 'writer'],
  ...['agno', 'crewai', 'haystack', 'langchain', 'llamaindex', 'mcp', 'openai_agents'],
  ...['chromadb', 'lancedb', 'marqo', 'milvus', 'pinecone', 'qdrant', 'weaviate'],
];

/**
 * OpenLLMetry (Traceloop). Since 0.23 its model spans speak OTel of our day; before, prompts and completions were indexed keys, which
 * the older names of OTel share. Workflows, agents and tools have `traceloop.*` all along.
 * https://github.com/traceloop/openllmetry-js/tree/main/packages/ai-semantic-conventions
 */
export const openLlmetry: Dialect = {
  name: 'openllmetry',
  marks: {
    scopes: ['@traceloop/*', ...pythonPackages.map((name) => `opentelemetry.instrumentation.${name}`)],
    attributes: [
      'traceloop.span.kind',
      'traceloop.entity.*',
      'traceloop.workflow.name',
      'traceloop.association.properties.*',
      'llm.request.type',
    ],
  },
  fields: {
    'gen_ai.operation.name': either(
      mapped(first('traceloop.span.kind'), {
        workflow: 'invoke_workflow',
        task: 'invoke_workflow',
        session: 'invoke_workflow',
        agent: 'invoke_agent',
        tool: 'execute_tool',
      }),
      mapped(first('llm.request.type'), {
        chat: 'chat',
        completion: 'text_completion',
        embedding: 'embeddings',
        rerank: 'rerank',
      }),
      // A vector database was asked; other operations on it have no such keys.
      (span) => (span.tree('db.vector.query') === undefined ? undefined : 'retrieval'),
    ),
    'gen_ai.input.messages': indexedList('gen_ai.prompt'),
    'gen_ai.output.messages': indexedList('gen_ai.completion'),
    'gen_ai.tool.definitions': indexedList('llm.request.functions'),
    'gen_ai.tool.name': when(isTool, first('traceloop.entity.name')),
    'gen_ai.tool.call.arguments': when(isTool, converted(first('traceloop.entity.input'), unwrappedArguments)),
    'gen_ai.tool.call.result': when(isTool, first('traceloop.entity.output', 'mcp.response.value')),
    'gen_ai.response.finish_reasons': (span) => {
      const completions = span.tree('gen_ai.completion');
      if (!Array.isArray(completions)) return undefined;
      const reasons = completions.flatMap((each: Value) => member(each, 'finish_reason') ?? []);
      return reasons.length === 0 ? undefined : reasons;
    },
    'gen_ai.agent.name': either(when(isAgent, first('traceloop.entity.name')), first('traceloop.workflow.name')),
    'gen_ai.workflow.name': first('traceloop.workflow.name'),
    'gen_ai.conversation.id': first(
      'traceloop.association.properties.session_id',
      'traceloop.association.properties.conversation_id',
      'traceloop.association.properties.chat_id',
      'traceloop.association.properties.thread_id',
    ),
    'user.id': first('traceloop.association.properties.user_id'),
    'gen_ai.retrieval.documents': (span) => {
      const results = span.events('db.query.result');
      return results.length === 0 ? undefined : results.map(document);
    },
    'gen_ai.request.stream': first('llm.is_streaming'),
    'error.type': exceptionType,
  },
  corrects: ownWords,
  lastResort: {
    'gen_ai.input.messages': when(isModelCall, first('traceloop.entity.input')),
    'gen_ai.output.messages': when(isModelCall, first('traceloop.entity.output')),
  },
};

function document({ attributes }: SourceEvent): Value {
  const content = member(attributes, 'db.query.result.document') ?? null;
  const id = member(attributes, 'db.query.result.id');
  const score = member(attributes, 'db.query.result.score');
  return { ...(id !== undefined && { id }), content, ...(score !== undefined && { score }) };
}

/** A decorated function writes `{args: [...], kwargs: {...}}`, LangChain's callback `{inputs: {...}}` or `{input_str: "..."}`. */
function unwrappedArguments(value: Value): Value {
  const input = parsedValue(value);
  if (!isMap(input)) return value;
  const inner = parsedValue(member(input, 'inputs') ?? member(input, 'input_str'));
  if (isMap(inner)) return inner;
  const args = member(input, 'args');
  const kwargs = member(input, 'kwargs');
  if (!Array.isArray(args)) return isMap(kwargs) ? kwargs : input;
  const named = isMap(kwargs) && Object.keys(kwargs).length > 0 ? kwargs : undefined;
  if (args.length === 0) return named ?? {};
  // One object as the only argument is what the tool was called with.
  const only = args.length === 1 && named === undefined ? parsedValue(args[0]) : undefined;
  return isMap(only) ? only : input;
}
