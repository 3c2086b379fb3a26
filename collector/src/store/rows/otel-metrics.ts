import type { FieldTable } from '../../model/fields.ts';
import { Exemplar, Metric, type MetricBatch, type MetricKind, metricKinds, Point } from '../../model/metric-batch.ts';
import type { Redactor } from '../../model/redaction.ts';
import { Resource, Scope } from '../../model/span-batch.ts';
import type { Rows } from '../../model/spool.ts';
import { AttributeMapWriter } from './attribute-map.ts';
import { type KeyBudget, KeyPlace, type ServiceKeys } from './key-budget.ts';
import { RowWriter } from './rowbinary.ts';
import { edgesOf, type TimeEdges, type TimeRange, withOriginal, writeTime } from './times.ts';

const commonColumns = [
  'ResourceAttributes',
  'ResourceSchemaUrl',
  'ScopeName',
  'ScopeVersion',
  'ScopeAttributes',
  'ScopeDroppedAttrCount',
  'ScopeSchemaUrl',
  'ServiceName',
  'MetricName',
  'MetricDescription',
  'MetricUnit',
  'TimeUnix',
  'StartTimeUnix',
  'Attributes',
  'Flags',
] as const;
const exemplarColumns = [
  'Exemplars.FilteredAttributes',
  'Exemplars.TimeUnix',
  'Exemplars.Value',
  'Exemplars.SpanId',
  'Exemplars.TraceId',
] as const;
const statistics = ['Count', 'Sum', 'Min', 'Max'] as const;

/**
 * The columns of otel_metrics_* that the OpenTelemetry Collector's ClickHouse exporter inserts, in the order of our rows.
 * https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
 */
export const metricColumns: Readonly<Record<MetricKind, readonly string[]>> = {
  gauge: [...commonColumns, 'Value', ...exemplarColumns],
  sum: [...commonColumns, 'Value', 'AggregationTemporality', 'IsMonotonic', ...exemplarColumns],
  histogram: [
    ...[...commonColumns, ...statistics, 'AggregationTemporality', 'BucketCounts', 'ExplicitBounds'],
    ...exemplarColumns,
  ],
  exponential_histogram: [
    ...[...commonColumns, ...statistics, 'AggregationTemporality', 'Scale', 'ZeroCount'],
    ...['PositiveOffset', 'PositiveBucketCounts', 'NegativeOffset', 'NegativeBucketCounts', ...exemplarColumns],
  ],
  summary: [...commonColumns, 'Count', 'Sum', 'ValueAtQuantiles.Quantile', 'ValueAtQuantiles.Value'],
};

/** Metric batches → RowBinary rows of five tables, by the rules of `SpanRowEncoder`. Integers become Float64, as the exporter does. */
export class MetricRowEncoder {
  /** Data points whose time was moved, since the start. */
  clamped = 0;
  readonly #writers = metricKinds.map(() => new RowWriter(32 * 1024));
  readonly #maps: AttributeMapWriter;
  readonly #serviceName: number;
  readonly #scratch = new RowWriter(16 * 1024);
  /** What stands in every row of a metric up to its unit, encoded once per batch. */
  #heads: Buffer[] = [];
  readonly #budget: KeyBudget | undefined;
  /** By metric, like its head. */
  #keys: (ServiceKeys | undefined)[] = [];

  /** @param redactor takes out what must not be stored; without one everything is stored as it came. */
  constructor(fields: FieldTable, redactor?: Redactor, budget?: KeyBudget) {
    this.#budget = budget;
    this.#maps = new AttributeMapWriter(fields, redactor);
    this.#serviceName = fields.intern('service.name');
  }

  /** Values cut because they were over `limits.attributeValueBytesMax`, since the start. */
  get truncatedValues(): number {
    return this.#maps.truncated;
  }

  /** One `Rows` for each kind that the batch has. */
  encode(batch: MetricBatch, range: TimeRange): Rows[] {
    this.#heads = [];
    this.#keys = [];
    this.#maps.begin(batch);
    const edges = edgesOf(range);
    const counts = metricKinds.map(() => 0);
    for (let point = 0; point < batch.pointCount; point++) {
      const at = point * Point.stride;
      const kind = batch.points[at + Point.kind]!;
      counts[kind]!++;
      this.#common(this.#writers[kind]!, batch, at, edges);
      this.#values[metricKinds[kind]!](this.#writers[kind]!, batch, at);
    }
    return metricKinds.flatMap((kind, i) => {
      const count = counts[i]!;
      return count === 0 ? [] : [{ table: `otel_metrics_${kind}` as const, bytes: this.#writers[i]!.take(), count }];
    });
  }

  #common(writer: RowWriter, batch: MetricBatch, at: number, edges: TimeEdges): void {
    const { points } = batch;
    const metric = points[at + Point.metric]!;
    this.#heads[metric] ??= this.#head(batch, metric);
    writer.raw(this.#heads[metric], 0, this.#heads[metric].length);
    const original = writeTime(writer, batch, points[at + Point.time]!, edges);
    if (original !== undefined) this.clamped++;
    eight(writer, batch, points[at + Point.start]!);
    const keys = this.#keys[metric];
    this.#maps.keys = keys && { of: keys, place: KeyPlace.point };
    this.#maps.notes.reset();
    const added = withOriginal([], original);
    this.#maps.write(writer, points[at + Point.attributes]!, points[at + Point.attributeCount]!, added);
    writer.u32(points[at + Point.flags]!);
  }

  #head(batch: MetricBatch, metric: number): Buffer {
    const at = metric * Metric.stride;
    const into = this.#scratch;
    const { metrics, resources, scopes, bytes } = batch;
    const text = (rows: ArrayLike<number>, column: number) =>
      this.#maps.writePlain(into, bytes, rows[column]!, rows[column + 1]!);
    const resource = metrics[at + Metric.resource]! * Resource.stride;
    const scope = metrics[at + Metric.scope]! * Scope.stride;
    const first = resources[resource + Resource.attributes]!;
    const count = resources[resource + Resource.attributeCount]!;
    const keys = this.#budget?.of(this.#maps.textOf(first, count, this.#serviceName));
    this.#keys[metric] = keys;
    this.#maps.keys = keys && { of: keys, place: KeyPlace.resource };
    this.#maps.notes.reset();
    into.reset();
    this.#maps.write(into, first, count);
    text(resources, resource + Resource.schemaUrl);
    text(scopes, scope + Scope.name);
    text(scopes, scope + Scope.version);
    this.#maps.write(into, scopes[scope + Scope.attributes]!, scopes[scope + Scope.attributeCount]!);
    into.u32(0);
    text(scopes, scope + Scope.schemaUrl);
    this.#maps.writeValueOf(into, first, count, this.#serviceName);
    text(metrics, at + Metric.name);
    text(metrics, at + Metric.description);
    text(metrics, at + Metric.unit);
    return Buffer.from(into.buffer.subarray(0, into.length));
  }

  /** What each kind has behind the common columns. */
  readonly #values: Readonly<Record<MetricKind, (writer: RowWriter, batch: MetricBatch, at: number) => void>> = {
    gauge: (writer, batch, at) => {
      value(writer, batch, batch.points[at + Point.double]!, batch.points[at + Point.int]!);
      this.#exemplars(writer, batch, at);
    },
    sum: (writer, batch, at) => {
      value(writer, batch, batch.points[at + Point.double]!, batch.points[at + Point.int]!);
      const metric = batch.points[at + Point.metric]! * Metric.stride;
      writer.u32(batch.metrics[metric + Metric.temporality]!);
      writer.u8(batch.metrics[metric + Metric.monotonic]! === 0 ? 0 : 1);
      this.#exemplars(writer, batch, at);
    },
    histogram: (writer, batch, at) => {
      histogram(writer, batch, at);
      list(writer, batch, at + Point.buckets);
      list(writer, batch, at + Point.bounds);
      this.#exemplars(writer, batch, at);
    },
    exponential_histogram: (writer, batch, at) => {
      histogram(writer, batch, at);
      writer.u32(batch.points[at + Point.scale]!);
      eight(writer, batch, batch.points[at + Point.zeroCount]!);
      writer.u32(batch.points[at + Point.positiveOffset]!);
      list(writer, batch, at + Point.buckets);
      writer.u32(batch.points[at + Point.negativeOffset]!);
      list(writer, batch, at + Point.negatives);
      this.#exemplars(writer, batch, at);
    },
    summary: (writer, batch, at) => {
      eight(writer, batch, batch.points[at + Point.count]!);
      eight(writer, batch, batch.points[at + Point.sum]!);
      const first = batch.points[at + Point.buckets]!;
      const pairs = batch.points[at + Point.bucketCount]! / 2;
      for (const half of [0, 1]) {
        writer.varint(pairs);
        for (let i = 0; i < pairs; i++) {
          const start = (first + i * 2 + half) * 8;
          writer.raw(batch.numbers, start, start + 8);
        }
      }
    },
  };

  #exemplars(writer: RowWriter, batch: MetricBatch, point: number): void {
    const first = batch.points[point + Point.exemplars]!;
    const count = batch.points[point + Point.exemplarCount]!;
    const { exemplars } = batch;
    const each = (write: (at: number) => void) => {
      writer.varint(count);
      for (let row = first; row < first + count; row++) write(row * Exemplar.stride);
    };
    each((at) => {
      this.#maps.notes.reset();
      this.#maps.write(writer, exemplars[at + Exemplar.attributes]!, exemplars[at + Exemplar.attributeCount]!);
    });
    each((at) => eight(writer, batch, exemplars[at + Exemplar.time]!));
    each((at) => value(writer, batch, exemplars[at + Exemplar.double]!, exemplars[at + Exemplar.int]!));
    each((at) => writer.hex(batch.bytes, exemplars[at + Exemplar.spanId]!, 8));
    each((at) => writer.hex(batch.bytes, exemplars[at + Exemplar.traceId]!, 16));
  }
}

/** Count, Sum, Min, Max, AggregationTemporality. */
function histogram(writer: RowWriter, batch: MetricBatch, at: number): void {
  for (const column of [Point.count, Point.sum, Point.min, Point.max]) eight(writer, batch, batch.points[at + column]!);
  writer.u32(batch.metrics[batch.points[at + Point.metric]! * Metric.stride + Metric.temporality]!);
}

/** 8 bytes as they came: a double, a UInt64 or a time; zero when there are none. */
function eight(writer: RowWriter, batch: MetricBatch, offset: number): void {
  if (offset >= 0) writer.raw(batch.bytes, offset, offset + 8);
  else writer.u64Halves(0, 0);
}

/** A Float64: of a double and an integer the one that was sent. */
function value(writer: RowWriter, batch: MetricBatch, double: number, int: number): void {
  if (double >= 0 || int < 0) {
    eight(writer, batch, double);
    return;
  }
  writer.ensure(8);
  writer.length = writer.buffer.writeDoubleLE(Number(batch.bytes.readBigInt64LE(int)), writer.length);
}

/** An array of 8-byte numbers, from the list whose start stands in a column and whose length in the next. */
function list(writer: RowWriter, batch: MetricBatch, column: number): void {
  const start = batch.points[column]!;
  const count = batch.points[column + 1]!;
  writer.varint(count);
  writer.raw(batch.numbers, start * 8, (start + count) * 8);
}
