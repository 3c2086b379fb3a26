/**
 * Attribute names as small integers, so that the hot path compares numbers and not strings.
 *
 * Names that rules, the normaliser or the tables ask for are *permanent* and are interned at load. Names that only arrive
 * in spans are *dynamic*: when there are too many of them they are forgotten between two batches, which bounds memory
 * against senders that invent keys. A dynamic id is therefore valid within one batch only.
 */
export type FieldId = number;

export interface FieldTable {
  /** The id of a name, made permanent. Call it at load, not per span. */
  intern(name: string): FieldId;
  /** The id of the name that stands in `bytes[start, end)`. Called per attribute. */
  internBytes(bytes: Uint8Array, start: number, end: number): FieldId;
  name(id: FieldId): string;
  /** The name as RowBinary and protobuf both write it: varint length, then UTF-8. */
  encodedName(id: FieldId): Uint8Array;
  /** Position of the name in byte order among all names known now; maps are written sorted by it. */
  rank(id: FieldId): number;
  /** How many ids exist; ids are 0 … size-1. */
  readonly size: number;
  /** Forgets dynamic names when there are too many. Call between batches. */
  trim(): void;
}
