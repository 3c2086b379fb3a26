import { GrownList } from '../../model/grown-list.ts';
import type { Value } from '../../model/value.ts';
import { listedMessages, type Message } from '../messages.ts';
import { messageJson } from './form.ts';

/** The messages of members that are the same object in several lists. */
const translated = new WeakMap<object, readonly Message[]>();

/** Messages that were sent, out of a list that grows: each member is translated once, and each message written once. */
export class TranslatedList {
  readonly list: GrownList<Message>;
  readonly #members: GrownList<Value>;
  /** How many messages each member and those before it gave. */
  readonly #ends: number[] = [];
  /** All messages as JSON, but for the bracket at the end, and where each of them ends. */
  #text = '';
  readonly #textEnds: number[] = [];

  /** The one of a list; there is one for each. */
  static of(members: GrownList<Value>): TranslatedList {
    const kept = members.derived<never>('messages', () => 0, 0);
    kept.note ??= new TranslatedList(members);
    return kept.note as TranslatedList;
  }

  private constructor(members: GrownList<Value>) {
    this.#members = members;
    this.list = new GrownList<Message>(members.weigh);
    this.list.isPlain = false;
  }

  /** Those that the first `count` members give, as `parseMessages` reads them; without those that have no parts. */
  messages(count: number): readonly Message[] {
    const { items } = this.list;
    const before = items.length;
    for (let at = this.#ends.length; at < count; at++) {
      for (const message of messagesOf(this.#members.items[at]!)) items.push(message);
      this.#ends.push(items.length);
    }
    if (items.length > before) this.list.weigh((items.length - before) * messageBytes);
    return items.slice(0, count === 0 ? 0 : this.#ends[count - 1]);
  }

  /** The first `count` messages, at least one, as JSON. */
  json(count: number): string {
    const { items } = this.list;
    const length = this.#text.length;
    let added = '';
    for (let at = this.#textEnds.length; at < count; at++) {
      added += (at === 0 ? '[' : ',') + messageJson(items[at]!);
      this.#textEnds.push(length + added.length);
    }
    if (added !== '') {
      this.#text = flat(this.#text + added);
      this.list.weigh(added.length + 8);
    }
    const end = this.#textEnds[count - 1]!;
    return `${end === this.#text.length ? this.#text : this.#text.slice(0, end)}]`;
  }
}

function messagesOf(member: Value): readonly Message[] {
  const known = translated.get(member as object);
  if (known !== undefined) return known;
  const messages = listedMessages([member]).filter(({ parts }) => parts.length > 0);
  translated.set(member as object, messages);
  return messages;
}

/** V8 keeps a sum of texts as a tree until a character of it is asked for; a tree would grow with each call. */
function flat(text: string): string {
  text.charCodeAt(0);
  return text;
}

const messageBytes = 256;
