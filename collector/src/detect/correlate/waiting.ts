import {
  type CorrelationEvent,
  compareEvents,
  type Entry,
  type GroupPart,
  isSameSpan,
  keyOf,
  type SettledEvent,
} from './event.ts';
import type { EventStore } from './event-store.ts';
import type { EarlyBudget } from './kind.ts';
import type { Waiting } from './measure.ts';

interface Item extends Entry {
  readonly event: CorrelationEvent;
  readonly number: number;
}

/** Which of the groups of an event this is about: its part, and the group in it. */
export type Place = number;

export function placeOf(part: number, group: number): Place {
  return part * groupsPerPart + group;
}

const groupsPerPart = 1 << 16;

function partAt({ parts }: SettledEvent, place: Place): GroupPart {
  return parts[Math.floor(place / groupsPerPart)]!.groups[place % groupsPerPart]!;
}

/** The waiting events of one group. Those that were added already are removed now and then. */
export class WaitingGroup implements Waiting {
  readonly key: string;
  /** Since its last finding an early one has been given. */
  fired = false;
  members = 0;
  /** Not yet added, duplicates included. */
  left = 0;
  /** Values that the events hold, each as often as it is held. */
  valuesMax = 0;
  /** What looking has cost since somebody asked. */
  #cost = 0;
  /** In event order since the last look. */
  #items: Item[] = [];
  /** Any of the items is there twice. */
  #hasRepeated = false;
  /** Came since the last look: most groups are never looked at. */
  #numbers: number[] = [];
  #places: Place[] = [];
  #members: number[] = [];
  /** Each value and how many hold it; null until somebody asks. */
  #values: Map<string | number, number> | null = null;
  readonly #store: EventStore;

  constructor(key: string, store: EventStore) {
    this.key = key;
    this.#store = store;
  }

  get events(): number {
    return this.left;
  }

  /** Events in memory, those that wait no longer among them. */
  get remembered(): number {
    return this.#items.length + this.#numbers.length;
  }

  get values(): ReadonlyMap<string | number, number> {
    this.#values ??= this.#counted();
    this.#cost += this.#values.size >> 3;
    return this.#values;
  }

  /** An event, by its number in the store, waits. */
  push(number: number, place: Place, part: GroupPart): void {
    this.#store.hold(number);
    // Most groups have one event that waits: a list made with it has no room for more.
    if (this.#numbers.length === 0) {
      this.#numbers = [number];
      this.#places = [place];
      this.#members = [part.members];
    } else {
      this.#numbers.push(number);
      this.#places.push(place);
      this.#members.push(part.members);
    }
    this.left++;
    this.members |= part.members;
    this.valuesMax += part.values.length;
    if (this.#values) count(this.#values, part.values);
  }

  /** One of the events, which the store knows to be settled, waits no longer. */
  settle({ values }: GroupPart): void {
    this.left--;
    this.valuesMax -= values.length;
    if (this.#values) {
      for (const value of values) {
        const left = (this.#values.get(value) ?? 1) - 1;
        if (left === 0) this.#values.delete(value);
        else this.#values.set(value, left);
      }
    }
    const gone = this.remembered - this.left;
    if (gone > goneMin && gone > this.left) this.#prune();
  }

  /** Nobody asks any more. */
  end(): void {
    for (const { number } of this.#items) this.#store.letGo(number);
    for (const number of this.#numbers) this.#store.letGo(number);
  }

  /** The group rests: what counts its values would only cost. */
  rest(): void {
    this.#values = null;
  }

  takeCost(): number {
    const cost = this.#cost;
    this.#cost = 0;
    return cost;
  }

  /** What is still to be added, in event order, each span once. */
  entries(): readonly Entry[] {
    this.#cost += this.left;
    this.#prune();
    const items = this.#items;
    const sorted = items.length;
    for (const [index, number] of this.#numbers.entries()) {
      const event = this.#store.read(number);
      const { members, values } = partAt(event, this.#places[index]!);
      items.push({ timeNanos: event.timeNanos, span: event.span, members, values, event, number });
    }
    this.#numbers = [];
    this.#places = [];
    this.#members = [];
    this.#sort(sorted);
    if (!this.#hasRepeated) return items;
    return items.filter(({ event }, index) => index === 0 || !isSameSpan(items[index - 1]!.event, event));
  }

  /** The first so many are in order. */
  #sort(sorted: number): void {
    const items = this.#items;
    const isOrdered = (index: number) => compareEvents(items[index - 1]!.event, items[index]!.event) <= 0;
    let from = Math.max(1, sorted);
    while (from < items.length && isOrdered(from)) from++;
    if (from < items.length) {
      items.sort((a, b) => compareEvents(a.event, b.event));
      from = 1;
    } else from = Math.max(1, sorted);
    for (; from < items.length && !this.#hasRepeated; from++) {
      this.#hasRepeated = isSameSpan(items[from - 1]!.event, items[from]!.event);
    }
  }

  /** Removes what was added. */
  #prune(): void {
    const store = this.#store;
    this.members = 0;
    let kept = 0;
    for (const item of this.#items) {
      if (!store.waits(item.number)) {
        store.letGo(item.number);
        continue;
      }
      this.#items[kept++] = item;
      this.members |= item.members;
    }
    this.#items.length = kept;
    if (kept === 0) this.#hasRepeated = false;
    kept = 0;
    for (const [index, number] of this.#numbers.entries()) {
      if (!store.waits(number)) {
        store.letGo(number);
        continue;
      }
      const members = this.#members[index]!;
      this.#numbers[kept] = number;
      this.#places[kept] = this.#places[index]!;
      this.#members[kept++] = members;
      this.members |= members;
    }
    this.#numbers.length = kept;
    this.#places.length = kept;
    this.#members.length = kept;
  }

  #counted(): Map<string | number, number> {
    this.#cost += this.left;
    this.#prune();
    const values = new Map<string | number, number>();
    for (const item of this.#items) count(values, item.values);
    for (const [index, number] of this.#numbers.entries()) {
      count(values, partAt(this.#store.settled(number), this.#places[index]!).values);
    }
    return values;
  }
}

/** So many events of a group may be remembered although they wait no longer. */
const goneMin = 64;

function count(counts: Map<string | number, number>, values: readonly (string | number)[]): void {
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
}

/** Groups with events that wait, and those among them that changed since somebody looked. */
export class WaitingGroups {
  /** A group with one event that alone means nothing is only the number of that event. */
  readonly #groups = new Map<string, WaitingGroup | number>();
  readonly #changed = new Set<WaitingGroup>();
  /** Nothing can be said of them before the frontier has moved on. */
  readonly #resting = new Set<WaitingGroup>();
  readonly #correlation: number;
  readonly #store: EventStore;
  #restNanos = 0n;

  /** @param correlation its place in the parts of events */
  constructor(correlation: number, store: EventStore) {
    this.#correlation = correlation;
    this.#store = store;
  }

  /** @param isNothing that the event, if no other of its group waits, makes no condition true */
  wait(
    key: string,
    number: number,
    place: Place,
    part: GroupPart,
    isNothing: (key: string, part: GroupPart) => boolean,
  ): void {
    const known = this.#groups.get(key);
    if (known === undefined && isNothing(key, part)) {
      this.#groups.set(key, number);
      return;
    }
    const group = typeof known === 'object' ? known : this.#groupOf(key, known);
    group.push(number, place, part);
    if (!group.fired && !this.#resting.has(group)) this.#changed.add(group);
  }

  /** An event waits no longer. */
  settled(key: string, part: GroupPart): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    if (typeof group === 'object') {
      group.settle(part);
      if (group.left > 0) return;
      this.#forget(group);
    }
    this.#groups.delete(key);
  }

  /** The finding that was given early is there, so that the group may give another. */
  opened(key: string): void {
    const group = this.#groups.get(key);
    if (typeof group !== 'object') return;
    group.fired = false;
    this.#changed.add(group);
  }

  /**
   * Goes through the changed groups as far as the budget reaches, in turn. `look` gives what came of a group: `later` lets it
   * rest for a second of the frontier, `fired` until it is opened.
   */
  each(frontierNanos: bigint, budget: EarlyBudget, look: (group: WaitingGroup) => 'fired' | 'later' | 'no'): void {
    if (frontierNanos >= this.#restNanos) this.#wake(frontierNanos);
    for (const group of this.#changed) {
      if (budget.left <= 0) return;
      this.#changed.delete(group);
      const outcome = look(group);
      budget.left -= 1 + group.takeCost();
      if (outcome === 'no') continue;
      group.rest();
      if (outcome === 'fired') group.fired = true;
      else this.#resting.add(group);
    }
  }

  fired(): string[] {
    const fired: string[] = [];
    for (const group of this.#groups.values()) if (typeof group === 'object' && group.fired) fired.push(group.key);
    return fired.sort();
  }

  markFired(keys: readonly string[]): void {
    for (const key of keys) {
      const known = this.#groups.get(key);
      if (known === undefined) continue;
      const group = typeof known === 'object' ? known : this.#groupOf(key, known);
      group.fired = true;
      this.#changed.delete(group);
      this.#resting.delete(group);
    }
  }

  /** The group has events that were added: what waits may go on with them. */
  known(key: string): void {
    const group = this.#groups.get(key);
    if (typeof group === 'number') this.#changed.add(this.#groupOf(key, group));
  }

  clear(): void {
    for (const group of this.#groups.values()) if (typeof group === 'object') group.end();
    this.#groups.clear();
    this.#changed.clear();
    this.#resting.clear();
    this.#restNanos = 0n;
  }

  /** A group with the event that waits in it, if there is one. */
  #groupOf(key: string, number: number | undefined): WaitingGroup {
    const group = new WaitingGroup(key, this.#store);
    this.#groups.set(key, group);
    if (number === undefined) return group;
    const { parts } = this.#store.read(number);
    const part = parts.findIndex(({ correlation }) => correlation === this.#correlation);
    const at = parts[part]!.groups.findIndex(({ texts }) => keyOf(texts) === key);
    group.push(number, placeOf(part, at), parts[part]!.groups[at]!);
    return group;
  }

  #forget(group: WaitingGroup): void {
    group.end();
    this.#changed.delete(group);
    this.#resting.delete(group);
  }

  #wake(frontierNanos: bigint): void {
    this.#restNanos = frontierNanos + restNanos;
    for (const group of this.#resting) this.#changed.add(group);
    this.#resting.clear();
  }
}

/** How far the frontier moves on before a group is looked at again that has an episode. */
const restNanos = 1_000_000_000n;
