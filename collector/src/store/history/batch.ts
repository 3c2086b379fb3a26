import type { FieldId } from '../../model/fields.ts';
import { Attribute, Resource, Span, type SpanBatch, ValueType } from '../../model/span-batch.ts';
import type { Value } from '../../model/value.ts';
import type { Reference } from './messages.ts';

/** Spans read back from ClickHouse: the same tables as a decoded request's, over RowBinary. Values stand there as text. */
export class HistoryBatch implements SpanBatch {
  bytes: Buffer = Buffer.alloc(0);
  spanCount = 0;
  /** Rows of `attributes` that are taken. */
  attributeCount = 0;
  /** Lists of messages that are named and not yet here, in the order of their spans. */
  references: Reference[] = [];
  spans: Int32Array<ArrayBufferLike> = new Int32Array(Span.stride * 1024);
  attributes: Int32Array<ArrayBufferLike> = new Int32Array(Attribute.stride * 16_384);
  events: Int32Array<ArrayBufferLike> = new Int32Array(1024);
  links: Int32Array<ArrayBufferLike> = new Int32Array(1024);
  resources: Int32Array<ArrayBufferLike> = new Int32Array(1024);
  scopes: Int32Array<ArrayBufferLike> = new Int32Array(8192);
  readonly rejected = { count: 0, message: '' };

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
    const type = this.attributes[at + Attribute.type];
    const value = this.attributes[at + Attribute.value]!;
    if (type === ValueType.bool) return value !== 0;
    if (type === ValueType.empty) return null;
    const text = this.text(value, this.attributes[at + Attribute.length]!);
    if (type === ValueType.int) return integer(text);
    if (type === ValueType.double) return text.startsWith('[') ? text : Number(text);
    return type === ValueType.string ? text : parsed(text);
  }

  findSpanAttribute(span: number, field: FieldId): number {
    const at = span * Span.stride;
    return this.#find(this.spans[at + Span.attributes]!, this.spans[at + Span.attributeCount]!, field);
  }

  findResourceAttribute(span: number, field: FieldId): number {
    const at = this.spans[span * Span.stride + Span.resource]! * Resource.stride;
    return this.#find(this.resources[at + Resource.attributes]!, this.resources[at + Resource.attributeCount]!, field);
  }

  #find(first: number, count: number, field: FieldId): number {
    const attributes = this.attributes;
    for (let row = first + count - 1; row >= first; row--) {
      if (attributes[row * Attribute.stride] === field) return row;
    }
    return -1;
  }
}

/** The text itself where a placeholder stands instead of a number. */
function integer(text: string): number | bigint | string {
  if (text.startsWith('[')) return text;
  const number = Number(text);
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(text) ? number : BigInt(text);
}

/** A list or map as it was encoded, integers exact to 64 bits; the text itself should it be no JSON. */
function parsed(text: string): Value {
  try {
    return (/\d{16}/.test(text) ? JSON.parse(text, exactly) : JSON.parse(text)) as Value;
  } catch {
    return text;
  }
}

function exactly(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}
