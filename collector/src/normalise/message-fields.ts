import { valueText } from '../model/value.ts';
import { type Message, type Part, type Role, resultTexts } from './messages.ts';
import type { TaxonomyEntry } from './taxonomy.ts';

/** The messages of one model call: what was sent, system instructions first, and what came back. */
export interface Conversation {
  readonly instructions: readonly string[];
  readonly input: readonly Message[];
  readonly output: readonly Message[];
}

/**
 * Fields `message.<role>.<part>`: the parts of all messages of a model call, by who said them. A part belongs to the role it
 * speaks for, whatever message carries it: a tool result is `tool` even where it is sent as `user`, a tool call is
 * `assistant`.
 */
export const messageFields: Readonly<Record<string, (conversation: Conversation) => readonly string[]>> = Object.assign(
  Object.create(null),
  {
    'message.roles': (conversation: Conversation) => [
      ...(conversation.instructions.length > 0 ? ['system'] : []),
      ...messagesOf(conversation).map(({ role }) => role),
    ],
    'message.user.text': (conversation: Conversation) => textsOf(conversation, 'user'),
    'message.assistant.text': (conversation: Conversation) => textsOf(conversation, 'assistant'),
    'message.system.text': (conversation: Conversation) => [
      ...conversation.instructions,
      ...textsOf(conversation, 'system'),
    ],
    'message.tool.text': (conversation: Conversation) =>
      partsOf(conversation, 'tool').flatMap((part) =>
        part.kind === 'tool_result' ? resultTexts(part.result) : part.kind === 'text' ? [part.text] : [],
      ),
    'message.tool.name': (conversation: Conversation) => resultNames(conversation),
    'message.assistant.reasoning': (conversation: Conversation) =>
      partsOf(conversation, 'assistant').flatMap((part) => (part.kind === 'text' && part.reasoning ? [part.text] : [])),
    'message.assistant.tool_call.name': (conversation: Conversation) => callsOf(conversation).map(({ name }) => name),
    'message.assistant.tool_call.arguments': (conversation: Conversation) =>
      callsOf(conversation).map((call) => valueText(call.arguments)),
    'message.assistant.finish_reason': ({ output }: Conversation) =>
      output.flatMap(({ finishReason }) => finishReason ?? []),
    ...Object.fromEntries(
      (['user', 'assistant', 'tool'] as const).flatMap((role) => [
        [`message.${role}.part_types`, (conversation: Conversation) => partsOf(conversation, role).map(typeOf)],
        [`message.${role}.media_types`, (conversation: Conversation) => mediaOf(conversation, role, 'mediaType')],
        [`message.${role}.uris`, (conversation: Conversation) => mediaOf(conversation, role, 'uri')],
      ]),
    ),
  },
);

/** What the fields mean, for the taxonomy. */
export const messageTaxonomy: readonly TaxonomyEntry[] = [
  entry('message.roles', 'Roles of all messages in their order: system, user, assistant, tool.'),
  entry('message.user.text', 'Texts of the user in all messages; `spanwarden.text.user` has only the new ones.'),
  entry('message.assistant.text', 'Texts of the model, earlier turns and this answer, without its reasoning.'),
  entry('message.system.text', 'System instructions, and texts of system and developer messages.'),
  entry('message.tool.text', 'Tool results in all messages, whatever role they are sent as.'),
  entry('message.tool.name', 'Tools whose results stand in the messages, by the calls that asked for them.'),
  entry('message.assistant.reasoning', 'Reasoning of the model, where it is sent.'),
  entry('message.assistant.tool_call.name', 'Tools called in earlier turns and in this answer.'),
  entry('message.assistant.tool_call.arguments', 'Arguments of these calls, each as JSON.'),
  entry('message.assistant.finish_reason', 'Why the model stopped, of each answer.'),
  ...(['user', 'assistant', 'tool'] as const).flatMap((role) => [
    entry(
      `message.${role}.part_types`,
      `Kinds of the ${role}'s parts: text, reasoning, tool_call, tool_call_response, blob, uri, file.`,
    ),
    entry(`message.${role}.media_types`, `MIME types, else modalities, of the ${role}'s images, sounds and files.`),
    entry(`message.${role}.uris`, `Addresses and file ids of these.`),
  ]),
];

function entry(name: string, description: string): TaxonomyEntry {
  return { name, kind: 'fact', type: 'text[]', description };
}

function messagesOf({ input, output }: Conversation): readonly Message[] {
  return [...input, ...output];
}

function partsOf({ input, output }: Conversation, role: Role): Part[] {
  const found: Part[] = [];
  // Histories are long, and a call says little of its own: plain loops, nothing made for each message.
  for (const messages of [input, output]) {
    for (const message of messages) {
      for (const part of message.parts) if (speaker(message, part) === role) found.push(part);
    }
  }
  return found;
}

function speaker({ role }: Message, { kind }: Part): Role {
  if (kind === 'tool_result') return 'tool';
  return kind === 'tool_call' ? 'assistant' : role;
}

function textsOf(conversation: Conversation, role: Role): string[] {
  const texts: string[] = [];
  for (const part of partsOf(conversation, role)) {
    if (part.kind === 'text' && !part.reasoning) texts.push(part.text);
  }
  return texts;
}

function callsOf(conversation: Conversation): (Part & { readonly kind: 'tool_call' })[] {
  return partsOf(conversation, 'assistant').filter((part) => part.kind === 'tool_call');
}

/** By the id of the last call before them; results without one by their place, where there are as many of them as calls before them. */
function resultNames(conversation: Conversation): string[] {
  const byId = new Map(callsOf(conversation).map(({ id, name }) => [id, name]));
  const names: (string | undefined)[] = [];
  let calls: string[] = [];
  let unnamed: number[] = [];
  const settle = () => {
    if (unnamed.length === calls.length) for (const [i, place] of unnamed.entries()) names[place] = calls[i];
    [calls, unnamed] = [[], []];
  };
  for (const part of messagesOf(conversation).flatMap(({ parts }) => parts)) {
    if (part.kind === 'tool_call') {
      if (unnamed.length > 0) settle();
      calls.push(part.name);
      byId.set(part.id, part.name);
    } else if (part.kind === 'tool_result') {
      if (part.id === '' && part.name === undefined) unnamed.push(names.length);
      names.push((part.id === '' ? part.name : byId.get(part.id)) || part.name);
    }
  }
  settle();
  return names.filter((name) => name !== undefined && name !== '') as string[];
}

function typeOf(part: Part): string {
  if (part.kind === 'media') return part.form;
  if (part.kind === 'text') return part.reasoning ? 'reasoning' : 'text';
  return part.kind === 'tool_result' ? 'tool_call_response' : part.kind;
}

function mediaOf(conversation: Conversation, role: Role, key: 'mediaType' | 'uri'): string[] {
  return partsOf(conversation, role).flatMap((part) => (part.kind === 'media' && part[key] !== '' ? [part[key]] : []));
}
