import type { Steps } from '../slices.ts';
import type { SpanIdentity } from '../span-identity.ts';
import type { CorrelationText } from './correlation.ts';
import type { GroupPart } from './event.ts';
import type { Place } from './waiting.ts';

/** Bounds of one correlation; tests make them small. */
export interface EvaluatorBounds {
  readonly groupsMax: number;
  readonly eventsPerGroupMax: number;
  /** Episodes of a group are numbered within such stretches of event time; see `EpisodeNumbers`. */
  readonly idSlotNanos: bigint;
}

/** From the event that made the condition true until it is no longer true: one finding. */
export interface Episode {
  readonly id: string;
  /** The span that made it true. */
  readonly opened: SpanIdentity;
  readonly groupTexts: readonly string[];
  /** The spans the condition rested on when it became true, earliest first, as many as evidence has room for. */
  readonly spans: readonly SpanIdentity[];
  count: number;
  lastSeenNanos: bigint;
  /** The newest measured value. */
  shown: string;
  /** The group remembered too many events, so that the value is a lower bound or of the newest only. */
  partial: boolean;
  /** What else evidence says, of kinds that have more to say than a number. */
  readonly notes?: readonly EpisodeNote[];
}

/** An item of evidence of its own; `excerpt` is safe to show. */
export interface EpisodeNote {
  readonly field: string;
  readonly wanted: string;
  readonly excerpt: string;
}

export interface EvaluatorCounters {
  events: number;
  episodes: number;
  evictedGroups: number;
  droppedEvents: number;
}

/** What became of an event: `opened` also goes to correlations that use this one. */
export interface Change {
  readonly episode: Episode;
  readonly opened: boolean;
}

/**
 * One correlation rule as the correlator drives it: everything comes in event order, one call at a time, so that what it
 * gives depends on no order of arrival. It keeps groups, or whatever it counts as such, within its bounds.
 */
export interface CorrelationEvaluator {
  readonly correlation: CorrelationText;
  readonly counters: EvaluatorCounters;
  /** Groups remembered now. */
  readonly groups: number;
  /** Events and values remembered in all groups. */
  readonly size: number;
  /** When something is due without an event, as the end of a window or of a silence; undefined when nothing waits. */
  readonly closesNanos: bigint | undefined;
  /** All that waits is silence, which the end of the data is not: nothing is due then. */
  readonly closesSilence?: boolean;
  /** When the stalest group was last touched; undefined without groups. */
  readonly stalestNanos: bigint | undefined;
  /** Takes an event that is not before any earlier one, and not after `closesNanos`. */
  add(timeNanos: bigint, span: SpanIdentity, part: GroupPart): Change | undefined;
  /** Does what is due at `closesNanos`, which is then later or undefined. */
  close(): Change[];
  /** Forgets the group that was touched longest ago; counts it as evicted. */
  evictStalest(): void;
  /**
   * Writes the whole state of this moment, some of it at each step, in items of plain data: null, booleans, numbers, bigints,
   * texts, arrays, maps, records and span identities. Only the newest call counts.
   */
  save(write: (item: unknown) => void): Steps;
  /** Takes over the items that `save` of the same rule wrote, in the same version of its content. */
  load(items: readonly unknown[]): void;
  /** Forgets everything but the counters. */
  clear(): void;
  /** For conditions that more events cannot undo; left out by all others. */
  readonly early?: EarlyFiring;
}

/** Findings before the watermark has passed them. What is told here changes nothing that `add` and `close` give. */
export interface EarlyFiring {
  /** An event, by its number in the store, waits to be added; in any order, and maybe twice. */
  wait(event: number, place: Place, part: GroupPart): void;
  /** It waits no longer, which the store knows: it is about to be added, or was there twice. */
  settled(part: GroupPart): void;
  /** The parts of events name the correlation by this place from now on. */
  moveTo(place: number): void;
  /**
   * Episodes that waiting events open, whatever may still come from `frontierNanos` on; their ids are those that the settled
   * ones will have. Each is given once. Stops when the budget is used up and goes on there at the next call.
   */
  fire(frontierNanos: bigint, budget: EarlyBudget): Episode[];
}

/** How many waiting events may still be looked at. */
export interface EarlyBudget {
  left: number;
}
