import type { FieldId } from './fields.ts';
import type { Value } from './value.ts';

/**
 * One OTLP trace request, decoded to offsets: names, ids and values stay in `bytes` and are read when somebody asks.
 * The tables are flat Int32Arrays with a fixed stride; the column constants below name their columns.
 *
 * The decoder owns and reuses the tables: a batch is valid until the next one is decoded. Whoever keeps something past
 * that copies it.
 */
export interface SpanBatch extends AttributeSource {
  readonly spanCount: number;
  readonly spans: Int32Array<ArrayBufferLike>;
  readonly events: Int32Array<ArrayBufferLike>;
  readonly links: Int32Array<ArrayBufferLike>;
  readonly resources: Int32Array<ArrayBufferLike>;
  readonly scopes: Int32Array<ArrayBufferLike>;
  /** Records refused one by one (wrong id length, too deep, over a limit), for OTLP's partial success. */
  readonly rejected: RejectedSpans;

  /** The last span attribute with this name, or -1. Rows are attribute indexes, not offsets. */
  findSpanAttribute(span: number, field: FieldId): number;
  /** The same on the span's resource. */
  findResourceAttribute(span: number, field: FieldId): number;
}

/** What batches of all signals have: the bytes of a request and the attributes in it. */
export interface AttributeSource {
  /** The request body after decompression, always protobuf; every offset points into it. */
  readonly bytes: Buffer;
  readonly attributes: Int32Array<ArrayBufferLike>;

  /** UTF-8 text of a byte range; invalid sequences become U+FFFD. */
  text(start: number, length: number): string;
  /** Lower-case hex of a byte range, '' when the offset is -1. */
  hex(start: number, length: number): string;
  /** The decoded value of an attribute row. */
  attributeValue(attribute: number): Value;
  /** Event time helpers: fixed64 nanoseconds at an offset. */
  nanos(offset: number): bigint;
}

export interface RejectedSpans {
  count: number;
  /** English, for the sender: what was refused and why; '' when nothing was. */
  message: string;
}

/** Columns of `spans`. Offsets are -1 when the field was absent; lengths are bytes. */
export const Span = {
  resource: 0,
  scope: 1,
  traceId: 2,
  spanId: 3,
  parentSpanId: 4,
  traceState: 5,
  traceStateLength: 6,
  name: 7,
  nameLength: 8,
  kind: 9,
  start: 10,
  end: 11,
  attributes: 12,
  attributeCount: 13,
  events: 14,
  eventCount: 15,
  links: 16,
  linkCount: 17,
  statusCode: 18,
  statusMessage: 19,
  statusMessageLength: 20,
  flags: 21,
  /** The whole message. */
  message: 22,
  messageLength: 23,
  stride: 24,
} as const;

/** Columns of `attributes`. `value` is an offset into `bytes`; for booleans it is 0 or 1 itself. */
export const Attribute = { field: 0, type: 1, value: 2, length: 3, stride: 4 } as const;

/** Values of `Attribute.type`: the field numbers of OTLP's AnyValue; 0 is an empty value. */
export const ValueType = { empty: 0, string: 1, bool: 2, int: 3, double: 4, array: 5, map: 6, bytes: 7 } as const;

export const Event = { time: 0, name: 1, nameLength: 2, attributes: 3, attributeCount: 4, stride: 5 } as const;

export const Link = {
  traceId: 0,
  spanId: 1,
  traceState: 2,
  traceStateLength: 3,
  attributes: 4,
  attributeCount: 5,
  stride: 6,
} as const;

/** `message` of a resource or scope is the whole message; of one that came in several pieces, from the first to the end of the last. */
export const Resource = {
  attributes: 0,
  attributeCount: 1,
  schemaUrl: 2,
  schemaUrlLength: 3,
  message: 4,
  messageLength: 5,
  stride: 6,
} as const;

export const Scope = {
  name: 0,
  nameLength: 1,
  version: 2,
  versionLength: 3,
  attributes: 4,
  attributeCount: 5,
  schemaUrl: 6,
  schemaUrlLength: 7,
  message: 8,
  messageLength: 9,
  stride: 10,
} as const;
