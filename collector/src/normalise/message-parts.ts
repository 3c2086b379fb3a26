import { isList, type Value, valueText } from '../model/value.ts';
import { isMap, member, parsedOrCut, parsedValue, textMember } from './json-value.ts';
import { isRedaction } from './redaction.ts';

/** One part of a message. What a part is follows from its type, not from its role: tool results often come as `user`. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly reasoning?: true }
  /** An image, a sound or a file: its bytes are left out, `uri` is its address or file id. */
  | { readonly kind: 'media'; readonly form: 'blob' | 'uri' | 'file'; readonly mediaType: string; readonly uri: string }
  | { readonly kind: 'tool_call'; readonly id: string; readonly name: string; readonly arguments: Value }
  /** `name` where the result itself says whose it is. */
  | { readonly kind: 'tool_result'; readonly id: string; readonly result: Value; readonly name?: string };

/** Contents inside parts inside contents: nobody nests them deeper. */
const depthMax = 8;

/** The parts of a content: bare text, a list of parts, or one part. */
export function partsOf(content: Value | undefined, depth = 0): Part[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return textParts(content);
  if (isList(content)) return content.flatMap((part) => partOf(part, depth));
  return isMap(content) ? partOf(content, depth) : [{ kind: 'text', text: valueText(content) }];
}

/** Some emitters encode the list of parts: it counts as one only when every member says its type. */
function textParts(text: string, depth = 0): Part[] {
  if (text.startsWith('[{') && depth < depthMax) {
    const parsed = parsedValue(text);
    if (Array.isArray(parsed) && parsed.every((part) => partTypes.has(textMember(part, 'type') ?? ''))) {
      return parsed.flatMap((part: Value) => partOf(part, depth + 1));
    }
  }
  return text === '' || isRedaction(text) ? [] : [{ kind: 'text', text }];
}

/**
 * One part in the shape of OTel, OpenAI (chat and Responses), Anthropic, the AI SDK, Gemini or Bedrock. Parts that say nothing a rule
 * could read (approval requests, references, encrypted reasoning) give none.
 */
export function partOf(outer: Value, depth = 0): Part[] {
  if (typeof outer === 'string') return textParts(outer);
  const part = member(outer, 'message_content') ?? outer;
  if (!isMap(part)) return [];
  const type = textMember(part, 'type');
  if (type === undefined) return untypedPart(part, depth);
  if (callTypes.has(type)) return callParts(part, type);
  if (resultTypes.has(type) || type.endsWith('_tool_result')) return toolResult(part);
  if (type === 'tool-invocation') return invocationParts(member(part, 'toolInvocation') ?? part);
  const media = mediaPart(part, type);
  if (media !== undefined) return [media];
  return textPart(part, type === 'reasoning' || type === 'thinking', depth);
}

/** Gemini and Bedrock name a part by its only key; the AI SDK lists calls without a type. */
function untypedPart(part: Value, depth: number): Part[] {
  if (member(part, 'toolName') !== undefined) return invocationParts(part);
  const call = member(part, 'functionCall') ?? member(part, 'function_call') ?? member(part, 'toolUse');
  if (isMap(call)) return [toolCall(call)];
  const result = member(part, 'functionResponse') ?? member(part, 'function_response') ?? member(part, 'toolResult');
  if (isMap(result)) return toolResult(result);
  const data = member(part, 'inlineData') ?? member(part, 'inline_data');
  if (isMap(data)) return [{ kind: 'media', form: 'blob', mediaType: anyText(data, 'mimeType', 'mime_type'), uri: '' }];
  const file = member(part, 'fileData') ?? member(part, 'file_data');
  if (isMap(file)) {
    const uri = anyText(file, 'fileUri', 'file_uri');
    return [{ kind: 'media', form: 'uri', mediaType: anyText(file, 'mimeType', 'mime_type'), uri }];
  }
  const reasoning = member(member(part, 'reasoningContent'), 'reasoningText');
  if (reasoning !== undefined) return textPart(reasoning, true, depth);
  return textPart(part, member(part, 'thought') === true, depth);
}

function textPart(part: Value, reasoning: boolean, depth: number): Part[] {
  if (depth > depthMax) return [];
  const found = firstMember(part, textKeys, null);
  const summary = member(part, 'summary');
  if (found === undefined && Array.isArray(summary)) return summary.flatMap((each) => textPart(each, true, depth + 1));
  if (found === undefined) return [];
  if (typeof found === 'object') return partsOf(found, depth + 1);
  const text = valueText(found);
  if (!reasoning) return textParts(text, depth);
  return text === '' || isRedaction(text) ? [] : [{ kind: 'text', text, reasoning: true }];
}

/** A call that the provider runs itself may carry its result. */
function callParts(part: Value, type: string): Part[] {
  const call = toolCall(part, callNames.get(type));
  const output = type === 'mcp_call' ? member(part, 'output') : undefined;
  if (output === undefined || output === null || call.kind !== 'tool_call') return [call];
  return [call, { kind: 'tool_result', id: call.id, result: output, name: call.name }];
}

function invocationParts(invocation: Value): Part[] {
  const call = toolCall(invocation);
  const result = member(invocation, 'result');
  return result === undefined ? [call] : [call, ...toolResult(invocation)];
}

/** A tool call in any shape, `tool_calls` of OpenAI's messages included. */
export function toolCall(outer: Value, otherwise = ''): Part {
  const call = member(outer, 'tool_call') ?? outer;
  const inner = member(call, 'function');
  const fn = isMap(inner) ? inner : call;
  const given = firstMember(fn, argumentKeys);
  return {
    kind: 'tool_call',
    id: anyText(call, 'call_id', 'toolCallId', 'toolUseId', 'tool_call_id', 'id'),
    name: anyText(fn, 'name', 'toolName', 'tool_name') || otherwise,
    arguments: parsedOrCut(given) ?? null,
  };
}

function toolResult(part: Value): Part[] {
  const output = member(part, 'output');
  // The AI SDK wraps: `{ type: 'text' | 'json' | 'error-text' | 'content', value }`.
  const unwrapped = textMember(output, 'type') !== undefined ? (member(output, 'value') ?? output) : output;
  const given = member(part, 'response') ?? member(part, 'result') ?? member(part, 'content') ?? unwrapped;
  const result = given ?? member(part, 'server_tool_call_response') ?? member(part, 'tools') ?? '';
  if (typeof result === 'string' && isRedaction(result)) return [];
  const id = anyText(part, 'tool_use_id', 'call_id', 'toolCallId', 'toolUseId', 'tool_call_id', 'id');
  const name = anyText(part, 'name', 'toolName', 'tool_name');
  return [{ kind: 'tool_result', id, result, ...(name !== '' && { name }) }];
}

/** `blob`, `uri` and `file` of OTel; `image_url`, `input_audio` and `file` of OpenAI; `image` and `document` of Anthropic. */
function mediaPart(part: Value, type: string): Part | undefined {
  if (!mediaTypes.has(type)) return undefined;
  const inner = member(part, type === 'image' || type === 'document' ? 'source' : type);
  const word = (...keys: string[]): string =>
    keys.map((key) => textMember(part, key) ?? textMember(inner, key)).find((found) => found !== undefined) ?? '';
  const mediaType = word('mime_type', 'media_type', 'mediaType', 'mimeType', 'format') || word('modality');
  const uri = word('uri', 'url', 'image_url') || (typeof inner === 'string' ? inner : '');
  const fileId = word('file_id');
  const hasPlace = inner !== undefined || uri !== '' || fileId !== '';
  if (type === 'document' && !hasPlace) return undefined;
  if (uri !== '' && !uri.startsWith('data:')) return { kind: 'media', form: 'uri', mediaType, uri };
  if (fileId !== '') return { kind: 'media', form: 'file', mediaType, uri: fileId };
  const dataType = /^data:([\w.+/-]{1,80})/.exec(uri)?.[1] ?? '';
  return { kind: 'media', form: 'blob', mediaType: mediaType || dataType, uri: '' };
}

const textKeys = ['content', 'text', 'thinking', 'refusal', 'value'] as const;
const argumentKeys = [
  'arguments',
  'input',
  'args',
  'parameters',
  'action',
  'server_tool_call',
  'code',
  'query',
] as const;

/** The first of the members that there are; @param nothing a value that counts as none */
function firstMember(value: Value, keys: readonly string[], nothing?: null): Value | undefined {
  for (const key of keys) {
    const found = member(value, key);
    if (found !== undefined && found !== nothing) return found;
  }
  return undefined;
}

function anyText(value: Value, ...keys: readonly string[]): string {
  for (const key of keys) {
    const found = member(value, key);
    if (typeof found === 'string' && found !== '') return found;
    if (typeof found === 'number') return String(found);
  }
  return '';
}

const mediaTypes = new Set(['blob', 'uri', 'file', 'image_url', 'input_image', 'input_audio', 'image', 'document']);

const callNames = new Map([
  ['local_shell_call', 'local_shell'],
  ['shell_call', 'shell'],
  ['apply_patch_call', 'apply_patch'],
  ['computer_call', 'computer'],
  ['web_search_call', 'web_search'],
  ['file_search_call', 'file_search'],
  ['code_interpreter_call', 'code_interpreter'],
]);

const callTypes = new Set([
  'tool_call',
  'tool-call',
  'tool_use',
  'server_tool_call',
  'server_tool_use',
  'mcp_tool_use',
  'function',
  'function_call',
  'custom_tool_call',
  'mcp_call',
  'mcp_approval_request',
  ...callNames.keys(),
]);

const resultTypes = new Set([
  'tool_call_response',
  'tool_result',
  'tool-result',
  'tool-error',
  'server_tool_call_response',
  'mcp_tool_result',
  'function_call_output',
  'custom_tool_call_output',
  'computer_call_output',
  'local_shell_call_output',
  'shell_call_output',
  'apply_patch_call_output',
]);

const partTypes = new Set([
  ...callTypes,
  ...resultTypes,
  ...mediaTypes,
  'text',
  'input_text',
  'output_text',
  'refusal',
  'reasoning',
  'thinking',
  'redacted_thinking',
]);
