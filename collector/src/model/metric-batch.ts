import type { AttributeSource, RejectedSpans } from './span-batch.ts';

/** The five kinds of metrics; each has its table. */
export const metricKinds = ['gauge', 'sum', 'histogram', 'exponential_histogram', 'summary'] as const;

export type MetricKind = (typeof metricKinds)[number];

/**
 * One OTLP metrics request, decoded to offsets, under the same contract as a `SpanBatch`. Data points are the records; what
 * they have in common stands in `metrics`.
 */
export interface MetricBatch extends AttributeSource {
  readonly pointCount: number;
  readonly metrics: Int32Array<ArrayBufferLike>;
  readonly points: Int32Array<ArrayBufferLike>;
  readonly exemplars: Int32Array<ArrayBufferLike>;
  readonly resources: Int32Array<ArrayBufferLike>;
  readonly scopes: Int32Array<ArrayBufferLike>;
  /** Bucket counts, bounds and quantiles of all points: 8 bytes each, as RowBinary has them. */
  readonly numbers: Buffer;
  /** Data points refused one by one, for OTLP's partial success. */
  readonly rejected: RejectedSpans;
}

/** Columns of `metrics`. */
export const Metric = {
  resource: 0,
  scope: 1,
  name: 2,
  nameLength: 3,
  description: 4,
  descriptionLength: 5,
  unit: 6,
  unitLength: 7,
  temporality: 8,
  monotonic: 9,
  stride: 10,
} as const;

/**
 * Columns of `points`. Those of fixed64 and double fields are offsets into `bytes`, -1 when absent. Lists are an index into
 * `numbers` and a count; quantiles are pairs there. `kind` is an index of `metricKinds`.
 */
export const Point = {
  metric: 0,
  kind: 1,
  attributes: 2,
  attributeCount: 3,
  start: 4,
  time: 5,
  flags: 6,
  double: 7,
  int: 8,
  count: 9,
  sum: 10,
  min: 11,
  max: 12,
  zeroCount: 13,
  scale: 14,
  buckets: 15,
  bucketCount: 16,
  bounds: 17,
  boundCount: 18,
  positiveOffset: 19,
  negativeOffset: 20,
  negatives: 21,
  negativeCount: 22,
  exemplars: 23,
  exemplarCount: 24,
  /** The whole message. */
  message: 25,
  messageLength: 26,
  stride: 27,
} as const;

/** Columns of `exemplars`. */
export const Exemplar = {
  time: 0,
  double: 1,
  int: 2,
  spanId: 3,
  traceId: 4,
  attributes: 5,
  attributeCount: 6,
  stride: 7,
} as const;
