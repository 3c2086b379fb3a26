import type { FieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import type { Rule } from '../load.ts';
import type { Cursor } from '../reader.ts';
import type { Stateful } from '../state.ts';
import type { Correlation } from './correlation.ts';
import type { CorrelatorCounters } from './correlator.ts';
import type { CorrelatorBounds } from './correlator-bounds.ts';
import type { CorrelationEvent } from './event.ts';
import { createExtract, type ExtractCounters } from './extract.ts';
import { JournalledCorrelator } from './journalled-correlator.ts';
import { createNewestBySource } from './source-of.ts';

/** Counts since the start; groups and events as they are now. */
export interface CorrelationStats extends CorrelatorCounters {
  /** Groups and values of array fields beyond what one span may bring. */
  readonly droppedGroups: number;
  readonly droppedValues: number;
  /** Events that wait for the watermark. */
  readonly waiting: number;
  /** Service instances whose event time is followed. */
  readonly sources: number;
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
export interface Correlating extends Stateful {
  /** The span that the cursor stands on matched these rules. */
  add(cursor: Cursor, matched: readonly Rule[], nowNanos?: bigint): void;
  /** The event that `add` would take, for a match that is decided later; undefined when no correlation can use it. */
  eventOf(cursor: Cursor, matched: readonly Rule[]): CorrelationEvent | undefined;
  addEvent(event: CorrelationEvent, nowNanos?: bigint): void;
  /** Event time has come as far as the newest span of each source in a batch, but no further than `nowNanos`. */
  observe(events: SpanEvents, nowNanos: bigint | undefined): void;
  settle(): Finding[];
  advance(eventNanos: bigint): Finding[];
  flush(): Finding[];
  readonly newestNanos: bigint;
  stats(): CorrelationStats;
}

export function createCorrelating(
  correlations: readonly Correlation[],
  fields: FieldTable,
  allowedLatenessNanos: bigint,
  bounds: Partial<CorrelatorBounds> = {},
): Correlating {
  let correlator = new JournalledCorrelator({ correlations, allowedLatenessNanos, bounds });
  const counters: ExtractCounters = { withoutKey: correlations.map(() => 0), droppedGroups: 0, droppedValues: 0 };
  const extract = createExtract(correlations, fields, counters);
  const newestBySource = createNewestBySource(fields);
  const correlating: Correlating = {
    add: (cursor, matched, nowNanos) => {
      const event = extract(cursor, matched);
      if (event) correlator.add(event, nowNanos);
    },
    eventOf: extract,
    addEvent: (event, nowNanos) => correlator.add(event, nowNanos),
    observe: (events, nowNanos) => {
      if (correlations.length === 0) return;
      for (const [source, newest] of newestBySource(events)) correlator.observe(source, newest, nowNanos);
    },
    settle: () => correlator.settle(),
    advance: (eventNanos) => correlator.advanceAndSettle(eventNanos),
    flush: () => correlator.flush(),
    get newestNanos() {
      return correlator.newestNanos;
    },
    takeJournal: () => correlator.takeJournal(),
    dropJournal: () => correlator.dropJournal(),
    replay: (journal) => correlator.replay(journal),
    snapshot: () => correlator.snapshot(),
    slices: (pieceBytes) => correlator.slices(pieceBytes),
    restore: (snapshot) => correlator.restore(snapshot),
    takeOver: (earlier) => {
      const known = correlators.get(earlier)?.();
      if (known === undefined) return undefined;
      correlator = known;
      return { status: 'restored', rules: correlator.exchange(correlations) };
    },
    stats: () => ({
      ...correlator.counters,
      droppedGroups: counters.droppedGroups,
      droppedValues: counters.droppedValues,
      waiting: correlator.waiting,
      sources: correlator.sources,
      rules: correlator.evaluators().map(({ correlation, groups, counters: own }, index) => ({
        ruleId: correlation.meta.id,
        groups,
        ...own,
        withoutKey: counters.withoutKey[index]!,
      })),
    }),
  };
  correlators.set(correlating, () => correlator);
  return correlating;
}

/** What remembers behind each of them, for the next one. */
const correlators = new WeakMap<Stateful, () => JournalledCorrelator>();
