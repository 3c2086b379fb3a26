import { isList, type Value, valueText } from '../../model/value.ts';
import { isMap, member, parsedOrCut, parsedValue } from '../json-value.ts';
import { ownWords, sumsOn } from './corrections.ts';
import type { Dialect, Reading, SpanSource } from './dialect.ts';
import { converted, either, exceptionType, first, inJson, mapped, operationIs, thrown, when } from './readings.ts';

const isModelCall = operationIs('chat', 'embeddings');
const isTool = operationIs('execute_tool');
const isRetrieval = operationIs('embeddings', 'rerank');
const isAround = operationIs('invoke_agent', 'agent_step');

/**
 * The AI SDK of Vercel: spans `ai.*` of versions 4 to 6 and of 7's legacy exporter, and what `@ai-sdk/otel` of 7 adds to spans that are
 * canonical otherwise.
 * https://ai-sdk.dev/docs/ai-sdk-core/telemetry
 */
export const aiSdk: Dialect = {
  name: 'ai_sdk',
  marks: {
    scopes: ['ai', 'gen_ai'],
    attributes: ['ai.operationId', 'ai.settings.context.*', 'ai.telemetry.functionId', 'ai.telemetry.metadata.*'],
  },
  version: (span) => {
    const agent = span.attribute('ai.request.headers.user-agent');
    return typeof agent === 'string' ? /\bai\/(\d[\w.-]{0,40})/.exec(agent)?.[1] : undefined;
  },
  fields: {
    'gen_ai.operation.name': mapped(first('ai.operationId'), {
      'ai.generatetext': 'invoke_agent',
      'ai.streamtext': 'invoke_agent',
      'ai.generateobject': 'invoke_agent',
      'ai.streamobject': 'invoke_agent',
      'ai.workflowagent.stream': 'invoke_agent',
      'ai.generatetext.dogenerate': 'chat',
      'ai.streamtext.dostream': 'chat',
      'ai.generateobject.dogenerate': 'chat',
      'ai.streamobject.dostream': 'chat',
      'ai.toolcall': 'execute_tool',
      'ai.embed': 'embeddings',
      'ai.embed.doembed': 'embeddings',
      'ai.embedmany': 'embeddings',
      'ai.embedmany.doembed': 'embeddings',
      'ai.rerank': 'rerank',
      'ai.rerank.dorerank': 'rerank',
    }),
    'gen_ai.provider.name': first('ai.model.provider'),
    'gen_ai.request.model': first('ai.model.id'),
    'gen_ai.response.model': first('ai.response.model'),
    'gen_ai.response.id': first('ai.response.id'),
    'gen_ai.response.finish_reasons': first('ai.response.finishReason'),
    'gen_ai.input.messages': first('ai.prompt.messages', 'ai.prompt'),
    'gen_ai.output.messages': output,
    'gen_ai.tool.definitions': first('ai.prompt.tools'),
    'gen_ai.tool.name': first('ai.toolCall.name'),
    'gen_ai.tool.call.id': first('ai.toolCall.id'),
    'gen_ai.tool.call.arguments': first('ai.toolCall.args', 'ai.toolCall.input'),
    'gen_ai.tool.call.result': either(first('ai.toolCall.result', 'ai.toolCall.output'), when(isTool, thrown)),
    // The spans around model calls say the sum of them: counting it as well would count it twice.
    'gen_ai.usage.input_tokens': ofModelCall('ai.usage.inputTokens', 'ai.usage.promptTokens', 'ai.usage.tokens'),
    'gen_ai.usage.output_tokens': ofModelCall('ai.usage.outputTokens', 'ai.usage.completionTokens'),
    'gen_ai.usage.cache_read.input_tokens': ofModelCall(
      'ai.usage.inputTokenDetails.cacheReadTokens',
      'ai.usage.cachedInputTokens',
    ),
    'gen_ai.usage.cache_write.input_tokens': ofModelCall('ai.usage.inputTokenDetails.cacheWriteTokens'),
    'gen_ai.usage.reasoning.output_tokens': ofModelCall(
      'ai.usage.outputTokenDetails.reasoningTokens',
      'ai.usage.reasoningTokens',
    ),
    'gen_ai.request.temperature': first('ai.settings.temperature'),
    'gen_ai.request.max_tokens': first('ai.settings.maxOutputTokens', 'ai.settings.maxTokens'),
    'gen_ai.request.stream': mapped(first('ai.operationId'), {
      'ai.streamtext.dostream': 'true',
      'ai.streamobject.dostream': 'true',
    }),
    'gen_ai.agent.name': first('ai.telemetry.functionId', 'ai.telemetry.metadata.agent'),
    'gen_ai.conversation.id': firstOf(['sessionId', 'conversationId', 'threadId', 'chatId']),
    'user.id': firstOf(['userId']),
    'gen_ai.retrieval.query.text': when(
      isRetrieval,
      either(first('ai.query'), encoded('ai.value'), converted(first('ai.values'), onlyText)),
    ),
    'gen_ai.retrieval.documents': when(isRetrieval, converted(first('ai.documents'), decodedList)),
    'error.type': exceptionType,
  },
  corrects: { ...ownWords, ...sumsOn(isAround) },
};

function ofModelCall(...names: readonly string[]): Reading {
  return when(isModelCall, first(...names));
}

/** What an application says about a call is metadata in 4 to 6, context in 7. */
function firstOf(keys: readonly string[]): Reading {
  return first(...['ai.telemetry.metadata', 'ai.settings.context'].flatMap((at) => keys.map((key) => `${at}.${key}`)));
}

/** Values are encoded, texts too. */
function encoded(name: string): Reading {
  return inJson(name);
}

function decodedList(list: Value): Value | undefined {
  return isList(list as Value & object)
    ? (list as readonly Value[]).flatMap((each) => parsedValue(each) ?? [])
    : undefined;
}

/** Several values at once are stored, not searched for. */
function onlyText(list: Value): Value | undefined {
  const values = decodedList(list);
  return Array.isArray(values) && values.length === 1 ? values[0] : undefined;
}

/** Text, object, reasoning and calls stand in attributes of their own: one message is made of them. */
function output(span: SpanSource): Value | undefined {
  const parts: Value[] = [];
  const reasoning = span.attribute('ai.response.reasoning');
  if (reasoning !== undefined) parts.push({ type: 'reasoning', text: valueText(reasoning) });
  const said = span.attribute('ai.response.text') ?? span.attribute('ai.response.object');
  if (said !== undefined) parts.push({ type: 'text', text: valueText(said) });
  const calls = parsedOrCut(span.attribute('ai.response.toolCalls'));
  for (const call of Array.isArray(calls) ? (calls as readonly Value[]) : []) {
    const given = member(call, 'input') ?? member(call, 'args');
    if (isMap(call)) parts.push({ ...call, type: 'tool-call', ...(given !== undefined && { input: given }) });
  }
  return parts.length === 0 ? undefined : [{ role: 'assistant', content: parts }];
}
