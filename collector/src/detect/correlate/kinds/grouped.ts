import { limits } from '../../../model/limits.ts';
import { findingId } from '../../finding-texts.ts';
import { Scan, type Scanned, type Steps, stepsInTurn, stepsOf } from '../../slices.ts';
import type { SpanIdentity } from '../../span-identity.ts';
import type { CorrelationText } from '../correlation.ts';
import { groupKeyOf } from '../evaluator.ts';
import type { GroupPart } from '../event.ts';
import type { Change, CorrelationEvaluator, Episode, EvaluatorBounds, EvaluatorCounters } from '../kind.ts';

/** What one kind of correlation remembers of a group and makes of its events. `S` is plain data. */
export interface Kind<S> {
  create(timeNanos: bigint): S;
  add(group: KindGroup<S>, event: KindEvent): Change | undefined;
  /** Does what is due at `group.dueNanos`, which was reset to 0 before. */
  close?(group: KindGroup<S>, timeNanos: bigint): readonly Change[];
  /** Whether all that a group waits for is the passing of time: the end of the data then decides nothing. */
  silent?(state: S): boolean;
  /** How many values and events are remembered. */
  size(state: S): number;
  /** Values and events left out because the group remembered too many. */
  dropped?(state: S): number;
  /** A group that was not touched for longer is as good as unknown. */
  readonly idleNanos: bigint;
}

export interface KindGroup<S> {
  readonly texts: readonly string[];
  state: S;
  lastNanos: bigint;
  /** When `close` is to be called; 0 for never. */
  dueNanos: bigint;
  episode: Episode | null;
}

export interface KindEvent {
  readonly timeNanos: bigint;
  readonly startNanos: bigint;
  readonly span: SpanIdentity;
  readonly members: number;
  readonly values: readonly (string | number)[];
}

interface KeptGroup<S> extends KindGroup<S>, Scanned {
  /** Goes up with each touch of any group. */
  turn: number;
}

interface Due {
  readonly timeNanos: bigint;
  readonly key: string;
}

interface State<S> {
  /** The group touched longest ago comes first. */
  groups: Map<string, KeptGroup<S>>;
  /** Groups that wait, the earliest first; those whose `dueNanos` is another by now are passed over. */
  due: Due[];
}

interface SavedGroup<S> extends KindGroup<S> {
  readonly turn: number;
}

type Item<S> = { readonly group: SavedGroup<S> } | { readonly due: Due } | { readonly turns: number };

/** Keeps the groups of a kind: order, bounds, forgetting, and when the next of them is due. */
export class GroupedEvaluator<S> implements CorrelationEvaluator {
  readonly correlation: CorrelationText;
  readonly counters: EvaluatorCounters = { events: 0, episodes: 0, evictedGroups: 0, droppedEvents: 0 };
  readonly #kind: Kind<S>;
  readonly #bounds: EvaluatorBounds;
  readonly #scan = new Scan<KeptGroup<S>>();
  #state: State<S> = { groups: new Map(), due: [] };
  #turns = 0;
  #head = 0;
  #size = 0;

  constructor(correlation: CorrelationText, bounds: EvaluatorBounds, kind: Kind<S>) {
    this.correlation = correlation;
    this.#bounds = bounds;
    this.#kind = kind;
  }

  get groups(): number {
    return this.#state.groups.size;
  }

  get size(): number {
    return this.#size;
  }

  get closesNanos(): bigint | undefined {
    this.#passOver();
    return this.#state.due[this.#head]?.timeNanos;
  }

  get closesSilence(): boolean {
    const { silent } = this.#kind;
    if (silent === undefined || this.closesNanos === undefined) return false;
    const { groups, due } = this.#state;
    for (let at = this.#head; at < due.length; at++) {
      const { timeNanos, key } = due[at]!;
      const group = groups.get(key);
      if (group?.dueNanos === timeNanos && !silent(group.state)) return false;
    }
    return true;
  }

  get stalestNanos(): bigint | undefined {
    return this.#state.groups.values().next().value?.lastNanos;
  }

  add(timeNanos: bigint, span: SpanIdentity, part: GroupPart): Change | undefined {
    this.counters.events++;
    const key = JSON.stringify(part.texts);
    const group = this.#touch(key, timeNanos, part.texts);
    const { members, values, startNanos = timeNanos } = part;
    const due = group.dueNanos;
    const change = this.#measured(group, () => this.#kind.add(group, { timeNanos, startNanos, span, members, values }));
    if (group.dueNanos !== due) this.#wait(group.dueNanos, key);
    if (change?.opened) this.counters.episodes++;
    return change;
  }

  close(): Change[] {
    const { groups, due } = this.#state;
    const now = this.closesNanos;
    const changes: Change[] = [];
    while (now !== undefined && this.closesNanos === now) {
      const { timeNanos, key } = due[this.#head++]!;
      const group = groups.get(key)!;
      this.#scan.changing(group);
      group.dueNanos = 0n;
      changes.push(...this.#measured(group, () => this.#kind.close?.(group, timeNanos) ?? []));
      this.#wait(group.dueNanos, key);
    }
    this.counters.episodes += changes.filter(({ opened }) => opened).length;
    return changes;
  }

  evictStalest(): void {
    const stalest = this.#state.groups.entries().next().value;
    if (!stalest) return;
    this.#forget(...stalest);
    this.counters.evictedGroups++;
  }

  save(write: (item: Item<S>) => void): Steps {
    const { groups, due } = this.#state;
    return stepsInTurn([
      stepsOf([{ turns: this.#turns }], write),
      this.#scan.begin(groups.values(), ({ texts, state, lastNanos, dueNanos, episode, turn }) =>
        write({ group: { texts, state, lastNanos, dueNanos, episode, turn } }),
      ),
      stepsOf(due.slice(this.#head), (each) => write({ due: each })),
    ]);
  }

  load(items: readonly unknown[]): void {
    this.#scan.cancel();
    this.#state = { groups: new Map(), due: [] };
    this.#head = 0;
    this.#size = 0;
    this.#turns = 0;
    const groups: SavedGroup<S>[] = [];
    for (const item of items as readonly Item<S>[]) {
      if ('group' in item) groups.push(item.group);
      else if ('due' in item) this.#state.due.push(item.due);
      else this.#turns = item.turns;
    }
    for (const group of groups.sort((a, b) => a.turn - b.turn)) this.#add(JSON.stringify(group.texts), group);
  }

  clear(): void {
    this.load([]);
  }

  #add(key: string, group: SavedGroup<S>): KeptGroup<S> {
    const kept = { ...group, scan: this.#scan.number };
    this.#state.groups.set(key, kept);
    this.#size += this.#kind.size(kept.state);
    return kept;
  }

  #touch(key: string, timeNanos: bigint, texts: readonly string[]): KeptGroup<S> {
    const { groups } = this.#state;
    const oldest = timeNanos - this.#kind.idleNanos;
    const known = groups.get(key);
    if (known && known.lastNanos >= oldest) {
      this.#scan.changing(known);
      groups.delete(key);
      known.lastNanos = timeNanos;
      known.turn = ++this.#turns;
      groups.set(key, known);
      return known;
    }
    for (const [other, group] of groups) {
      if (group.lastNanos >= oldest) break;
      this.#forget(other, group);
    }
    if (groups.size >= this.#bounds.groupsMax) this.evictStalest();
    const state = this.#kind.create(timeNanos);
    const turn = ++this.#turns;
    return this.#add(key, { texts, state, lastNanos: timeNanos, dueNanos: 0n, episode: null, turn });
  }

  #measured<T>(group: KindGroup<S>, work: () => T): T {
    const size = this.#kind.size(group.state);
    const dropped = this.#kind.dropped?.(group.state) ?? 0;
    const result = work();
    this.#size += this.#kind.size(group.state) - size;
    this.counters.droppedEvents += Math.max(0, (this.#kind.dropped?.(group.state) ?? 0) - dropped);
    return result;
  }

  #wait(timeNanos: bigint, key: string): void {
    if (timeNanos === 0n) return;
    const { due } = this.#state;
    let at = due.length;
    while (at > this.#head && due[at - 1]!.timeNanos > timeNanos) at--;
    due.splice(at, 0, { timeNanos, key });
  }

  /** Drops what waits no more from the front. */
  #passOver(): void {
    const { groups, due } = this.#state;
    while (this.#head < due.length && groups.get(due[this.#head]!.key)?.dueNanos !== due[this.#head]!.timeNanos) {
      this.#head++;
    }
    if (this.#head < 1024 || this.#head * 2 < due.length) return;
    this.#state.due = due.slice(this.#head);
    this.#head = 0;
  }

  #forget(key: string, group: KeptGroup<S>): void {
    this.#scan.leaving(group);
    this.#state.groups.delete(key);
    this.#size -= this.#kind.size(group.state);
  }
}

/** What an episode starts with; texts are shown to people as they are. */
export type EpisodeStart = Pick<Episode, 'spans' | 'count' | 'shown'> & Partial<Pick<Episode, 'partial' | 'notes'>>;

/** Begins the finding of a group at a span. */
export function openEpisode<S>(
  correlation: CorrelationText,
  group: KindGroup<S>,
  span: SpanIdentity,
  lastSeenNanos: bigint,
  start: EpisodeStart,
): Change {
  const groupKey = groupKeyOf(correlation, group.texts);
  group.episode = {
    id: findingId(correlation.meta.id, groupKey, span.traceId + span.spanId),
    opened: span,
    groupTexts: group.texts,
    lastSeenNanos,
    partial: false,
    ...start,
    spans: start.spans.slice(0, limits.evidenceItemsMax - 1),
  };
  return { episode: group.episode, opened: true };
}

/**
 * Findings of a group by the values they are about, several values to a finding. State is copied when it is stored, so findings are
 * found by their ids and not by being the same object.
 */
export interface OpenFindings {
  readonly byId: Map<string, Episode>;
  readonly idOf: Map<string, string>;
}

export function createOpenFindings(): OpenFindings {
  return { byId: new Map(), idOf: new Map() };
}

/** The finding that one of the values belongs to. */
export function openFindingOf({ byId, idOf }: OpenFindings, values: readonly string[]): Episode | undefined {
  return values.map((value) => byId.get(idOf.get(value) ?? '')).find((episode) => episode !== undefined);
}

/** Notes a finding under its values; past `max` the values noted longest ago are forgotten. */
export function noteFinding(
  { byId, idOf }: OpenFindings,
  episode: Episode,
  values: readonly string[],
  max: number,
): void {
  byId.set(episode.id, episode);
  for (const value of values) idOf.set(value, episode.id);
  for (const value of idOf.keys()) {
    if (idOf.size <= max) break;
    idOf.delete(value);
  }
  if (byId.size <= idOf.size) return;
  const used = new Set(idOf.values());
  for (const id of byId.keys()) if (!used.has(id)) byId.delete(id);
}

/** More events of an open episode. */
export function updateEpisode(episode: Episode, lastSeenNanos: bigint, events: number, shown: string): Change {
  episode.count += events;
  episode.lastSeenNanos = lastSeenNanos;
  episode.shown = shown;
  return { episode, opened: false };
}
