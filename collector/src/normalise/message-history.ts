import { limits } from '../model/limits.ts';
import type { Value } from '../model/value.ts';
import { listedMessages, type Message, messagesMax } from './messages.ts';

export interface MessageHistoryBounds {
  readonly bytesMax: number;
  readonly listBytesMax: number;
}

/** A list that was read, without the bracket at its end. */
interface Kept {
  bytes: Buffer;
  length: number;
  /** How many members it has; a member may give several messages or none. */
  members: number;
  /** About what it takes, with the messages; in bytes. */
  weight: number;
  messages: readonly Message[];
}

/**
 * Calls of a model repeat the conversation. A JSON list of messages that begins, byte for byte, like one that came before in the
 * same session is not read again: the messages of the beginning are the same objects as then, and only what stands behind is parsed.
 * What comes out is what `parseMessages` gives; a list that is forgotten, or that another call began differently, is read as a whole.
 */
export class MessageHistory {
  /** Lists of a session, by use: several agents may talk in one. Sessions by use, too. */
  readonly #sessions = new Map<string, Kept[]>();
  readonly #bounds: MessageHistoryBounds;
  #weight = 0;

  constructor(bounds: Partial<MessageHistoryBounds> = {}) {
    this.#bounds = {
      bytesMax: limits.messageHistoryBytesMax,
      listBytesMax: limits.messageHistoryListBytesMax,
      ...bounds,
    };
  }

  /** About what is kept, in bytes. */
  get weight(): number {
    return this.#weight;
  }

  /** The messages of the JSON text `bytes[start, end)`; undefined when it is no list that can be read this way. */
  read(session: string, bytes: Buffer, start: number, end: number): readonly Message[] | undefined {
    const stop = end - 1;
    if (end - start > this.#bounds.listBytesMax || bytes[start] !== open || bytes[stop] !== close) return undefined;
    let last = stop;
    while (last > start && isSpace(bytes[last - 1]!)) last--;
    const lists = this.#sessions.get(session) ?? [];
    const known = longest(lists, bytes, start, last);
    const from = known === undefined ? start : start + known.length;
    const added = from === last ? [] : parsedList(bytes, from, end);
    if (added === undefined || added.length + (known?.members ?? 0) > messagesMax) return undefined;
    const more = listedMessages(added);
    const messages = known === undefined ? more : more.length === 0 ? known.messages : known.messages.concat(more);
    const kept = known ?? { bytes: Buffer.alloc(0), length: 0, members: 0, messages, weight: 0 };
    const before = kept.weight;
    kept.weight += grow(kept, bytes, start, last) + weightOf(more);
    kept.members += added.length;
    kept.messages = messages;
    this.#weight += kept.weight - before;
    this.#keep(session, lists, kept);
    return messages.length > messagesMax ? messages.slice(-messagesMax) : messages;
  }

  #keep(session: string, lists: readonly Kept[], kept: Kept): void {
    const all = [kept, ...lists.filter((each) => each !== kept)];
    for (const gone of all.splice(listsPerSessionMax)) this.#weight -= gone.weight;
    this.#sessions.delete(session);
    this.#sessions.set(session, all);
    for (const [stalest, gone] of this.#sessions) {
      if (this.#weight <= this.#bounds.bytesMax && this.#sessions.size <= limits.messageHistorySessionsMax) break;
      this.#sessions.delete(stalest);
      for (const each of gone) this.#weight -= each.weight;
    }
  }
}

const listsPerSessionMax = 4;

/** Copies what is new; says how much larger the list has become, with the texts that were parsed of it. */
function grow(kept: Kept, bytes: Buffer, start: number, last: number): number {
  const length = last - start;
  const added = length - kept.length;
  const room = kept.bytes.length;
  if (length > room) {
    const larger = Buffer.allocUnsafeSlow(Math.max(512, length + (length >> 2)));
    kept.bytes.copy(larger, 0, 0, kept.length);
    kept.bytes = larger;
  }
  bytes.copy(kept.bytes, kept.length, start + kept.length, last);
  kept.length = length;
  return added + kept.bytes.length - room;
}

/** Objects beside the texts: tiny messages take more than their JSON. */
function weightOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { parts }) => sum + 128 + 96 * parts.length, 0);
}

/** The longest list that `bytes[start, last)` is or goes on with. */
function longest(lists: readonly Kept[], bytes: Buffer, start: number, last: number): Kept | undefined {
  let best: Kept | undefined;
  for (const each of lists) {
    const end = start + each.length;
    if (end > last || (end < last && bytes[end] !== comma) || each.length <= (best?.length ?? 0)) continue;
    if (bytes.compare(each.bytes, 0, each.length, start, end) === 0) best = each;
  }
  return best;
}

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

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

const open = 0x5b;
const close = 0x5d;
const comma = 0x2c;
