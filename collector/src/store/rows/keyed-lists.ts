import { isUtf8 } from 'node:buffer';
import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { Redactor } from '../../model/redaction.ts';
import { keyedLists, keyedPlace } from '../../model/repeated-lists.ts';
import { Attribute, type AttributeSource, ValueType } from '../../model/span-batch.ts';
import { valueText } from '../../model/value.ts';
import { letterOf } from './attribute-types.ts';
import type { KeyShape } from './key-budget.ts';
import { KeyedJsonHistory } from './keyed-json-history.ts';
import { RowWriter } from './rowbinary.ts';

/**
 * A list of which each member has attributes `<name>.<number>.<key>`: these by number and key. As many are remembered as senders like to
 * make, so it is numbers alone.
 */
export interface KeyedList {
  readonly name: string;
  /** Of each attribute the place in the run, its number, and how long the key is. */
  readonly places: Uint16Array;
  readonly numbers: Uint16Array;
  readonly keyLengths: Uint16Array;
}

/** Of names what they are in a keyed list, each looked at once. */
export class KeyedPlaces {
  readonly #fields: FieldTable;
  /** By field: 0 where it was not looked at, -1 for other names, else one more than the list, the number, and the length of the key. */
  #known = new Int32Array(1024);

  constructor(fields: FieldTable) {
    this.#fields = fields;
  }

  /** To be called when ids of names are others. */
  clear(): void {
    this.#known.fill(0);
  }

  of(field: FieldId): number {
    return this.#known[field] || this.#look(field);
  }

  #look(field: FieldId): number {
    if (field >= this.#known.length) {
      const larger = new Int32Array(Math.max(field + 1, this.#known.length * 2));
      larger.set(this.#known);
      this.#known = larger;
    }
    const name = this.#fields.name(field);
    const keyed = isWhole(name, this.#fields.encodedName(field)) ? keyedPlace(name) : undefined;
    const list = keyed === undefined ? -1 : keyedLists.indexOf(keyed.list) + 1;
    this.#known[field] = list < 0 ? -1 : (list << listBits) | (keyed!.number << numberBits) | keyed!.key.length;
    return this.#known[field]!;
  }
}

const listBits = 25;
/** Keys of attributes are no longer than the bits below. */
const numberBits = 11;

/**
 * The keyed lists among the names of a run. Left out is what could not be told from something else when it is put together again: a
 * list beside an attribute that has its name alone, and names that are more than they look like.
 */
export function keyedListsIn(fields: FieldTable, known: KeyedPlaces, { fields: run, order }: KeyShape): KeyedList[] {
  const found: KeyedPart[][] = keyedLists.map(() => []);
  const alone = new Set<string>();
  for (const place of order) {
    const keyed = known.of(run[place]!);
    if (keyed < 0) {
      alone.add(fields.name(run[place]!));
      continue;
    }
    const number = (keyed >>> numberBits) & ((1 << (listBits - numberBits)) - 1);
    found[(keyed >>> listBits) - 1]!.push({ place, number, keyLength: keyed & ((1 << numberBits) - 1) });
  }
  return found.flatMap((parts, i) => {
    const name = keyedLists[i]!;
    if (parts.length === 0 || alone.has(name)) return [];
    return parts.some(({ number }) => number >= limits.messagesPerListMax) ? [] : [byNumber(name, parts)];
  });
}

interface KeyedPart {
  readonly place: number;
  readonly number: number;
  readonly keyLength: number;
}

/** Those of one number stay as they are, by name. */
function byNumber(name: string, parts: readonly KeyedPart[]): KeyedList {
  const places = new Uint16Array(parts.length);
  const numbers = new Uint16Array(parts.length);
  const keyLengths = new Uint16Array(parts.length);
  const next = new Uint16Array(parts.reduce((most, { number }) => Math.max(most, number), 0) + 2);
  for (const { number } of parts) next[number + 1]!++;
  for (let number = 1; number < next.length; number++) next[number]! += next[number - 1]!;
  for (const { place, number, keyLength } of parts) {
    const at = next[number]!++;
    places[at] = place;
    numbers[at] = number;
    keyLengths[at] = keyLength;
  }
  return { name, places, numbers, keyLengths };
}

/** Names of letters of ASCII may have more in front of them that no text shows, as a byte order mark. */
function isWhole(name: string, encoded: Uint8Array): boolean {
  return encoded.length === name.length + (name.length > 127 ? 2 : 1);
}

/**
 * Writes a keyed list as JSON, each member an object of what stands behind the number, by name. A text is a text; any other value, which is
 * stored as text, is `[<letter of its type>, <text>]`.
 */
export class KeyedListWriter {
  #writer = new RowWriter(bufferBytes);
  readonly #history: KeyedJsonHistory;
  /** Where the members end that were written, without their brackets. */
  readonly #ends: number[] = [];
  readonly #fields: FieldTable;
  readonly #redactor: Redactor | undefined;

  constructor(fields: FieldTable, redactor: Redactor | undefined) {
    this.#fields = fields;
    this.#redactor = redactor;
    this.#history = new KeyedJsonHistory(fields);
  }

  /**
   * Of the run that begins at row `first`; valid until the next call. Undefined for a list that is to be stored as it is.
   * @param conversation whose calls may have sent the list before
   */
  write(list: KeyedList, batch: AttributeSource, first: number, conversation: () => string): Buffer | undefined {
    if (!this.#isWorthwhile(list, batch, first)) return undefined;
    if (this.#writer.buffer.length > bufferBytesMax) this.#writer = new RowWriter(bufferBytes);
    const writer = this.#writer;
    writer.reset();
    const known = this.#history.find(`${list.name} ${conversation()}`, list, batch, first);
    const from = known?.rows ?? 0;
    if (known !== undefined) {
      writer.raw(known.json, 0, known.end);
      this.#redactAgain(list, batch, first, from);
    }
    this.#ends.length = 0;
    let next = from === 0 ? 0 : list.numbers[from - 1]! + 1;
    for (let i = from; i < list.places.length; i++) {
      const [place, number] = [list.places[i]!, list.numbers[i]!];
      if (number >= next) next = this.#begin(next, number);
      else writer.u8(comma);
      const name = this.#fields.encodedName(batch.attributes[(first + place) * Attribute.stride]!);
      writer.u8(quote);
      writer.raw(name, name.length - list.keyLengths[i]!, name.length);
      writer.u8(quote);
      writer.u8(colon);
      this.#value(batch, first + place);
      if (list.numbers[i + 1] !== number) this.#ends.push(writer.length);
    }
    writer.u8(closeBrace);
    writer.u8(closeBracket);
    const json = writer.view();
    // Bytes that are no text could not be read from JSON again.
    if (!isUtf8(json.subarray(known?.end ?? 0))) return undefined;
    this.#history.note(json, this.#ends);
    return json;
  }

  /** What is taken out of values that are not looked at again is counted with each call. */
  #redactAgain({ places }: KeyedList, { attributes }: AttributeSource, first: number, count: number): void {
    if (this.#redactor === undefined) return;
    for (let i = 0; i < count; i++) {
      const at = (first + places[i]!) * Attribute.stride;
      const [field, start] = [attributes[at + Attribute.field]!, attributes[at + Attribute.value]!];
      this.#redactor.value(field, start, attributes[at + Attribute.length]!);
    }
  }

  /** Ends the member before, and begins that with a number, with empty ones for numbers that no attribute has; gives the number behind it. */
  #begin(next: number, number: number): number {
    const writer = this.#writer;
    for (let each = next; each <= number; each++) {
      if (each > 0) writer.u8(closeBrace);
      writer.u8(each === 0 ? openBracket : comma);
      writer.u8(openBrace);
    }
    return number + 1;
  }

  /** Looks at sizes before anything is copied or redacted. */
  #isWorthwhile({ places }: KeyedList, { attributes }: AttributeSource, first: number): boolean {
    let bytes = 0;
    for (const place of places) {
      const at = (first + place) * Attribute.stride;
      if (this.#redactor?.name(attributes[at + Attribute.field]!) !== undefined) return false;
      if (lengthy.has(attributes[at + Attribute.type]!)) bytes += attributes[at + Attribute.length]!;
    }
    return bytes >= keyedBytesMin && bytes <= limits.repeatedListBytesMax;
  }

  #value(batch: AttributeSource, row: number): void {
    const at = row * Attribute.stride;
    const field = batch.attributes[at + Attribute.field]!;
    const type = batch.attributes[at + Attribute.type]!;
    if (type !== ValueType.string) {
      const text = valueText(batch.attributeValue(row));
      this.#typed(letterOf(type), this.#redactor?.text(text, this.#fields.name(field)) ?? text);
      return;
    }
    const start = batch.attributes[at + Attribute.value]!;
    const length = batch.attributes[at + Attribute.length]!;
    const redacted = this.#redactor?.value(field, start, length);
    if (redacted === undefined) this.#text(batch.bytes, start, start + length);
    else this.#string(redacted);
  }

  #typed(letter: string, text: string): void {
    if (letter === letterOf(ValueType.string)) {
      this.#string(text);
      return;
    }
    this.#writer.u8(openBracket);
    this.#string(letter);
    this.#writer.u8(comma);
    this.#string(text);
    this.#writer.u8(closeBracket);
  }

  #string(text: string): void {
    const bytes = Buffer.from(text);
    this.#text(bytes, 0, bytes.length);
  }

  #text(bytes: Buffer, start: number, end: number): void {
    const writer = this.#writer;
    writer.u8(quote);
    let from = start;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      if (isPlain[byte] === 1) continue;
      writer.raw(bytes, from, at);
      writer.raw(escapes[byte]!, 0, escapes[byte]!.length);
      from = at + 1;
    }
    writer.raw(bytes, from, end);
    writer.u8(quote);
  }
}

/** Shorter lists are not worth it. */
const keyedBytesMin = 256;
/** Kept for the next list, and what of it is not kept. */
const bufferBytes = 64 * 1024;
const bufferBytesMax = 4 * 1024 * 1024;
/** Values whose bytes stand in the request, by their length. */
const lengthy: ReadonlySet<number> = new Set([ValueType.string, ValueType.bytes, ValueType.array, ValueType.map]);
const quote = 0x22;
const colon = 0x3a;
const comma = 0x2c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** By byte: how JSON says it in a text. */
const escapes = Array.from({ length: 0x5d }, (_, code) =>
  Buffer.from(JSON.stringify(String.fromCharCode(code)).slice(1, -1)),
);
const isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= escapes.length || escapes[byte]!.length === 1 ? 1 : 0,
);
