import { Resource, Scope } from '../model/span-batch.ts';
import type { AttributeReader } from './attributes.ts';
import type { Table } from './tables.ts';
import { type WireReader, WireType } from './wire.ts';

/**
 * Resource and InstrumentationScope, whose attributes belong to many records. A message that comes in several pieces is
 * merged, as protobuf asks: earlier attributes are copied behind, so that they stay in one run. An attribute that nests too deep is left out: there is no record to refuse.
 *
 * | message | fields |
 * |---|---|
 * | Resource · Scope | 1 attributes · 1 name, 2 version, 3 attributes |
 */
export class OwnerReader {
  readonly #reader: WireReader;
  readonly #attributes: AttributeReader;

  constructor(reader: WireReader, attributes: AttributeReader) {
    this.#reader = reader;
    this.#attributes = attributes;
  }

  resource(end: number, table: Table, at: number): void {
    this.#read(end, table, at + Resource.attributes, 1);
  }

  scope(end: number, table: Table, at: number): void {
    this.#read(end, table, at + Scope.attributes, 3, at);
  }

  #read(end: number, owner: Table, column: number, attributeField: number, scopeAt = -1): void {
    const reader = this.#reader;
    const earlier = owner.rows[column + 1]!;
    const first = this.#attributes.table.count;
    for (let i = 0; i < earlier; i++) this.#attributes.copy(owner.rows[column]! + i);
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      if (field === attributeField) {
        reader.expect(tag & 7, WireType.bytes, 'attributes');
        this.#attributes.readShallow(reader.range(end), first);
      } else if (scopeAt >= 0 && (field === 1 || field === 2)) {
        reader.expect(tag & 7, WireType.bytes, 'scope');
        const stop = reader.range(end);
        const text = scopeAt + (field === 1 ? Scope.name : Scope.version);
        owner.rows[text] = reader.pos;
        owner.rows[text + 1] = stop - reader.pos;
        reader.pos = stop;
      } else reader.skip(tag & 7, end);
    }
    owner.rows[column] = first;
    owner.rows[column + 1] = this.#attributes.table.count - first;
  }
}
