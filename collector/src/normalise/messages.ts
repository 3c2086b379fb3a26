import type { Derive, GrownList } from '../model/grown-list.ts';
import { isList, type Value, valueJson, valueText } from '../model/value.ts';
import { isMap, member, parsedOrCut, parsedValue, textMember } from './json-value.ts';
import { type Part, partOf, partsOf, toolCall } from './message-parts.ts';
import { isRedaction } from './redaction.ts';

export type { Part } from './message-parts.ts';
export type Role = 'system' | 'user' | 'assistant' | 'tool';

export interface Message {
  readonly role: Role;
  readonly parts: readonly Part[];
  readonly finishReason?: string;
}

/** Messages past this many in one call are not looked at; the newest are kept. */
export const messagesMax = 2_000;

/**
 * Messages of a model call in any shape that emitters write: lists in the shape of OTel, OpenAI (chat and Responses), Anthropic, the AI
 * SDK, Gemini, Bedrock or LangChain; requests and answers that hold such lists; one message; bare text. JSON in text is read, also
 * where it was cut off.
 * https://github.com/open-telemetry/semantic-conventions-genai
 * @param bareRole who said what does not say who said it.
 */
export function parseMessages(value: Value | undefined, bareRole: Role = 'user'): readonly Message[] {
  return listed(parsedOrCut(value), bareRole, 0).slice(-messagesMax);
}

/** The same of a list that has been parsed. */
export function listedMessages(list: readonly Value[], bareRole: Role = 'user'): Message[] {
  return listed(list, bareRole, 0);
}

/** The messages after the last assistant message: what is new in a call that resends the whole conversation. */
export function newMessages(messages: readonly Message[]): readonly Message[] {
  return messages.slice(messages.findLastIndex((message) => message.role === 'assistant') + 1);
}

/** What one role says in texts. @param list one that begins with the messages: then only those that are new in it are looked at */
export function textsOf(messages: readonly Message[], role: Role, list?: GrownList<Message>): string[] {
  if (list !== undefined) {
    const texts = list.derived(`said by ${role}`, said[role], messages.length);
    return texts.items.slice(0, texts.upTo(messages.length));
  }
  const found: string[] = [];
  for (const message of messages) said[role](message, found);
  return found;
}

const said = {
  system: textsBy('system'),
  user: textsBy('user'),
  assistant: textsBy('assistant'),
  tool: textsBy('tool'),
};

function textsBy(role: Role): Derive<Message, string> {
  return (message, into) => {
    if (message.role === role) for (const part of message.parts) if (part.kind === 'text') into.push(part.text);
    return 0;
  };
}

/** Texts of system instructions: a list of parts, a message, or bare text. */
export function parseInstructions(value: Value | undefined): readonly string[] {
  const parsed = parsedValue(value);
  if (typeof parsed === 'string') return [parsed];
  const inner = isMap(parsed) ? (member(parsed, 'parts') ?? member(parsed, 'content') ?? parsed) : parsed;
  return partsOf(inner).flatMap((part) => (part.kind === 'text' ? [part.text] : []));
}

function listed(value: Value | undefined, bareRole: Role, depth: number): Message[] {
  if (value === undefined || value === null || depth > 3) return [];
  if (typeof value === 'string')
    return value === '' ? [] : [{ role: bareRole, parts: [{ kind: 'text', text: value }] }];
  if (isList(value)) return value.slice(-messagesMax).flatMap((each) => item(each, bareRole, depth));
  return isMap(value) ? held(value, bareRole, depth) : [];
}

function item(value: Value, bareRole: Role, depth: number): Message[] {
  // LangChain batches conversations; texts in a list are prompts.
  if (typeof value === 'string' || isList(value)) return listed(parsedValue(value), bareRole, depth + 1);
  return isMap(value) ? [parseMessage(value, bareRole)] : [];
}

/** Requests and answers of providers and frameworks hold their messages under these keys; system text stands beside. */
const holders = ['messages', 'contents', 'input', 'prompt', 'choices', 'candidates', 'output', 'generations'];

function held(value: Value, bareRole: Role, depth: number): Message[] {
  if (textMember(value, 'role') === undefined && !isPart(value)) {
    for (const key of holders) {
      const inner = parsedOrCut(member(value, key));
      if (inner === undefined || inner === null) continue;
      const messages = listed(inner, bareRole, depth + 1);
      if (messages.length > 0) return [...instructionsBeside(value), ...messages];
    }
  }
  const message = parseMessage(value, bareRole);
  if (message.parts.length > 0 || depth > 0) return message.parts.length > 0 ? [message] : [];
  // Some structure of the application: its text counts, whatever it is.
  return Object.keys(value as object).length === 0 || knownRole(value) !== undefined
    ? []
    : [{ role: bareRole, parts: [{ kind: 'text', text: valueJson(value) }] }];
}

function isPart(value: Value): boolean {
  return textMember(value, 'type') !== undefined && textMember(value, 'type') !== 'constructor';
}

function instructionsBeside(request: Value): Message[] {
  const config = member(request, 'config');
  const beside =
    member(request, 'system') ??
    member(request, 'instructions') ??
    member(request, 'systemInstruction') ??
    member(request, 'system_instruction') ??
    member(config, 'system_instruction') ??
    member(config, 'systemInstruction');
  const parts = parseInstructions(beside).map((text): Part => ({ kind: 'text', text }));
  return parts.length === 0 ? [] : [{ role: 'system', parts }];
}

function parseMessage(outer: Value, bareRole: Role): Message {
  const message = unwrapped(outer);
  const type = textMember(message, 'type') ?? '';
  // Items of OpenAI's Responses are parts without a message around them.
  const single =
    knownRole(message) === undefined &&
    textMember(message, 'role') === undefined &&
    (type !== '' || member(message, 'toolName') !== undefined);
  const parts = single ? (type === 'message' ? contentParts(message) : partOf(message)) : contentParts(message);
  const role = knownRole(message) ?? knownRole(outer) ?? (single ? roleOfParts(parts, bareRole) : bareRole);
  const reason = anyReason(message, messageReasons) ?? anyReason(outer, choiceReasons);
  const own = toolParts(role, parts, message);
  return reason === undefined ? { role, parts: own } : { role, parts: own, finishReason: reason };
}

/** A choice of an answer, a candidate, a serialised LangChain object and a flattened message hold the message itself. */
function unwrapped(outer: Value, depth = 0): Value {
  const kwargs = member(outer, 'kwargs');
  if (isMap(kwargs)) return kwargs;
  const data = member(outer, 'data');
  if (isMap(data) && knownRole(outer) !== undefined) return data;
  const inner = parsedOrCut(member(outer, 'message'));
  if (isMap(inner)) return depth < 4 ? unwrapped(inner, depth + 1) : inner;
  const content = member(outer, 'content');
  return isMap(content) && (member(content, 'parts') !== undefined || member(content, 'role') !== undefined)
    ? content
    : outer;
}

function contentParts(message: Value): Part[] {
  const own =
    member(message, 'parts') ?? member(message, 'content') ?? member(message, 'contents') ?? member(message, 'text');
  const parts = partsOf(own);
  const reasoning = textMember(message, 'reasoning_content') ?? textMember(message, 'reasoning');
  if (reasoning !== undefined && reasoning !== '') parts.unshift({ kind: 'text', text: reasoning, reasoning: true });
  const refusal = textMember(message, 'refusal');
  if (refusal !== undefined && refusal !== '') parts.push({ kind: 'text', text: refusal });
  const calls = parsedOrCut(member(message, 'tool_calls') ?? member(message, 'toolCalls'));
  if (Array.isArray(calls)) addListedCalls(calls, parts);
  const single = member(message, 'function_call');
  if (isMap(single)) parts.push(toolCall(single));
  return parts;
}

/** LangChain lists a call of Anthropic's a second time. */
function addListedCalls(calls: readonly Value[], parts: Part[]): void {
  const known = new Set(parts.flatMap((part) => (part.kind === 'tool_call' && part.id !== '' ? [part.id] : [])));
  for (const call of calls) {
    const part = toolCall(call);
    if (part.kind === 'tool_call' && !known.has(part.id)) parts.push(part);
  }
}

/** What a message of a tool says is its result, whatever its parts are called. */
function toolParts(role: Role, parts: readonly Part[], message: Value): readonly Part[] {
  if (role !== 'tool' || parts.some((part) => part.kind === 'tool_result' || part.kind === 'tool_call')) return parts;
  const flattened = parsedValue(member(message, 'contents'));
  const contents = Array.isArray(flattened)
    ? (flattened as readonly Value[]).map((each) => member(each, 'message_content') ?? each)
    : undefined;
  const content = member(message, 'content') ?? member(message, 'parts') ?? contents ?? '';
  if (typeof content === 'string' && isRedaction(content)) return [];
  const name = textMember(message, 'name');
  return [
    {
      kind: 'tool_result',
      id: textMember(message, 'tool_call_id') ?? textMember(message, 'toolCallId') ?? textMember(message, 'id') ?? '',
      result: content,
      ...(name !== undefined && name !== '' && { name }),
    },
  ];
}

function roleOfParts(parts: readonly Part[], bareRole: Role): Role {
  if (parts.some(({ kind }) => kind === 'tool_result')) return 'tool';
  return parts.some((part) => part.kind === 'tool_call' || (part.kind === 'text' && part.reasoning))
    ? 'assistant'
    : bareRole;
}

function knownRole(message: Value): Role | undefined {
  const said = textMember(message, 'role') ?? langChainType(message) ?? '';
  const role = roles[said.toLowerCase()];
  if (role !== undefined) return role;
  const path = member(message, 'id');
  const name = isMap(member(message, 'kwargs')) && Array.isArray(path) ? path.at(-1) : undefined;
  return typeof name === 'string' ? roles[name.replace(/Message(?:Chunk)?$/, '').toLowerCase()] : undefined;
}

/** LangChain's messages say their role as a type; a `function` is a tool call of OpenAI's. */
function langChainType(message: Value): string | undefined {
  const type = textMember(message, 'type');
  return type === undefined || type === 'function' ? undefined : type;
}

const messageReasons = ['finish_reason', 'finishReason', 'stop_reason'] as const;
const choiceReasons = ['finish_reason', 'finishReason'] as const;

function anyReason(value: Value, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const reason = textMember(value, key);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** The text of a tool result: MCP content, one or a list, by its texts, other structures as JSON. */
export function resultTexts(result: Value | undefined): string[] {
  const parsed = parsedValue(result);
  if (parsed === undefined || parsed === null) return [];
  if (textMember(parsed, 'type') === 'text') return [textMember(parsed, 'text') ?? valueText(parsed)];
  const content = member(parsed, 'content');
  const list = content !== undefined && content !== null && isList(content) ? content : parsed;
  if (isList(list)) {
    const texts = list.map((part) => textOf(part) ?? textMember(part, 'text') ?? textMember(part, 'content'));
    if (texts.length > 0 && texts.every((text) => text !== undefined)) return texts;
  }
  return [valueText(parsed)];
}

function textOf(value: Value): string | undefined {
  return typeof value === 'string' ? value : undefined;
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
