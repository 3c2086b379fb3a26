import { type CorrelationEvent, compareEvents, type Entry, type GroupPart, isSameSpan } from './event.ts';
import type { EarlyBudget } from './kind.ts';
import type { Waiting } from './measure.ts';

interface Item extends Entry {
  readonly event: CorrelationEvent;
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
  #events: CorrelationEvent[] = [];
  #parts: GroupPart[] = [];
  /** Each value and how many hold it; null until somebody asks. */
  #values: Map<string | number, number> | null = null;
  #last: CorrelationEvent | undefined;

  constructor(key: string) {
    this.key = key;
  }

  get events(): number {
    return this.left;
  }

  /** Events in memory, those that wait no longer among them. */
  get remembered(): number {
    return this.#items.length + this.#events.length;
  }

  get values(): ReadonlyMap<string | number, number> {
    this.#values ??= this.#counted();
    this.#cost += this.#values.size >> 3;
    return this.#values;
  }

  push(event: CorrelationEvent, part: GroupPart): void {
    // Most groups have one event that waits: a list made with it has no room for more.
    if (this.#events.length === 0) {
      this.#events = [event];
      this.#parts = [part];
    } else {
      this.#events.push(event);
      this.#parts.push(part);
    }
    this.left++;
    this.members |= part.members;
    this.valuesMax += part.values.length;
    if (this.#values) count(this.#values, part.values);
  }

  /** One of the events waits no longer, and none before it. */
  settle(event: CorrelationEvent, { values }: GroupPart): void {
    this.#last = event;
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
    for (const [index, event] of this.#events.entries()) {
      const { members, values } = this.#parts[index]!;
      items.push({ timeNanos: event.timeNanos, span: event.span, members, values, event });
    }
    this.#events = [];
    this.#parts = [];
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
    const last = this.#last;
    if (last === undefined) return;
    const waits = (event: CorrelationEvent) => event.timeNanos > last.timeNanos || compareEvents(event, last) > 0;
    this.members = 0;
    let kept = 0;
    for (const item of this.#items) {
      if (!waits(item.event)) continue;
      this.#items[kept++] = item;
      this.members |= item.members;
    }
    this.#items.length = kept;
    if (kept === 0) this.#hasRepeated = false;
    kept = 0;
    for (const [index, event] of this.#events.entries()) {
      if (!waits(event)) continue;
      const part = this.#parts[index]!;
      this.#events[kept] = event;
      this.#parts[kept++] = part;
      this.members |= part.members;
    }
    this.#events.length = kept;
    this.#parts.length = kept;
  }

  #counted(): Map<string | number, number> {
    this.#cost += this.left;
    this.#prune();
    const values = new Map<string | number, number>();
    for (const item of this.#items) count(values, item.values);
    for (const part of this.#parts) count(values, part.values);
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
  readonly #groups = new Map<string, WaitingGroup>();
  readonly #changed = new Set<WaitingGroup>();
  /** Nothing can be said of them before the frontier has moved on. */
  readonly #resting = new Set<WaitingGroup>();
  #restNanos = 0n;

  wait(key: string, event: CorrelationEvent, part: GroupPart): void {
    let group = this.#groups.get(key);
    if (!group) {
      group = new WaitingGroup(key);
      this.#groups.set(key, group);
    }
    group.push(event, part);
    if (!group.fired && !this.#resting.has(group)) this.#changed.add(group);
  }

  settled(key: string, event: CorrelationEvent, part: GroupPart): void {
    const group = this.#groups.get(key);
    if (!group) return;
    group.settle(event, part);
    if (group.left > 0) return;
    this.#groups.delete(key);
    this.#changed.delete(group);
    this.#resting.delete(group);
  }

  /** The finding that was given early is there, so that the group may give another. */
  opened(key: string): void {
    const group = this.#groups.get(key);
    if (!group) return;
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
    const groups = [...this.#groups.values()].filter(({ fired }) => fired);
    return groups.map(({ key }) => key).sort();
  }

  markFired(keys: readonly string[]): void {
    for (const key of keys) {
      const group = this.#groups.get(key);
      if (!group) continue;
      group.fired = true;
      this.#changed.delete(group);
      this.#resting.delete(group);
    }
  }

  clear(): void {
    this.#groups.clear();
    this.#changed.clear();
    this.#resting.clear();
    this.#restNanos = 0n;
  }

  #wake(frontierNanos: bigint): void {
    this.#restNanos = frontierNanos + restNanos;
    for (const group of this.#resting) this.#changed.add(group);
    this.#resting.clear();
  }
}

/** How far the frontier moves on before a group is looked at again that has an episode. */
const restNanos = 1_000_000_000n;
