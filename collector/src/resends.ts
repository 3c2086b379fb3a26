import { randomBytes } from 'node:crypto';
import type { Signal } from './decode/json.ts';
import type { DecodedLogs } from './decode/log-decoder.ts';
import type { DecodedMetrics } from './decode/metric-decoder.ts';
import type { DecodedBatch } from './decode/trace-decoder.ts';
import { logKind, pointKind, type RecordKind, spanKind } from './detect/resends/contents.ts';
import { ResentRecords } from './detect/resends/resent-records.ts';
import type { Stateful } from './detect/state.ts';
import type { Metrics } from './metrics.ts';
import type { SpoolConfig } from './spool/config.ts';

/** Knows records that came before, of each signal for itself, so that many of one do not push out those of another. */
export interface Resends {
  readonly traces?: ResentRecords<DecodedBatch> | undefined;
  readonly logs?: ResentRecords<DecodedLogs> | undefined;
  readonly metrics?: ResentRecords<DecodedMetrics> | undefined;
}

/** How many of each are known; of a signal with 0, or none, only whole requests are recognised when they come again. */
export function createResends(recordsMax: Readonly<Partial<Record<Signal, number>>>): Resends {
  const { traces, logs, metrics } = recordsMax;
  return { traces: resent(spanKind, traces), logs: resent(logKind, logs), metrics: resent(pointKind, metrics) };
}

export function resendsOf(config: SpoolConfig): Resends {
  return createResends({
    traces: config.resent_spans_max,
    logs: config.resent_log_records_max,
    metrics: config.resent_data_points_max,
  });
}

/** As parts of the memory of detection, by their names there, which never change. */
export function resendParts({ traces, logs, metrics }: Resends): Record<string, Stateful> {
  return {
    ...(traces && { resends: traces }),
    ...(logs && { resentLogs: logs }),
    ...(metrics && { resentPoints: metrics }),
  };
}

/** What a start found and could not sync may be lost yet, and then its sender has to bring it once more. */
export function trustOnlySynced(resends: Resends, spool: { readonly unsyncedSegments: number }): void {
  if (spool.unsyncedSegments === 0) return;
  for (const each of [resends.traces, resends.logs, resends.metrics]) each?.forget();
}

export function countResent(metrics: Metrics): (signal: Signal, count: number) => void {
  const counters = { traces: metrics.resentSpans, logs: metrics.resentLogs, metrics: metrics.resentPoints };
  return (signal, count) => counters[signal].inc(count);
}

function resent<Batch>(kind: RecordKind<Batch>, recordsMax = 0): ResentRecords<Batch> | undefined {
  return recordsMax === 0 ? undefined : new ResentRecords(kind, recordsMax, () => randomBytes(4).readInt32LE());
}
