import type { FieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import { Span, type SpanBatch } from '../../model/span-batch.ts';
import type { Rule } from '../load.ts';
import type { Cursor } from '../reader.ts';
import type { RestoreOutcome } from '../state.ts';
import type { Correlation } from './correlation.ts';
import { Correlator, type CorrelatorBounds, type CorrelatorCounters } from './correlator.ts';
import { createExtract, type ExtractCounters } from './extract.ts';

/** Counts since the start; groups and events as they are now. */
export interface CorrelationStats extends CorrelatorCounters {
  /** Groups and values of array fields beyond what one span may bring. */
  readonly droppedGroups: number;
  readonly droppedValues: number;
  /** Events that wait for the watermark. */
  readonly waiting: number;
  readonly rules: readonly {
    readonly ruleId: string;
    readonly groups: number;
    /** Events in groups: one for each group that a span belongs to. */
    readonly events: number;
    /** Findings, or matches that only other correlations see. */
    readonly episodes: number;
    readonly withoutKey: number;
    readonly evictedGroups: number;
    readonly droppedEvents: number;
  }[];
}

/** Correlations as the detector uses them: spans in, findings out when they are due. */
export interface Correlating {
  /** The span that the cursor stands on matched these rules. */
  add(cursor: Cursor, matched: readonly Rule[], nowNanos?: bigint): void;
  /** Event time has come as far as the newest span of a batch, but no further than `nowNanos`. */
  observe(batch: SpanBatch, nowNanos: bigint | undefined): void;
  settle(): Finding[];
  advance(eventNanos: bigint): Finding[];
  flush(): Finding[];
  readonly newestNanos: bigint;
  snapshot(): Uint8Array;
  restore(snapshot: Uint8Array): RestoreOutcome;
  stats(): CorrelationStats;
}

export function createCorrelating(
  correlations: readonly Correlation[],
  fields: FieldTable,
  allowedLatenessNanos: bigint,
  bounds: Partial<CorrelatorBounds> = {},
): Correlating {
  const correlator = new Correlator({ correlations, allowedLatenessNanos, bounds });
  const counters: ExtractCounters = { withoutKey: correlations.map(() => 0), droppedGroups: 0, droppedValues: 0 };
  const extract = createExtract(correlations, fields, counters);
  return {
    add: (cursor, matched, nowNanos) => {
      const event = extract(cursor, matched);
      if (event) correlator.add(event, nowNanos);
    },
    observe: (batch, nowNanos) => {
      if (correlations.length === 0) return;
      let newest = 0n;
      for (let span = 0; span < batch.spanCount; span++) {
        const end = batch.spans[span * Span.stride + Span.end]!;
        const time = end < 0 ? 0n : batch.nanos(end);
        if (time > newest) newest = time;
      }
      correlator.observe(nowNanos !== undefined && newest > nowNanos ? nowNanos : newest);
    },
    settle: () => correlator.settle(),
    advance: (eventNanos) => {
      correlator.observe(eventNanos);
      return correlator.settle();
    },
    flush: () => correlator.flush(),
    get newestNanos() {
      return correlator.newestNanos;
    },
    snapshot: () => correlator.snapshot(),
    restore: (snapshot) => correlator.restore(snapshot),
    stats: () => ({
      ...correlator.counters,
      droppedGroups: counters.droppedGroups,
      droppedValues: counters.droppedValues,
      waiting: correlator.waiting,
      rules: correlator.evaluators().map(({ correlation, groups, counters: own }, index) => ({
        ruleId: correlation.meta.id,
        groups,
        ...own,
        withoutKey: counters.withoutKey[index]!,
      })),
    }),
  };
}
