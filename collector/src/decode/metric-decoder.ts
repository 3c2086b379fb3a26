import type { ErrorCode } from '../model/errors.ts';
import type { FieldTable } from '../model/fields.ts';
import { Metric, type MetricBatch, type MetricKind } from '../model/metric-batch.ts';
import { Resource, Scope } from '../model/span-batch.ts';
import { AttributeReader } from './attributes.ts';
import { OtlpMetricBatch } from './batch.ts';
import { OwnerReader } from './owners.ts';
import { PointReader } from './point-reader.ts';
import { Table } from './tables.ts';
import { MalformedError, WireReader, WireType } from './wire.ts';

/** What was left out of a batch because of a limit, by kind. */
export type DecodedMetrics = MetricBatch & { readonly dropped: { readonly attributes: number } };

export type DecodeMetricsOutcome =
  | { readonly status: 'ok'; readonly batch: DecodedMetrics }
  | { readonly status: 'malformed'; readonly code: ErrorCode; readonly message: string };

/**
 * ExportMetricsServiceRequest (OTLP 1.11, the same wire form as MetricsData) → a metric batch of offsets. As the trace decoder:
 * bytes that are no protobuf give `malformed`, data points that break a rule are left out one by one and counted.
 *
 * | message | fields |
 * |---|---|
 * | ResourceMetrics | 1 resource, 2 scope_metrics, 3 schema_url |
 * | ScopeMetrics | 1 scope, 2 metrics, 3 schema_url |
 * | Metric | 1 name, 2 description, 3 unit, 5 gauge, 7 sum, 9 histogram, 10 exponential_histogram, 11 summary |
 * | each kind | 1 data_points, 2 aggregation_temporality, 3 is_monotonic |
 */
export class MetricDecoder {
  readonly #reader = new WireReader();
  readonly #batch = new OtlpMetricBatch();
  readonly #metrics = new Table(Metric.stride, 256, 'metrics');
  readonly #attributes: AttributeReader;
  readonly #owners: OwnerReader;
  readonly #points: PointReader;
  readonly #resources = new Table(Resource.stride, 16, 'resources');
  readonly #scopes = new Table(Scope.stride, 16, 'scopes');

  constructor(fields: FieldTable) {
    this.#attributes = new AttributeReader(this.#reader, fields);
    this.#owners = new OwnerReader(this.#reader, this.#attributes);
    this.#points = new PointReader(this.#reader, this.#attributes);
  }

  decode(bytes: Buffer): DecodeMetricsOutcome {
    this.#reader.reset(bytes);
    this.#batch.bytes = bytes;
    this.#batch.rejected = { count: 0, message: '' };
    this.#attributes.reset();
    this.#points.reset();
    for (const table of [this.#metrics, this.#resources, this.#scopes]) table.reset(65_536);
    try {
      this.#request(bytes.length);
    } catch (error) {
      if (error instanceof MalformedError) return { status: 'malformed', code: error.code, message: error.message };
      throw error;
    }
    return { status: 'ok', batch: this.#finish() };
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
    batch.resources = this.#resources.rows;
    batch.scopes = this.#scopes.rows;
    return batch;
  }

  #request(end: number): void {
    this.#children(end, 1, 'resource_metrics', (_, stop) => this.#resourceMetrics(stop));
  }

  #resourceMetrics(end: number): void {
    const at = this.#resources.add();
    this.#resources.rows.fill(0, at, at + Resource.stride);
    const resource = this.#resources.count - 1;
    this.#children(end, 3, 'ResourceMetrics', (field, stop) => {
      if (field === 1) this.#owners.resource(stop, this.#resources, at);
      else if (field === 2) this.#scopeMetrics(stop, resource);
      else this.#text(this.#resources.rows, at + Resource.schemaUrl, stop);
    });
  }

  #scopeMetrics(end: number, resource: number): void {
    const at = this.#scopes.add();
    this.#scopes.rows.fill(0, at, at + Scope.stride);
    const scope = this.#scopes.count - 1;
    this.#children(end, 3, 'ScopeMetrics', (field, stop) => {
      if (field === 1) this.#owners.scope(stop, this.#scopes, at);
      else if (field === 2) this.#metric(stop, resource, scope);
      else this.#text(this.#scopes.rows, at + Scope.schemaUrl, stop);
    });
  }

  #metric(end: number, resource: number, scope: number): void {
    const at = this.#metrics.add();
    this.#metrics.rows.fill(0, at, at + Metric.stride);
    this.#metrics.rows[at + Metric.resource] = resource;
    this.#metrics.rows[at + Metric.scope] = scope;
    this.#children(end, 11, 'Metric', (field, stop) => {
      const kind = kinds[field];
      if (kind !== undefined) this.#data(stop, kind, at);
      else if (field <= 3) this.#text(this.#metrics.rows, at + texts[field]!, stop);
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

  /** Fields 1 to `last` of a message, all of them length-delimited; the others are unknown and skipped. */
  #children(end: number, last: number, name: string, child: (field: number, stop: number) => void): void {
    const reader = this.#reader;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag >>> 3 > last) {
        reader.skip(tag & 7, end);
        continue;
      }
      reader.expect(tag & 7, WireType.bytes, name);
      const stop = reader.range(end);
      child(tag >>> 3, stop);
      reader.pos = stop;
    }
  }

  #text(rows: Int32Array, column: number, stop: number): void {
    rows[column] = this.#reader.pos;
    rows[column + 1] = stop - this.#reader.pos;
  }
}

const kinds: Readonly<Record<number, MetricKind>> = {
  5: 'gauge',
  7: 'sum',
  9: 'histogram',
  10: 'exponential_histogram',
  11: 'summary',
};

const texts: readonly number[] = [-1, Metric.name, Metric.description, Metric.unit];
