import { hash } from 'node:crypto';
import { MetricIntake } from '../metric-intake.ts';
import type { Metrics } from '../metrics.ts';
import type { FieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import type { OwnResource } from '../own-resource.ts';
import type { TelemetryConfig } from '../own-traces/config.ts';
import type { SpoolConfig } from '../spool/config.ts';
import type { Spool } from '../spool/contract.ts';
import { registryAsOtlp } from './otlp.ts';

/** The scope of all data points made here. */
const scopeName = 'spanwarden.collector';
/** While so much of the spool waits for ClickHouse, its room is for what senders bring. */
const spoolShareMax = 0.5;
const dayMs = 86_400_000;

export interface OwnMetricsOptions {
  readonly config: { readonly telemetry: TelemetryConfig; readonly spool: Pick<SpoolConfig, 'bytes_max'> };
  readonly metrics: Pick<Metrics, 'registry' | 'gauge'>;
  readonly fields: FieldTable;
  readonly spool: Pick<Spool, 'append' | 'stats'>;
  readonly resource: OwnResource;
  readonly logger: OwnMetricsLogger;
  /** Milliseconds since the epoch; `Date.now` unless said otherwise. */
  readonly now?: () => number;
}

export interface OwnMetricsLogger {
  warn(fields: object, message: string): void;
}

/**
 * Writes what the registry holds into the spool, one record an interval, from where it goes to `otel_metrics_*` as any row does. It does
 * not go through the pipeline: nobody sent it, so it is neither counted as taken in nor remembered as sent before. What is refused is
 * not tried again, for the next one says the same and more.
 */
export class OwnMetrics {
  readonly #options: OwnMetricsOptions;
  readonly #points: MetricIntake;
  readonly #now: () => number;
  readonly #startMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;
  #stored = 0;
  #refused = 0;
  #leftOut = 0;
  #isRefused = false;

  constructor(options: OwnMetricsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#startMs = this.#now();
    this.#points = new MetricIntake(options.fields);
    const { gauge } = options.metrics;
    gauge('spanwarden_telemetry_stored_batches', 'Batches of own metrics on disk.', () => this.#stored);
    gauge('spanwarden_telemetry_refused_batches', 'Batches of own metrics without room.', () => this.#refused);
    gauge('spanwarden_telemetry_left_out_data_points', 'Own data points over the bound.', () => this.#leftOut);
    const { interval_ms: intervalMs } = options.config.telemetry.metrics;
    if (intervalMs !== 'off') this.#timer = setInterval(() => void this.write(), intervalMs).unref();
  }

  /** Writes once, unless that is being done; never rejects. */
  write(): Promise<void> {
    this.#underWay ??= this.#write()
      .catch((error: unknown) => this.#refuse(error instanceof Error ? error.message : String(error)))
      .finally(() => {
        this.#underWay = undefined;
      });
    return this.#underWay;
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#underWay;
  }

  async #write(): Promise<void> {
    const { config, spool, metrics, resource } = this.#options;
    if (spool.stats().bytes > config.spool.bytes_max * spoolShareMax) {
      this.#refuse('the spool is half full, and its room is for what senders bring');
      return;
    }
    const all = await metrics.registry.getMetricsAsJSON();
    const nowMs = this.#now();
    const { bytes, leftOut } = registryAsOtlp(all, {
      resource,
      scope: { name: scopeName, version: resource['service.version'] },
      startNanos: nanosOf(this.#startMs),
      nowNanos: nanosOf(nowMs),
      pointsMax: limits.ownDataPointsMax,
    });
    this.#leftOut += leftOut;
    const decoded = this.#points.decode('protobuf', bytes);
    if (decoded.status !== 'ok') throw new Error(decoded.message);
    const rows = this.#points.take(decoded.batch, { fromMs: nowMs - dayMs, toMs: nowMs + dayMs });
    const outcome = await spool.append({ digest: hash('sha256', bytes, 'buffer').subarray(0, 16), rows });
    if (outcome.status !== 'ok') {
      this.#refuse(outcome.reason);
      return;
    }
    this.#stored++;
    this.#isRefused = false;
  }

  /** Counts each time and says it once for each episode. */
  #refuse(reason: string): void {
    this.#refused++;
    if (!this.#isRefused) this.#options.logger.warn({ reason }, 'telemetry.metrics: own metrics are not stored');
    this.#isRefused = true;
  }
}

function nanosOf(ms: number): bigint {
  return BigInt(Math.trunc(ms)) * 1_000_000n;
}
