import { limits } from '../../model/limits.ts';
import { findingId } from '../finding-texts.ts';
import { Scan, type Steps, stepsInTurn, stepsOf } from '../slices.ts';
import type { SpanIdentity } from '../span-identity.ts';
import { type Correlation, type CorrelationText, isCorrelation } from './correlation.ts';
import { EpisodeNumbers } from './episode-numbers.ts';
import { type Group, type Item, type SavedGroup, sortItems } from './evaluator-state.ts';
import { type Entry, type GroupPart, keyOf, textsOf } from './event.ts';
import type {
  Change,
  CorrelationEvaluator,
  EarlyBudget,
  EarlyFiring,
  Episode,
  EvaluatorBounds,
  EvaluatorCounters,
} from './kind.ts';
import { type EarlyOpening, type Measure, measureOf } from './measure.ts';
import { Recency, unlinked } from './recency.ts';
import { onlyLowerBounds, satisfyingCounts } from './thresholds.ts';
import type { WaitingGroup, WaitingGroups } from './waiting.ts';

/**
 * One correlation rule over events in event order. Conditions that only have lower bounds are checked at each event, over
 * the window [t − timespan, t]; all others at the close of windows that start at multiples of the timespan. Those of the
 * first kind that more events cannot undo also fire early.
 */
export class Evaluator implements CorrelationEvaluator {
  readonly correlation: CorrelationText;
  readonly counters: EvaluatorCounters = { events: 0, episodes: 0, evictedGroups: 0, droppedEvents: 0 };
  readonly #measure: Measure<unknown>;
  readonly #sliding: boolean;
  readonly #timespan: bigint;
  readonly #bounds: EvaluatorBounds;
  readonly early?: EarlyFiring;
  readonly #numbers: EpisodeNumbers;
  readonly #waiting: WaitingGroups;
  readonly #groups = new Recency<string, Group>();
  readonly #scan = new Scan<Group>();
  #turns = 0;
  #closes = 0n;
  #size = 0;

  constructor(correlation: CorrelationText, bounds: EvaluatorBounds, waiting: WaitingGroups) {
    this.correlation = correlation;
    this.#waiting = waiting;
    this.#bounds = bounds;
    this.#measure = measureOf(correlation, bounds.eventsPerGroupMax);
    this.#sliding = isSliding(correlation);
    this.#timespan = correlation.syntax.timespanNanos;
    this.#numbers = new EpisodeNumbers(bounds.idSlotNanos);
    if (this.#sliding && this.#measure.early) this.early = this.#earlyFiring();
  }

  save(write: (item: Item) => void): Steps {
    const measure = this.#measure;
    return stepsInTurn([
      stepsOf([{ closesNanos: this.#closes, turns: this.#turns }], write),
      this.#scan.begin(this.#groups.walk(), ({ key, one, window, lastNanos, turn, episode, tumbling }) => {
        const saved = measure.save && !one ? measure.save(window) : window;
        write({ group: { key, one, window: saved, lastNanos, turn, episode, tumbling } });
      }),
      stepsOf(this.#numbers.all(), ({ key, slot, opened }) => write({ number: [key, slot, opened] })),
      stepsOf(this.#waiting.fired(), (fired) => write({ fired })),
    ]);
  }

  /** Events that wait are told by `wait` before. */
  load(items: readonly unknown[]): void {
    const { groups, numbers, fired, closesNanos, turns } = sortItems(items as readonly Item[]);
    this.#scan.cancel();
    this.#groups.clear();
    this.#size = 0;
    this.#closes = closesNanos;
    this.#turns = turns;
    for (const group of groups) {
      this.#loadGroup(group);
      this.#waiting.known(group.key);
    }
    this.#numbers.load(numbers);
    this.#waiting.markFired(fired);
  }

  clear(): void {
    this.#waiting.clear();
    this.load([]);
  }

  get groups(): number {
    return this.#groups.size;
  }

  /** Events and values remembered in all groups. */
  get size(): number {
    return this.#size;
  }

  /** When the open tumbling window closes; undefined when there is none. */
  get closesNanos(): bigint | undefined {
    return this.#closes === 0n ? undefined : this.#closes;
  }

  /** When the stalest group was last touched. */
  get stalestNanos(): bigint | undefined {
    return this.#groups.oldest?.lastNanos;
  }

  /** Takes an event that is not before any earlier one, and not after the close of the open window. */
  add(timeNanos: bigint, span: SpanIdentity, part: GroupPart): Change | undefined {
    const key = keyOf(part.texts);
    const group = this.#touch(timeNanos, key);
    const entry: Entry = {
      timeNanos,
      span,
      members: part.members,
      values: part.values.length === 0 ? none : part.values,
    };
    this.counters.events++;
    return this.#sliding ? this.#slide(group, entry) : this.#tumble(group, entry);
  }

  /** Closes the open tumbling window and says for which groups the condition held in it. */
  close(): Change[] {
    const number = this.#closes / this.#timespan - 1n;
    this.#closes = 0n;
    const changes: Change[] = [];
    for (const group of this.#groups) {
      const { window, lastNanos, tumbling } = group;
      if (tumbling?.number !== number) {
        this.#forget(group);
        continue;
      }
      if (!this.#measure.holds(window)) continue;
      this.#scan.changing(group);
      const goesOn = group.episode !== null && tumbling.heldNumber === number - 1n;
      tumbling.heldNumber = number;
      if (goesOn) changes.push(this.#update(group, lastNanos, this.#measure.events(window)));
      else changes.push(this.#open(group, tumbling.first, lastNanos, spanAnchor(tumbling.first)));
    }
    return changes;
  }

  /** Forgets the group that was touched longest ago. */
  evictStalest(): void {
    const { oldest } = this.#groups;
    if (!oldest) return;
    this.#forget(oldest);
    this.counters.evictedGroups++;
  }

  #loadGroup({ window: plain, ...saved }: SavedGroup): void {
    const measure = this.#measure;
    const window = measure.load && !saved.one ? measure.load(plain) : plain;
    const { key, one, lastNanos, turn, episode, tumbling } = saved;
    const place = { turn, scan: this.#scan.number, ...unlinked };
    const group: Group = { key, one, window, ...{ lastNanos, episode, tumbling }, ...place };
    this.#groups.add(group);
    this.#size += this.#sizeOf(group);
  }

  #slide(group: Group, entry: Entry): Change | undefined {
    const { timeNanos, span } = entry;
    if (!this.#take(group, entry)) {
      group.episode = null;
      return undefined;
    }
    if (group.episode) return this.#update(group, timeNanos, 1);
    const anchor = this.early ? this.#numbers.take(group.key, timeNanos) : spanAnchor(span);
    this.#waiting.opened(group.key);
    return this.#open(group, span, timeNanos, anchor);
  }

  /** Takes an event into the window and says whether the condition holds. */
  #take(group: Group, entry: Entry): boolean {
    const measure = this.#measure;
    const expiredNanos = entry.timeNanos - this.#timespan;
    const isAlone = group.window === null && (group.one === null || group.one.timeNanos < expiredNanos);
    const window = isAlone ? measure.create() : this.#windowOf(group);
    const dropped = measure.dropped(window);
    if (!isAlone) this.#expire(group, expiredNanos);
    const before = this.#sizeOf(group);
    measure.add(window, entry);
    this.#size += measure.size(window) - before;
    this.counters.droppedEvents += Math.max(0, measure.dropped(window) - dropped);
    const holds = measure.holds(window);
    group.one = isAlone && !holds ? entry : null;
    group.window = isAlone && !holds ? null : window;
    return holds;
  }

  /** The window of a group, made where it has only the one event. */
  #windowOf({ one, window }: Group): unknown {
    if (one === null) return window;
    const made = this.#measure.create();
    this.#measure.add(made, one);
    return made;
  }

  #sizeOf(group: Group): number {
    return group.one === null && group.window === null ? 0 : this.#measure.size(this.#windowOf(group));
  }

  /** Forgets what a window has left behind; the episode ends when its condition no longer holds. */
  #expire(group: Group, beforeNanos: bigint): void {
    if (group.window === null) return;
    this.#scan.changing(group);
    const before = this.#measure.size(group.window);
    this.#measure.expire(group.window, beforeNanos);
    this.#size += this.#measure.size(group.window) - before;
    if (group.episode && !this.#measure.holds(group.window)) group.episode = null;
  }

  #tumble(group: Group, entry: Entry): undefined {
    const number = entry.timeNanos / this.#timespan;
    this.#closes = (number + 1n) * this.#timespan;
    const before = this.#sizeOf(group);
    if (group.tumbling?.number !== number) {
      group.tumbling = { number, first: entry.span, heldNumber: group.tumbling?.heldNumber ?? -2n };
      group.window = this.#measure.create();
    }
    const dropped = this.#measure.dropped(group.window);
    this.#measure.add(group.window, entry);
    this.counters.droppedEvents += this.#measure.dropped(group.window) - dropped;
    this.#size += this.#measure.size(group.window) - before;
  }

  #open(group: Group, span: SpanIdentity, lastSeenNanos: bigint, anchor: string): Change {
    const measure = this.#measure;
    const groupTexts = this.#textsOf(group.key);
    group.episode = {
      id: this.#idOf(groupTexts, anchor),
      opened: span,
      groupTexts,
      spans: measure.spans(group.window, limits.evidenceItemsMax - 1),
      count: measure.events(group.window),
      lastSeenNanos,
      shown: measure.shown(group.window),
      partial: measure.dropped(group.window) > 0,
    };
    this.counters.episodes++;
    return { episode: group.episode, opened: true };
  }

  #idOf(texts: readonly string[], anchor: string): string {
    return findingId(this.correlation.meta.id, groupKeyOf(this.correlation, texts), anchor);
  }

  #update(group: Group, lastSeenNanos: bigint, events: number): Change {
    const episode = group.episode!;
    episode.count += events;
    episode.lastSeenNanos = lastSeenNanos;
    episode.shown = this.#measure.shown(group.window);
    episode.partial ||= this.#measure.dropped(group.window) > 0;
    return { episode, opened: false };
  }

  #textsOf(key: string): readonly string[] {
    return textsOf(key, this.correlation.syntax.groupBy.length);
  }

  #touch(timeNanos: bigint, key: string): Group {
    const groups = this.#groups;
    const known = groups.get(key);
    if (known) {
      this.#scan.changing(known);
      known.lastNanos = timeNanos;
      known.turn = ++this.#turns;
      groups.touch(known);
      return known;
    }
    this.#forgetIdle(timeNanos);
    if (groups.size >= this.#bounds.groupsMax) this.evictStalest();
    const none = { one: null, window: null, episode: null, tumbling: null };
    const place = { turn: ++this.#turns, scan: this.#scan.number, ...unlinked };
    const group: Group = { key, ...none, lastNanos: timeNanos, ...place };
    groups.add(group);
    return group;
  }

  /** Groups whose windows are empty by now are as good as unknown. */
  #forgetIdle(timeNanos: bigint): void {
    if (!this.#sliding) return;
    const before = timeNanos - this.#timespan;
    for (let oldest = this.#groups.oldest; oldest && oldest.lastNanos < before; oldest = this.#groups.oldest) {
      this.#forget(oldest);
    }
  }

  #forget(group: Group): void {
    this.#scan.leaving(group);
    this.#groups.delete(group);
    this.#size -= this.#sizeOf(group);
  }

  /** The first event of a group mostly waits alone, and means nothing alone. */
  readonly #isNothing = (key: string, part: GroupPart): boolean =>
    !this.#groups.get(key) && !this.#meansSomething(part);

  #meansSomething({ members, values }: GroupPart): boolean {
    const counts = new Map(values.map((value) => [value, 1]));
    const alone = { events: 1, valuesMax: values.length, values: counts, members };
    return this.#measure.early!.possible(this.#measure.create(), alone);
  }

  #earlyFiring(): EarlyFiring {
    return {
      wait: (event, place, part) => this.#waiting.wait(keyOf(part.texts), event, place, part, this.#isNothing),
      settled: (part) => this.#waiting.settled(keyOf(part.texts), part),
      moveTo: (place) => this.#waiting.moveTo(place),
      fire: (frontierNanos, budget) => this.#fire(frontierNanos, budget),
    };
  }

  /**
   * An early finding needs a group without an episode at the frontier. Then what opens one now opens it or an earlier one
   * however many events still come: the next episode of the group, whose number is known. In another slot the numbers begin
   * anew, so that the opening must be in the frontier's.
   */
  #fire(frontierNanos: bigint, budget: EarlyBudget): Episode[] {
    const early = this.#measure.early!;
    const episodes: Episode[] = [];
    this.#waiting.each(frontierNanos, budget, (waiting) => {
      const group = this.#groups.get(waiting.key);
      const window = this.#windowAt(group, frontierNanos - this.#timespan);
      if (group?.episode || this.#measure.dropped(window) > 0) return 'later';
      if (!early.possible(window, waiting)) return 'no';
      const entries = waiting.entries();
      const opening = early.find(window, entries, this.#timespan);
      if (!opening) return 'no';
      const { timeNanos, span } = entries[opening.at]!;
      const anchor = this.#numbers.peek(waiting.key, timeNanos, frontierNanos);
      if (anchor === undefined) return 'later';
      episodes.push(this.#earlyEpisode(waiting, opening, { timeNanos, span, anchor }));
      return 'fired';
    });
    return episodes;
  }

  /** The window of a group as it is when everything before a time is forgotten. */
  #windowAt(group: Group | undefined, beforeNanos: bigint): unknown {
    if (!group || (group.one && group.one.timeNanos < beforeNanos)) return this.#measure.create();
    this.#expire(group, beforeNanos);
    return this.#windowOf(group);
  }

  #earlyEpisode(
    { key }: WaitingGroup,
    { events, shown, spans }: EarlyOpening,
    { timeNanos, span, anchor }: { readonly timeNanos: bigint; readonly span: SpanIdentity; readonly anchor: string },
  ): Episode {
    const groupTexts = this.#textsOf(key);
    return {
      id: this.#idOf(groupTexts, anchor),
      opened: span,
      groupTexts,
      spans: spans(limits.evidenceItemsMax - 1),
      count: events,
      lastSeenNanos: timeNanos,
      shown,
      partial: false,
    };
  }
}

/** One list for all events without values. */
const none: readonly never[] = [];

function spanAnchor({ traceId, spanId }: SpanIdentity): string {
  return traceId + spanId;
}

/** More events cannot undo the condition, so that it need not wait for the end of a window. */
export function isSliding({ syntax }: CorrelationText): boolean {
  if (syntax.type !== 'temporal' && syntax.type !== 'temporal_ordered') return onlyLowerBounds(syntax.thresholds);
  const counts = satisfyingCounts(syntax.thresholds, syntax.rules.length);
  return counts.at(-1) === syntax.rules.length && counts.at(-1)! - counts[0]! === counts.length - 1;
}

/** The group as people and parents see it: field or alias and value, as JSON; '' for the one group of everything. */
export function groupKeyOf({ syntax }: CorrelationText, texts: readonly string[]): string {
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
