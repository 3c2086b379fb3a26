import { hash } from 'node:crypto';
import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { Redactor } from '../../model/redaction.ts';
import { listAttributes } from '../../model/repeated-lists.ts';
import { Attribute, type AttributeSource, ValueType } from '../../model/span-batch.ts';
import type { AddedAttribute } from '../../model/span-events.ts';
import { valueText } from '../../model/value.ts';
import { AttributeShapes, compareNames, type Shape } from './attribute-shapes.ts';
import { originalPrefix, type Referred, TypeNotes } from './attribute-types.ts';
import type { KeyPlace, ServiceKeys } from './key-budget.ts';
import { KeyedListWriter } from './keyed-lists.ts';
import { OverflowText, overflowKey } from './overflow-text.ts';
import { RecentValues } from './recent-values.ts';
import type { RowWriter } from './rowbinary.ts';

/** What stands under a name of a row: an attribute of the span, one that was moved to another name, or one of ours. */
interface Entry {
  readonly name: string;
  readonly row?: number;
  readonly original?: true;
  readonly added?: AddedAttribute;
}

/** What names the messages of a keyed list. */
interface KeyedAttribute extends AddedAttribute {
  readonly isKeyedList?: true;
}

interface Refer {
  /** Whose messages they are. */
  conversation(): string;
  /** Hashes of the messages of a list, or of an object with a list in it; undefined for what is to be stored as it is. */
  list(name: string, bytes: Buffer, start: number, end: number): Reference | undefined;
}

interface Reference {
  readonly hashes: string;
  readonly how: Referred;
}

const listNames: ReadonlySet<string> = new Set(listAttributes);

/**
 * Runs of attributes → Map(LowCardinality(String), String), sorted by key: unsorted maps compress badly and make equal
 * maps unequal in GROUP BY. Values become text: numbers in decimal, lists and maps as JSON, bytes as base64.
 */
export class AttributeMapWriter {
  /** Values cut at `limits.attributeValueBytesMax`, since the start. */
  truncated = 0;
  /** What the values written since its reset were, for the column AttributeTypes. */
  readonly notes = new TypeNotes();
  readonly #fields: FieldTable;
  readonly #shapes: AttributeShapes;
  readonly #keyed: KeyedListWriter;
  /** Of a list of messages in the bytes what is stored in its place; undefined where lists are stored as they are. */
  refer: Refer | undefined;
  readonly #listed: ReadonlySet<FieldId>;
  /** Whose keys the maps have that are written next, and where; undefined where any key is stored. */
  keys: { readonly of: ServiceKeys; readonly place: KeyPlace } | undefined;
  readonly #recent = new RecentValues();
  #batch!: AttributeSource;

  readonly #redactor: Redactor | undefined;

  constructor(fields: FieldTable, redactor?: Redactor) {
    this.#fields = fields;
    this.#redactor = redactor;
    this.#shapes = new AttributeShapes(fields);
    this.#keyed = new KeyedListWriter(fields, redactor);
    this.#listed = new Set(listAttributes.map((name) => fields.intern(name)));
  }

  begin(batch: AttributeSource): void {
    this.#batch = batch;
    if (this.#shapes.begin()) this.#recent.clear();
    this.#redactor?.begin(batch);
  }

  /** Writes the map of the attribute rows [first, first + count), and those of `added`, by name, where they belong. */
  write(writer: RowWriter, first: number, count: number, added: readonly AddedAttribute[] = []): void {
    if (count === 0 && added.length === 0) {
      writer.u8(0);
      return;
    }
    const whole = this.#shapes.of(this.#batch, first, count);
    const named = this.refer === undefined ? undefined : this.#named(whole, first, added);
    const shape = named?.shape ?? whole;
    const all = named?.all ?? added;
    const split = this.keys?.of.split(this.keys.place, shape);
    if (split !== undefined && split.over.length > 0) {
      this.#withAdded(writer, first, split.kept, withOne(all, this.#overflow(first, split.over)));
      return;
    }
    const { order } = shape;
    if (all.length > 0) {
      this.#withAdded(writer, first, order, all);
      return;
    }
    writer.varint(order.length);
    for (let i = 0; i < order.length; i++) this.#entry(writer, first + order[i]!);
  }

  /** The run with each keyed list as one attribute that names the messages, where they are stored once. */
  #named(
    shape: Shape,
    first: number,
    added: readonly AddedAttribute[],
  ): { shape: Shape; all: readonly AddedAttribute[] } {
    let named = 0;
    let all = added;
    for (const [i, list] of this.#shapes.keyedLists(shape).entries()) {
      // What was added may correct one of its attributes, or have its name.
      if (added.some(({ name }) => name === list.name || name.startsWith(`${list.name}.`))) continue;
      const json = this.#keyed.write(list, this.#batch, first, this.refer!.conversation);
      const hashes = json && this.refer!.list(list.name, json, 0, json.length)?.hashes;
      if (hashes === undefined) continue;
      named |= 1 << i;
      const one: KeyedAttribute = { name: list.name, value: hashes, isKeyedList: true };
      all = withOne(all, one);
    }
    return { shape: this.#shapes.without(shape, named), all };
  }

  /** The value of one attribute as it came, '' when it is not there. */
  textOf(first: number, count: number, field: FieldId): string {
    for (let row = first + count - 1; row >= first; row--) {
      if (this.#batch.attributes[row * Attribute.stride] === field) return valueText(this.#batch.attributeValue(row));
    }
    return '';
  }

  #withAdded(writer: RowWriter, first: number, order: Uint16Array, added: readonly AddedAttribute[]): void {
    if (added.some(({ corrects }) => corrects)) this.#writeCorrected(writer, first, order, added);
    else this.#writeWithAdded(writer, first, order, added);
  }

  /** The attributes that have no key of their own, as one. */
  #overflow(first: number, over: Uint16Array): AddedAttribute {
    const text = new OverflowText();
    const { attributes } = this.#batch;
    for (const place of over) {
      if (text.isFull) text.skip();
      else {
        const field = attributes[(first + place) * Attribute.stride]!;
        const redacted = this.#redactor?.name(field);
        // A name as it stands in a row, behind its length.
        const name = redacted === undefined ? this.#fields.name(field) : withoutLength(redacted);
        text.add(name, this.#storedText(first + place));
      }
    }
    return { name: overflowKey, value: text.end() };
  }

  /** A value as it would be stored, though not its end where it is long. */
  #storedText(row: number): string {
    const { attributes, bytes } = this.#batch;
    const at = row * Attribute.stride;
    const field = attributes[at + Attribute.field]!;
    if (attributes[at + Attribute.type] !== ValueType.string) {
      const text = valueText(this.#batch.attributeValue(row));
      return this.#redactor?.text(text, this.#fields.name(field)) ?? text;
    }
    const start = attributes[at + Attribute.value]!;
    const length = attributes[at + Attribute.length]!;
    const redacted = this.#redactor?.value(field, start, length);
    return redacted ?? bytes.toString('utf8', start, start + Math.min(length, limits.overflowValueCharsMax * 4));
  }

  /** Writes the value of one attribute as a String, '' when it is not there. */
  writeValueOf(writer: RowWriter, first: number, count: number, field: FieldId): void {
    for (let row = first + count - 1; row >= first; row--) {
      if (this.#batch.attributes[row * Attribute.stride] === field) {
        this.#value(writer, row);
        return;
      }
    }
    writer.u8(0);
  }

  /** An attribute of the span that has the name of one of ours gives way to it. */
  #writeWithAdded(writer: RowWriter, first: number, order: Uint16Array, added: readonly AddedAttribute[]): void {
    const names = new Set(added.map(({ name }) => name));
    const nameAt = (i: number) => this.#fields.name(this.#batch.attributes[(first + i) * Attribute.stride]!);
    const others = [...order].filter((i) => !names.has(nameAt(i)));
    writer.varint(others.length + added.length);
    let next = 0;
    for (const i of others) {
      for (; next < added.length && added[next]!.name < nameAt(i); next++) this.#added(writer, added[next]!);
      this.#entry(writer, first + i);
    }
    for (; next < added.length; next++) this.#added(writer, added[next]!);
  }

  /** The same where some of ours correct what the span says. */
  #writeCorrected(writer: RowWriter, first: number, order: Uint16Array, added: readonly AddedAttribute[]): void {
    const ours = new Map(added.map((each) => [each.name, each]));
    const entries: Entry[] = [];
    for (const place of order) {
      const name = this.#fields.name(this.#batch.attributes[(first + place) * Attribute.stride]!);
      const own = ours.get(name);
      if (own === undefined) entries.push({ name, row: first + place });
      else if (own.corrects) entries.push({ name: originalPrefix + name, row: first + place, original: true });
    }
    const originals = new Set(entries.flatMap(({ name, original }) => (original ? [name] : [])));
    const kept = entries.filter(({ name, original }) => original || !originals.has(name));
    for (const each of added) if (!each.corrects || each.value !== '') kept.push({ name: each.name, added: each });
    kept.sort((a, b) => compareNames(a.name, b.name));
    writer.varint(kept.length);
    for (const entry of kept) {
      if (entry.added !== undefined) this.#added(writer, entry.added);
      else if (entry.original) this.#original(writer, entry.row!);
      else this.#entry(writer, entry.row!);
    }
  }

  #original(writer: RowWriter, row: number): void {
    const at = row * Attribute.stride;
    const name = this.#fields.name(this.#batch.attributes[at + Attribute.field]!);
    writer.string(originalPrefix + (this.#redactor?.text(name) ?? name));
    this.notes.noteOriginal(this.#batch.attributes[at + Attribute.type]!);
    this.#value(writer, row);
  }

  /** Writes a text of the batch that is no attribute: names, messages of a status. */
  writePlain(writer: RowWriter, bytes: Buffer, start: number, length: number): void {
    const redacted = this.#redactor?.plain(start, length);
    if (redacted === undefined) writer.bytes(bytes, start, start + length);
    else writer.string(redacted);
  }

  /** Writes a value that has no name, the body of a log record, as a String. */
  writeBody(writer: RowWriter, row: number): void {
    const text = valueText(this.#batch.attributeValue(row));
    this.#text(writer, this.#redactor?.text(text, 'body') ?? text);
  }

  #added(writer: RowWriter, added: AddedAttribute): void {
    const { name, value } = added;
    writer.string(name);
    if ((added as KeyedAttribute).isKeyedList) {
      this.notes.noteReferred('keyedMessages');
      writer.string(value);
      return;
    }
    const text = this.#redactor?.text(value, name) ?? value;
    const isList = this.refer !== undefined && listNames.has(name) && text.startsWith('[');
    const list = isList ? Buffer.from(text) : undefined;
    const hashes = list && this.refer!.list(name, list, 0, list.length)?.hashes;
    if (hashes === undefined) this.notes.noteAdded();
    else this.notes.noteReferred('addedMessages');
    this.#text(writer, hashes ?? text);
  }

  #text(writer: RowWriter, value: string): void {
    if (value.length * 3 <= limits.attributeValueBytesMax) {
      writer.string(value);
      return;
    }
    const bytes = Buffer.from(value);
    if (bytes.length <= limits.attributeValueBytesMax) writer.bytes(bytes, 0, bytes.length);
    else this.#cutValue(writer, bytes, 0, bytes.length);
  }

  #entry(writer: RowWriter, row: number): void {
    const field = this.#batch.attributes[row * Attribute.stride]!;
    const name = this.#redactor?.name(field) ?? this.#fields.encodedName(field);
    writer.raw(name, 0, name.length);
    const type = this.#batch.attributes[row * Attribute.stride + Attribute.type]!;
    if (this.refer !== undefined && type === ValueType.string && this.#listed.has(field)) {
      this.#list(writer, row, this.refer);
      return;
    }
    this.notes.note(type);
    this.#value(writer, row);
  }

  /** What of a list is redacted is so in its messages, because they are taken from what would be stored as a whole. */
  #list(writer: RowWriter, row: number, refer: Refer): void {
    const { attributes, bytes } = this.#batch;
    const at = row * Attribute.stride;
    const field = attributes[at + Attribute.field]!;
    const name = this.#fields.name(field);
    const start = attributes[at + Attribute.value]!;
    const length = attributes[at + Attribute.length]!;
    const redacted = this.#redactor?.value(field, start, length);
    const text = redacted === undefined ? undefined : Buffer.from(redacted);
    const named =
      text === undefined ? refer.list(name, bytes, start, start + length) : refer.list(name, text, 0, text.length);
    if (named !== undefined) {
      this.notes.noteReferred(named.how);
      writer.string(named.hashes);
      return;
    }
    this.notes.note(ValueType.string);
    this.#string(writer, start, length, redacted);
  }

  #value(writer: RowWriter, row: number): void {
    const batch = this.#batch;
    const at = row * Attribute.stride;
    const type = batch.attributes[at + Attribute.type];
    if (type !== ValueType.string) {
      this.#otherValue(writer, row);
      return;
    }
    const start = batch.attributes[at + Attribute.value]!;
    const length = batch.attributes[at + Attribute.length]!;
    this.#string(writer, start, length, this.#redactor?.value(batch.attributes[at + Attribute.field]!, start, length));
  }

  #string(writer: RowWriter, start: number, length: number, redacted: string | undefined): void {
    const { bytes } = this.#batch;
    if (redacted !== undefined) this.#text(writer, redacted);
    else if (length <= limits.attributeValueBytesMax) writer.bytes(bytes, start, start + length);
    else this.#cutValue(writer, bytes, start, length);
  }

  /** Most values that are no text are small numbers, or the same as in the span before: its text is at hand. */
  #otherValue(writer: RowWriter, row: number): void {
    const batch = this.#batch;
    if (this.#recent.write(writer, batch, row)) return;
    const field = batch.attributes[row * Attribute.stride + Attribute.field]!;
    const value = batch.attributeValue(row);
    if (typeof value === 'number' && value >= 0 && value <= 0xffffffff && Number.isInteger(value)) {
      writer.digits(value);
      return;
    }
    const text = valueText(value);
    const stored = this.#redactor?.text(text, field < 0 ? 'body' : this.#fields.name(field)) ?? text;
    const from = writer.length;
    this.#text(writer, stored);
    // What was taken out is counted each time.
    if (stored === text) this.#recent.note(batch, row, writer.buffer.subarray(from, writer.length));
  }

  /** One huge value must not fail its batch: it is cut between two characters and says how long it was, and its hash. */
  #cutValue(writer: RowWriter, bytes: Buffer, start: number, length: number): void {
    const digest = hash('sha256', bytes.subarray(start, start + length), 'hex').slice(0, 16);
    const mark = Buffer.from(`…[spanwarden: cut, sha256 ${digest}, ${length} bytes in all]`);
    let end = start + limits.attributeValueBytesMax - mark.length;
    // A character has at most three further bytes; more of them are no text, and can be cut anywhere.
    for (let i = 0; i < 3 && (bytes[end]! & 0xc0) === 0x80; i++) end--;
    writer.varint(end - start + mark.length);
    writer.raw(bytes, start, end);
    writer.raw(mark, 0, mark.length);
    this.truncated++;
  }
}

function withOne(added: readonly AddedAttribute[], one: AddedAttribute): readonly AddedAttribute[] {
  return [...added, one].sort((a, b) => compareNames(a.name, b.name));
}

function withoutLength(encoded: Uint8Array): string {
  let start = 0;
  while ((encoded[start]! & 0x80) !== 0) start++;
  return Buffer.from(encoded).toString('utf8', start + 1);
}
