import { hash } from 'node:crypto';
import type { GrownList } from '../../model/grown-list.ts';
import { limits } from '../../model/limits.ts';
import { type ReadPiece, RepeatedLists } from '../../model/repeated-lists.ts';
import type { Rows } from '../../model/spool.ts';
import { RowWriter } from './rowbinary.ts';

/** The columns of otel_messages that are inserted, in this order. */
export const messagesColumns = ['Day', 'Conversation', 'Hash', 'Text'] as const;

/** A message of a list, where it stands in it from the start of the list. */
interface StoredMessage {
  readonly hash: string;
  readonly from: number;
  readonly to: number;
  /** A record on disk has its row, so later spans need only name it. */
  landed: boolean;
  /** The batch that has its row. */
  batch: number;
}

/** Where a list stands. */
export interface ListPlace {
  readonly conversation: string;
  /** Of the span, since the epoch. */
  readonly day: number;
  /** Of the attribute. */
  readonly name: string;
}

/** Rows of messages, and what to call when they are on disk. */
export interface MessageRows {
  readonly rows: Rows;
  landed(): void;
}

/**
 * Lists of messages, taken apart: each message is a row of its own, once for a conversation and a UTC day, and the list becomes the hashes
 * of its messages. The hash is 128 bits of SHA-256, as nobody may be able to write a message that another one is taken for. A
 * day has rows of its own, so that whatever a span names is dropped no earlier than the span.
 */
export class MessageRowWriter {
  readonly #lists = new RepeatedLists<StoredMessage>({
    read: readMessages,
    weightOf: (messages) => messages.length * 160,
    membersMax: limits.messagesPerListMax,
  });
  readonly #writer = new RowWriter(64 * 1024);
  #written: StoredMessage[] = [];
  #batch = 0;

  /**
   * What is stored in place of the list `bytes[start, end)`: hashes with spaces between them. Undefined when it must be stored as it is:
   * it is no list, or not worth it.
   */
  refer({ conversation, day, name }: ListPlace, bytes: Buffer, start: number, end: number): string | undefined {
    if (end - start < listBytesMin || conversation === '' || conversation.length > conversationCharsMax)
      return undefined;
    // What stands before the bracket at the end would stand behind a message where the list goes on.
    if (bytes[end - 2]! <= space) return undefined;
    const list = this.#lists.read(`${day} ${name} ${conversation}`, bytes, start, end);
    if (list === undefined || list.items.length * itemBytesMin(name) > end - start) return undefined;
    const named = namedIn(list);
    while (list.items[named.landed]?.landed) named.landed++;
    for (let at = named.landed; at < list.items.length; at++) {
      const message = list.items[at]!;
      if (!message.landed && message.batch !== this.#batch) this.#row(message, conversation, day, bytes, start);
    }
    return named.hashes;
  }

  /** The rows since the last call; undefined when there are none. */
  take(): MessageRows | undefined {
    const written = this.#written;
    this.#batch++;
    if (written.length === 0) return undefined;
    this.#written = [];
    return {
      rows: { table: 'otel_messages', bytes: this.#writer.take(), count: written.length },
      landed: () => {
        for (const message of written) message.landed = true;
      },
    };
  }

  #row(message: StoredMessage, conversation: string, day: number, bytes: Buffer, start: number): void {
    this.#writer.u16(day);
    this.#writer.string(conversation);
    this.#writer.string(message.hash);
    this.#writer.bytes(bytes, start + message.from, start + message.to);
    message.batch = this.#batch;
    this.#written.push(message);
  }
}

/** What spans say in place of a list, so that a call that goes on with it adds only its own. */
interface Named {
  hashes: string;
  count: number;
  /** So many messages from the first on have landed. */
  landed: number;
}

/** All messages of the list are named. */
function namedIn(list: GrownList<StoredMessage>): Named {
  const kept = list.derived<never>('named', () => 0, 0);
  kept.note ??= { hashes: '', count: 0, landed: 0 } satisfies Named;
  const named = kept.note as Named;
  const { count } = named;
  for (; named.count < list.items.length; named.count++) {
    const { hash } = list.items[named.count]!;
    named.hashes += named.hashes === '' ? hash : ` ${hash}`;
  }
  if (named.count > count) list.weigh((named.count - count) * (hashChars + 1));
  return named;
}

/**
 * Lists whose members are shorter on average are not worth it. Tools that are offered by their names alone stay where they are: they have no
 * definition, and so no hash among the facts of the span that would tell of them.
 */
function itemBytesMin(name: string): number {
  return name === 'gen_ai.tool.definitions' ? 128 : 2 * (hashChars + 1);
}

/** Shorter lists cost less than what names their messages. */
const listBytesMin = 512;
const conversationCharsMax = 512;

/**
 * Divides a list at its commas. A message is all between two of them, spaces too, so that putting the messages together gives the
 * same bytes again; whether they are JSON does not matter.
 */
function readMessages(bytes: Buffer, from: number, end: number, known: number): ReadPiece<StoredMessage> | undefined {
  const items: StoredMessage[] = [];
  const base = from - known;
  let depth = 0;
  let begin = from + 1;
  for (let at = begin; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === quote) at = closingQuote(bytes, at, end);
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if ((byte === comma || byte === 0x5d) && depth === 0) {
      if (byte === 0x5d && at !== end - 1) return undefined;
      items.push({ hash: digest(bytes, begin, at), from: begin - base, to: at - base, landed: false, batch: -1 });
      begin = at + 1;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return begin === end ? { members: items.length, items } : undefined;
}

/** Where a text ends, or the end of all. */
function closingQuote(bytes: Buffer, from: number, end: number): number {
  let at = from + 1;
  while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}

function digest(bytes: Buffer, from: number, to: number): string {
  return hash('sha256', bytes.subarray(from, to), 'base64url').slice(0, hashChars);
}

/** Of base64: 132 bits. */
const hashChars = 22;
const space = 0x20;
const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
