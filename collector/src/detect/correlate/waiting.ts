import { type Entry, type GroupPart, keyOf, type SettledEvent } from './event.ts';
import type { EventStore } from './event-store.ts';
import type { EarlyBudget } from './kind.ts';
import type { Waiting } from './measure.ts';

interface Item extends Entry {
  /** Of the event in the store. */
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
  /** In event order since the last look. Those before the head wait no longer and are let go. */
  #items: Item[] = [];
  #itemsHead = 0;
  /** Any of the items is there twice. */
  #hasRepeated = false;
  /**
   * Came since the last look, three numbers each: the event, its place and the rules that it matched. Most groups are never looked at. What
   * stands before the head waits no longer and is let go; what stands from the end on is room for more.
   */
  #came: number[] = [];
  #cameHead = 0;
  #cameEnd = 0;
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
    return this.#items.length - this.#itemsHead + (this.#cameEnd - this.#cameHead) / cameWords;
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
    if (this.#came.length === 0) this.#came = [number, place, part.members];
    else if (this.#cameEnd === this.#came.length) this.#came.push(number, place, part.members);
    else {
      this.#came[this.#cameEnd] = number;
      this.#came[this.#cameEnd + 1] = place;
      this.#came[this.#cameEnd + 2] = part.members;
    }
    this.#cameEnd += cameWords;
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
    this.#letGoFirst();
    const gone = this.remembered - this.left;
    if (gone > goneMin && gone > this.left) this.#prune();
  }

  /** Nobody asks any more. */
  end(): void {
    for (let at = this.#itemsHead; at < this.#items.length; at++) this.#store.letGo(this.#items[at]!.number);
    for (let at = this.#cameHead; at < this.#cameEnd; at += cameWords) this.#store.letGo(this.#came[at]!);
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
    for (let at = this.#cameHead; at < this.#cameEnd; at += cameWords) {
      const number = this.#came[at]!;
      const event = this.#store.settled(number);
      const { members, values } = partAt(event, this.#came[at + 1]!);
      items.push({ timeNanos: event.timeNanos, span: event.span, members, values, number });
    }
    this.#came = [];
    this.#cameHead = 0;
    this.#cameEnd = 0;
    this.#sort(sorted);
    if (!this.#hasRepeated) return items;
    const store = this.#store;
    return items.filter(({ number }, index) => index === 0 || !store.isSameSpan(items[index - 1]!.number, number));
  }

  /** The first so many are in order. */
  #sort(sorted: number): void {
    const [store, items] = [this.#store, this.#items];
    const isOrdered = (index: number) => store.compare(items[index - 1]!.number, items[index]!.number) <= 0;
    let from = Math.max(1, sorted);
    while (from < items.length && isOrdered(from)) from++;
    if (from < items.length) {
      items.sort((a, b) => store.compare(a.number, b.number));
      from = 1;
    } else from = Math.max(1, sorted);
    for (; from < items.length && !this.#hasRepeated; from++) {
      this.#hasRepeated = store.isSameSpan(items[from - 1]!.number, items[from]!.number);
    }
  }

  /** Mostly events are added in the order in which they came, so that those that wait no longer are the first ones. */
  #letGoFirst(): void {
    const [store, items, came] = [this.#store, this.#items, this.#came];
    for (; this.#itemsHead < items.length; this.#itemsHead++) {
      const { number } = items[this.#itemsHead]!;
      if (store.waits(number)) break;
      store.letGo(number);
    }
    for (; this.#cameHead < this.#cameEnd; this.#cameHead += cameWords) {
      const number = came[this.#cameHead]!;
      if (store.waits(number)) break;
      store.letGo(number);
    }
    const gone = this.#itemsHead + this.#cameHead / cameWords;
    if (gone > goneMin && gone > this.left) this.#prune();
  }

  /** Removes what was added. */
  #prune(): void {
    const [store, items, came] = [this.#store, this.#items, this.#came];
    this.members = 0;
    let kept = 0;
    for (let at = this.#itemsHead; at < items.length; at++) {
      const item = items[at]!;
      if (!store.waits(item.number)) {
        store.letGo(item.number);
        continue;
      }
      items[kept++] = item;
      this.members |= item.members;
    }
    items.length = kept;
    this.#itemsHead = 0;
    if (kept === 0) this.#hasRepeated = false;
    kept = 0;
    for (let at = this.#cameHead; at < this.#cameEnd; at += cameWords) {
      const number = came[at]!;
      if (!store.waits(number)) {
        store.letGo(number);
        continue;
      }
      const members = came[at + 2]!;
      came[kept] = number;
      came[kept + 1] = came[at + 1]!;
      came[kept + 2] = members;
      kept += cameWords;
      this.members |= members;
    }
    // The room is not given up: as many come again.
    this.#cameHead = 0;
    this.#cameEnd = kept;
  }

  #counted(): Map<string | number, number> {
    this.#cost += this.left;
    this.#prune();
    const values = new Map<string | number, number>();
    for (const item of this.#items) count(values, item.values);
    for (let at = this.#cameHead; at < this.#cameEnd; at += cameWords) {
      count(values, partAt(this.#store.settled(this.#came[at]!), this.#came[at + 1]!).values);
    }
    return values;
  }
}

const cameWords = 3;

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
  #correlation: number;
  readonly #store: EventStore;
  #restNanos = 0n;

  /** @param correlation its place in the parts of events */
  constructor(correlation: number, store: EventStore) {
    this.#correlation = correlation;
    this.#store = store;
  }

  /** As `EarlyFiring.moveTo`. */
  moveTo(correlation: number): void {
    this.#correlation = correlation;
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
