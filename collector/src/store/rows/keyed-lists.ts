import { isUtf8 } from 'node:buffer';
import type { FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { Redactor } from '../../model/redaction.ts';
import { keyedPlace } from '../../model/repeated-lists.ts';
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

/**
 * The keyed lists among the names of a run. Left out is what could not be told from something else when it is put together again: a
 * list beside an attribute that has its name alone, and names that are more than they look like.
 */
export function keyedListsIn(fields: FieldTable, { fields: run, order }: KeyShape): KeyedList[] {
  const found = new Map<string, { place: number; number: number; keyLength: number }[]>();
  const others = new Set<string>();
  for (const place of order) {
    const name = fields.name(run[place]!);
    const keyed = keyedPlace(name);
    if (keyed === undefined || !isWhole(name, fields.encodedName(run[place]!))) {
      others.add(name);
      continue;
    }
    const parts = found.get(keyed.list) ?? [];
    found.set(keyed.list, parts);
    parts.push({ place, number: keyed.number, keyLength: keyed.key.length });
  }
  return [...found].flatMap(([name, parts]) => {
    if (others.has(name) || parts.some(({ number }) => number >= limits.messagesPerListMax)) return [];
    // Those of one number stay as they are, by name.
    parts.sort((a, b) => a.number - b.number);
    return [
      {
        name,
        places: Uint16Array.from(parts, ({ place }) => place),
        numbers: Uint16Array.from(parts, ({ number }) => number),
        keyLengths: Uint16Array.from(parts, ({ keyLength }) => keyLength),
      },
    ];
  });
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
