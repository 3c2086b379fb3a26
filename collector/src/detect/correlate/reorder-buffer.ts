import type { EventStore } from './event-store.ts';

/**
 * Events, by their numbers, that wait until no earlier one can arrive. Most come in event order and stand in a list; those that
 * come before what is there already stand in a binary heap.
 */
export class ReorderBuffer {
  readonly #store: EventStore;
  /** In event order; those before `#head` are gone. */
  #list: number[] = [];
  #head = 0;
  #heap: number[] = [];

  constructor(store: EventStore) {
    this.#store = store;
  }

  get size(): number {
    return this.#list.length - this.#head + this.#heap.length;
  }

  /** The earliest event. */
  peek(): number | undefined {
    return this.#isListFirst() ? this.#list[this.#head] : this.#heap[0];
  }

  push(event: number): void {
    const last = this.#list.at(-1);
    if (last === undefined || this.#store.compare(last, event) <= 0) this.#list.push(event);
    else this.#pushToHeap(event);
  }

  /** Takes the earliest event out. */
  pop(): number | undefined {
    if (!this.#isListFirst()) return this.#popFromHeap();
    const first = this.#list[this.#head++];
    if (this.#head === this.#list.length || (this.#head >= listGoneMin && this.#head * 2 >= this.#list.length)) {
      this.#list = this.#list.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  /** All events, in no order; for snapshots. */
  *events(): Iterable<number> {
    for (let at = this.#head; at < this.#list.length; at++) yield this.#list[at]!;
    yield* this.#heap;
  }

  clear(): void {
    this.#list = [];
    this.#head = 0;
    this.#heap = [];
  }

  #isListFirst(): boolean {
    if (this.#heap.length === 0) return true;
    return this.#head < this.#list.length && this.#store.compare(this.#list[this.#head]!, this.#heap[0]!) <= 0;
  }

  #pushToHeap(event: number): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#store.compare(heap[above]!, event) <= 0) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  #popFromHeap(): number | undefined {
    const heap = this.#heap;
    const store = this.#store;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && store.compare(heap[below + 1]!, heap[below]!) < 0) below++;
      if (store.compare(last, heap[below]!) <= 0) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

const listGoneMin = 1024;
