import type { AgentEvent, NamedValue } from '../model/agent-event.ts';
import type { FieldId, FieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';
import { Attribute, Resource, Scope, Span, type SpanBatch, ValueType } from '../model/span-batch.ts';
import { isList, type Value } from '../model/value.ts';
import { OtlpSpanBatch } from './batch.ts';
import { Table } from './tables.ts';

/**
 * Events of agents as the batch that spans which say the same would be decoded to, so that what reads spans reads them, too. Nothing is
 * written as a request: texts, ids and times stand one after the other in the bytes of the batch, and lists and maps as protobuf.
 */
export class AgentEventBatches {
  readonly #fields: FieldTable;
  readonly #batch = new OtlpSpanBatch();
  readonly #spans = new Table(Span.stride, 256, 'spans');
  readonly #resources = new Table(Resource.stride, 256, 'resources');
  readonly #scopes = new Table(Scope.stride, 256, 'scopes');
  readonly #attributes = new Table(Attribute.stride, 4096, 'attributes', limits.attributesPerBatchMax);
  /** Names that are never forgotten, which most are. */
  readonly #ids = new Map<string, FieldId>();
  #bytes: Buffer = Buffer.allocUnsafe(bytesAtStart);
  #length = 0;
  #isTooDeep = false;
  /** The resource that was written last in this batch, and its row; events of one sender mostly share it. */
  #last: { readonly attributes: readonly NamedValue[]; readonly row: number } | undefined;

  constructor(fields: FieldTable) {
    this.#fields = fields;
  }

  /**
   * Good until the next call. As of spans, those with ids that are none or with values that nest too deep are left out; throws
   * MalformedError when there are too many of them.
   */
  of(events: readonly AgentEvent[]): SpanBatch {
    this.#fields.trim();
    for (const table of [this.#spans, this.#resources, this.#scopes]) table.reset(4096);
    this.#attributes.reset(65_536);
    if (this.#bytes.length > bytesKeptMax) this.#bytes = Buffer.allocUnsafe(bytesAtStart);
    this.#length = 0;
    this.#last = undefined;
    for (const event of events) if (hasIds(event)) this.#event(event);
    const batch = this.#batch;
    batch.bytes = this.#bytes.subarray(0, this.#length);
    batch.spanCount = this.#spans.count;
    batch.spans = this.#spans.rows;
    batch.resources = this.#resources.rows;
    batch.scopes = this.#scopes.rows;
    batch.attributes = this.#attributes.rows;
    return batch;
  }

  #event(event: AgentEvent): void {
    const resource = this.#resource(event.resource);
    const scope = this.#scope(event);
    const before = this.#attributes.count;
    const at = this.#spans.add();
    const rows = this.#spans.rows;
    rows.fill(0, at, at + Span.stride);
    rows[at + Span.resource] = resource;
    rows[at + Span.scope] = scope;
    rows[at + Span.traceId] = this.#hex(event.traceId);
    rows[at + Span.spanId] = this.#hex(event.spanId);
    rows[at + Span.parentSpanId] = isId(event.parentSpanId, 16) ? this.#hex(event.parentSpanId) : -1;
    this.#text(event.name, rows, at + Span.name);
    rows[at + Span.kind] = event.kind ?? 1;
    rows[at + Span.start] = this.#nanos(event.startNanos);
    rows[at + Span.end] = this.#nanos(event.endNanos);
    rows[at + Span.statusCode] = event.failed ? 2 : 0;
    this.#isTooDeep = false;
    this.#named(event.attributes);
    rows[at + Span.attributes] = before;
    rows[at + Span.attributeCount] = this.#attributes.count - before;
    if (!this.#isTooDeep) return;
    this.#spans.count--;
    this.#attributes.count = before;
  }

  /** Of a resource only the attribute that nests too deep is left out. */
  #resource(attributes: readonly NamedValue[]): number {
    if (this.#last?.attributes === attributes) return this.#last.row;
    const at = this.#resources.add();
    const before = this.#attributes.count;
    for (const attribute of attributes) {
      const count = this.#attributes.count;
      this.#isTooDeep = false;
      this.#attribute(attribute, count - before);
      if (this.#isTooDeep) this.#attributes.count = count;
    }
    const { rows } = this.#resources;
    rows.fill(0, at, at + Resource.stride);
    rows[at + Resource.attributes] = before;
    rows[at + Resource.attributeCount] = this.#attributes.count - before;
    const row = this.#resources.count - 1;
    this.#last = { attributes, row };
    return row;
  }

  #scope({ scopeName, scopeVersion }: AgentEvent): number {
    const at = this.#scopes.add();
    const { rows } = this.#scopes;
    rows.fill(0, at, at + Scope.stride);
    this.#text(scopeName, rows, at + Scope.name);
    this.#text(scopeVersion, rows, at + Scope.version);
    return this.#scopes.count - 1;
  }

  #named(attributes: readonly NamedValue[]): void {
    const before = this.#attributes.count;
    for (const attribute of attributes) this.#attribute(attribute, this.#attributes.count - before);
  }

  #attribute([name, value]: NamedValue, ordinal: number): void {
    if (ordinal >= limits.attributesPerSpanMax) return;
    const field = this.#field(name);
    if (field === undefined) return;
    const at = this.#attributes.add();
    const { rows } = this.#attributes;
    rows[at + Attribute.field] = field;
    rows[at + Attribute.length] = 0;
    rows[at + Attribute.type] = this.#value(value, rows, at);
  }

  /** Undefined for a name that is too long. */
  #field(name: string): FieldId | undefined {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const bytes = Buffer.from(name);
    if (bytes.length > limits.attributeKeyBytesMax) return undefined;
    const field = this.#fields.internBytes(bytes, 0, bytes.length);
    if (this.#fields.isPermanent(field) && this.#fields.name(field) === name) this.#ids.set(name, field);
    return field;
  }

  /** Writes a value and says of which type it is. */
  #value(value: Value, rows: Int32Array, at: number): number {
    rows[at + Attribute.value] = this.#length;
    if (typeof value === 'string') {
      this.#text(value, rows, at + Attribute.value);
      return ValueType.string;
    }
    if (typeof value === 'boolean') {
      rows[at + Attribute.value] = value ? 1 : 0;
      return ValueType.bool;
    }
    if (value === null) return ValueType.empty;
    if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
      this.#integer(value as number | bigint);
      return ValueType.int;
    }
    if (typeof value === 'number') {
      this.#ensure(8);
      this.#length = this.#bytes.writeDoubleLE(value, this.#length);
      return ValueType.double;
    }
    const nested = this.#nested(value);
    this.#ensure(nested.length);
    this.#bytes.set(nested, this.#length);
    this.#length += nested.length;
    rows[at + Attribute.length] = nested.length;
    return isList(value) ? ValueType.array : ValueType.map;
  }

  /** An ArrayValue or KeyValueList. */
  #nested(value: Exclude<Value, null | string | number | boolean | bigint>): Buffer {
    const writer = new ProtobufWriter(nestedBytesAtStart);
    this.#members(writer, value, 1);
    return writer.take();
  }

  #members(writer: ProtobufWriter, value: object, depth: number): void {
    if (depth > limits.nestingDepthMax) {
      this.#isTooDeep = true;
      return;
    }
    if (isList(value as Value)) {
      for (const member of value as readonly Value[]) writer.message(1, () => this.#anyValue(writer, member, depth));
      return;
    }
    for (const [name, member] of Object.entries(value) as [string, Value][]) {
      writer.message(1, () => {
        writer.string(1, name);
        writer.message(2, () => this.#anyValue(writer, member, depth));
      });
    }
  }

  #anyValue(writer: ProtobufWriter, value: Value, depth: number): void {
    if (value === null) return;
    if (typeof value === 'string') writer.string(ValueType.string, value);
    else if (typeof value === 'boolean') writer.varint(ValueType.bool, value ? 1 : 0);
    else if (typeof value === 'bigint') writer.varint(ValueType.int, value);
    else if (typeof value === 'number') {
      if (Number.isSafeInteger(value)) writer.varint(ValueType.int, value);
      else writer.double(ValueType.double, value);
    } else {
      const type = isList(value) ? ValueType.array : ValueType.map;
      writer.message(type, () => this.#members(writer, value, depth + 1));
    }
  }

  /** A varint of 64 bits. */
  #integer(value: number | bigint): void {
    this.#ensure(10);
    const bytes = this.#bytes;
    if (typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff) {
      let rest = value;
      for (; rest > 127; rest >>>= 7) bytes[this.#length++] = (rest & 127) | 128;
      bytes[this.#length++] = rest;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) bytes[this.#length++] = Number(rest & 127n) | 128;
    bytes[this.#length++] = Number(rest);
  }

  #nanos(nanos: bigint): number {
    this.#ensure(8);
    const at = this.#length;
    this.#length = this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, nanos), at);
    return at;
  }

  #hex(digits: string): number {
    this.#ensure(digits.length >> 1);
    const at = this.#length;
    this.#length += this.#bytes.write(digits, at, 'hex');
    return at;
  }

  /** Writes a text, and where it stands and how long it is into two columns. */
  #text(text: string, rows: Int32Array, column: number): void {
    const room = text.length * 3;
    this.#ensure(room > exactCharsMin ? Buffer.byteLength(text) : room);
    rows[column] = this.#length;
    rows[column + 1] = this.#bytes.write(text, this.#length);
    this.#length += rows[column + 1]!;
  }

  #ensure(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + bytes, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function hasIds({ traceId, spanId, parentSpanId }: AgentEvent): boolean {
  const isParent = parentSpanId === '' || parentSpanId.length === 16;
  return isParent && isId(traceId, 32) && isId(spanId, 16);
}

function isId(digits: string, length: number): boolean {
  return digits.length === length && !zeros.startsWith(digits);
}

const zeros = '0'.repeat(32);
const bytesAtStart = 64 * 1024;
/** What is kept from batch to batch. */
const bytesKeptMax = 1024 * 1024;
const nestedBytesAtStart = 256;
/** Of longer texts it is asked how many bytes they take. */
const exactCharsMin = 64 * 1024;
