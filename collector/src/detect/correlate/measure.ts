import type { SpanIdentity } from '../span-identity.ts';
import type { Correlation } from './correlation.ts';
import type { Entry } from './event.ts';
import { countMeasure } from './measures/count.ts';
import { distinctMeasure } from './measures/distinct.ts';
import { rankMeasure } from './measures/rank.ts';
import { sequenceMeasure } from './measures/sequence.ts';
import { setMeasure } from './measures/set.ts';
import { averageMeasure, sumMeasure } from './measures/sum.ts';

/**
 * What a window of events is worth. The state `S` is plain data, arrays and maps, so that it can be stored; entries come in
 * event order.
 */
export interface Measure<S> {
  create(): S;
  add(state: S, entry: Entry): void;
  /** Forgets what happened before this time. */
  expire(state: S, beforeNanos: bigint): void;
  /** Whether the condition holds. A window without events never satisfies one. */
  holds(state: S): boolean;
  /** How many events or values are remembered. */
  size(state: S): number;
  /** Events that the window's result rests on. */
  events(state: S): number;
  /** The measured value, for people. */
  shown(state: S): string;
  /** The spans that the result rests on, earliest first, at most `max`. */
  spans(state: S, max: number): readonly SpanIdentity[];
  /** Events forgotten because the group remembered too many. */
  dropped(state: S): number;
}

export function measureOf({ syntax }: Correlation, eventsMax: number): Measure<unknown> {
  const { thresholds, rules, percentile, type } = syntax;
  const measures = {
    event_count: () => countMeasure(thresholds, eventsMax),
    value_count: () => distinctMeasure(thresholds, eventsMax),
    temporal: () => setMeasure(thresholds, rules.length),
    temporal_ordered: () => sequenceMeasure(rules.length),
    value_sum: () => sumMeasure(thresholds, eventsMax),
    value_avg: () => averageMeasure(thresholds, eventsMax),
    value_percentile: () => rankMeasure(thresholds, percentile, eventsMax),
    value_median: () => rankMeasure(thresholds, percentile, eventsMax),
  };
  return measures[type]() as Measure<unknown>;
}
