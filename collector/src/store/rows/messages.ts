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
  /** What stood around lists, by where and hash. */
  readonly #pieces = new Map<string, StoredMessage>();
  readonly #writer = new RowWriter(64 * 1024);
  #written: StoredMessage[] = [];
  #batch = 0;

  /**
   * What is stored in place of the list `bytes[start, end)`: hashes with spaces between them. Undefined when it must be stored as it is:
   * it is no list, or not worth it.
   */
  refer(place: ListPlace, bytes: Buffer, start: number, end: number): string | undefined {
    if (end - start < listBytesMin || !isPlace(place)) return undefined;
    // What stands before the bracket at the end would stand behind a message where the list goes on.
    if (bytes[end - 2]! <= space) return undefined;
    const sent = this.#lists.find(sessionOf(place), bytes, start, end);
    const list = sent && this.#lists.read(sent, bytes, start, end);
    if (list === undefined || list.items.length * itemBytesMin(place.name) > end - start) return undefined;
    const named = namedIn(list);
    while (list.items[named.landed]?.landed) named.landed++;
    for (let at = named.landed; at < list.items.length; at++) {
      const message = list.items[at]!;
      this.#row(message, place, bytes, start + message.from, start + message.to);
    }
    return named.hashes;
  }

  /**
   * The same for a JSON object with a list of messages in it, as requests to models are: what stands before and behind the messages are
   * rows, too, and the first and the last hash.
   */
  referWithin(place: ListPlace, bytes: Buffer, start: number, end: number): string | undefined {
    if (end - start < listBytesMin || end - start > limits.repeatedListBytesMax || !isPlace(place)) return undefined;
    const open = messagesIn(bytes, start, end);
    if (open < 0) return undefined;
    const known = this.#lists.known(sessionOf(place), bytes, open, end);
    const close = closingBracket(bytes, open + Math.max(known, 1), end);
    const hashes = close < 0 ? undefined : this.refer(place, bytes, open, close + 1);
    if (hashes === undefined) return undefined;
    return `${this.#piece(place, bytes, start, open + 1)} ${hashes} ${this.#piece(place, bytes, close, end)}`;
  }

  /** The hash of a text that is not in a list; calls of a conversation mostly have the same. */
  #piece(place: ListPlace, bytes: Buffer, from: number, to: number): string {
    const hash = digest(bytes, from, to);
    const key = `${sessionOf(place)} ${hash}`;
    let piece = this.#pieces.get(key);
    if (piece === undefined) {
      if (this.#pieces.size >= piecesMax) this.#pieces.clear();
      piece = { hash, from, to, landed: false, batch: -1 };
      this.#pieces.set(key, piece);
    }
    this.#row(piece, place, bytes, from, to);
    return hash;
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

  /** Unless it has one. */
  #row(message: StoredMessage, { conversation, day }: ListPlace, bytes: Buffer, from: number, to: number): void {
    if (message.landed || message.batch === this.#batch) return;
    this.#writer.u16(day);
    this.#writer.string(conversation);
    this.#writer.string(message.hash);
    this.#writer.bytes(bytes, from, to);
    message.batch = this.#batch;
    this.#written.push(message);
  }
}

function isPlace({ conversation }: ListPlace): boolean {
  return conversation !== '' && conversation.length <= conversationCharsMax;
}

function sessionOf({ conversation, day, name }: ListPlace): string {
  return `${day} ${name} ${conversation}`;
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
/** So far into an object a list is looked for. */
const headBytesMax = 64 * 1024;
/** Texts around lists that are remembered; what is forgotten is a row again. */
const piecesMax = 4_096;

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

/** Where the list `messages` of a JSON object begins; -1 without one. */
function messagesIn(bytes: Buffer, start: number, end: number): number {
  const stop = Math.min(end, start + headBytesMax);
  let depth = 0;
  for (let at = start; at < stop; at++) {
    const byte = bytes[at]!;
    if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === quote) {
      const close = closingQuote(bytes, at, stop);
      const list =
        depth === 1 && close - at === 9 && bytes.toString('latin1', at + 1, close) === 'messages'
          ? listAt(bytes, close)
          : -1;
      if (list >= 0) return list;
      at = close;
    }
    if (depth < 1) return -1;
  }
  return -1;
}

/** Behind the key that ends at `key`. LangChain has several lists in one, mostly of one. */
function listAt(bytes: Buffer, key: number): number {
  const colon = pastSpace(bytes, key + 1);
  const at = pastSpace(bytes, colon + 1);
  if (bytes[colon] !== 0x3a || bytes[at] !== 0x5b) return -1;
  return bytes[at + 1] === 0x5b ? at + 1 : at;
}

function pastSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === space) at++;
  return at;
}

/** Of the list in which `from` stands between two members or before the first one; -1 when it does not end. */
function closingBracket(bytes: Buffer, from: number, end: number): number {
  let depth = 0;
  for (let at = from; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === quote) at = closingQuote(bytes, at, end);
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x5d && depth === 0) return at;
    else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return -1;
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
