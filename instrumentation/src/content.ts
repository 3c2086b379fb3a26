import { canonicalJson, shortHash, type ToolDefinition, toolDefinitionHash } from './hash.ts';
import type { ContentMode } from './patch.ts';
import { attr } from './semconv.ts';

/** One part of a message in OTel's current shape; other types pass through as they are. */
export interface MessagePart {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** A message in OTel's current shape; output messages add `finish_reason`. */
export interface Message {
  readonly role: string;
  readonly name?: string;
  readonly parts: readonly MessagePart[];
  readonly finish_reason?: string;
}

export type ContentAttributes = Record<string, string | number | boolean | string[]>;

/** Bytes of JSON one content attribute may have; `SPANWARDEN_CONTENT_MAX_BYTES` overrides it. */
const contentBytesDefault = 256 * 1024;
const contentBytesFloor = 1024;
const toolDefinitionsMax = 512;

/**
 * How much content is captured. `SPANWARDEN_CONTENT` is `full` (default), `no_tool_content` or `metadata_only`; where it is
 * unset, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=false (or NO_CONTENT) means `metadata_only`.
 * An unknown value captures nothing rather than too much.
 */
export function contentModeFrom(env: NodeJS.ProcessEnv): ContentMode {
  const own = env.SPANWARDEN_CONTENT?.trim().toLowerCase();
  if (own === 'full' || own === 'no_tool_content') return own;
  if (own) return 'metadata_only';
  const standard = env.OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT?.trim().toLowerCase();
  return standard === 'false' || standard === 'no_content' ? 'metadata_only' : 'full';
}

/** The byte cap in force; values below 1 KiB or not a number give the default. */
export function contentBytesMax(env: NodeJS.ProcessEnv = process.env): number {
  const wanted = Number(env.SPANWARDEN_CONTENT_MAX_BYTES);
  return Number.isSafeInteger(wanted) && wanted >= contentBytesFloor ? wanted : contentBytesDefault;
}

/** `gen_ai.input.messages`, or its facts when content is off. */
export function inputMessageAttributes(messages: readonly Message[], mode: ContentMode): ContentAttributes {
  if (mode !== 'metadata_only') return messageAttribute(attr.inputMessages, messages, mode);
  return {
    [attr.contentMode]: mode,
    [attr.inputMessageCount]: messages.length,
    ...facts(jsonText(messages), attr.inputHash, attr.inputBytes),
  };
}

/** `gen_ai.output.messages`; when content is off the facts, and which tools the model proposed to call. */
export function outputMessageAttributes(messages: readonly Message[], mode: ContentMode): ContentAttributes {
  if (mode !== 'metadata_only') return messageAttribute(attr.outputMessages, messages, mode);
  const calls = messages.flatMap((message) => message.parts).filter((part) => part.type === 'tool_call');
  return {
    [attr.contentMode]: mode,
    [attr.outputMessageCount]: messages.length,
    ...facts(jsonText(messages), attr.outputHash, attr.outputBytes),
    ...(calls.length > 0 && { [attr.proposedToolCalls]: capped(calls.map(withoutToolContent)).text }),
  };
}

/** `gen_ai.system_instructions` (a list of parts), or its facts when content is off. */
export function systemInstructionAttributes(parts: readonly MessagePart[], mode: ContentMode): ContentAttributes {
  if (parts.length === 0) return {};
  if (mode === 'metadata_only') return facts(jsonText(parts), attr.systemHash, attr.systemBytes);
  const { text, truncated } = capped(parts);
  return { [attr.systemInstructions]: text, ...(truncated && { [attr.contentTruncated]: true }) };
}

/** Arguments of one tool call; their hash and length when tool content is off. */
export function toolArgumentAttributes(value: unknown, mode: ContentMode): ContentAttributes {
  return toolValue(value, mode, attr.toolCallArguments, attr.toolArgumentsHash, attr.toolArgumentsBytes);
}

/** Result of one tool call; its hash and length when tool content is off. */
export function toolResultAttributes(value: unknown, mode: ContentMode): ContentAttributes {
  return toolValue(value, mode, attr.toolCallResult, attr.toolResultHash, attr.toolResultBytes);
}

/**
 * `gen_ai.tool.definitions` and, in every mode, name and hash of each definition. When content is off the definitions
 * carry only type and name, as OTel ≥ 1.41 does. At most 512 tools.
 */
export function toolDefinitionAttributes(tools: readonly ToolDefinition[], mode: ContentMode): ContentAttributes {
  if (tools.length === 0) return {};
  const kept = tools.slice(0, toolDefinitionsMax);
  const full = mode === 'full';
  const shown = kept.map(({ type = 'function', name, description, parameters, annotations }) =>
    full ? { type, name, description, parameters, annotations } : { type, name },
  );
  const { text, truncated } = capped(shown, true);
  return {
    [attr.toolDefinitions]: text,
    [attr.toolDefinitionNames]: kept.map((tool) => tool.name),
    [attr.toolDefinitionHashes]: kept.map(toolDefinitionHash),
    ...((truncated || kept.length < tools.length) && { [attr.contentTruncated]: true }),
  };
}

/** A JSON text as the value it stands for, the text itself when it is no JSON object or array. */
export function parsedOrText(text: unknown): unknown {
  if (typeof text !== 'string' || !/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageAttribute(name: string, messages: readonly Message[], mode: ContentMode): ContentAttributes {
  const shown = mode === 'full' ? messages : messages.map((m) => ({ ...m, parts: m.parts.map(withoutToolContent) }));
  const { text, truncated } = capped(shown);
  return { [name]: text, ...(truncated && { [attr.contentTruncated]: true }) };
}

/** A tool part with hash and length in the place of what it says; other parts as they are. */
function withoutToolContent(part: MessagePart): MessagePart {
  const { arguments: args, response, result, ...rest } = part;
  if (args === undefined && response === undefined && result === undefined) return part;
  const said = response ?? result;
  return {
    ...rest,
    ...(args !== undefined && facts(valueText(args), 'arguments_hash', 'arguments_bytes')),
    ...(said !== undefined && facts(valueText(said), 'response_hash', 'response_bytes')),
  };
}

function toolValue(value: unknown, mode: ContentMode, name: string, hash: string, bytes: string): ContentAttributes {
  if (value === undefined) return {};
  if (mode !== 'full') return { [attr.contentMode]: mode, ...facts(valueText(value), hash, bytes) };
  if (typeof value === 'string') {
    const text = cutText(value, contentBytesMax());
    return { [name]: text, ...(text !== value && { [attr.contentTruncated]: true }) };
  }
  const { text, truncated } = cappedValue(value, contentBytesMax());
  return { [name]: text, ...(truncated && { [attr.contentTruncated]: true }) };
}

function facts(text: string, hash: string, bytes: string): ContentAttributes {
  return { [hash]: shortHash(text), [bytes]: Buffer.byteLength(text) };
}

/** The text whose hash stands for a value: canonical, so that arguments sent and arguments run give the same. */
function valueText(value: unknown): string {
  const parsed = parsedOrText(value);
  return typeof parsed === 'string' ? parsed : canonicalJson(parsed);
}

interface CappedText {
  readonly text: string;
  readonly truncated: boolean;
}

/**
 * A list as JSON within the byte cap, cut by whole items first: the oldest go (the collector has seen them in an earlier
 * call), the newest stay; definitions go from the end. Only an item that is too large alone has its long strings cut.
 */
function capped(items: readonly unknown[], keepFirst = false): CappedText {
  const max = contentBytesMax();
  const ordered = keepFirst ? items : items.toReversed();
  const kept: string[] = [];
  let bytes = 2;
  for (const item of ordered) {
    const text = jsonText(item);
    const size = Buffer.byteLength(text) + 1;
    if (bytes + size > max) {
      if (kept.length === 0) kept.push(cappedValue(item, max - 2).text);
      break;
    }
    kept.push(text);
    bytes += size;
  }
  const whole = kept.length === items.length && bytes <= max;
  if (!keepFirst) kept.reverse();
  const text = `[${kept.join(',')}]`;
  return { text, truncated: !whole || (items.length === 1 && text.length < jsonText(items).length) };
}

/** One value as JSON within `max` bytes: its strings are cut to ever shorter lengths until it fits. */
function cappedValue(value: unknown, max: number): CappedText {
  const whole = jsonText(value);
  if (Buffer.byteLength(whole) <= max) return { text: whole, truncated: false };
  for (let length = max >> 1; length >= 64; length >>= 2) {
    const text = jsonText(withShortStrings(value, length, 0));
    if (Buffer.byteLength(text) <= max) return { text, truncated: true };
  }
  return { text: JSON.stringify({ type: 'truncated', bytes: Buffer.byteLength(whole) }), truncated: true };
}

const cutDepthMax = 32;

function withShortStrings(value: unknown, length: number, depth: number): unknown {
  if (typeof value === 'string') return cutText(value, length);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > cutDepthMax) return null;
  if (Array.isArray(value)) return value.map((item) => withShortStrings(item, length, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withShortStrings(item, length, depth + 1)]),
  );
}

/** Head and tail of a text: padding in front must not push what stands behind it out of sight. */
function cutText(text: string, bytesMax: number): string {
  if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) return text;
  const bytes = Buffer.from(text);
  const room = Math.max(bytesMax - 48, 16);
  const head = Math.floor(room * 0.75);
  const start = bytes.subarray(0, head).toString();
  const end = bytes.subarray(bytes.length - (room - head)).toString();
  return `${start}…[${bytes.length - room} bytes cut]…${end}`;
}

/** JSON.stringify that never throws: cycles and hostile `toJSON` give a marker, bigint its digits. */
function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item)) ?? 'null';
  } catch {
    return JSON.stringify({ type: 'unserializable' });
  }
}
