import type { SpanIdentity } from '../span-identity.ts';
import type { CorrelationText, SigmaType } from './correlation.ts';
import type { Entry } from './event.ts';
import { alternativesMeasure } from './kinds/extended.ts';
import { countMeasure } from './measures/count.ts';
import { distinctMeasure } from './measures/distinct.ts';
import { rankMeasure } from './measures/rank.ts';
import { sequenceMeasure } from './measures/sequence.ts';
import { setMeasure } from './measures/set.ts';
import { averageMeasure, sumMeasure } from './measures/sum.ts';

/**
 * What a window of events is worth. The state `S` is plain data, arrays and maps, so that it can be stored, or says how it
 * becomes that; entries come in event order.
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
  /** The state as plain data and back, where it is not plain data itself. */
  save?(state: S): unknown;
  load?(saved: unknown): S;
  /** Left out where more events may undo what held. */
  readonly early?: EarlyMeasure<S>;
}

/** What waiting events would do if none came between them. */
export interface EarlyMeasure<S> {
  /** A quick no for most groups. */
  possible(state: S, waiting: Waiting): boolean;
  /** The first of `waiting`, in event order, that makes the condition true. Changes nothing. */
  find(state: S, waiting: readonly Entry[], timespanNanos: bigint): EarlyOpening | undefined;
}

/** What is known of the waiting events of a group without looking at each. */
export interface Waiting {
  readonly events: number;
  /** No more values than this. */
  readonly valuesMax: number;
  /** Costs to ask for. */
  readonly values: ReadonlyMap<string | number, number>;
  /** The rules that any of them matched, as bits. */
  readonly members: number;
}

export interface EarlyOpening {
  /** Which of the waiting events. */
  readonly at: number;
  readonly events: number;
  readonly shown: string;
  /** The spans that it rests on, earliest first. */
  spans(max: number): readonly SpanIdentity[];
}

/** `EarlyMeasure.find` by doing it to a copy of the state. */
export function findByTrial<S>(
  measure: Pick<Measure<S>, 'add' | 'expire' | 'holds' | 'events' | 'shown' | 'spans'>,
  copy: S,
  waiting: readonly Entry[],
  timespanNanos: bigint,
): EarlyOpening | undefined {
  for (const [at, entry] of waiting.entries()) {
    measure.expire(copy, entry.timeNanos - timespanNanos);
    measure.add(copy, entry);
    if (!measure.holds(copy)) continue;
    return { at, events: measure.events(copy), shown: measure.shown(copy), spans: (max) => measure.spans(copy, max) };
  }
  return undefined;
}

export function measureOf({ syntax }: CorrelationText, eventsMax: number): Measure<unknown> {
  const { thresholds, rules, percentile, type, extended } = syntax;
  if (extended) return alternativesMeasure(extended.terms, type === 'temporal_ordered') as Measure<unknown>;
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
  return measures[type as SigmaType]() as Measure<unknown>;
}
