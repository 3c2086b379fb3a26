import { limits } from '../../model/limits.ts';
import { findingId } from '../finding-texts.ts';
import type { SpanIdentity } from '../span-identity.ts';
import { type Correlation, isCorrelation } from './correlation.ts';
import type { Entry, GroupPart } from './event.ts';
import type { Change, CorrelationEvaluator, Episode, EvaluatorBounds, EvaluatorCounters } from './kind.ts';
import { type Measure, measureOf } from './measure.ts';
import { onlyLowerBounds, satisfyingCounts } from './thresholds.ts';

export interface Group {
  readonly texts: readonly string[];
  window: unknown;
  lastNanos: bigint;
  episode: Episode | null;
  /** Tumbling windows: the number of the window that `window` is about, and its first span. */
  windowNumber: bigint;
  first: SpanIdentity | null;
  /** The last window whose condition held. */
  heldNumber: bigint;
}

export interface EvaluatorState {
  /** The group touched longest ago comes first. */
  groups: Map<string, Group>;
  /** When the open tumbling window closes; 0 when there is none. */
  closesNanos: bigint;
}

/**
 * One correlation rule over events in event order. Conditions that only have lower bounds are checked at each event, over
 * the window [t − timespan, t]; all others at the close of windows that start at multiples of the timespan.
 */
export class Evaluator implements CorrelationEvaluator {
  readonly correlation: Correlation;
  readonly counters: EvaluatorCounters = { events: 0, episodes: 0, evictedGroups: 0, droppedEvents: 0 };
  readonly #measure: Measure<unknown>;
  readonly #sliding: boolean;
  readonly #timespan: bigint;
  readonly #bounds: EvaluatorBounds;
  #state: EvaluatorState = { groups: new Map(), closesNanos: 0n };
  #size = 0;

  constructor(correlation: Correlation, bounds: EvaluatorBounds) {
    this.correlation = correlation;
    this.#bounds = bounds;
    this.#measure = measureOf(correlation, bounds.eventsPerGroupMax);
    this.#sliding = isSliding(correlation);
    this.#timespan = correlation.syntax.timespanNanos;
  }

  save(): EvaluatorState {
    return this.#state;
  }

  load(saved: unknown): void {
    this.#state = saved as EvaluatorState;
    this.#size = 0;
    for (const { window } of this.#state.groups.values()) this.#size += this.#measure.size(window);
  }

  clear(): void {
    this.load({ groups: new Map(), closesNanos: 0n });
  }

  get groups(): number {
    return this.#state.groups.size;
  }

  /** Events and values remembered in all groups. */
  get size(): number {
    return this.#size;
  }

  /** When the open tumbling window closes; undefined when there is none. */
  get closesNanos(): bigint | undefined {
    return this.#state.closesNanos === 0n ? undefined : this.#state.closesNanos;
  }

  /** When the stalest group was last touched. */
  get stalestNanos(): bigint | undefined {
    return this.#state.groups.values().next().value?.lastNanos;
  }

  /** Takes an event that is not before any earlier one, and not after the close of the open window. */
  add(timeNanos: bigint, span: SpanIdentity, part: GroupPart): Change | undefined {
    const group = this.#touch(timeNanos, part.texts);
    const entry: Entry = { timeNanos, span, members: part.members, values: part.values };
    this.counters.events++;
    return this.#sliding ? this.#slide(group, entry) : this.#tumble(group, entry);
  }

  /** Closes the open tumbling window and says for which groups the condition held in it. */
  close(): Change[] {
    const { groups, closesNanos } = this.#state;
    const number = closesNanos / this.#timespan - 1n;
    this.#state.closesNanos = 0n;
    const changes: Change[] = [];
    for (const [key, group] of groups) {
      if (group.windowNumber !== number) {
        this.#forget(key, group);
        continue;
      }
      const { window, lastNanos } = group;
      if (!this.#measure.holds(window)) continue;
      const goesOn = group.episode !== null && group.heldNumber === number - 1n;
      group.heldNumber = number;
      if (goesOn) changes.push(this.#update(group, lastNanos, this.#measure.events(window)));
      else changes.push(this.#open(group, group.first!, lastNanos));
    }
    return changes;
  }

  /** Forgets the group that was touched longest ago. */
  evictStalest(): void {
    const stalest = this.#state.groups.entries().next().value;
    if (!stalest) return;
    this.#forget(...stalest);
    this.counters.evictedGroups++;
  }

  #slide(group: Group, entry: Entry): Change | undefined {
    const measure = this.#measure;
    const before = measure.size(group.window);
    const dropped = measure.dropped(group.window);
    measure.expire(group.window, entry.timeNanos - this.#timespan);
    if (group.episode && !measure.holds(group.window)) group.episode = null;
    measure.add(group.window, entry);
    this.#size += measure.size(group.window) - before;
    this.counters.droppedEvents += Math.max(0, measure.dropped(group.window) - dropped);
    if (!measure.holds(group.window)) {
      group.episode = null;
      return undefined;
    }
    return group.episode ? this.#update(group, entry.timeNanos, 1) : this.#open(group, entry.span, entry.timeNanos);
  }

  #tumble(group: Group, entry: Entry): undefined {
    const number = entry.timeNanos / this.#timespan;
    this.#state.closesNanos = (number + 1n) * this.#timespan;
    const before = this.#measure.size(group.window);
    if (group.windowNumber !== number) {
      group.windowNumber = number;
      group.window = this.#measure.create();
      group.first = entry.span;
    }
    const dropped = this.#measure.dropped(group.window);
    this.#measure.add(group.window, entry);
    this.counters.droppedEvents += this.#measure.dropped(group.window) - dropped;
    this.#size += this.#measure.size(group.window) - before;
  }

  #open(group: Group, span: SpanIdentity, lastSeenNanos: bigint): Change {
    const measure = this.#measure;
    group.episode = {
      id: findingId(this.correlation.meta.id, groupKeyOf(this.correlation, group.texts), span.traceId + span.spanId),
      opened: span,
      groupTexts: group.texts,
      spans: measure.spans(group.window, limits.evidenceItemsMax - 1),
      count: measure.events(group.window),
      lastSeenNanos,
      shown: measure.shown(group.window),
      partial: measure.dropped(group.window) > 0,
    };
    this.counters.episodes++;
    return { episode: group.episode, opened: true };
  }

  #update(group: Group, lastSeenNanos: bigint, events: number): Change {
    const episode = group.episode!;
    episode.count += events;
    episode.lastSeenNanos = lastSeenNanos;
    episode.shown = this.#measure.shown(group.window);
    episode.partial ||= this.#measure.dropped(group.window) > 0;
    return { episode, opened: false };
  }

  #touch(timeNanos: bigint, texts: readonly string[]): Group {
    const { groups } = this.#state;
    const key = JSON.stringify(texts);
    const known = groups.get(key);
    if (known) {
      groups.delete(key);
      known.lastNanos = timeNanos;
      groups.set(key, known);
      return known;
    }
    this.#forgetIdle(timeNanos);
    if (groups.size >= this.#bounds.groupsMax) this.evictStalest();
    const window = this.#measure.create();
    const group: Group = {
      texts,
      window,
      lastNanos: timeNanos,
      episode: null,
      windowNumber: -2n,
      first: null,
      heldNumber: -2n,
    };
    groups.set(key, group);
    this.#size += this.#measure.size(window);
    return group;
  }

  /** Groups whose windows are empty by now are as good as unknown. */
  #forgetIdle(timeNanos: bigint): void {
    if (!this.#sliding) return;
    for (const [key, group] of this.#state.groups) {
      if (group.lastNanos >= timeNanos - this.#timespan) return;
      this.#forget(key, group);
    }
  }

  #forget(key: string, group: Group): void {
    this.#state.groups.delete(key);
    this.#size -= this.#measure.size(group.window);
  }
}

/** More events cannot undo the condition, so that it need not wait for the end of a window. */
function isSliding({ syntax }: Correlation): boolean {
  if (syntax.type !== 'temporal' && syntax.type !== 'temporal_ordered') return onlyLowerBounds(syntax.thresholds);
  const counts = satisfyingCounts(syntax.thresholds, syntax.rules.length);
  return counts.at(-1) === syntax.rules.length && counts.at(-1)! - counts[0]! === counts.length - 1;
}

/** The group as people and parents see it: field or alias and value, as JSON; '' for the one group of everything. */
export function groupKeyOf({ syntax }: Correlation, texts: readonly string[]): string {
  if (texts.length === 0) return '';
  const members = texts.map((text, index) => `${JSON.stringify(syntax.groupBy[index]!.name)}:${JSON.stringify(text)}`);
  return `{${members.join(',')}}`;
}

/** The fields of a child's match that a parent groups and measures by, as places in the child's group. */
export function textsFrom(child: Correlation, fields: readonly string[], texts: readonly string[]): string[] {
  return fields.map((field) => texts[child.syntax.groupBy.findIndex(({ name }) => name === field)]!);
}

/** Which members of `parent` the matches of `child` stand for, as bits. */
export function membersFrom(parent: Correlation, child: Correlation): number {
  let bits = 0;
  for (const [index, { source }] of parent.members.entries()) {
    if (isCorrelation(source) && source === child) bits |= 1 << index;
  }
  return bits;
}
