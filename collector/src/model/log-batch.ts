import type { AttributeSource, RejectedSpans } from './span-batch.ts';

/**
 * One OTLP logs request, decoded to offsets, under the same contract as a `SpanBatch`: tables of the decoder, valid until it
 * decodes the next one.
 */
export interface LogBatch extends AttributeSource {
  readonly logCount: number;
  readonly logs: Int32Array<ArrayBufferLike>;
  readonly resources: Int32Array<ArrayBufferLike>;
  readonly scopes: Int32Array<ArrayBufferLike>;
  /** Records refused one by one, for OTLP's partial success. */
  readonly rejected: RejectedSpans;
}

/** Columns of `logs`. Offsets are -1 when the field was absent or, for ids, all zero; `body` is an attribute row or -1. */
export const Log = {
  resource: 0,
  scope: 1,
  traceId: 2,
  spanId: 3,
  flags: 4,
  time: 5,
  observedTime: 6,
  severityNumber: 7,
  severityText: 8,
  severityTextLength: 9,
  eventName: 10,
  eventNameLength: 11,
  body: 12,
  attributes: 13,
  attributeCount: 14,
  /** The whole message. */
  message: 15,
  messageLength: 16,
  stride: 17,
} as const;
