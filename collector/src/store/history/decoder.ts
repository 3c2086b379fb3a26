import type { FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Attribute, Event, Link, Resource, Scope, Span, ValueType } from '../../model/span-batch.ts';
import { originalPrefix, redactedMark, typeLetters } from '../rows/attribute-types.ts';
import { HistoryBatch } from './batch.ts';
import type { ListForm } from './messages.ts';

/** What reading back could not give as the stream had it. */
export interface HistoryLosses {
  /** Spans stored without the types of their values, by an older version or another exporter: all values are text. */
  untyped: number;
  /** Values that were cut when they were stored. */
  cutValues: number;
  /** Spans of which something was redacted before they were stored. */
  redacted: number;
  /** Messages that spans name and that are not there. */
  missingMessages: number;
}

/**
 * Rows of the query in query.ts → offset tables over their bytes. Strings are not copied or decoded; only times that
 * Timestamp and Duration could not hold are written back, over the two numbers in the row.
 */
export class HistoryDecoder {
  readonly losses: HistoryLosses = { untyped: 0, cutValues: 0, redacted: 0, missingMessages: 0 };
  readonly #batch = new HistoryBatch();
  readonly #fields: FieldTable;
  readonly #followers = new Int32Array(followersMax);
  /** Resources of the batch that came last: where their maps and letters stand, and which row they are. */
  #known: KnownResource[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #pos = 0;
  #end = 0;
  #short = false;
  /** Of the row: where the text stands under whose name its messages are stored, and its length. */
  #conversation = 0;
  #conversationLength = 0;
  /** The field before, as in `#followers`. */
  #previous = 0;
  #types = 0;
  #typesEnd = 0;
  #attributes = 0;
  #events = 0;
  #links = 0;
  #resources = 0;

  constructor(fields: FieldTable) {
    this.#fields = fields;
  }

  /**
   * Reads as many whole rows as `bytes[from, end)` holds, at most `spansMax`. The batch is valid until the next call.
   * @returns the batch and where the first row begins that was not read.
   */
  decode(bytes: Buffer, from: number, end: number, spansMax: number): { batch: HistoryBatch; next: number } {
    this.#begin(bytes, from, end);
    const batch = this.#batch;
    let next = from;
    while (batch.spanCount < spansMax && this.#pos < end) {
      const before = { ...this.losses };
      const referred = batch.references.length;
      this.#row(batch.spanCount * Span.stride);
      if (this.#short) {
        Object.assign(this.losses, before);
        batch.references.length = referred;
        break;
      }
      batch.spanCount++;
      next = this.#pos;
    }
    batch.attributeCount = this.#attributes;
    return { batch, next };
  }

  #begin(bytes: Buffer, from: number, end: number): void {
    this.#fields.trim();
    this.#followers.fill(-1);
    this.#batch.bytes = bytes;
    this.#batch.spanCount = 0;
    this.#batch.references = [];
    this.#bytes = bytes;
    this.#pos = from;
    this.#end = end;
    this.#short = false;
    this.#known = [];
    this.#attributes = 0;
    this.#events = 0;
    this.#links = 0;
    this.#resources = 0;
  }

  #row(at: number): void {
    const batch = this.#batch;
    if (at + Span.stride > batch.spans.length) batch.spans = larger(batch.spans);
    const rows = batch.spans;
    const span = at / Span.stride;
    const start = this.#skip(8);
    const end = this.#skip(8);
    rows[at + Span.start] = start;
    rows[at + Span.end] = end;
    rows[at + Span.traceId] = this.#id(16);
    rows[at + Span.spanId] = this.#id(8);
    rows[at + Span.parentSpanId] = this.#id(8);
    this.#text(rows, at + Span.traceState);
    this.#text(rows, at + Span.name);
    rows[at + Span.kind] = Math.max(0, this.#byte() - 1);
    rows[at + Span.statusCode] = Math.max(0, this.#byte() - 1);
    this.#text(rows, at + Span.statusMessage);
    rows[at + Span.flags] = 0;
    rows[at + Span.scope] = span;
    if ((span + 1) * Scope.stride > batch.scopes.length) batch.scopes = larger(batch.scopes);
    this.#text(batch.scopes, span * Scope.stride + Scope.name);
    this.#text(batch.scopes, span * Scope.stride + Scope.version);
    batch.scopes[span * Scope.stride + Scope.attributes] = 0;
    batch.scopes[span * Scope.stride + Scope.attributeCount] = 0;
    this.#typesColumn(at, start, end);
    this.#conversationLength = this.#varint();
    this.#conversation = this.#skip(this.#conversationLength);
    rows[at + Span.attributes] = this.#attributes;
    rows[at + Span.attributeCount] = this.#map();
    rows[at + Span.resource] = this.#resource();
    this.#eventRows(at);
    this.#linkRows(at);
  }

  /** Finds the letters, and puts times in place that the columns could not hold. */
  #typesColumn(at: number, start: number, end: number): void {
    const length = this.#varint();
    this.#types = this.#skip(length);
    if (this.#short) return;
    const stop = this.#types + length;
    if (length === 0) this.losses.untyped++;
    let times = this.#types;
    while (times < stop && this.#bytes[times] !== atCode) times++;
    const isRedacted = times > this.#types && this.#bytes[times - 1] === redactedCode;
    if (isRedacted) this.losses.redacted++;
    this.#typesEnd = isRedacted ? times - 1 : times;
    if (times === stop) return;
    const [startText = '', endText = ''] = this.#bytes.toString('latin1', times + 1, stop).split(',');
    const rows = this.#batch.spans;
    rows[at + Span.start] = this.#time(start, startText);
    rows[at + Span.end] = this.#time(end, endText);
  }

  #time(offset: number, text: string): number {
    if (!/^\d{1,20}$/.test(text)) return -1;
    this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(text)), offset);
    return offset;
  }

  /** Reads a map into attribute rows and ends its section of letters; says how many there are. */
  #map(): number {
    const count = this.#varint();
    const first = this.#attributes;
    for (let i = 0; i < count && !this.#short; i++) this.#entry(i);
    while (this.#types < this.#typesEnd && this.#bytes[this.#types] !== barCode) this.#types++;
    this.#types++;
    return this.#attributes - first;
  }

  #entry(ordinal: number): void {
    const keyLength = this.#varint();
    const key = this.#skip(keyLength);
    const length = this.#varint();
    const value = this.#skip(length);
    if (this.#short) return;
    let letter = textCode;
    if (this.#types < this.#typesEnd && this.#bytes[this.#types] !== barCode) letter = this.#bytes[this.#types++]!;
    if (letter === addedCode || letter === addedMessagesCode) return;
    const batch = this.#batch;
    const at = this.#attributes++ * Attribute.stride;
    if (at + Attribute.stride > batch.attributes.length) batch.attributes = larger(batch.attributes);
    const rows = batch.attributes;
    const type = typeOfLetter(letter);
    // A capital: the attribute is the span's own under another name.
    const start = letter >= capitalA && letter <= capitalZ ? key + originalPrefix.length : key;
    rows[at + Attribute.field] = this.#field(start, key + keyLength, ordinal);
    rows[at + Attribute.type] = type;
    rows[at + Attribute.value] = type === ValueType.bool ? Number(this.#bytes[value] === trueCode) : value;
    rows[at + Attribute.length] = length;
    const form = forms[letter];
    if (form !== undefined) this.#refer(at, form);
    if (length > limits.attributeValueBytesMax - 8 && this.#isCut(value + length)) this.losses.cutValues++;
  }

  #refer(at: number, form: ListForm): void {
    const start = this.#conversation;
    const conversation = this.#bytes.toString('utf8', start, start + this.#conversationLength);
    this.#batch.references.push({ span: this.#batch.spanCount, at, conversation, form });
  }

  /** The maps are sorted by key, so after one key mostly the same one follows. */
  #field(start: number, end: number, ordinal: number): number {
    const previous = ordinal === 0 ? 0 : this.#previous;
    const guess = this.#followers[previous]!;
    const right = guess >= 0 && this.#fields.matches(guess, this.#bytes, start, end);
    const field = right ? guess : this.#fields.internBytes(this.#bytes, start, end);
    if (!right) this.#followers[previous] = field;
    this.#previous = field + 1 < followersMax ? field + 1 : 0;
    return field;
  }

  #isCut(end: number): boolean {
    return this.#bytes.toString('latin1', end - cutMark.length, end) === cutMark;
  }

  /** Most spans have the resource of one shortly before them; equal bytes are the same map. */
  #resource(): number {
    const bytes = this.#bytes;
    const letters = this.#sectionEnd() - this.#types;
    for (const known of this.#known) {
      const length = known.end - known.start;
      if (this.#pos + length > this.#end || letters !== known.letters) continue;
      if (bytes.compare(bytes, known.types, known.types + letters, this.#types, this.#types + letters) !== 0) continue;
      if (bytes.compare(bytes, known.start, known.end, this.#pos, this.#pos + length) !== 0) continue;
      this.#pos += length;
      this.#types += letters + 1;
      return known.row;
    }
    const batch = this.#batch;
    const row = this.#resources++;
    const at = row * Resource.stride;
    if (at + Resource.stride > batch.resources.length) batch.resources = larger(batch.resources);
    const known = { start: this.#pos, end: 0, types: this.#types, letters, row };
    batch.resources[at + Resource.attributes] = this.#attributes;
    batch.resources[at + Resource.attributeCount] = this.#map();
    batch.resources[at + Resource.schemaUrl] = 0;
    batch.resources[at + Resource.schemaUrlLength] = 0;
    this.#known.unshift({ ...known, end: this.#pos });
    if (this.#known.length > knownMax) this.#known.pop();
    return row;
  }

  #sectionEnd(): number {
    let at = this.#types;
    while (at < this.#typesEnd && this.#bytes[at] !== barCode) at++;
    return Math.max(at, this.#types);
  }

  #eventRows(at: number): void {
    const batch = this.#batch;
    const count = this.#varint();
    batch.spans[at + Span.events] = this.#events;
    batch.spans[at + Span.eventCount] = count;
    if (this.#short || count > this.#end - this.#pos) {
      this.#short = true;
      return;
    }
    while ((this.#events + count) * Event.stride > batch.events.length) batch.events = larger(batch.events);
    const rows = batch.events;
    const first = this.#events * Event.stride;
    const last = first + count * Event.stride;
    for (let row = first; row < last; row += Event.stride) rows[row + Event.time] = this.#skip(8);
    this.#varint();
    for (let row = first; row < last && !this.#short; row += Event.stride) this.#text(rows, row + Event.name);
    this.#varint();
    for (let row = first; row < last && !this.#short; row += Event.stride) {
      rows[row + Event.attributes] = this.#attributes;
      rows[row + Event.attributeCount] = this.#map();
    }
    this.#events += count;
  }

  #linkRows(at: number): void {
    const batch = this.#batch;
    const count = this.#varint();
    batch.spans[at + Span.links] = this.#links;
    batch.spans[at + Span.linkCount] = count;
    if (this.#short || count > this.#end - this.#pos + 1) {
      this.#short = true;
      return;
    }
    while ((this.#links + count) * Link.stride > batch.links.length) batch.links = larger(batch.links);
    const rows = batch.links;
    const first = this.#links * Link.stride;
    const last = first + count * Link.stride;
    for (let row = first; row < last; row += Link.stride) rows[row + Link.traceId] = this.#id(16);
    this.#varint();
    for (let row = first; row < last; row += Link.stride) rows[row + Link.spanId] = this.#id(8);
    this.#varint();
    for (let row = first; row < last && !this.#short; row += Link.stride) this.#text(rows, row + Link.traceState);
    this.#varint();
    for (let row = first; row < last && !this.#short; row += Link.stride) {
      rows[row + Link.attributes] = this.#attributes;
      rows[row + Link.attributeCount] = this.#map();
    }
    this.#links += count;
  }

  /** A binary id; -1 when it is not as long as one, as an empty parent is. */
  #id(length: number): number {
    const found = this.#varint();
    const start = this.#skip(found);
    return found === length ? start : -1;
  }

  #text(rows: Int32Array<ArrayBufferLike>, column: number): void {
    const length = this.#varint();
    rows[column] = this.#skip(length);
    rows[column + 1] = length;
  }

  #byte(): number {
    return this.#bytes[this.#skip(1)]!;
  }

  #skip(length: number): number {
    const start = this.#pos;
    this.#pos = start + length;
    if (this.#pos > this.#end) this.#short = true;
    return start;
  }

  #varint(): number {
    const bytes = this.#bytes;
    let value = 0;
    let factor = 1;
    while (this.#pos < this.#end) {
      const byte = bytes[this.#pos++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
    this.#short = true;
    return 0;
  }
}

interface KnownResource {
  readonly start: number;
  readonly end: number;
  readonly types: number;
  readonly letters: number;
  readonly row: number;
}

const followersMax = 4096;
const knownMax = 8;
const cutMark = ' bytes in all]';
const redactedCode = redactedMark.charCodeAt(0);
const atCode = '@'.charCodeAt(0);
const barCode = '|'.charCodeAt(0);
const trueCode = 't'.charCodeAt(0);
const textCode = typeLetters.string.charCodeAt(0);
const capitalA = 'A'.charCodeAt(0);
const capitalZ = 'Z'.charCodeAt(0);
/** By the code of the letter of an attribute that holds hashes. */
const forms: (ListForm | undefined)[] = [];
forms[typeLetters.messages.charCodeAt(0)] = 'list';
forms[typeLetters.messagesWithin.charCodeAt(0)] = 'within';
forms[typeLetters.keyedMessages.charCodeAt(0)] = 'keyed';
const addedCode = typeLetters.added.charCodeAt(0);
const addedMessagesCode = typeLetters.addedMessages.charCodeAt(0);

/** `ValueType` by the code of its letter; text for any that a newer version may add. */
const typeOf = new Uint8Array(256).fill(ValueType.string);
for (const [name, type] of Object.entries(ValueType)) {
  if (type === ValueType.bytes) continue;
  const letter = typeLetters[name as keyof typeof ValueType];
  typeOf[letter.charCodeAt(0)] = type;
  typeOf[letter.toUpperCase().charCodeAt(0)] = type;
}

/** The `ValueType` that a letter stands for, by its code. */
export function typeOfLetter(code: number): number {
  return typeOf[code] ?? ValueType.string;
}

export function larger(rows: Int32Array<ArrayBufferLike>): Int32Array<ArrayBufferLike> {
  const copy = new Int32Array(rows.length * 2);
  copy.set(rows);
  return copy;
}
