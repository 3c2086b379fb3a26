import { type CorrelationEvent, compareEvents } from './event.ts';

/** Events that wait until no earlier one can arrive: a binary heap in event order. */
export class ReorderBuffer {
  #heap: CorrelationEvent[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest event. */
  peek(): CorrelationEvent | undefined {
    return this.#heap[0];
  }

  push(event: CorrelationEvent): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (compareEvents(heap[above]!, event) <= 0) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  /** Takes the earliest event out. */
  pop(): CorrelationEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && compareEvents(heap[below + 1]!, heap[below]!) < 0) below++;
      if (compareEvents(last, heap[below]!) <= 0) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }

  /** All events, in no order; for snapshots. */
  events(): readonly CorrelationEvent[] {
    return this.#heap;
  }

  clear(): void {
    this.#heap = [];
  }
}
