import { Attribute, type AttributeSource, ValueType } from '../../model/span-batch.ts';
import type { RowWriter } from './rowbinary.ts';

/** The last value of a field: where it came from, and what was written for it. */
interface Recent {
  readonly type: number;
  readonly value: Uint8Array | number;
  readonly written: Uint8Array;
}

/** Values longer than this, as they came or as they are written, are not remembered; nor those of more fields. */
const bytesMax = 48;
const fieldsMax = 1024;
/** Fields whose value was another one so often are let be, but for one value in so many. */
const changesMax = 16;
const retryEvery = 256;
const doubleBytes = 8;

/** The last short value of each field that is no text, as it was written: a list or a fraction is mostly the same in the next span. */
export class RecentValues {
  readonly #recent: (Recent | undefined)[] = [];
  /** How often the value of each field was another one since it last was the same. */
  readonly #changes = new Uint16Array(fieldsMax);

  clear(): void {
    this.#recent.length = 0;
    this.#changes.fill(0);
  }

  /** Writes it as it was written before; false where it is another one. */
  write(writer: RowWriter, batch: AttributeSource, row: number): boolean {
    const at = row * Attribute.stride;
    const field = batch.attributes[at + Attribute.field]!;
    if (field < 0 || field >= fieldsMax) return false;
    const recent = this.#recent[field];
    if (recent === undefined || recent.type !== batch.attributes[at + Attribute.type]) return false;
    const place = batch.attributes[at + Attribute.value]!;
    if (typeof recent.value === 'number') {
      if (recent.value !== place) return false;
    } else if (!isSame(recent.value, batch.bytes, place, lengthOf(batch, at))) return false;
    this.#changes[field] = 0;
    writer.raw(recent.written, 0, recent.written.length);
    return true;
  }

  note(batch: AttributeSource, row: number, written: Uint8Array): void {
    const at = row * Attribute.stride;
    const field = batch.attributes[at + Attribute.field]!;
    const type = batch.attributes[at + Attribute.type]!;
    if (field < 0 || field >= fieldsMax || type === ValueType.int || written.length > bytesMax) return;
    const changes = ++this.#changes[field]!;
    if (changes > changesMax && changes % retryEvery !== 0) return;
    const length = lengthOf(batch, at);
    if (type !== ValueType.bool && (length === 0 || length > bytesMax)) return;
    const place = batch.attributes[at + Attribute.value]!;
    const value = type === ValueType.bool ? place : Uint8Array.from(batch.bytes.subarray(place, place + length));
    this.#recent[field] = { type, value, written: Uint8Array.from(written) };
  }
}

/** Bytes in which a value stands that is no number of the table itself. */
function lengthOf({ attributes }: AttributeSource, at: number): number {
  return attributes[at + Attribute.type] === ValueType.double ? doubleBytes : attributes[at + Attribute.length]!;
}

function isSame(value: Uint8Array, bytes: Uint8Array, place: number, length: number): boolean {
  if (length !== value.length) return false;
  for (let i = 0; i < length; i++) if (bytes[place + i] !== value[i]) return false;
  return true;
}
