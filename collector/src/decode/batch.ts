import type { FieldId } from '../model/fields.ts';
import { Log, type LogBatch } from '../model/log-batch.ts';
import { type MetricBatch, Point } from '../model/metric-batch.ts';
import { Attribute, type AttributeSource, Resource, Span, type SpanBatch, ValueType } from '../model/span-batch.ts';
import type { Value } from '../model/value.ts';
import { readInt64, readNested } from './any-value.ts';
import { AttributeIndex } from './attribute-index.ts';

/** Bytes of a request and attributes in them, for every signal. */
class OtlpBatch implements AttributeSource {
  bytes: Buffer = Buffer.alloc(0);
  attributes: Int32Array<ArrayBufferLike> = new Int32Array(0);

  text(start: number, length: number): string {
    return length <= 0 ? '' : this.bytes.toString('utf8', start, start + length);
  }

  hex(start: number, length: number): string {
    return start < 0 ? '' : this.bytes.toString('hex', start, start + length);
  }

  nanos(offset: number): bigint {
    return offset < 0 ? 0n : this.bytes.readBigUInt64LE(offset);
  }

  attributeValue(attribute: number): Value {
    const at = attribute * Attribute.stride;
    const value = this.attributes[at + Attribute.value]!;
    const length = this.attributes[at + Attribute.length]!;
    const type = this.attributes[at + Attribute.type];
    if (type === ValueType.string) return this.text(value, length);
    if (type === ValueType.int) return readInt64(this.bytes, value);
    if (type === ValueType.bool) return value !== 0;
    if (type === ValueType.double) return this.bytes.readDoubleLE(value);
    if (type === ValueType.bytes) return this.bytes.toString('base64', value, value + length);
    if (type === ValueType.empty) return null;
    return readNested(this.bytes, type!, value, length);
  }
}

/** The decoder's view of one trace request; see `SpanBatch` for the contract. */
export class OtlpSpanBatch extends OtlpBatch implements SpanBatch {
  spanCount = 0;
  spans: Int32Array<ArrayBufferLike> = new Int32Array(0);
  events: Int32Array<ArrayBufferLike> = new Int32Array(0);
  links: Int32Array<ArrayBufferLike> = new Int32Array(0);
  resources: Int32Array<ArrayBufferLike> = new Int32Array(0);
  scopes: Int32Array<ArrayBufferLike> = new Int32Array(0);
  rejected = { count: 0, message: '' };
  dropped = { attributes: 0, events: 0, links: 0 };
  readonly #index = new AttributeIndex();

  /** To be called when the tables are others. */
  begin(): void {
    this.#index.begin();
  }

  leaveOut(isOut: Uint8Array): void {
    this.spanCount = withoutRows(this.spans, Span.stride, this.spanCount, isOut);
  }

  findSpanAttribute(span: number, field: FieldId): number {
    const at = span * Span.stride;
    const [first, count] = [this.spans[at + Span.attributes]!, this.spans[at + Span.attributeCount]!];
    return count < indexedMin
      ? this.#find(first, count, field)
      : this.#index.find(this.attributes as Int32Array, first, count, field);
  }

  findResourceAttribute(span: number, field: FieldId): number {
    const at = this.spans[span * Span.stride + Span.resource]! * Resource.stride;
    return this.#find(this.resources[at + Resource.attributes]!, this.resources[at + Resource.attributeCount]!, field);
  }

  /** Backwards: of duplicate keys the last one counts, here as in storage. */
  #find(first: number, count: number, field: FieldId): number {
    const attributes = this.attributes;
    for (let row = first + count - 1; row >= first; row--) {
      if (attributes[row * Attribute.stride] === field) return row;
    }
    return -1;
  }
}

/** In shorter runs looking is as fast. */
const indexedMin = 64;

/** Takes rows that are marked out; those after them move up, and what they refer to stays where it is. Returns how many are left. */
function withoutRows(rows: Int32Array, stride: number, count: number, isOut: Uint8Array): number {
  let kept = 0;
  for (let row = 0; row < count; row++) {
    if (isOut[row] !== 0) continue;
    if (kept < row) rows.copyWithin(kept * stride, row * stride, (row + 1) * stride);
    kept++;
  }
  return kept;
}

/** The same for a logs request. */
export class OtlpLogBatch extends OtlpBatch implements LogBatch {
  logCount = 0;
  logs: Int32Array<ArrayBufferLike> = new Int32Array(0);
  resources: Int32Array<ArrayBufferLike> = new Int32Array(0);
  scopes: Int32Array<ArrayBufferLike> = new Int32Array(0);
  rejected = { count: 0, message: '' };
  dropped = { attributes: 0 };

  leaveOut(isOut: Uint8Array): void {
    this.logCount = withoutRows(this.logs, Log.stride, this.logCount, isOut);
  }
}

/** The same for a metrics request. */
export class OtlpMetricBatch extends OtlpBatch implements MetricBatch {
  pointCount = 0;
  metrics: Int32Array<ArrayBufferLike> = new Int32Array(0);
  points: Int32Array<ArrayBufferLike> = new Int32Array(0);
  exemplars: Int32Array<ArrayBufferLike> = new Int32Array(0);
  resources: Int32Array<ArrayBufferLike> = new Int32Array(0);
  scopes: Int32Array<ArrayBufferLike> = new Int32Array(0);
  numbers: Buffer = Buffer.alloc(0);
  rejected = { count: 0, message: '' };
  dropped = { attributes: 0 };
  leaveOut(isOut: Uint8Array): void {
    this.pointCount = withoutRows(this.points, Point.stride, this.pointCount, isOut);
  }
}
