import type { Value } from '../../model/value.ts';
import { isMap, member, parsedValue, textMember } from '../json-value.ts';
import { absentOn, ownWords } from './corrections.ts';
import type { Dialect, Reading, SourceEvent, SpanSource } from './dialect.ts';
import { toolContent, toolMessage } from './langchain.ts';
import {
  converted,
  either,
  embeddedText,
  exceptionType,
  first,
  has,
  indexedList,
  inJson,
  mapped,
  operationIs,
  thrown,
  when,
} from './readings.ts';

/** LangChain's tools are tasks by their kind. */
const isToolKind = has('traceloop.span.kind', 'tool');
const isToolOperation = has('gen_ai.operation.name', 'execute_tool');
const isTool = (span: SpanSource): boolean => isToolKind(span) || isToolOperation(span);
const isAgent = has('traceloop.span.kind', 'agent');
const isModelCall = operationIs('chat', 'text_completion');
const output = 'traceloop.entity.output';

/** The Python packages are named as OTel's own; these are OpenLLMetry's alone (`openai_v2` and `vertexai` are OTel's, too). */
const pythonPackages = [
  ...[
    'anthropic',
    'openai',
    'openai.v0',
    'openai.v1',
    'bedrock',
    'cohere',
    'google_generativeai',
    'groq',
    'mistralai',
    'ollama',
  ],
  ...['replicate', 'sagemaker', 'together', 'transformers', 'watsonx', 'alephalpha', 'writer', 'litellm', 'voyageai'],
  ...['agno', 'crewai', 'crewai.instrumentation', 'haystack', 'langchain', 'llamaindex', 'mcp', 'mcp.instrumentation'],
  ...['openai_agents', 'chromadb', 'lancedb', 'marqo', 'milvus', 'pinecone', 'qdrant', 'weaviate'],
];
const mcpScopes = new Set(['@traceloop/instrumentation-mcp', 'opentelemetry.instrumentation.mcp.instrumentation']);
const isMcp = (span: SpanSource): boolean => mcpScopes.has(span.scopeName);
const operations = {
  workflow: 'invoke_workflow',
  task: 'invoke_workflow',
  session: 'invoke_workflow',
  agent: 'invoke_agent',
  tool: 'execute_tool',
};

/**
 * OpenLLMetry (Traceloop). Since 0.23 its model spans speak OTel of our day; before, prompts and completions were indexed keys, which
 * the older names of OTel share. Workflows, agents and tools have `traceloop.*` all along.
 * https://github.com/traceloop/openllmetry-js/tree/main/packages/ai-semantic-conventions
 */
export const openLlmetry: Dialect = {
  name: 'openllmetry',
  marks: {
    scopes: [
      '@traceloop/*',
      'traceloop.tracer',
      ...pythonPackages.map((name) => `opentelemetry.instrumentation.${name}`),
    ],
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
      mapped(first('traceloop.span.kind'), operations),
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
    'mcp.method.name': when(isMcp, mcpMethod),
    'gen_ai.tool.definitions': either(
      indexedList('llm.request.functions'),
      when(isMcp, inJson('traceloop.entity.output', 'tools')),
    ),
    'gen_ai.tool.name': when(isTool, either(ofToolMessage('name'), first('traceloop.entity.name'))),
    'gen_ai.tool.call.id': when(isTool, ofToolMessage('tool_call_id')),
    'gen_ai.tool.call.arguments': when(isTool, converted(first('traceloop.entity.input'), unwrappedArguments)),
    'gen_ai.tool.call.result': when(
      isTool,
      either(converted(first(output), unwrappedResult), first('mcp.response.value'), thrown),
    ),
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
    'gen_ai.retrieval.query.text': when(operationIs('embeddings'), embeddedText),
    'gen_ai.retrieval.documents': (span) => {
      const results = span.events('db.query.result');
      return results.length === 0 ? undefined : results.map(document);
    },
    'gen_ai.request.stream': first('llm.is_streaming'),
    'error.type': exceptionType,
  },
  corrects: {
    ...ownWords,
    // LangChain's runs call themselves `workflow`.
    ...absentOn(operationIs('embeddings'), 'gen_ai.input.messages'),
    'gen_ai.operation.name': when(
      has('gen_ai.operation.name', 'workflow'),
      mapped(first('traceloop.span.kind'), operations),
    ),
  },
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

/** Spans of MCP are named after what was asked; calls after their tool. */
function mcpMethod(span: SpanSource): Value | undefined {
  return isTool(span) ? 'tools/call' : /^([a-z]+(?:\/[a-z_]+)?)\.mcp$/.exec(span.name)?.[1];
}

function ofToolMessage(key: string): Reading {
  return converted(first(output), (value) => member(toolMessage(value), key));
}

/** MCP's instrumentation writes `{result, is_error}`, LangChain a message of the tool. */
function unwrappedResult(value: Value): Value {
  const given = parsedValue(value);
  return member(given, 'is_error') === undefined ? toolContent(value) : (member(given, 'result') ?? value);
}

/** A decorated function writes `{args: [...], kwargs: {...}}`, LangChain's callback `{inputs: {...}}` or `{input_str: "..."}`. */
function unwrappedArguments(value: Value): Value {
  const input = parsedValue(value);
  if (!isMap(input)) return value;
  const inner = parsedValue(member(input, 'inputs') ?? member(input, 'input_str'));
  if (isMap(inner)) return inner;
  const called = member(input, 'arguments');
  if (textMember(input, 'tool_name') !== undefined && isMap(called)) return called;
  const args = member(input, 'args');
  const kwargs = member(input, 'kwargs');
  if (!Array.isArray(args)) return isMap(kwargs) ? kwargs : input;
  const named = isMap(kwargs) && Object.keys(kwargs).length > 0 ? kwargs : undefined;
  if (args.length === 0) return named ?? {};
  // One object as the only argument is what the tool was called with.
  const only = args.length === 1 && named === undefined ? parsedValue(args[0]) : undefined;
  return isMap(only) ? only : input;
}
