import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import { ProtobufWriter } from '../model/protobuf-writer.ts';

/** A metric as the registry gives it. */
export type RegistryMetric = MetricObjectWithValues<MetricValue<string>>;

export interface OtlpOptions {
  /** Attributes of the resource. */
  readonly resource: Readonly<Record<string, string>>;
  readonly scope: { readonly name: string; readonly version: string };
  /** Since when counters count, and what time it is, in ns since the epoch. */
  readonly startNanos: bigint;
  readonly nowNanos: bigint;
  /** Data points that are written; further ones are left out. */
  readonly pointsMax: number;
}

export interface OtlpRequest {
  readonly bytes: Buffer;
  readonly points: number;
  readonly leftOut: number;
}

interface Point {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

interface HistogramPoint {
  readonly labels: Point['labels'];
  /** Upper bounds and how many values were at most so large; the last bound is infinite. */
  readonly buckets: (readonly [bound: number, count: number])[];
  sum: number;
  count: number;
}

const cumulative = 2;

/**
 * The registry as an ExportMetricsServiceRequest: counters are cumulative monotonic sums, histograms cumulative explicit histograms, gauges
 * gauges; labels are attributes. Values that are no finite number are left out. Summaries are not taken: there are none.
 *
 * | message | fields |
 * |---|---|
 * | request; ResourceMetrics; ScopeMetrics | 1 resource_metrics; 1 resource, 2 scope_metrics; 1 scope, 2 metrics |
 * | Metric | 1 name, 2 description, 3 unit, 5 gauge, 7 sum, 9 histogram |
 * | Gauge, Sum, Histogram | 1 data_points, 2 aggregation_temporality, 3 is_monotonic |
 * | NumberDataPoint | 2 start, 3 time, 4 as_double, 7 attributes |
 * | HistogramDataPoint | 2 start, 3 time, 4 count, 5 sum, 6 bucket_counts, 7 explicit_bounds, 9 attributes |
 *
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto
 */
export function registryAsOtlp(metrics: readonly RegistryMetric[], options: OtlpOptions): OtlpRequest {
  const writer = new ProtobufWriter();
  const room = new Room(options.pointsMax);
  writer.message(1, () => {
    writer.message(1, () => {
      for (const [name, value] of Object.entries(options.resource)) writeAttribute(writer, 1, name, value);
    });
    writer.message(2, () => {
      writer.message(1, () => {
        writer.string(1, options.scope.name);
        writer.string(2, options.scope.version);
      });
      for (const metric of metrics) writeMetric(writer, metric, options, room);
    });
  });
  return { bytes: writer.take(), points: room.taken, leftOut: room.leftOut };
}

/** Counts data points against their bound. */
class Room {
  taken = 0;
  leftOut = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  first<T>(points: readonly T[]): readonly T[] {
    const taken = points.slice(0, this.#max - this.taken);
    this.taken += taken.length;
    this.leftOut += points.length - taken.length;
    return taken;
  }
}

/** The numbers of `type` as prom-client's JSON has them: a word. */
function writeMetric(writer: ProtobufWriter, metric: RegistryMetric, times: OtlpOptions, room: Room): void {
  const type = String(metric.type);
  const isHistogram = type === 'histogram';
  if (!isHistogram && type !== 'counter' && type !== 'gauge') return;
  const points = isHistogram ? [] : room.first(numberPoints(metric));
  const histograms = isHistogram ? room.first(histogramPoints(metric)) : [];
  if (points.length + histograms.length === 0) return;
  writer.message(2, () => {
    writer.string(1, metric.name);
    writer.string(2, metric.help);
    writer.string(3, unitOf(metric.name));
    writer.message(isHistogram ? 9 : type === 'counter' ? 7 : 5, () => {
      for (const point of points) writer.message(1, () => writeNumber(writer, point, times));
      for (const point of histograms) writer.message(1, () => writeHistogram(writer, point, times));
      if (type !== 'gauge') writer.varint(2, cumulative);
      if (type === 'counter') writer.varint(3, 1);
    });
  });
}

function numberPoints({ values }: RegistryMetric): Point[] {
  return values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ value, labels }) => ({ value, labels: labelsOf(labels) }));
}

/** The values of a histogram come as `…_bucket` with the label `le`, `…_sum` and `…_count`, one set for each choice of labels. */
function histogramPoints({ name, values }: RegistryMetric): HistogramPoint[] {
  const points = new Map<string, HistogramPoint>();
  for (const each of values) {
    const { metricName = name, labels, value } = each as typeof each & { metricName?: string };
    const own = labelsOf(labels).filter(([label]) => label !== 'le');
    const key = JSON.stringify(own);
    const point = points.get(key) ?? { labels: own, buckets: [], sum: 0, count: 0 };
    points.set(key, point);
    if (metricName === `${name}_sum`) point.sum = value;
    else if (metricName === `${name}_count`) point.count = value;
    else point.buckets.push([Number(String(labels['le']).replace('+Inf', 'Infinity')), value]);
  }
  return [...points.values()];
}

function labelsOf(labels: RegistryMetric['values'][number]['labels']): (readonly [string, string])[] {
  return Object.entries(labels).map(([name, value]) => [name, String(value)]);
}

function writeTimes(writer: ProtobufWriter, { startNanos, nowNanos }: OtlpOptions): void {
  writer.fixed64(2, startNanos);
  writer.fixed64(3, nowNanos);
}

function writeNumber(writer: ProtobufWriter, { labels, value }: Point, times: OtlpOptions): void {
  writeTimes(writer, times);
  writer.double(4, value);
  for (const [name, text] of labels) writeAttribute(writer, 7, name, text);
}

/** Prometheus counts everything up to a bound, OTLP what lies between two of them. */
function writeHistogram(
  writer: ProtobufWriter,
  { labels, buckets, sum, count }: HistogramPoint,
  times: OtlpOptions,
): void {
  writeTimes(writer, times);
  writer.fixed64(4, count);
  writer.double(5, sum);
  let below = 0;
  for (const [, upTo] of buckets) {
    writer.fixed64(6, upTo - below);
    below = upTo;
  }
  for (const [bound] of buckets) if (Number.isFinite(bound)) writer.double(7, bound);
  for (const [name, text] of labels) writeAttribute(writer, 9, name, text);
}

/** KeyValue: 1 key, 2 value (AnyValue: 1 string_value). */
function writeAttribute(writer: ProtobufWriter, field: number, name: string, value: string): void {
  writer.message(field, () => {
    writer.string(1, name);
    writer.message(2, () => writer.string(1, value));
  });
}

/** In UCUM, by the last word of a name, behind which counters have `_total`. */
function unitOf(name: string): string {
  const bare = name.replace(/_total$/, '');
  if (bare.endsWith('_seconds')) return 's';
  return bare.endsWith('_bytes') || bare.endsWith('_bytes_max') ? 'By' : '1';
}
