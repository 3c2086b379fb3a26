import { mixed } from '../../model/seeded-hash.ts';
import { Scan, type Scanned } from '../slices.ts';
import { FieldsInterning, type KeptFields } from './kept.ts';
import { noSlot, SpanTable } from './span-table.ts';
import type { Waiting } from './waiting.ts';
import { isBefore, type Moment, type SpanWords } from './words.ts';

/** What is remembered of a trace. Traces stand in a queue by when they were touched last. */
export interface Trace extends Scanned {
  readonly trace0: number;
  readonly trace1: number;
  readonly trace2: number;
  readonly trace3: number;
  /** Told apart by it in the table of spans. */
  readonly number: number;
  readonly hash: number;
  /** The next trace with the same hash. */
  same: Trace | undefined;
  staler: Trace | undefined;
  fresher: Trace | undefined;
  /** Greater than those of all that were touched before. */
  turn: number;
  /** Slots of its spans in order of arrival, linked by the table. */
  first: number;
  last: number;
  spans: number;
  newest: Moment;
  /** Its spans that wait. */
  waiting: Set<Waiting> | undefined;
  /** Where the journal that is being written has it. */
  place: number;
  journal: number;
}

export interface TraceBounds {
  readonly tracesMax: number;
  readonly spansPerTraceMax: number;
  readonly bytesMax: number;
}

export interface TraceCounters {
  /** Traces and spans forgotten before their time because there were too many, or too large ones. */
  evictedTraces: number;
  evictedSpans: number;
  /** Spans with the id of another span of their trace and other content: the first one counts. */
  conflicting: number;
}

export type TraceWords = Pick<SpanWords, 'trace0' | 'trace1' | 'trace2' | 'trace3'>;

/** About what they take in memory, without their fields. */
const traceBytes = 320;
const spanBytes = 72;

/** Recent spans by trace. The trace that was touched longest ago goes first. */
export class TraceStore {
  readonly counters: TraceCounters = { evictedTraces: 0, evictedSpans: 0, conflicting: 0 };
  readonly interning = new FieldsInterning();
  readonly table = new SpanTable((fields) => this.interning.drop(fields));
  /** Writes traces down while they change: whoever changes one, but by touching or removing it, says so before. */
  readonly scan = new Scan<Trace>();
  readonly #traces = new Map<number, Trace>();
  readonly #bounds: TraceBounds;
  readonly #freeNumbers: number[] = [];
  #numbers = 0;
  #stalest: Trace | undefined;
  #freshest: Trace | undefined;
  #count = 0;
  #spans = 0;
  #waitingBytes = 0;
  #turns = 0;
  /** The next of a walk. */
  #walk: Trace | undefined;

  constructor(bounds: TraceBounds) {
    this.#bounds = bounds;
  }

  get traces(): number {
    return this.#count;
  }

  get spans(): number {
    return this.#spans;
  }

  /** What spans and what waits for them take, about. */
  get bytes(): number {
    return this.#count * traceBytes + this.#spans * spanBytes + this.interning.bytes + this.#waitingBytes;
  }

  /** The stalest first, while traces come, go and are touched: these may turn up again. One walk at a time. */
  *walk(): Generator<Trace> {
    for (this.#walk = this.#stalest; this.#walk; ) {
      const trace: Trace = this.#walk;
      this.#walk = trace.fresher;
      yield trace;
    }
  }

  /** The trace stands in the queue where its turn says, once all are put in order. */
  setTurn(words: TraceWords, turn: number): void {
    this.touch(words).turn = turn;
  }

  /** Puts the queue in the order of the turns. */
  putInOrder(): void {
    const traces = [...this.walk()].sort((a, b) => a.turn - b.turn);
    this.#stalest = this.#freshest = undefined;
    this.#turns = 0;
    for (const trace of traces) this.#putLast(trace);
  }

  /** The trace, which is now the one touched last. */
  touch(words: TraceWords): Trace {
    if (this.#freshest && isSame(this.#freshest, words)) {
      this.scan.changing(this.#freshest);
      return this.#freshest;
    }
    const hash = hashOf(words);
    let trace = this.#find(words, hash);
    if (trace) {
      this.scan.changing(trace);
      this.#takeOut(trace);
    } else {
      trace = this.#newTrace(words, hash, this.#traces.get(hash));
      this.#traces.set(hash, trace);
      this.#count++;
    }
    this.#putLast(trace);
    return trace;
  }

  /** The trace, which stays where it is in the queue unless it is new. */
  at(words: TraceWords): Trace {
    return this.#find(words, hashOf(words)) ?? this.touch(words);
  }

  /** Remembers a span and says in which slot; `noSlot` when its id is known in the trace. */
  add(trace: Trace, words: SpanWords, fields: KeptFields): number {
    const { table } = this;
    let slot = table.find(trace.number, words.idHigh, words.idLow);
    if (slot !== noSlot && table.isFilled(slot)) {
      if (!this.#isEqual(slot, words)) this.counters.conflicting++;
      return noSlot;
    }
    if (slot === noSlot) slot = table.insert(trace.number, words.idHigh, words.idLow);
    this.interning.use(fields);
    table.fill(slot, words, fields);
    if (trace.last === noSlot) trace.first = slot;
    else table.next[trace.last] = slot;
    trace.last = slot;
    trace.spans++;
    this.#spans++;
    if (isBefore(trace.newest, words)) trace.newest = { endHigh: words.endHigh, endLow: words.endLow };
    if (trace.spans > this.#bounds.spansPerTraceMax) this.#evictFirstSpan(trace);
    return slot;
  }

  /** Counts what a span that waits takes in memory. */
  charge(bytes: number): void {
    this.#waitingBytes += bytes;
  }

  /** The trace to forget because there is too much: the stalest, but not the only one. */
  overflowing(): Trace | undefined {
    const over = this.#count > this.#bounds.tracesMax || this.bytes > this.#bounds.bytesMax;
    return over && this.#count > 1 ? this.#stalest : undefined;
  }

  /** The rest of what is too much: the first spans of the only trace. */
  shrink(): void {
    const trace = this.#stalest;
    if (!trace || this.bytes <= this.#bounds.bytesMax) return;
    this.scan.changing(trace);
    while (this.bytes > this.#bounds.bytesMax && trace.spans > 1) this.#evictFirstSpan(trace);
  }

  /** The stalest trace if it ended before a time. One that claims to end in the future goes to the end of the queue. */
  expired(before: Moment, future: Moment): Trace | undefined {
    const trace = this.#stalest;
    if (trace && isBefore(future, trace.newest)) this.touch(trace);
    return trace && isBefore(trace.newest, before) ? trace : undefined;
  }

  /** Spans at the head of a trace that nothing can ask for any more. */
  expireSpans(trace: Trace, before: Moment): void {
    while (trace.first !== noSlot) {
      const high = this.table.endHigh[trace.first]!;
      if (high > before.endHigh) return;
      if (high === before.endHigh && this.table.endLow[trace.first]! >= before.endLow) return;
      this.#dropFirst(trace);
    }
  }

  remove(trace: Trace): void {
    this.scan.changing(trace);
    while (trace.first !== noSlot) this.#dropFirst(trace);
    this.#takeOut(trace);
    this.#count--;
    this.#freeNumbers.push(trace.number);
    const head = this.#traces.get(trace.hash)!;
    if (head !== trace) {
      let before = head;
      while (before.same !== trace) before = before.same!;
      before.same = trace.same;
    } else if (trace.same) this.#traces.set(trace.hash, trace.same);
    else this.#traces.delete(trace.hash);
  }

  clear(): void {
    this.scan.cancel();
    this.#walk = undefined;
    this.#turns = 0;
    this.#traces.clear();
    this.table.clear();
    this.interning.clear();
    this.#freeNumbers.length = 0;
    this.#numbers = this.#count = this.#spans = this.#waitingBytes = 0;
    this.#stalest = this.#freshest = undefined;
  }

  #find(words: TraceWords, hash: number): Trace | undefined {
    let trace = this.#traces.get(hash);
    while (trace && !isSame(trace, words)) trace = trace.same;
    return trace;
  }

  #isEqual(slot: number, words: SpanWords): boolean {
    const { table } = this;
    return (
      table.endHigh[slot] === words.endHigh &&
      table.endLow[slot] === words.endLow &&
      table.parentHigh[slot] === words.parentHigh &&
      table.parentLow[slot] === words.parentLow &&
      table.hasParent(slot) === words.hasParent
    );
  }

  #newTrace({ trace0, trace1, trace2, trace3 }: TraceWords, hash: number, same: Trace | undefined): Trace {
    return {
      ...{ trace0, trace1, trace2, trace3 },
      number: this.#freeNumbers.pop() ?? this.#numbers++,
      hash,
      same,
      staler: undefined,
      fresher: undefined,
      turn: 0,
      scan: this.scan.number,
      first: noSlot,
      last: noSlot,
      spans: 0,
      newest: never,
      waiting: undefined,
      place: 0,
      journal: 0,
    };
  }

  #putLast(trace: Trace): void {
    trace.turn = ++this.#turns;
    trace.staler = this.#freshest;
    trace.fresher = undefined;
    if (this.#freshest) this.#freshest.fresher = trace;
    else this.#stalest = trace;
    this.#freshest = trace;
  }

  #takeOut(trace: Trace): void {
    if (trace === this.#walk) this.#walk = trace.fresher;
    if (trace.staler) trace.staler.fresher = trace.fresher;
    else this.#stalest = trace.fresher;
    if (trace.fresher) trace.fresher.staler = trace.staler;
    else this.#freshest = trace.staler;
  }

  #evictFirstSpan(trace: Trace): void {
    if (trace.first === noSlot) return;
    this.#dropFirst(trace);
    this.counters.evictedSpans++;
  }

  #dropFirst(trace: Trace): void {
    const slot = trace.first;
    trace.first = this.table.next[slot]!;
    if (trace.first === noSlot) trace.last = noSlot;
    trace.spans--;
    this.#spans--;
    this.table.remove(slot);
  }
}

const never: Moment = { endHigh: 0, endLow: 0 };

function hashOf({ trace0, trace1, trace2, trace3 }: TraceWords): number {
  return mixed(mixed(mixed(mixed(0, trace0), trace1), trace2), trace3);
}

function isSame(a: TraceWords, b: TraceWords): boolean {
  return a.trace3 === b.trace3 && a.trace2 === b.trace2 && a.trace1 === b.trace1 && a.trace0 === b.trace0;
}
