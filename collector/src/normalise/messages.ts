import { isList, type Value, valueText } from '../model/value.ts';
import { isMap, member, parsedValue, textMember } from './json-value.ts';

export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** One part of a message. What a part is follows from its type, not from its role: tool results often come as `user`. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly reasoning?: true }
  /** An image, a sound or a file: its bytes are left out, `uri` is its address or file id. */
  | { readonly kind: 'media'; readonly form: 'blob' | 'uri' | 'file'; readonly mediaType: string; readonly uri: string }
  | { readonly kind: 'tool_call'; readonly id: string; readonly name: string; readonly arguments: Value }
  | { readonly kind: 'tool_result'; readonly id: string; readonly result: Value };

export interface Message {
  readonly role: Role;
  readonly parts: readonly Part[];
  readonly finishReason?: string;
}

/** Messages past this many in one call are not looked at; the newest are kept. */
export const messagesMax = 2_000;

/**
 * `gen_ai.input.messages` and `gen_ai.output.messages` in the shape of the OTel GenAI conventions, and the OpenAI chat
 * shape, which many emitters put there instead. Anything else gives no messages.
 * https://github.com/open-telemetry/semantic-conventions-genai
 */
export function parseMessages(value: Value | undefined, bareRole: Role = 'user'): readonly Message[] {
  const parsed = parsedValue(value);
  if (parsed === undefined || parsed === null) return [];
  if (typeof parsed === 'string') return [{ role: bareRole, parts: [{ kind: 'text', text: parsed }] }];
  const list = isList(parsed) ? parsed : [parsed];
  return list.slice(-messagesMax).flatMap((message) => (isMap(message) ? [parseMessage(message)] : []));
}

/** The messages after the last assistant message: what is new in a call that resends the whole conversation. */
export function newMessages(messages: readonly Message[]): readonly Message[] {
  return messages.slice(messages.findLastIndex((message) => message.role === 'assistant') + 1);
}

/** Texts of the parts of `gen_ai.system_instructions`: an array of parts, or bare text. */
export function parseInstructions(value: Value | undefined): readonly string[] {
  const parsed = parsedValue(value);
  if (typeof parsed === 'string') return [parsed];
  if (parsed === undefined || parsed === null || !isList(parsed)) return [];
  return parsed.flatMap(
    (part) => textMember(part, 'content') ?? textMember(part, 'text') ?? (typeof part === 'string' ? part : []),
  );
}

function parseMessage(outer: Value): Message {
  const inner = member(outer, 'message');
  // A choice of an answer, and OpenInference's flattened keys, wrap the message.
  const message = isMap(inner) ? inner : outer;
  const role = roles[textMember(message, 'role')?.toLowerCase() ?? ''] ?? 'user';
  const own = member(message, 'parts') ?? member(message, 'content') ?? member(message, 'contents');
  const parts = partsOf(own, role, message);
  const calls = member(message, 'tool_calls');
  if (calls !== undefined && calls !== null && isList(calls)) for (const call of calls) parts.push(toolCall(call));
  const finishReason = textMember(message, 'finish_reason') ?? textMember(outer, 'finish_reason');
  return { role, parts, ...(finishReason !== undefined && { finishReason }) };
}

function partsOf(own: Value | undefined, role: Role, message: Value): Part[] {
  if (role === 'tool' && !isPartList(own)) {
    return [{ kind: 'tool_result', id: textMember(message, 'tool_call_id') ?? '', result: own ?? '' }];
  }
  if (typeof own === 'string') return [{ kind: 'text', text: own }];
  if (own === undefined || own === null || !isList(own)) return [];
  return own.flatMap((part) => parsePart(part));
}

function isPartList(own: Value | undefined): boolean {
  return own !== undefined && own !== null && isList(own) && own.some((part) => textMember(part, 'type') !== undefined);
}

function parsePart(outer: Value): Part[] {
  if (typeof outer === 'string') return [{ kind: 'text', text: outer }];
  const part = member(outer, 'message_content') ?? outer;
  const type = textMember(part, 'type') ?? 'text';
  if (type === 'tool_call' || type === 'server_tool_call') return [toolCall(part)];
  if (type === 'tool_call_response' || type === 'server_tool_call_response' || type === 'tool_result') {
    const result = member(part, 'response') ?? member(part, 'result') ?? member(part, 'content') ?? '';
    return [{ kind: 'tool_result', id: textMember(part, 'id') ?? textMember(part, 'tool_use_id') ?? '', result }];
  }
  const media = mediaPart(part, type);
  if (media !== undefined) return [media];
  const text = textMember(part, 'content') ?? textMember(part, 'text') ?? textMember(part, 'thinking');
  if (text === undefined) return [];
  return [
    type === 'reasoning' || type === 'thinking' ? { kind: 'text', text, reasoning: true } : { kind: 'text', text },
  ];
}

/** `blob`, `uri` and `file` of OTel; `image_url`, `input_audio` and `file` of OpenAI; `image` and `document` of Anthropic. */
function mediaPart(part: Value, type: string): Part | undefined {
  const inner = member(part, type === 'image' || type === 'document' ? 'source' : type);
  const word = (...keys: string[]): string =>
    keys.map((key) => textMember(part, key) ?? textMember(inner, key)).find((found) => found !== undefined) ?? '';
  const mediaType = word('mime_type', 'media_type', 'format') || word('modality');
  const uri = word('uri', 'url') || (typeof inner === 'string' ? inner : '');
  const fileId = word('file_id');
  if (!mediaTypes.has(type) || (type === 'document' && inner === undefined)) return undefined;
  if (uri !== '' && !uri.startsWith('data:')) return { kind: 'media', form: 'uri', mediaType, uri };
  if (fileId !== '') return { kind: 'media', form: 'file', mediaType, uri: fileId };
  return {
    kind: 'media',
    form: 'blob',
    mediaType: mediaType || (/^data:([\w.+/-]{1,80})/.exec(uri)?.[1] ?? ''),
    uri: '',
  };
}

const mediaTypes = new Set(['blob', 'uri', 'file', 'image_url', 'input_image', 'input_audio', 'image', 'document']);

function toolCall(outer: Value): Part {
  const call = member(outer, 'tool_call') ?? outer;
  const fn = member(call, 'function') ?? call;
  return {
    kind: 'tool_call',
    id: textMember(call, 'id') ?? '',
    name: textMember(fn, 'name') ?? '',
    arguments: parsedValue(member(fn, 'arguments')) ?? null,
  };
}

/** The text of a tool result: MCP content lists by their text parts, other structures as JSON. */
export function resultTexts(result: Value | undefined): string[] {
  const parsed = parsedValue(result);
  if (parsed === undefined || parsed === null) return [];
  const content = member(parsed, 'content');
  const list = content !== undefined && content !== null && isList(content) ? content : parsed;
  if (isList(list)) {
    const texts = list.map((part) => textMember(part, 'text') ?? textMember(part, 'content'));
    if (texts.length > 0 && texts.every((text) => text !== undefined)) return texts;
  }
  return [valueText(parsed)];
}

const roles: Readonly<Record<string, Role>> = Object.assign(Object.create(null), {
  system: 'system',
  developer: 'system',
  instruction: 'system',
  user: 'user',
  human: 'user',
  customer: 'user',
  assistant: 'assistant',
  ai: 'assistant',
  bot: 'assistant',
  model: 'assistant',
  tool: 'tool',
  function: 'tool',
});
