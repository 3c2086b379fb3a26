import {
  inputMessageAttributes,
  type Message,
  type MessagePart,
  outputMessageAttributes,
  parsedOrText,
  toolDefinitionAttributes,
} from '../content.ts';
import { attr, operation } from '../semconv.ts';
import {
  type Api,
  type Assembly,
  finishReason,
  isObject,
  type Json,
  mediaPart,
  number,
  objects,
  type SpanAttributes,
  text,
  textPart,
  toolDefinition,
} from './model-api.ts';

/** Chat Completions. https://platform.openai.com/docs/api-reference/chat */
export const chatApi: Api = {
  operation: operation.chat,
  label: 'openai chat',
  request: (body, mode) => ({
    ...samplingAttributes(body),
    [attr.openaiApiType]: 'chat_completions',
    [attr.outputType]: outputType(body.response_format),
    ...inputMessageAttributes(objects(body.messages).map(inputMessage), mode),
    ...toolDefinitionAttributes([...objects(body.tools), ...objects(body.functions)].map(toolDefinition), mode),
  }),
  reply(value, mode) {
    const choices = objects(value.choices);
    return {
      ...replyAttributes(value),
      [attr.responseFinishReasons]: choices.map((choice) => text(choice.finish_reason) ?? 'unknown'),
      ...outputMessageAttributes(choices.map(outputMessage), mode),
    };
  },
  assemble: assembleChat,
};

/** Legacy completions. https://platform.openai.com/docs/api-reference/completions */
export const completionApi: Api = {
  operation: operation.textCompletion,
  label: 'openai text_completion',
  request(body, mode) {
    const prompts = (Array.isArray(body.prompt) ? body.prompt : [body.prompt]).filter((p) => typeof p === 'string');
    const messages = prompts.map((prompt) => ({ role: 'user', parts: [textPart(prompt)] }));
    return { ...samplingAttributes(body), ...inputMessageAttributes(messages, mode) };
  },
  reply(value, mode) {
    const choices = objects(value.choices);
    const messages = choices.map((choice) => ({
      role: 'assistant',
      parts: [textPart(text(choice.text) ?? '')],
      finish_reason: finishReason(choice.finish_reason) ?? 'unknown',
    }));
    return {
      ...replyAttributes(value),
      [attr.responseFinishReasons]: choices.map((choice) => text(choice.finish_reason) ?? 'unknown'),
      ...outputMessageAttributes(messages, mode),
    };
  },
  assemble: assembleChat,
};

/** Embeddings. OTel captures no input here by design. https://platform.openai.com/docs/api-reference/embeddings */
export const embeddingApi: Api = {
  operation: operation.embeddings,
  label: 'openai embeddings',
  request: (body) => ({
    [attr.requestModel]: text(body.model),
    [attr.requestEncodingFormats]: typeof body.encoding_format === 'string' ? [body.encoding_format] : undefined,
    [attr.embeddingsDimensionCount]: number(body.dimensions),
  }),
  reply(value) {
    const first = objects(value.data)[0]?.embedding;
    const { [attr.usageOutputTokens]: _none, ...attributes } = replyAttributes(value);
    return { ...attributes, [attr.embeddingsDimensionCount]: Array.isArray(first) ? first.length : undefined };
  },
  assemble: assembleChat,
};

function samplingAttributes(body: Json): SpanAttributes {
  const stop = typeof body.stop === 'string' ? [body.stop] : body.stop;
  const choices = number(body.n);
  return {
    [attr.requestModel]: text(body.model),
    [attr.requestMaxTokens]: number(body.max_completion_tokens) ?? number(body.max_tokens),
    [attr.requestTemperature]: number(body.temperature),
    [attr.requestTopP]: number(body.top_p),
    [attr.requestSeed]: number(body.seed),
    [attr.requestChoiceCount]: choices === 1 ? undefined : choices,
    [attr.requestStopSequences]: Array.isArray(stop) ? stop.filter((item) => typeof item === 'string') : undefined,
    [attr.requestFrequencyPenalty]: number(body.frequency_penalty),
    [attr.requestPresencePenalty]: number(body.presence_penalty),
    [attr.requestStream]: body.stream === true ? true : undefined,
    [attr.openaiRequestServiceTier]: body.service_tier === 'auto' ? undefined : text(body.service_tier),
  };
}

function replyAttributes(value: Json): SpanAttributes {
  const usage = isObject(value.usage) ? value.usage : {};
  const input = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const output = isObject(usage.completion_tokens_details) ? usage.completion_tokens_details : {};
  return {
    [attr.responseId]: text(value.id),
    [attr.responseModel]: text(value.model),
    [attr.openaiResponseServiceTier]: text(value.service_tier),
    [attr.openaiResponseSystemFingerprint]: text(value.system_fingerprint),
    [attr.usageInputTokens]: number(usage.prompt_tokens),
    [attr.usageOutputTokens]: number(usage.completion_tokens),
    [attr.usageCacheReadInputTokens]: number(input.cached_tokens),
    [attr.usageCacheWriteInputTokens]: number(input.cache_write_tokens),
    [attr.usageReasoningOutputTokens]: number(output.reasoning_tokens),
  };
}

function outputType(format: unknown): string | undefined {
  if (!isObject(format)) return undefined;
  return format.type === 'text' ? 'text' : 'json';
}

function inputMessage(message: Json): Message {
  const role = message.role === 'developer' ? 'system' : (text(message.role) ?? 'user');
  const name = text(message.name);
  if (role === 'tool' || role === 'function') {
    const id = text(message.tool_call_id) ?? null;
    const part = { type: 'tool_call_response', id, response: parsedOrText(plainText(message.content)) };
    return { role: 'tool', ...(name && { name }), parts: [part] };
  }
  return { role, ...(name && { name }), parts: messageParts(message) };
}

function outputMessage(choice: Json): Message {
  const message = isObject(choice.message) ? choice.message : {};
  return {
    role: text(message.role) ?? 'assistant',
    parts: messageParts(message),
    finish_reason: finishReason(choice.finish_reason) ?? 'unknown',
  };
}

function messageParts(message: Json): MessagePart[] {
  const parts: MessagePart[] = [];
  const reasoning = text(message.reasoning_content) ?? text(message.reasoning);
  if (reasoning) parts.push({ type: 'reasoning', content: reasoning });
  if (typeof message.content === 'string') {
    if (message.content !== '') parts.push(textPart(message.content));
  } else for (const part of objects(message.content)) parts.push(contentPart(part));
  if (text(message.refusal)) parts.push({ type: 'refusal', content: message.refusal });
  for (const call of objects(message.tool_calls)) parts.push(toolCallPart(call));
  if (isObject(message.function_call)) parts.push(toolCallPart({ function: message.function_call }));
  return parts;
}

function contentPart(part: Json): MessagePart {
  const image = isObject(part.image_url) ? part.image_url.url : undefined;
  if (typeof part.text === 'string') return textPart(part.text);
  if (typeof image === 'string') return mediaPart('image', image);
  if (isObject(part.input_audio)) {
    return mediaPart(
      'audio',
      `data:audio/${text(part.input_audio.format) ?? 'wav'},${text(part.input_audio.data) ?? ''}`,
    );
  }
  if (isObject(part.file)) {
    if (text(part.file.file_id)) return { type: 'file', file_id: part.file.file_id };
    return { ...mediaPart('file', text(part.file.file_data) ?? 'data:'), filename: part.file.filename };
  }
  return { ...part, type: text(part.type) ?? 'unknown' };
}

function toolCallPart(call: Json): MessagePart {
  const inner = isObject(call.function) ? call.function : isObject(call.custom) ? call.custom : {};
  const said = inner.arguments ?? inner.input;
  return { type: 'tool_call', id: text(call.id) ?? null, name: text(inner.name) ?? '', arguments: parsedOrText(said) };
}

function plainText(content: unknown): unknown {
  if (typeof content === 'string') return content;
  return objects(content)
    .map((part) => text(part.text) ?? '')
    .join('');
}

interface ChoiceDraft {
  content: string;
  reasoning: string;
  refusal: string;
  text: string;
  finish_reason: unknown;
  readonly calls: Map<number, { id: string; name: string; arguments: string; custom: boolean }>;
}

const choicesMax = 128;
const callsMax = 256;

function assembleChat(bytesMax: number): Assembly {
  const head: Record<string, unknown> = {};
  const drafts = new Map<number, ChoiceDraft>();
  const grown = (whole: string, more: unknown): string =>
    typeof more === 'string' && whole.length < bytesMax ? whole + more : whole;
  return {
    add(chunk) {
      for (const key of ['id', 'model', 'service_tier', 'system_fingerprint', 'usage']) {
        if (chunk[key] != null) head[key] = chunk[key];
      }
      for (const choice of objects(chunk.choices)) {
        const draft = draftAt(drafts, number(choice.index) ?? 0);
        if (!draft) continue;
        if (choice.finish_reason != null) draft.finish_reason = choice.finish_reason;
        draft.text = grown(draft.text, choice.text);
        const delta = isObject(choice.delta) ? choice.delta : {};
        draft.content = grown(draft.content, delta.content);
        draft.refusal = grown(draft.refusal, delta.refusal);
        draft.reasoning = grown(draft.reasoning, delta.reasoning_content ?? delta.reasoning);
        for (const call of objects(delta.tool_calls)) addToolCall(draft, call, grown);
      }
    },
    reply: () => ({ ...head, choices: [...drafts.values()].map(draftedChoice) }),
  };
}

function draftAt(drafts: Map<number, ChoiceDraft>, index: number): ChoiceDraft | undefined {
  const known = drafts.get(index);
  if (known || drafts.size >= choicesMax) return known;
  const draft = { content: '', reasoning: '', refusal: '', text: '', finish_reason: undefined, calls: new Map() };
  drafts.set(index, draft);
  return draft;
}

function addToolCall(draft: ChoiceDraft, call: Json, grown: (whole: string, more: unknown) => string): void {
  const index = number(call.index) ?? draft.calls.size;
  const known = draft.calls.get(index);
  if (!known && draft.calls.size >= callsMax) return;
  const entry = known ?? { id: '', name: '', arguments: '', custom: call.type === 'custom' };
  const inner = isObject(call.function) ? call.function : isObject(call.custom) ? call.custom : {};
  entry.id = text(call.id) ?? entry.id;
  entry.name = grown(entry.name, inner.name);
  entry.arguments = grown(entry.arguments, inner.arguments ?? inner.input);
  draft.calls.set(index, entry);
}

function draftedChoice(draft: ChoiceDraft): Json {
  const calls = [...draft.calls.values()].map((call) => ({ id: call.id, function: call }));
  return {
    finish_reason: draft.finish_reason,
    text: draft.text,
    message: {
      role: 'assistant',
      content: draft.content,
      reasoning_content: draft.reasoning,
      refusal: draft.refusal,
      tool_calls: calls,
    },
  };
}
