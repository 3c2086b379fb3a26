import type { FieldId } from '../../model/fields.ts';
import type { Evidence } from '../../model/finding.ts';
import type { Value } from '../../model/value.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import type { SpanIdentity } from '../span-identity.ts';
import type { Chain, ChainEnd } from './chain.ts';
import type { KeptFields, KeptValues } from './kept.ts';
import type { Program } from './program.ts';
import type { SpanTable } from './span-table.ts';
import type { Trace } from './traces.ts';
import type { Verdict } from './verdict.ts';
import { hexOf, type Moment, type SpanWords } from './words.ts';

/** A rule that cannot be decided on a span yet. */
export interface Ask {
  readonly program: Program;
  /** What the items about the span itself say; `unknown` for the others. */
  readonly own: readonly Verdict[];
  /** Fields of its own that are compared with those of ancestors. */
  readonly values: ReadonlyMap<FieldId, Value>;
  /** What ancestors have said so far, for each of the program's `perAncestor`. */
  readonly seen: number[];
  /** Left out until the span's batch ends: most spans are decided before. */
  shown?: Shown;
}

/** What a finding needs of the span itself, when its batch is gone. */
export interface Shown {
  /** Why items about the span hold, by leaf. */
  readonly evidence: ReadonlyMap<number, readonly Evidence[]>;
  /** For correlations; its time is still to be set. */
  readonly event?: CorrelationEvent;
  /** For the folding of repeats. */
  readonly foldValues?: readonly string[];
}

/** A span on which rules wait for the spans above it. */
export class Waiting implements Moment {
  readonly trace: Trace;
  readonly idHigh: number;
  readonly idLow: number;
  readonly hasParent: boolean;
  readonly parentHigh: number;
  readonly parentLow: number;
  readonly endHigh: number;
  readonly endLow: number;
  readonly fields: KeptFields;
  /** Rules that are not decided. */
  asks: Ask[];
  identity: SpanIdentity | undefined;
  /** Its place in the batch, -1 when that is gone. */
  span: number;
  /** Slots of the parent, its parent and so on; they are held. */
  readonly chain: number[] = [];
  end: ChainEnd = 'open';
  /** The end of the newest span that a decision rests on. */
  newestHigh: number;
  newestLow: number;
  /** The fields that rules heard last: equal ones say nothing new. */
  heard: KeptFields | undefined;
  /** The slot of its id; held while it is queued. */
  slot = -1;
  /** The slot of the span that it waits for, -1 when it waits for none. */
  awaits = -1;
  before: Waiting | undefined;
  after: Waiting | undefined;
  /** The span above it is known but ended too far away: only time decides. */
  isStuck = false;
  isQueued = false;
  isListed = false;
  /** What it takes in memory, about. */
  bytes = 0;

  constructor(trace: Trace, words: SpanWords, fields: KeptFields, asks: Ask[], span: number) {
    this.trace = trace;
    this.idHigh = words.idHigh;
    this.idLow = words.idLow;
    this.hasParent = words.hasParent;
    this.parentHigh = words.parentHigh;
    this.parentLow = words.parentLow;
    this.endHigh = words.endHigh;
    this.endLow = words.endLow;
    this.fields = fields;
    this.asks = asks;
    this.span = span;
    this.newestHigh = words.endHigh;
    this.newestLow = words.endLow;
  }

  /** The chain grows by the span in a slot. */
  extend(table: SpanTable, slot: number): void {
    this.chain.push(slot);
    table.hold(slot);
    const [high, low] = [table.endHigh[slot]!, table.endLow[slot]!];
    if (high < this.newestHigh || (high === this.newestHigh && low <= this.newestLow)) return;
    this.newestHigh = high;
    this.newestLow = low;
  }

  get decided(): boolean {
    return this.asks.length === 0;
  }
}

/** The chain of a span that waits; one object serves all of them. */
export class WaitingChain implements Chain {
  of!: Waiting;
  readonly #table: SpanTable;

  constructor(table: SpanTable) {
    this.#table = table;
  }

  get end(): ChainEnd {
    return this.of.end;
  }

  get length(): number {
    return this.of.chain.length;
  }

  get self(): KeptValues {
    return this.of.fields.values;
  }

  valuesAt(place: number): KeptValues {
    return this.#table.fields[this.of.chain[place]!]!.values;
  }

  idAt(place: number): string {
    const slot = this.of.chain[place];
    if (slot === undefined) return hexOf(this.of.idHigh, this.of.idLow);
    return hexOf(this.#table.idHigh[slot]!, this.#table.idLow[slot]!);
  }
}

/** Order in which decisions fall due: by the end of the span, then by content, so that arrival never decides. */
function isFirst(a: Waiting, b: Waiting): boolean {
  if (a.endHigh !== b.endHigh) return a.endHigh < b.endHigh;
  if (a.endLow !== b.endLow) return a.endLow < b.endLow;
  const [x, y] = [a.trace, b.trace];
  if (x !== y) {
    if (x.trace0 !== y.trace0) return x.trace0 < y.trace0;
    if (x.trace1 !== y.trace1) return x.trace1 < y.trace1;
    if (x.trace2 !== y.trace2) return x.trace2 < y.trace2;
    if (x.trace3 !== y.trace3) return x.trace3 < y.trace3;
  }
  return a.idHigh !== b.idHigh ? a.idHigh < b.idHigh : a.idLow < b.idLow;
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
      if (!isFirst(waiting, heap[above]!)) break;
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
      if (below + 1 < heap.length && isFirst(heap[below + 1]!, heap[below]!)) below++;
      if (!isFirst(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}
