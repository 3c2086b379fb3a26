import { type CorrelationEvent, compareEvents } from './event.ts';

/**
 * Events that wait until no earlier one can arrive. Most come in event order and stand in a list; those that come before what
 * is there already stand in a binary heap.
 */
export class ReorderBuffer {
  /** In event order; those before `#head` are gone. */
  #list: (CorrelationEvent | undefined)[] = [];
  #head = 0;
  #heap: CorrelationEvent[] = [];

  get size(): number {
    return this.#list.length - this.#head + this.#heap.length;
  }

  /** The earliest event. */
  peek(): CorrelationEvent | undefined {
    return this.#isListFirst() ? this.#list[this.#head] : this.#heap[0];
  }

  push(event: CorrelationEvent): void {
    const last = this.#list.at(-1);
    if (last === undefined || compareEvents(last, event) <= 0) this.#list.push(event);
    else pushToHeap(this.#heap, event);
  }

  /** Takes the earliest event out. */
  pop(): CorrelationEvent | undefined {
    if (!this.#isListFirst()) return popFromHeap(this.#heap);
    const first = this.#list[this.#head];
    this.#list[this.#head++] = undefined;
    if (this.#head === this.#list.length || (this.#head >= listGoneMin && this.#head * 2 >= this.#list.length)) {
      this.#list = this.#list.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  /** All events, in no order; for snapshots. */
  events(): readonly CorrelationEvent[] {
    return [...(this.#list.slice(this.#head) as CorrelationEvent[]), ...this.#heap];
  }

  clear(): void {
    this.#list = [];
    this.#head = 0;
    this.#heap = [];
  }

  #isListFirst(): boolean {
    const inList = this.#list[this.#head];
    const inHeap = this.#heap[0];
    return inHeap === undefined || (inList !== undefined && compareEvents(inList, inHeap) <= 0);
  }
}

const listGoneMin = 1024;

function pushToHeap(heap: CorrelationEvent[], event: CorrelationEvent): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (compareEvents(heap[above]!, event) <= 0) break;
    heap[at] = heap[above]!;
    at = above;
  }
  heap[at] = event;
}

function popFromHeap(heap: CorrelationEvent[]): CorrelationEvent | undefined {
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
