import { type CorrelationEvent, compareEvents, type Entry, type GroupPart, isSameSpan } from './event.ts';
import type { EarlyBudget } from './kind.ts';
import type { Waiting } from './measure.ts';

/** The waiting events of one group. Those that were added already are removed when somebody looks. */
export class WaitingGroup implements Waiting {
  readonly key: string;
  /** Since its last finding an early one has been given. */
  fired = false;
  /** Values of the waiting events, each with how many hold it. */
  readonly values = new Map<string | number, number>();
  members = 0;
  /** Not yet added, duplicates included. */
  left = 0;
  #items: { readonly event: CorrelationEvent; readonly part: GroupPart }[] = [];

  constructor(key: string) {
    this.key = key;
  }

  get events(): number {
    return this.left;
  }

  push(event: CorrelationEvent, part: GroupPart): void {
    this.#items.push({ event, part });
    this.left++;
    this.members |= part.members;
    for (const value of part.values) this.values.set(value, (this.values.get(value) ?? 0) + 1);
  }

  /** One of the events waits no longer. */
  settle({ values }: GroupPart): void {
    this.left--;
    for (const value of values) {
      const left = this.values.get(value)! - 1;
      if (left === 0) this.values.delete(value);
      else this.values.set(value, left);
    }
  }

  /** What is still to be added after `last`, in event order, each span once. */
  entries(last: CorrelationEvent | undefined): Entry[] {
    const items = this.#items;
    let kept = 0;
    let isSorted = true;
    this.members = 0;
    for (const item of items) {
      if (last && item.event.timeNanos <= last.timeNanos && compareEvents(item.event, last) <= 0) continue;
      if (kept > 0 && item.event.timeNanos <= items[kept - 1]!.event.timeNanos) isSorted = false;
      items[kept++] = item;
      this.members |= item.part.members;
    }
    items.length = kept;
    if (!isSorted) items.sort((a, b) => compareEvents(a.event, b.event));
    const entries: Entry[] = [];
    for (const [index, { event, part }] of items.entries()) {
      if (index > 0 && isSameSpan(items[index - 1]!.event, event)) continue;
      const { timeNanos, span } = event;
      entries.push({ timeNanos, span, members: part.members, values: part.values });
    }
    return entries;
  }
}

/** Groups with events that wait, and those among them that changed since somebody looked. */
export class WaitingGroups {
  readonly #groups = new Map<string, WaitingGroup>();
  readonly #changed = new Set<WaitingGroup>();
  #last: CorrelationEvent | undefined;

  wait(key: string, event: CorrelationEvent, part: GroupPart): void {
    let group = this.#groups.get(key);
    if (!group) {
      group = new WaitingGroup(key);
      this.#groups.set(key, group);
    }
    group.push(event, part);
    if (!group.fired) this.#changed.add(group);
  }

  settled(key: string, event: CorrelationEvent, part: GroupPart): void {
    this.#last = event;
    const group = this.#groups.get(key);
    if (!group) return;
    group.settle(part);
    if (group.left > 0) return;
    this.#groups.delete(key);
    this.#changed.delete(group);
  }

  /** The finding that was given early is there, so that the group may give another. */
  opened(key: string): void {
    const group = this.#groups.get(key);
    if (!group) return;
    group.fired = false;
    this.#changed.add(group);
  }

  /**
   * Goes through the changed groups as far as the budget reaches, in turn. `look` gives what came of a group: `later` keeps it
   * for the next call, `fired` lets it rest until it is opened.
   */
  each(budget: EarlyBudget, look: (group: WaitingGroup, entries: () => Entry[]) => 'fired' | 'later' | 'no'): void {
    for (const group of [...this.#changed]) {
      if (budget.left <= 0) return;
      budget.left--;
      this.#changed.delete(group);
      const outcome = look(group, () => {
        budget.left -= group.left;
        return group.entries(this.#last);
      });
      if (outcome === 'fired') group.fired = true;
      else if (outcome === 'later') this.#changed.add(group);
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
    }
  }

  clear(): void {
    this.#groups.clear();
    this.#changed.clear();
    this.#last = undefined;
  }
}
