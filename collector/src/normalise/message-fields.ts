import type { Derive, GrownList } from '../model/grown-list.ts';
import type { ConversationPart, RepeatedTexts } from '../model/span-events.ts';
import { valueText } from '../model/value.ts';
import { type Message, newMessages, type Part, type Role, resultTexts } from './messages.ts';
import { repeatedResultNames, resultNames } from './result-names.ts';
import type { TaxonomyEntry } from './taxonomy.ts';

const resultNamesField = 'message.tool.name';

/** The messages of one model call: what was sent, system instructions first, and what came back. */
export interface Conversation {
  readonly instructions: readonly string[];
  readonly input: readonly Message[];
  readonly output: readonly Message[];
  /** A list that begins with the messages of `input`, where calls go on with one; what was worked out of it is used. */
  readonly list?: GrownList<Message>;
}

/** What of it the calls before had, all up to the last answer that is sent again, or what is new. In the first call all is. */
export function partOf(all: Conversation, part: ConversationPart): Conversation {
  const fresh = newMessages(all.input);
  const answered = all.input.length - fresh.length;
  if (part === 'new') return { instructions: answered === 0 ? all.instructions : [], input: fresh, output: all.output };
  const instructions = answered === 0 ? [] : all.instructions;
  return { ...all, instructions, input: all.input.slice(0, answered), output: [] };
}

/**
 * Fields `message.<role>.<part>`: the parts of all messages of a model call, by who said them. A part belongs to the role it
 * speaks for, whatever message carries it: a tool result is `tool` even where it is sent as `user`, a tool call is
 * `assistant`.
 */
export const messageFields: Readonly<Record<string, (conversation: Conversation) => readonly string[]>> = Object.assign(
  Object.create(null),
  {
    [resultNamesField]: (conversation: Conversation) => textsOf(resultNamesField, conversation),
    'message.assistant.finish_reason': ({ output }: Conversation) =>
      output.flatMap(({ finishReason }) => finishReason ?? []),
  },
  Object.fromEntries(
    Object.keys(fieldsByMessage()).map((name) => [name, (conversation: Conversation) => textsOf(name, conversation)]),
  ),
);

/** A field whose texts follow from each message alone. */
interface FieldByMessage {
  /** What it says of system instructions. */
  readonly head?: (instructions: readonly string[]) => readonly string[];
  readonly add: Add<Message>;
  /** Its texts are made, and not those of the messages. */
  readonly isMade?: true;
}

type Add<T> = (item: T, into: string[]) => void;

const byMessage: ReadonlyMap<string, FieldByMessage & { readonly derive: Derive<Message, string> }> = new Map(
  Object.entries(fieldsByMessage()).map(([name, field]) => [name, { ...field, derive: derived(field) }]),
);

/**
 * The same where the conversation has a list: without putting the texts into one list, and with those of messages that came before
 * as they were worked out then. Undefined for other conversations, and where there are none.
 */
export function messageTexts(name: string, conversation: Conversation): RepeatedTexts | undefined {
  const told = repeatedTexts(name, conversation);
  return told === undefined || told.head.length + told.count + told.tail.length === 0 ? undefined : told;
}

function repeatedTexts(name: string, conversation: Conversation): RepeatedTexts | undefined {
  const { list, input, output, instructions } = conversation;
  if (list === undefined) return undefined;
  if (name === resultNamesField) return repeatedResultNames(list, input.length, output);
  const field = byMessage.get(name);
  if (field === undefined) return undefined;
  const sent = list.derived(name, field.derive, input.length);
  const tail: string[] = [];
  for (const message of output) field.add(message, tail);
  return { head: field.head?.(instructions) ?? [], sent, count: sent.upTo(input.length), tail };
}

function textsOf(name: string, conversation: Conversation): readonly string[] {
  const told = repeatedTexts(name, conversation);
  if (told !== undefined) return told.head.concat(told.sent.items.slice(0, told.count), told.tail);
  const { input, output, instructions } = conversation;
  const field = byMessage.get(name);
  if (field === undefined) return resultNames([...input, ...output]);
  const texts = [...(field.head?.(instructions) ?? [])];
  // Histories are long, and a call says little of its own: plain loops, nothing made for each message.
  for (const messages of [input, output]) for (const message of messages) field.add(message, texts);
  return texts;
}

function derived({ add, isMade }: FieldByMessage): Derive<Message, string> {
  return (message, into) => {
    const before = into.length;
    add(message, into);
    let bytes = 0;
    if (isMade) for (let at = before; at < into.length; at++) bytes += textBytes + into[at]!.length;
    return bytes;
  };
}

/** What a text takes beside its characters. */
const textBytes = 24;

function fieldsByMessage(): Readonly<Record<string, FieldByMessage>> {
  const fields: Record<string, FieldByMessage> = {
    'message.roles': {
      head: (instructions) => (instructions.length > 0 ? ['system'] : []),
      add: ({ role }, into) => into.push(role),
    },
    'message.user.text': said('user'),
    'message.assistant.text': said('assistant'),
    'message.system.text': { ...said('system'), head: (instructions) => instructions },
    'message.tool.text': { ...ofParts('tool', addResult), isMade: true },
    'message.assistant.reasoning': ofParts('assistant', (part, into) => {
      if (part.kind === 'text' && part.reasoning) into.push(part.text);
    }),
    'message.assistant.tool_call.name': ofParts('assistant', (part, into) => {
      if (part.kind === 'tool_call') into.push(part.name);
    }),
    'message.assistant.tool_call.arguments': {
      ...ofParts('assistant', (part, into) => {
        if (part.kind === 'tool_call') into.push(valueText(part.arguments));
      }),
      isMade: true,
    },
  };
  for (const role of ['user', 'assistant', 'tool'] as const) {
    fields[`message.${role}.part_types`] = ofParts(role, (part, into) => into.push(typeOf(part)));
    for (const [name, key] of [['media_types', 'mediaType'] as const, ['uris', 'uri'] as const]) {
      fields[`message.${role}.${name}`] = ofParts(role, (part, into) => {
        if (part.kind === 'media' && part[key] !== '') into.push(part[key]);
      });
    }
  }
  return fields;
}

/** What `add` adds of the parts of one who speaks. */
function ofParts(role: Role, add: Add<Part>): FieldByMessage {
  return {
    add: (message, into) => {
      for (const part of message.parts) if (speaker(message, part) === role) add(part, into);
    },
  };
}

function said(role: Role): FieldByMessage {
  return ofParts(role, (part, into) => {
    if (part.kind === 'text' && !part.reasoning) into.push(part.text);
  });
}

function addResult(part: Part, into: string[]): void {
  if (part.kind === 'text') into.push(part.text);
  else if (part.kind === 'tool_result') for (const text of resultTexts(part.result)) into.push(text);
}

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

function speaker({ role }: Message, { kind }: Part): Role {
  if (kind === 'tool_result') return 'tool';
  return kind === 'tool_call' ? 'assistant' : role;
}

function typeOf(part: Part): string {
  if (part.kind === 'media') return part.form;
  if (part.kind === 'text') return part.reasoning ? 'reasoning' : 'text';
  return part.kind === 'tool_result' ? 'tool_call_response' : part.kind;
}
