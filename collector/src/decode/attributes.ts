import type { FieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { Attribute, ValueType } from '../model/span-batch.ts';
import { anyValueWireType, checkNested } from './any-value.ts';
import { Table } from './tables.ts';
import { type WireReader, WireType } from './wire.ts';

/** Names with ids past this are looked up by hash each time. */
const followersMax = 4096;

/** KeyValue messages → attribute rows, for spans, resources, scopes, events and links alike. */
export class AttributeReader {
  readonly table = new Table(Attribute.stride, 32_768, 'attributes', limits.attributesPerBatchMax);
  /** Attributes left out because a limit was reached, since `reset`. */
  dropped = 0;
  /** Set when a value nests too deep; whoever reads a record clears and checks it. */
  tooDeep = false;
  readonly #fields: FieldTable;
  readonly #reader: WireReader;
  /** Which name followed which, by field id + 1: senders write the keys of a kind of span in one order. */
  readonly #followers = new Int32Array(followersMax);
  #previous = 0;

  constructor(reader: WireReader, fields: FieldTable) {
    this.#reader = reader;
    this.#fields = fields;
  }

  reset(): void {
    this.#fields.trim();
    this.#followers.fill(-1);
    this.table.reset(1 << 20);
    this.dropped = 0;
    this.tooDeep = false;
  }

  /** Copies a row behind the others, to keep the attributes of a split message in one run. */
  copy(row: number): void {
    const at = this.table.add();
    this.table.rows.copyWithin(at, row * Attribute.stride, (row + 1) * Attribute.stride);
  }

  /** KeyValue: 1 key, 2 value. Adds one attribute row, or counts it as dropped when it is over a limit. */
  read(end: number, first: number): void {
    const reader = this.#reader;
    let keyStart = reader.pos;
    let keyEnd = keyStart;
    let valueStart = end;
    let valueEnd = end;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag !== 10 && tag !== 18) {
        if (tag >>> 3 <= 2) reader.expect(tag & 7, WireType.bytes, 'KeyValue');
        reader.skip(tag & 7, end);
        continue;
      }
      const stop = reader.range(end);
      if (tag === 10) {
        keyStart = reader.pos;
        keyEnd = stop;
      } else {
        valueStart = reader.pos;
        valueEnd = stop;
      }
      reader.pos = stop;
    }
    const ordinal = this.table.count - first;
    if (ordinal >= limits.attributesPerSpanMax || keyEnd - keyStart > limits.attributeKeyBytesMax) {
      this.dropped++;
      return;
    }
    const at = this.table.add();
    this.table.rows[at + Attribute.field] = this.#field(keyStart, keyEnd, ordinal);
    reader.pos = valueStart;
    this.#anyValue(valueEnd, at);
    reader.pos = end;
  }

  /** The same, but a value that nests too deep is dropped, and counted, at once. */
  readShallow(end: number, first: number): void {
    const before = this.table.count;
    this.tooDeep = false;
    this.read(end, first);
    if (!this.tooDeep) return;
    this.tooDeep = false;
    this.table.count = before;
    this.dropped++;
  }

  /** A value without a name, as a row of its own. */
  readBare(end: number): number {
    const row = this.table.count;
    const at = this.table.add();
    this.table.rows[at + Attribute.field] = -1;
    this.#anyValue(end, at);
    this.#reader.pos = end;
    return row;
  }

  #field(start: number, end: number, ordinal: number): number {
    const previous = ordinal === 0 ? 0 : this.#previous;
    const guess = this.#followers[previous]!;
    const bytes = this.#reader.bytes;
    const right = guess >= 0 && this.#fields.matches(guess, bytes, start, end);
    const field = right ? guess : this.#fields.internBytes(bytes, start, end);
    if (!right) this.#followers[previous] = field;
    this.#previous = field + 1 < followersMax ? field + 1 : 0;
    return field;
  }

  #anyValue(end: number, at: number): void {
    const reader = this.#reader;
    const rows = this.table.rows;
    rows[at + Attribute.type] = ValueType.empty;
    rows[at + Attribute.value] = 0;
    rows[at + Attribute.length] = 0;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      // strindex (8) is meant for profiles: OTLP asks to treat it as absent elsewhere.
      if (field > 7) {
        reader.skip(tag & 7, end);
        continue;
      }
      reader.expect(tag & 7, anyValueWireType[field]!, 'AnyValue');
      let start = reader.pos;
      if (field === ValueType.bool) start = reader.varint32(end) === 0 ? 0 : 1;
      else if (field === ValueType.int) reader.varint32(end);
      else if (field === ValueType.double) start = reader.fixed(8, end);
      else {
        const stop = reader.range(end);
        start = reader.pos;
        rows[at + Attribute.length] = stop - start;
        if ((field === 5 || field === 6) && !checkNested(reader, stop, field === 6, 1)) this.tooDeep = true;
        reader.pos = stop;
      }
      rows[at + Attribute.type] = field;
      rows[at + Attribute.value] = start;
    }
  }
}
