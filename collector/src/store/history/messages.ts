import type { FieldTable } from '../../model/fields.ts';
import { Attribute } from '../../model/span-batch.ts';
import type { StoreClient } from '../client.ts';
import type { HistoryBatch } from './batch.ts';
import { keyedAttributes, spread } from './keyed-messages.ts';

/** A list of messages in a batch that stands there as hashes. */
export interface Reference {
  readonly span: number;
  /** Where its attribute row begins, before any list of the span was put in place. */
  readonly at: number;
  /** Under which its messages are stored. */
  readonly conversation: string;
  readonly form: ListForm;
}

/** What it was: a JSON list, one in a JSON object, or one of which each message had attributes of its own. */
export type ListForm = 'list' | 'within' | 'keyed';

/** Spans whose messages are fetched at once, and bytes of lists put together for one batch. */
const spansAtOnce = 64;
const bytesMax = 64 * 1024 * 1024;
const cacheBytesMax = 64 * 1024 * 1024;
/** The hashes stand in the address of the request. */
const hashesPerQuery = 1_000;
const gone = Buffer.from('null');

/** Puts the lists of messages that spans name by hashes back in their place. */
export class MessageResolver {
  readonly #client: StoreClient;
  readonly #fields: FieldTable;
  /** Conversations go on: the texts of one call are those of the next. */
  #texts = new Map<string, Buffer>();
  #bytes = 0;
  #missing = 0;

  constructor(client: StoreClient, fields: FieldTable) {
    this.#client = client;
    this.#fields = fields;
  }

  /**
   * Changes the batch so that its first spans have their lists, at least one of them; gives how many. When there is too much of
   * their messages for one batch, these are not all. Of messages that were not found, which are counted, `null` stands in their
   * place. Rejects with the client's error.
   */
  async resolve(batch: HistoryBatch): Promise<{ readonly spans: number; readonly missing: number }> {
    this.#missing = 0;
    let spans = batch.spanCount;
    const parts: Buffer[] = [batch.bytes];
    let length = batch.bytes.length;
    const before = length;
    const append = (bytes: Buffer): number => {
      parts.push(bytes);
      length += bytes.length;
      return length - bytes.length;
    };
    for (let from = 0; from < batch.references.length; from += spansAtOnce) {
      const group = batch.references.slice(from, from + spansAtOnce).map((each) => this.#named(batch, each));
      await this.#fetch(group);
      for (const each of group) {
        if (length - before > bytesMax) {
          spans = each.span;
          break;
        }
        this.#put(batch, each, append);
      }
      if (length - before > bytesMax) break;
    }
    batch.bytes = Buffer.concat(parts, length);
    return { spans, missing: this.#missing };
  }

  #named(batch: HistoryBatch, reference: Reference): Named {
    const { at } = reference;
    const start = batch.attributes[at + Attribute.value]!;
    const text = batch.bytes.toString('latin1', start, start + batch.attributes[at + Attribute.length]!);
    return { ...reference, hashes: text.split(' ') };
  }

  /** Puts a list in place of its hashes. Its row may be another one since a list of keys was put into the same span. */
  #put(batch: HistoryBatch, named: Named, append: (bytes: Buffer) => number): void {
    const field = batch.attributes[named.at + Attribute.field]!;
    const at = batch.findSpanAttribute(named.span, field) * Attribute.stride;
    if (named.form === 'keyed') {
      const messages = named.hashes.map((hash) => this.#text(named.conversation, hash)?.toString());
      const attributes = keyedAttributes(this.#fields.name(field), messages);
      spread(batch, this.#fields, { span: named.span, at }, attributes, append);
      return;
    }
    const list = this.#list(named);
    batch.attributes[at + Attribute.value] = append(list);
    batch.attributes[at + Attribute.length] = list.length;
  }

  #list({ conversation, hashes, form }: Named): Buffer {
    const texts = hashes.map((hash) => this.#text(conversation, hash) ?? gone);
    const [before, behind] = form === 'within' ? [texts.shift()!, texts.pop()!] : [open, close];
    return Buffer.concat([before, ...texts.flatMap((text, i) => (i === 0 ? [text] : [comma, text])), behind]);
  }

  /** Undefined, and counted, when it is not there. */
  #text(conversation: string, hash: string): Buffer | undefined {
    const text = this.#texts.get(keyOf(conversation, hash));
    if (text === undefined) this.#missing++;
    return text;
  }

  async #fetch(group: readonly Named[]): Promise<void> {
    if (this.#bytes > cacheBytesMax) {
      this.#texts = new Map();
      this.#bytes = 0;
    }
    const conversations = new Set<string>();
    const wanted = new Set<string>();
    for (const { conversation, hashes } of group) {
      for (const hash of hashes) {
        if (this.#texts.has(keyOf(conversation, hash))) continue;
        conversations.add(conversation);
        wanted.add(hash);
      }
    }
    const all = [...wanted];
    for (let from = 0; from < all.length; from += hashesPerQuery) {
      await this.#query([...conversations], all.slice(from, from + hashesPerQuery));
    }
  }

  async #query(conversations: readonly string[], hashes: readonly string[]): Promise<void> {
    const { stream } = await this.#client.exec({
      query: `SELECT Conversation, Hash, Text FROM otel_messages
WHERE Conversation IN {conversations:Array(String)} AND Hash IN {hashes:Array(String)}
LIMIT 1 BY Conversation, Hash
FORMAT RowBinary`,
      query_params: { conversations, hashes },
    });
    const bytes = Buffer.concat(await (stream as AsyncIterable<Buffer> & { toArray(): Promise<Buffer[]> }).toArray());
    for (let at = 0; at < bytes.length; ) {
      const [conversation, afterConversation] = stringAt(bytes, at);
      const [hash, afterHash] = stringAt(bytes, afterConversation);
      const [text, next] = stringAt(bytes, afterHash);
      const key = keyOf(conversation.toString(), hash.toString());
      if (!this.#texts.has(key)) this.#bytes += text.length;
      this.#texts.set(key, Buffer.from(text));
      at = next;
    }
  }
}

interface Named extends Reference {
  readonly hashes: readonly string[];
}

function keyOf(conversation: string, hash: string): string {
  return `${hash} ${conversation}`;
}

/** A String of RowBinary, and where the next value begins. */
function stringAt(bytes: Buffer, at: number): [Buffer, number] {
  let length = 0;
  let start = at;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[start++]!;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (!(start + length <= bytes.length)) throw new Error('the answer ended in the middle of a row');
  return [bytes.subarray(start, start + length), start + length];
}

const open = Buffer.from('[');
const comma = Buffer.from(',');
const close = Buffer.from(']');
