import type { CorrelationEvaluator } from './kind.ts';

/**
 * Groups and events of all correlations together, without asking each of them each time; and which has the stalest group.
 * `touched` must follow whatever changes an evaluator.
 */
export class Totals {
  groups = 0;
  events = 0;
  readonly #evaluators: readonly CorrelationEvaluator[];
  readonly #known: { groups: number; events: number }[];
  /**
   * A binary heap by when an evaluator's stalest group was touched, as it was when somebody looked. Since then it can only
   * have become later, so that the top is brought up to date until it stays the top.
   */
  readonly #heap: { readonly evaluator: number; stalestNanos: bigint }[] = [];
  readonly #inHeap = new Set<number>();
  /** Those that have groups and are not in the heap. */
  readonly #arrived = new Set<number>();

  constructor(evaluators: readonly CorrelationEvaluator[]) {
    this.#evaluators = evaluators;
    this.#known = evaluators.map(() => ({ groups: 0, events: 0 }));
  }

  touched(index: number): void {
    const known = this.#known[index]!;
    const { groups, size } = this.#evaluators[index]!;
    this.groups += groups - known.groups;
    this.events += size - known.events;
    if (groups > 0 && !this.#inHeap.has(index)) this.#arrived.add(index);
    known.groups = groups;
    known.events = size;
  }

  /** After everything may have changed, as by a snapshot. */
  recount(): void {
    this.#heap.length = 0;
    this.#inHeap.clear();
    this.#arrived.clear();
    for (const index of this.#evaluators.keys()) this.touched(index);
  }

  /** Forgets the group that was touched longest ago; false when there is none. */
  evictStalest(): boolean {
    for (const index of this.#arrived) {
      const { stalestNanos } = this.#evaluators[index]!;
      if (stalestNanos !== undefined) this.#push(index, stalestNanos);
    }
    this.#arrived.clear();
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      const evaluator = this.#evaluators[top.evaluator]!;
      const { stalestNanos } = evaluator;
      if (stalestNanos === top.stalestNanos) {
        evaluator.evictStalest();
        this.touched(top.evaluator);
        return true;
      }
      if (stalestNanos === undefined) this.#pop();
      else {
        top.stalestNanos = stalestNanos;
        this.#sink(0);
      }
    }
    return false;
  }

  #push(evaluator: number, stalestNanos: bigint): void {
    this.#inHeap.add(evaluator);
    const heap = this.#heap;
    let at = heap.push({ evaluator, stalestNanos }) - 1;
    while (at > 0 && heap[(at - 1) >> 1]!.stalestNanos > stalestNanos) at = this.#swap(at, (at - 1) >> 1);
  }

  #pop(): void {
    this.#inHeap.delete(this.#heap[0]!.evaluator);
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) return;
      if (below + 1 < heap.length && heap[below + 1]!.stalestNanos < heap[below]!.stalestNanos) below++;
      if (heap[at]!.stalestNanos <= heap[below]!.stalestNanos) return;
      at = this.#swap(at, below);
    }
  }

  #swap(a: number, b: number): number {
    const heap = this.#heap;
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
    return b;
  }
}
