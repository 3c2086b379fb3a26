import type { EventStore } from './event-store.ts';

/**
 * Events, by their numbers, that wait until no earlier one can arrive. Most come in event order and stand in a list; those that
 * come before what is there already stand in a binary heap.
 */
export class ReorderBuffer {
  readonly #store: EventStore;
  /** In event order from `#head` up to `#end`. */
  #list = new Int32Array(listMin);
  #head = 0;
  #end = 0;
  #heap: number[] = [];

  constructor(store: EventStore) {
    this.#store = store;
  }

  get size(): number {
    return this.#end - this.#head + this.#heap.length;
  }

  /** The earliest event. */
  peek(): number | undefined {
    if (!this.#isListFirst()) return this.#heap[0];
    return this.#head < this.#end ? this.#list[this.#head] : undefined;
  }

  push(event: number): void {
    if (this.#head === this.#end || this.#store.compare(this.#list[this.#end - 1]!, event) <= 0) this.#append(event);
    else this.#pushToHeap(event);
  }

  /** Takes the earliest event out. */
  pop(): number | undefined {
    if (!this.#isListFirst()) return this.#popFromHeap();
    return this.#head < this.#end ? this.#list[this.#head++] : undefined;
  }

  /** All events, in no order; for snapshots. */
  *events(): Iterable<number> {
    for (let at = this.#head; at < this.#end; at++) yield this.#list[at]!;
    yield* this.#heap;
  }

  clear(): void {
    this.#list = new Int32Array(listMin);
    this.#head = 0;
    this.#end = 0;
    this.#heap = [];
  }

  #append(event: number): void {
    if (this.#end === this.#list.length) {
      const left = this.#list.subarray(this.#head, this.#end);
      // As many as come leave: where half of the room is free they are moved half as often as there is room.
      if (left.length * 2 > this.#list.length) this.#list = new Int32Array(this.#list.length * 2);
      this.#list.set(left);
      this.#head = 0;
      this.#end = left.length;
    }
    this.#list[this.#end++] = event;
  }

  #isListFirst(): boolean {
    if (this.#heap.length === 0) return true;
    return this.#head < this.#end && this.#store.compare(this.#list[this.#head]!, this.#heap[0]!) <= 0;
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

const listMin = 1024;
