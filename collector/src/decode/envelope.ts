import { Resource, Scope } from '../model/span-batch.ts';
import type { AttributeReader } from './attributes.ts';
import { Table } from './tables.ts';
import { type WireReader, WireType } from './wire.ts';

/** What the messages around the records of a signal are called, for errors. */
export interface EnvelopeNames {
  readonly request: string;
  readonly resource: string;
  readonly scope: string;
  /** The last known field of the scope's message: 2 where its schema_url is not read. */
  readonly scopeFields: 2 | 3;
  /** What stood in the place of scopes before OTLP 1.0, and what in it is counted as refused. */
  readonly former: string;
  readonly records: string;
  /** Where these are found in it: fields of each level. */
  readonly recordsAt: readonly (readonly number[])[];
}

/** `instrumentation_library_spans`, `…_logs` and `…_metrics`, which OTLP had until 2022. */
export const formerField = 1000;

/**
 * What requests of all signals are around their records: resources, and in these scopes. A resource or scope that comes in
 * several pieces is merged, as protobuf asks: earlier attributes are copied behind, so that they stay in one run. An
 * attribute that nests too deep is left out: there is no record to refuse.
 *
 * | message | fields |
 * |---|---|
 * | Export…ServiceRequest | 1 Resource… |
 * | ResourceSpans · ResourceLogs · ResourceMetrics | 1 resource, 2 Scope…, 3 schema_url, once 1000 InstrumentationLibrary… |
 * | ScopeSpans · ScopeLogs · ScopeMetrics | 1 scope, 2 records, 3 schema_url |
 * | Resource · InstrumentationScope | 1 attributes · 1 name, 2 version, 3 attributes |
 */
export class Envelope {
  readonly resources = new Table(Resource.stride, 16, 'resources');
  readonly scopes = new Table(Scope.stride, 16, 'scopes');
  readonly #reader: WireReader;
  readonly #attributes: AttributeReader;
  readonly #names: EnvelopeNames;
  /** Records that stand where OTLP had them once, and nowhere else. */
  #formerRecords = 0;

  constructor(reader: WireReader, attributes: AttributeReader, names: EnvelopeNames) {
    this.#reader = reader;
    this.#attributes = attributes;
    this.#names = names;
  }

  reset(): void {
    for (const table of [this.resources, this.scopes]) table.reset(65_536);
    this.#formerRecords = 0;
  }

  /** Says what a sender of before OTLP 1.0 wrote where nobody looks any more. To be called when the request is read. */
  reject(rejected: { count: number; message: string }): void {
    if (this.#formerRecords === 0) return;
    const { former, records, scope } = this.#names;
    rejected.count += this.#formerRecords;
    rejected.message ||=
      `${records} in ${former}, which OTLP does not have since 1.0: update the SDK or collector that sends them ` +
      `to one of after June 2022, which writes ${scope}`;
  }

  /** Reads a request; `record` is called with the reader at the start of each record. */
  read(end: number, record: (stop: number, resource: number, scope: number) => void): void {
    this.#reader.children(end, 1, this.#names.request, (_, stop) => this.#resource(stop, record));
  }

  #resource(end: number, record: (stop: number, resource: number, scope: number) => void): void {
    const { resources } = this;
    const at = resources.add();
    resources.rows.fill(0, at, at + Resource.stride);
    const resource = resources.count - 1;
    const scopesBefore = this.scopes.count;
    let former = 0;
    const child = (field: number, stop: number): void => {
      if (field === formerField) former += this.#count(stop, 0);
      else if (field === 1) this.#owner(stop, resources, at + Resource.attributes, at + Resource.message, 1);
      else if (field === 2) this.#scope(stop, resource, record);
      else this.#reader.place(resources.rows, at + Resource.schemaUrl, stop);
    };
    this.#reader.children(end, 3, this.#names.resource, child, formerField);
    // Beside scopes it is the same once more, for receivers of that time.
    if (this.scopes.count === scopesBefore) this.#formerRecords += former;
  }

  /** Records of a former scope, by their tags alone. */
  #count(end: number, level: number): number {
    const reader = this.#reader;
    const fields = this.#names.recordsAt[level]!;
    const isLast = level === this.#names.recordsAt.length - 1;
    let count = 0;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if ((tag & 7) !== WireType.bytes || !fields.includes(tag >>> 3)) {
        reader.skip(tag & 7, end);
        continue;
      }
      const stop = reader.range(end);
      count += isLast ? 1 : this.#count(stop, level + 1);
      reader.pos = stop;
    }
    return count;
  }

  #scope(end: number, resource: number, record: (stop: number, resource: number, scope: number) => void): void {
    const { scopes } = this;
    const at = scopes.add();
    scopes.rows.fill(0, at, at + Scope.stride);
    const scope = scopes.count - 1;
    this.#reader.children(end, this.#names.scopeFields, this.#names.scope, (field, stop) => {
      if (field === 1) this.#owner(stop, scopes, at + Scope.attributes, at + Scope.message, 3, at);
      else if (field === 2) record(stop, resource, scope);
      else this.#reader.place(scopes.rows, at + Scope.schemaUrl, stop);
    });
  }

  #owner(end: number, owner: Table, column: number, message: number, attributeField: number, scopeAt = -1): void {
    const reader = this.#reader;
    const first = owner.rows[message + 1] === 0 ? reader.pos : owner.rows[message]!;
    owner.rows[message] = first;
    owner.rows[message + 1] = end - first;
    const earlier = owner.rows[column + 1]!;
    const firstAttribute = this.#attributes.table.count;
    for (let i = 0; i < earlier; i++) this.#attributes.copy(owner.rows[column]! + i);
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      if (field === attributeField) {
        reader.expect(tag & 7, WireType.bytes, 'attributes');
        this.#attributes.readShallow(reader.range(end), firstAttribute);
      } else if (scopeAt >= 0 && (field === 1 || field === 2)) {
        reader.expect(tag & 7, WireType.bytes, 'scope');
        const stop = reader.range(end);
        reader.place(owner.rows, scopeAt + (field === 1 ? Scope.name : Scope.version), stop);
        reader.pos = stop;
      } else reader.skip(tag & 7, end);
    }
    owner.rows[column] = firstAttribute;
    owner.rows[column + 1] = this.#attributes.table.count - firstAttribute;
  }
}
