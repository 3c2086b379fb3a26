import type { FieldTable } from '../model/fields.ts';
import { Metric, type MetricBatch, type MetricKind } from '../model/metric-batch.ts';
import { AttributeReader } from './attributes.ts';
import { OtlpMetricBatch } from './batch.ts';
import { Envelope, type EnvelopeNames } from './envelope.ts';
import { PointReader } from './point-reader.ts';
import { Table } from './tables.ts';
import { type Decoded, orMalformed, WireReader, WireType } from './wire.ts';

/** What was left out of a batch because of a limit, by kind. */
export type DecodedMetrics = MetricBatch & {
  readonly dropped: { readonly attributes: number };
  /** Takes data points that are marked out of the batch. */
  leaveOut(isOut: Uint8Array): void;
};

/**
 * ExportMetricsServiceRequest (OTLP 1.11, the same wire form as MetricsData) → a metric batch of offsets. As the trace decoder:
 * bytes that are no protobuf give `malformed`, data points that break a rule are left out one by one and counted.
 *
 * | message | fields |
 * |---|---|
 * | Metric | 1 name, 2 description, 3 unit, 5 gauge, 7 sum, 9 histogram, 10 exponential_histogram, 11 summary |
 * | each kind | 1 data_points, 2 aggregation_temporality, 3 is_monotonic |
 */
export class MetricDecoder {
  readonly #reader = new WireReader();
  readonly #batch = new OtlpMetricBatch();
  readonly #metrics = new Table(Metric.stride, 256, 'metrics');
  readonly #attributes: AttributeReader;
  readonly #envelope: Envelope;
  readonly #points: PointReader;

  constructor(fields: FieldTable) {
    this.#attributes = new AttributeReader(this.#reader, fields);
    this.#envelope = new Envelope(this.#reader, this.#attributes, names);
    this.#points = new PointReader(this.#reader, this.#attributes);
  }

  decode(bytes: Buffer): Decoded<DecodedMetrics> {
    this.#reader.reset(bytes);
    this.#batch.bytes = bytes;
    this.#batch.rejected = { count: 0, message: '' };
    this.#attributes.reset();
    this.#points.reset();
    this.#metrics.reset(65_536);
    this.#envelope.reset();
    return orMalformed(() => {
      this.#envelope.read(bytes.length, (stop, resource, scope) => this.#metric(stop, resource, scope));
      this.#envelope.reject(this.#batch.rejected);
      return { status: 'ok', batch: this.#finish() };
    });
  }

  #finish(): DecodedMetrics {
    const batch = this.#batch;
    batch.pointCount = this.#points.points.count;
    batch.points = this.#points.points.rows;
    batch.exemplars = this.#points.exemplars.rows;
    batch.numbers = this.#points.numbers.bytes;
    batch.metrics = this.#metrics.rows;
    batch.attributes = this.#attributes.table.rows;
    batch.dropped.attributes = this.#attributes.dropped;
    batch.resources = this.#envelope.resources.rows;
    batch.scopes = this.#envelope.scopes.rows;
    return batch;
  }

  #metric(end: number, resource: number, scope: number): void {
    const at = this.#metrics.add();
    this.#metrics.rows.fill(0, at, at + Metric.stride);
    this.#metrics.rows[at + Metric.resource] = resource;
    this.#metrics.rows[at + Metric.scope] = scope;
    this.#reader.children(end, 11, 'Metric', (field, stop) => {
      const kind = kinds[field];
      if (kind !== undefined) this.#data(stop, kind, at);
      else if (field <= 3) this.#reader.place(this.#metrics.rows, at + texts[field]!, stop);
    });
  }

  /** The points of a metric: of one kind each, as the message says by its field. */
  #data(end: number, kind: MetricKind, at: number): void {
    const reader = this.#reader;
    const metric = at / Metric.stride;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      if (field === 1) {
        reader.expect(tag & 7, WireType.bytes, 'data_points');
        const problem = this.#points.read(reader.range(end), kind, metric);
        if (problem === undefined) continue;
        this.#batch.rejected.count++;
        this.#batch.rejected.message ||= problem;
      } else if (field === 2 || field === 3) {
        reader.expect(tag & 7, WireType.varint, 'a property of a metric');
        this.#metrics.rows[at + (field === 2 ? Metric.temporality : Metric.monotonic)] = reader.varint32(end);
      } else reader.skip(tag & 7, end);
    }
  }
}

const names: EnvelopeNames = {
  ...{ request: 'resource_metrics', resource: 'ResourceMetrics', scope: 'ScopeMetrics', scopeFields: 3 },
  // Metric: gauge, sum, histogram, exponential histogram, summary; data_points of each.
  ...{ former: 'instrumentation_library_metrics', records: 'data points', recordsAt: [[2], [5, 7, 9, 10, 11], [1]] },
};

const kinds: Readonly<Record<number, MetricKind>> = {
  5: 'gauge',
  7: 'sum',
  9: 'histogram',
  10: 'exponential_histogram',
  11: 'summary',
};

const texts: readonly number[] = [-1, Metric.name, Metric.description, Metric.unit];
