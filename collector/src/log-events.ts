import { LogJoiner } from './detect/joining/log-joiner.ts';
import type { StateBounds } from './detect/state-bounds.ts';
import type { LogIntake } from './log-intake.ts';
import type { Metrics } from './metrics.ts';
import type { FieldTable } from './model/fields.ts';

const settleNanosMax = 10_000_000_000n;
const openNanos = 60_000_000_000n;

/**
 * Records wait for their span, and spans for their records, for 10 s of event time, less where spans may be late by less than
 * 30 s: what comes of it must not be late itself. For a call that is not over they wait for a minute.
 */
export function createJoiner(
  fields: FieldTable,
  allowedLatenessNanos: bigint,
  bounds?: StateBounds['joining'],
): LogJoiner {
  const third = allowedLatenessNanos / 3n;
  const settleNanos = third < settleNanosMax ? third : settleNanosMax;
  return new LogJoiner({ fields, settleNanos, openNanos, ...(bounds && { bounds }) });
}

interface LogCounts {
  readonly logs: Pick<LogIntake, 'clampedRecords' | 'truncatedValues' | 'faults'>;
}

export function addLogGauges(metrics: Metrics, pipeline: LogCounts, joiner: LogJoiner): void {
  const gauges = [
    ['store_clamped_log_records', 'Log records whose time was moved.', () => pipeline.logs.clampedRecords],
    ['store_truncated_log_values', 'Values of log records cut before storage.', () => pipeline.logs.truncatedValues],
    ['normalise_log_faults', 'Log records that a vocabulary failed on.', () => pipeline.logs.faults],
    ['join_waiting', 'Calls whose span or log records are waited for.', () => joiner.size],
    ['join_joined_records', 'Log records joined to their span.', () => joiner.counters.joined],
    ['join_alone_records', 'Log records whose span did not come.', () => joiner.counters.alone],
    ['join_covered_records', 'Log records whose span had their content itself.', () => joiner.counters.covered],
    ['join_hurried', 'Calls judged before their time because too many waited.', () => joiner.counters.hurried],
  ] as const;
  for (const [name, help, read] of gauges) metrics.gauge(`spanwarden_${name}`, help, read);
}
