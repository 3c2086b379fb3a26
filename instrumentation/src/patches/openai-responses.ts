import {
  inputMessageAttributes,
  type Message,
  type MessagePart,
  outputMessageAttributes,
  parsedOrText,
  systemInstructionAttributes,
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
  text,
  textPart,
  toolDefinition,
} from './model-api.ts';

/** Responses. https://platform.openai.com/docs/api-reference/responses */
export const responsesApi: Api = {
  operation: operation.chat,
  label: 'openai responses',
  failure: responsesError,
  request(body, mode) {
    const format = isObject(body.text) && isObject(body.text.format) ? body.text.format.type : undefined;
    return {
      [attr.requestModel]: text(body.model),
      [attr.requestMaxTokens]: number(body.max_output_tokens),
      [attr.requestTemperature]: number(body.temperature),
      [attr.requestTopP]: number(body.top_p),
      [attr.requestStream]: body.stream === true ? true : undefined,
      [attr.outputType]: typeof format === 'string' ? (format === 'text' ? 'text' : 'json') : undefined,
      [attr.openaiApiType]: 'responses',
      [attr.openaiRequestServiceTier]: body.service_tier === 'auto' ? undefined : text(body.service_tier),
      [attr.openaiPreviousResponseId]: text(body.previous_response_id),
      ...systemInstructionAttributes(text(body.instructions) ? [textPart(String(body.instructions))] : [], mode),
      ...inputMessageAttributes(inputMessages(body.input), mode),
      ...toolDefinitionAttributes(objects(body.tools).map(toolDefinition), mode),
    };
  },
  reply(value, mode) {
    const usage = isObject(value.usage) ? value.usage : {};
    const input = isObject(usage.input_tokens_details) ? usage.input_tokens_details : {};
    const output = isObject(usage.output_tokens_details) ? usage.output_tokens_details : {};
    const message = outputMessage(value);
    return {
      [attr.responseId]: text(value.id),
      [attr.responseModel]: text(value.model),
      [attr.responseFinishReasons]: [message.finish_reason ?? 'unknown'],
      [attr.openaiResponseServiceTier]: text(value.service_tier),
      [attr.usageInputTokens]: number(usage.input_tokens),
      [attr.usageOutputTokens]: number(usage.output_tokens),
      [attr.usageCacheReadInputTokens]: number(input.cached_tokens),
      [attr.usageCacheWriteInputTokens]: number(input.cache_write_tokens),
      [attr.usageReasoningOutputTokens]: number(output.reasoning_tokens),
      ...outputMessageAttributes([message], mode),
    };
  },
  assemble: assembleResponse,
};

/** The failure a reply with HTTP status 200 reports; undefined for every other reply. */
function responsesError(reply: Json): { code: string; message: string } | undefined {
  if (reply.status !== 'failed' || !isObject(reply.error)) return undefined;
  const { code, message } = reply.error;
  return { code: text(code)?.slice(0, 64) ?? 'failed', message: text(message) ?? 'the response failed' };
}

function inputMessages(input: unknown): Message[] {
  if (typeof input === 'string') return [{ role: 'user', parts: [textPart(input)] }];
  return objects(input).map((item) => ({ role: roleOf(item), parts: itemParts(item) }));
}

/** The role of an item that is no message: who made it, the model or a tool. */
function roleOf(item: Json): string {
  if (typeof item.role === 'string') return item.role === 'developer' ? 'system' : item.role;
  const type = text(item.type) ?? '';
  if (type.endsWith('_output')) return 'tool';
  if (type === 'mcp_approval_response') return 'user';
  return 'assistant';
}

function outputMessage(response: Json): Message {
  const parts = objects(response.output).flatMap(itemParts);
  const proposesCall = parts.some((part) => part.type === 'tool_call');
  const incomplete = isObject(response.incomplete_details) ? response.incomplete_details.reason : undefined;
  const status = response.status;
  const finished = proposesCall
    ? 'tool_call'
    : status === 'completed'
      ? 'stop'
      : status === 'failed'
        ? 'error'
        : undefined;
  return { role: 'assistant', parts, finish_reason: finishReason(incomplete) ?? finished ?? 'unknown' };
}

/** One item of a conversation as OTel message parts. */
function itemParts(item: Json): MessagePart[] {
  const type = text(item.type) ?? 'message';
  const id = text(item.call_id) ?? text(item.id) ?? null;
  switch (type) {
    case 'message':
      if (typeof item.content === 'string') return [textPart(item.content)];
      return objects(item.content).map(contentPart);
    case 'reasoning':
      return [...objects(item.summary), ...objects(item.content)].map((part) => ({
        type: 'reasoning',
        content: text(part.text) ?? '',
      }));
    case 'function_call':
    case 'custom_tool_call':
      return [toolCall(id, text(item.name) ?? '', item.arguments ?? item.input)];
    case 'local_shell_call':
    case 'shell_call':
    case 'computer_call':
      return [toolCall(id, type.replace('_call', ''), item.action ?? item.actions)];
    case 'apply_patch_call':
      return [toolCall(id, 'apply_patch', item.operation)];
    case 'mcp_call':
      return providerCall(id, text(item.name) ?? '', item);
    case 'mcp_list_tools':
      return [{ type, server: item.server_label, tools: item.tools }];
    case 'mcp_approval_request':
      return [{ ...toolCall(id, `${type}: ${text(item.name) ?? ''}`, item.arguments), server: item.server_label }];
    case 'mcp_approval_response':
      return [
        { type: 'tool_call_response', id: text(item.approval_request_id) ?? null, response: item.approve === true },
      ];
    case 'item_reference':
      return [{ type, id }];
    default:
      return otherParts(type, id, item);
  }
}

/** Outputs of tools, whatever their kind, and the tools the provider runs itself. */
function otherParts(type: string, id: string | null, item: Json): MessagePart[] {
  if (type.endsWith('_output')) return [{ type: 'tool_call_response', id, response: toolOutput(item.output) }];
  if (type.endsWith('_call')) return providerCall(id, type.replace('_call', ''), item);
  return [{ type, id }];
}

function toolCall(id: string | null, name: string, said: unknown): MessagePart {
  return { type: 'tool_call', id, name, arguments: parsedOrText(said) };
}

/** A tool that ran at the provider: the call and, when it is over, what it gave. */
function providerCall(id: string | null, name: string, item: Json): MessagePart[] {
  const { type, id: _id, status: _status, output, results, outputs, result, error, ...settings } = item;
  const call = { ...settings, type, arguments: parsedOrText(item.arguments) };
  const said = output ?? results ?? outputs ?? error;
  const image = typeof result === 'string' ? { type, bytes: result.length } : undefined;
  const parts: MessagePart[] = [{ type: 'server_tool_call', id, name, server_tool_call: call }];
  if (said != null || image) {
    parts.push({ type: 'server_tool_call_response', id, server_tool_call_response: image ?? { type, output: said } });
  }
  return parts;
}

function toolOutput(output: unknown): unknown {
  if (!Array.isArray(output)) return parsedOrText(output);
  const parts = objects(output);
  return parts.every((part) => typeof part.text === 'string')
    ? parsedOrText(parts.map((part) => part.text).join(''))
    : parts.map(contentPart);
}

function contentPart(part: Json): MessagePart {
  if (typeof part.text === 'string') return textPart(part.text);
  if (typeof part.refusal === 'string') return { type: 'refusal', content: part.refusal };
  if (text(part.file_id)) return { type: 'file', file_id: part.file_id, filename: part.filename };
  if (text(part.image_url)) return mediaPart('image', String(part.image_url));
  if (text(part.file_url)) return mediaPart('file', String(part.file_url));
  if (text(part.file_data)) return { ...mediaPart('file', String(part.file_data)), filename: part.filename };
  return { type: text(part.type) ?? 'unknown' };
}

const itemsMax = 1024;

/** The last event holds the whole response; a stream left before that is put together from its items and texts. */
function assembleResponse(bytesMax: number): Assembly {
  let whole: Json | undefined;
  let begun: Json = {};
  const items = new Map<number, Json>();
  const drafts = new Map<number, string>();
  return {
    add(event) {
      const index = number(event.output_index) ?? 0;
      const type = text(event.type) ?? '';
      if (isObject(event.response)) begun = event.response;
      if (/^response\.(completed|incomplete|failed)$/.test(type)) whole = begun;
      else if (type === 'error') whole = { ...begun, status: 'failed', error: event };
      else if (type === 'response.output_item.done' && isObject(event.item) && items.size < itemsMax) {
        items.set(index, event.item);
        drafts.delete(index);
      } else if (type === 'response.output_text.delta' && typeof event.delta === 'string' && drafts.size < itemsMax) {
        const draft = drafts.get(index) ?? '';
        if (draft.length < bytesMax) drafts.set(index, draft + event.delta);
      }
    },
    reply() {
      if (whole) return whole;
      for (const [index, content] of drafts) items.set(index, { type: 'message', content });
      const output = [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
      return { ...begun, output };
    },
  };
}
