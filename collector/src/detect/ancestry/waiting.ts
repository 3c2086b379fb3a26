import type { Evidence } from '../../model/finding.ts';
import type { Value } from '../../model/value.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import type { SpanIdentity } from '../span-identity.ts';
import type { Chain } from './chain.ts';
import type { Program } from './program.ts';
import type { Verdict } from './verdict.ts';

/** A span on which a rule cannot be decided yet, with everything the decision needs: its batch will be gone. */
export interface Waiting {
  readonly program: Program;
  readonly identity: SpanIdentity;
  readonly chain: Chain;
  /** What the items about the span itself say; `unknown` for the others. */
  readonly own: readonly Verdict[];
  /** Why they hold, by leaf. */
  readonly evidence: ReadonlyMap<number, readonly Evidence[]>;
  /** Fields of its own that are compared with those of ancestors. */
  readonly values: ReadonlyMap<string, Value>;
  /** For correlations; its time is still to be set. */
  readonly event?: CorrelationEvent;
  /** For the folding of repeats. */
  readonly foldValues?: readonly string[];
  /** What it takes in memory, about. */
  bytes: number;
  decided: boolean;
}

/** Order in which decisions fall due: by the end of the span, then by content, so that arrival never decides. */
function isBefore(a: Waiting, b: Waiting): boolean {
  const [x, y] = [a.identity, b.identity];
  if (x.endNanos !== y.endNanos) return x.endNanos < y.endNanos;
  if (x.traceId !== y.traceId) return x.traceId < y.traceId;
  if (x.spanId !== y.spanId) return x.spanId < y.spanId;
  return a.program.signature < b.program.signature;
}

/** All that waits: a binary heap by the time of its decision. What was decided before stays in until half of it is such. */
export class WaitingHeap {
  #heap: Waiting[] = [];
  #decided = 0;

  /** How many are not decided. */
  get size(): number {
    return this.#heap.length - this.#decided;
  }

  /** The one that falls due first. */
  peek(): Waiting | undefined {
    while (this.#heap[0]?.decided) {
      this.#pop();
      this.#decided--;
    }
    return this.#heap[0];
  }

  push(waiting: Waiting): void {
    const heap = this.#heap;
    let at = heap.push(waiting) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(waiting, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = waiting;
  }

  /** To be told of each decision. */
  noteDecided(): void {
    this.#decided++;
    if (this.#decided * 2 <= this.#heap.length || this.#decided < 1024) return;
    const left = this.all();
    this.#heap = [];
    this.#decided = 0;
    for (const waiting of left) this.push(waiting);
  }

  /** All that is not decided, in no order. */
  all(): readonly Waiting[] {
    return this.#heap.filter(({ decided }) => !decided);
  }

  clear(): void {
    this.#heap = [];
    this.#decided = 0;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}
