import { decodeAs } from './decode/json.ts';
import { type DecodedMetrics, MetricDecoder } from './decode/metric-decoder.ts';
import type { Decoded } from './decode/wire.ts';
import type { Metrics } from './metrics.ts';
import type { FieldTable } from './model/fields.ts';
import type { MetricBatch } from './model/metric-batch.ts';
import type { Redactor } from './model/redaction.ts';
import type { Rows } from './model/spool.ts';
import type { KeyBudget } from './store/rows/key-budget.ts';
import { MetricRowEncoder } from './store/rows/otel-metrics.ts';
import type { TimeRange } from './store/rows/times.ts';

/** Metric requests, from bytes to rows. No rules look at them. */
export class MetricIntake {
  readonly #decoder: MetricDecoder;
  readonly #encoder: MetricRowEncoder;

  constructor(fields: FieldTable, redactor?: Redactor, budget?: KeyBudget) {
    this.#decoder = new MetricDecoder(fields);
    this.#encoder = new MetricRowEncoder(fields, redactor, budget);
  }

  get clampedPoints(): number {
    return this.#encoder.clamped;
  }

  get truncatedValues(): number {
    return this.#encoder.truncatedValues;
  }

  decode(encoding: 'protobuf' | 'json', bytes: Buffer): Decoded<DecodedMetrics> {
    return decodeAs(this.#decoder, 'metrics', encoding, bytes);
  }

  /** Rows for the tables otel_metrics_*; they outlive the batch. */
  take(batch: MetricBatch, range: TimeRange): Rows[] {
    return this.#encoder.encode(batch, range);
  }
}

interface PointCounts {
  readonly metricPoints: Pick<MetricIntake, 'clampedPoints' | 'truncatedValues'>;
}

export function addMetricGauges(metrics: Metrics, { metricPoints }: PointCounts, fields: FieldTable): void {
  const add = metrics.gauge;
  const overflowed = 'Attributes of any signal that became `_overflow` because a request had too many names.';
  add('spanwarden_decode_overflowed_names', overflowed, () => fields.overflowed);
  add('spanwarden_store_clamped_data_points', 'Data points whose time was moved.', () => metricPoints.clampedPoints);
  add(
    'spanwarden_store_truncated_metric_values',
    'Attribute values of metrics cut before storage.',
    () => metricPoints.truncatedValues,
  );
}
