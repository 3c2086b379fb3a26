import type { GrownList } from '../model/grown-list.ts';
import { type FoundList, RepeatedLists, type RepeatedListsBounds } from '../model/repeated-lists.ts';
import type { Value } from '../model/value.ts';
import { listedMessages, type Message, messagesMax } from './messages.ts';
import { isPlainJson } from './raw-values.ts';

/** For fewer messages what is kept with a list takes more than it saves. */
export const listedMessagesMin = 8;

/** The conversations of sessions, of which each call is read from where the one before ended. What comes out is what `parseMessages` gives. */
export class MessageHistory {
  readonly #lists: RepeatedLists<Message>;
  #last: { readonly messages: readonly Message[]; readonly list: GrownList<Message> } | undefined;

  constructor(bounds: Partial<RepeatedListsBounds> = {}) {
    this.#lists = new RepeatedLists<Message>({
      read: (bytes, from, end) => {
        const members = parsedList(bytes, from, end);
        return members && { members: members.length, items: listedMessages(members) };
      },
      weightOf,
      membersMax: messagesMax,
      bounds,
    });
  }

  /** About what is kept, in bytes. */
  get weight(): number {
    return this.#lists.weight;
  }

  /** The conversation that the JSON text `bytes[start, end)` may go on with, of which no message is read for that; undefined when it is no list. */
  find(session: string, bytes: Buffer, start: number, end: number): SentMessages | undefined {
    const sent = this.#lists.find(session, bytes, start, end);
    if (sent?.list.isPlain) sent.list.isPlain = isPlainJson(bytes.subarray(start + sent.known, end));
    return sent;
  }

  /** The messages of a conversation that was found in `bytes[start, end)`; undefined when it cannot be read this way. */
  read(sent: SentMessages, bytes: Buffer, start: number, end: number): readonly Message[] | undefined {
    const list = this.#lists.read(sent, bytes, start, end);
    if (list === undefined) return undefined;
    // A member may give several messages, or none.
    const messages = list.items.slice(-messagesMax);
    this.#last = messages.length === list.items.length ? { messages, list } : undefined;
    return messages;
  }

  /** The list whose first items these messages are; undefined when they were not the last that were read here. */
  listOf(messages: readonly Message[]): GrownList<Message> | undefined {
    return this.#last?.messages === messages ? this.#last.list : undefined;
  }
}

export type SentMessages = FoundList<Message>;

/** Members of the list that begins with the bracket, or behind a list that goes on with the comma, at `from`. */
function parsedList(bytes: Buffer, from: number, end: number): readonly Value[] | undefined {
  const text = bytes.toString('utf8', from, end);
  try {
    const parsed = JSON.parse(text.startsWith(',') ? `[${text.slice(1)}` : text) as Value;
    // Behind a comma something has to stand, or the whole is no JSON.
    return Array.isArray(parsed) && parsed.length > 0 ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Objects beside the texts: tiny messages take more than their JSON. */
function weightOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { parts }) => sum + 128 + 96 * parts.length, 0);
}
