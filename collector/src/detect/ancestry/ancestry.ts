import type { FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { createShared, type Shared } from '../compile.ts';
import type { Rule } from '../load.ts';
import type { Cursor } from '../reader.ts';
import { slicesOf, wholeOf } from '../slices.ts';
import type { RestoreOutcome, Slices, Stateful } from '../state.ts';
import { type ArrivalOptions, Arrivals } from './arrivals.ts';
import { EntryWriter } from './codec.ts';
import { type AncestryMatch, type DecisionOptions, Decisions } from './decisions.ts';
import { Judge } from './judge.ts';
import type { KeptFields } from './kept.ts';
import { createPrograms, type Programs } from './program.ts';
import { isReadable, replayEntries, restoreEntries } from './replay.ts';
import { noSlot } from './span-table.ts';
import { type Trace, type TraceBounds, type TraceCounters, TraceStore } from './traces.ts';
import { Waiting } from './waiting.ts';
import { createWords, isBefore, type Moment, momentOf, nanosOf, readWords, type SpanWords } from './words.ts';

export type { AncestryMatch } from './decisions.ts';

/** How long spans wait for those above them when nothing else is said. */
export const traceWaitDefaultNanos = 600_000_000_000n;

export interface AncestryOptions extends ArrivalOptions, DecisionOptions {
  readonly rules: readonly Rule[];
  readonly fields: FieldTable;
  /** The detector's, whose turns then have to differ from span to span; left out, there are some of its own. */
  readonly shared?: Shared;
  /**
   * How long a span waits for the spans above it, in event time after its end; and how long before or after its end those
   * may have ended.
   */
  readonly waitNanos: bigint;
  readonly allowedLatenessNanos: bigint;
  readonly bounds?: Partial<AncestryBounds>;
  /** Whether somebody takes the journal; without it nothing is noted. Default false. */
  readonly journalled?: boolean;
}

export interface AncestryBounds extends TraceBounds {
  readonly waitingMax: number;
}

/** Counts since the start; traces, spans, bytes and what waits as they are now. */
export interface AncestryStats extends TraceCounters {
  readonly traces: number;
  readonly spans: number;
  readonly bytes: number;
  readonly waiting: number;
  /** Decided without all ancestors because none came in time. */
  readonly timedOut: number;
  /** Decided before their time because too much waited or was remembered. */
  readonly hurried: number;
  /** Spans behind the watermark: what waited for them may be decided already. */
  readonly late: number;
}

/** Bounds are kept after so many spans, or spans that wait, and at the end of a batch. */
const partSpans = 16_384;
const partWaiting = 4_096;

/**
 * The rules that read fields of the parent, the root or any ancestor. Spans arrive children first, so a span that the rule
 * cannot be decided on by its own fields waits for those above it, until event time has passed its end by `waitNanos`. A
 * span above it counts when both end within that time of each other. So a decision depends on spans, not on their arrival.
 */
export class Ancestry implements Stateful {
  readonly #programs: Programs;
  readonly #options: AncestryOptions;
  readonly #bounds: AncestryBounds;
  readonly #judge: Judge;
  #store: TraceStore;
  #arrivals: Arrivals;
  #decisions: Decisions;
  readonly #counters = { timedOut: 0, hurried: 0, late: 0 };
  readonly #words = createWords();
  readonly #cursor: Cursor | undefined;
  #journal: EntryWriter | undefined;
  /** What came since bounds were kept: spans, and those of them that wait and are not in the journal. */
  #partSpans = 0;
  #pending: Waiting[] = [];
  #newest = 0n;
  #watermark: Moment = start;
  /** What ended before is near to no span that may still come, nor to one that waits. */
  #forgetsBefore: Moment = start;
  /** The newest event time of the batch that is being taken; it counts at the end of it. */
  #batchNewest: Moment = start;
  #now: { readonly nanos: bigint; readonly moment: Moment } | undefined;

  constructor(options: AncestryOptions) {
    const { rules, fields, bounds, shared = createShared(fields) } = options;
    this.#options = options;
    this.#bounds = { ...defaultBounds, ...bounds };
    this.#store = new TraceStore(this.#bounds);
    this.#programs = createPrograms(rules, fields, shared);
    this.#judge = new Judge(this.#programs, fields);
    this.#arrivals = this.#arrivalsAt(this.#store);
    this.#decisions = new Decisions(this.#judge, this.#arrivals, this.#store, options);
    if (!options.shared) this.#cursor = { events: this.#judge.noEvents, span: 0, turn: 0 };
  }

  /** Whether a rule is one of these; the others are left to the detector. */
  has(rule: Rule): boolean {
    return this.#programs.programs.some((program) => program.rule === rule);
  }

  /** The newest event time seen, in nanoseconds; 0 before the first span and when no rule asks for other spans. */
  get newestNanos(): bigint {
    return this.#newest;
  }

  /**
   * Takes the span that the cursor stands on, whatever its categories: any span may be a parent. Its batch must stay until
   * `settle`, to be called after the last of it.
   */
  add(cursor: Cursor, categories: number, nowNanos?: bigint): void {
    if (this.#programs.programs.length === 0) return;
    const { events, span } = cursor;
    const words = this.#words;
    readWords(events.batch, span, words);
    const standing = this.#standOn(cursor);
    const fields = this.#arrivals.fields(standing);
    const asks = this.#arrivals.asks(standing, categories);
    this.#decisions.events = events;
    const trace = this.#take(words, fields);
    if (this.#options.journalled) this.#noted().span(trace, words, fields);
    if (asks) {
      const waiting = new Waiting(trace, words, fields, asks, span);
      if (this.#decisions.ask(waiting)) this.#pending.push(waiting);
    }
    this.#see(words, nowNanos);
    if (++this.#partSpans >= partSpans || this.#pending.length >= partWaiting) this.#endPart();
  }

  /** The matches that became certain, with event time as far as the newest span, or as `eventNanos`. */
  settle(eventNanos = 0n): AncestryMatch[] {
    if (this.#programs.programs.length === 0) return [];
    this.#endPart();
    const batchNanos = nanosOf(this.#batchNewest);
    const newest = batchNanos > eventNanos ? batchNanos : eventNanos;
    if (newest > this.#newest) {
      if (this.#options.journalled) this.#noted().time(newest);
      this.#moveOn(newest);
    }
    return this.#decisions.takeMatches();
  }

  /** Decides everything with what is known, and starts anew. */
  flush(): AncestryMatch[] {
    this.#endPart();
    if (this.#options.journalled && (this.#newest > 0n || this.#store.traces > 0)) this.#noted().flush();
    this.#decideAll();
    return this.#decisions.takeMatches();
  }

  stats(): AncestryStats {
    const { traces, spans, bytes, counters } = this.#store;
    return { ...counters, ...this.#counters, traces, spans, bytes, waiting: this.#decisions.asks };
  }

  takeJournal(): Uint8Array {
    const journal = this.#journal;
    this.#journal = undefined;
    return journal?.done() ?? new Uint8Array();
  }

  dropJournal(): void {
    this.#journal = undefined;
  }

  replay(journal: Uint8Array): void {
    if (journal.length === 0 || this.#programs.programs.length === 0) return;
    this.#decisions.replaying = true;
    try {
      replayEntries(journal, this.#reading(), {
        take: (words, fields) => this.#take(words, fields),
        part: () => this.#keepBounds(),
        time: (nanos) => this.#moveOn(nanos),
        flush: () => this.#decideAll(),
      });
    } finally {
      this.#decisions.replaying = false;
    }
  }

  snapshot(): Uint8Array {
    return wholeOf(this.slices());
  }

  slices(pieceBytes?: number): Slices {
    const writer = this.#newWriter('snapshot');
    writer.time(this.#newest);
    return slicesOf(
      writer,
      this.#store.scan.begin(this.#store.walk(), (trace) => writer.trace(trace)),
      pieceBytes,
    );
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    const reading = this.#reading();
    if (!isReadable(snapshot, reading)) return { status: 'unreadable' };
    this.#clear();
    if (this.#programs.programs.length === 0) return { status: 'restored', rules: 0 };
    const rules = restoreEntries(snapshot, reading, (nanos) => this.#setNewest(nanos));
    return { status: 'restored', rules };
  }

  /** Of spans the same fields are kept then, whatever rules make of them. */
  takeOver(earlier: Stateful): RestoreOutcome | undefined {
    if (this.#programs.programs.length === 0) return { status: 'restored', rules: 0 };
    if (!(earlier instanceof Ancestry) || !this.#keepsAlike(earlier)) return undefined;
    const store = earlier.#store;
    store.scan.cancel();
    this.#store = store;
    this.#arrivals = this.#arrivalsAt(store);
    this.#decisions = new Decisions(this.#judge, this.#arrivals, store, this.#options);
    const programs = new Map(this.#programs.programs.map((program) => [program.signature, program]));
    this.#decisions.takeOver(earlier.#decisions, ({ signature }) => programs.get(signature));
    this.#setNewest(earlier.#newest);
    const known = earlier.#programs.programs.filter(({ signature }) => programs.has(signature));
    return { status: 'restored', rules: known.length };
  }

  #keepsAlike(earlier: Ancestry): boolean {
    const programs = earlier.#programs;
    const { bases } = this.#programs;
    if (earlier.#partSpans > 0 || earlier.#options.fields !== this.#options.fields) return false;
    return bases.length === programs.bases.length && bases.every((base, place) => base === programs.bases[place]);
  }

  #arrivalsAt({ interning }: TraceStore): Arrivals {
    return new Arrivals(this.#programs, this.#judge, this.#options.fields, interning, this.#options);
  }

  #reading() {
    const { fields } = this.#options;
    return { programs: this.#programs, fields, store: this.#store, decisions: this.#decisions };
  }

  #newWriter(kind: 'journal' | 'snapshot'): EntryWriter {
    return new EntryWriter(kind, this.#programs, this.#store.table, this.#options.fields);
  }

  /** The journal since it was taken. */
  #noted(): EntryWriter {
    this.#journal ??= this.#newWriter('journal');
    return this.#journal;
  }

  #standOn(cursor: Cursor): Cursor {
    const own = this.#cursor;
    if (own === undefined) return cursor;
    own.events = cursor.events;
    own.span = cursor.span;
    own.turn++;
    return own;
  }

  /** Remembers a span, and helps those that waited for it. */
  #take(words: SpanWords, fields: KeptFields): Trace {
    const store = this.#store;
    const trace = store.touch(words);
    if (isBefore(words, this.#watermark)) this.#counters.late++;
    store.expireSpans(trace, this.#forgetsBefore);
    const slot = store.add(trace, words, fields);
    if (slot !== noSlot) this.#decisions.arrived(slot);
    return trace;
  }

  /** The end of a span counts as event time, but not beyond now. */
  #see(words: SpanWords, nowNanos: bigint | undefined): void {
    if (!isBefore(this.#batchNewest, words)) return;
    let seen: Moment = words;
    if (nowNanos !== undefined) {
      if (this.#now?.nanos !== nowNanos) this.#now = { nanos: nowNanos, moment: momentOf(nowNanos) };
      if (isBefore(this.#now.moment, words)) seen = this.#now.moment;
    }
    if (isBefore(this.#batchNewest, seen)) this.#batchNewest = { endHigh: seen.endHigh, endLow: seen.endLow };
  }

  /** What waits from here on is read from its batch and noted, then bounds are kept: the same in a replay. */
  #endPart(): void {
    if (this.#partSpans === 0) return;
    this.#partSpans = 0;
    const pending = this.#pending;
    this.#pending = [];
    const { journalled } = this.#options;
    for (const waiting of pending) {
      this.#decisions.show(waiting);
      if (journalled && !waiting.decided) this.#noted().waiting(waiting);
    }
    if (journalled) this.#noted().part();
    this.#keepBounds();
  }

  #hurry(waiting: Waiting): void {
    this.#store.scan.changing(waiting.trace);
    this.#counters.hurried += this.#decisions.giveUp(waiting);
  }

  #setNewest(nanos: bigint): void {
    const { waitNanos, allowedLatenessNanos } = this.#options;
    this.#newest = nanos;
    this.#batchNewest = momentOf(nanos);
    this.#watermark = momentOf(nanos - allowedLatenessNanos);
    this.#forgetsBefore = momentOf(nanos - allowedLatenessNanos - 2n * waitNanos);
  }

  #moveOn(newestNanos: bigint): void {
    this.#setNewest(newestNanos);
    const { heap } = this.#decisions;
    const { waitNanos, allowedLatenessNanos } = this.#options;
    const due = momentOf(newestNanos - allowedLatenessNanos - waitNanos);
    for (let next = heap.peek(); next && isBefore(next, due); next = heap.peek()) {
      this.#store.scan.changing(next.trace);
      this.#counters.timedOut += this.#decisions.giveUp(next, this.#dueNanos(next));
    }
    const future = momentOf(newestNanos + allowedLatenessNanos);
    for (;;) {
      const trace = this.#store.expired(this.#forgetsBefore, future);
      if (trace === undefined) return;
      this.#forget(trace);
    }
  }

  #dueNanos(waiting: Waiting): bigint {
    return nanosOf(waiting) + this.#options.waitNanos;
  }

  #forget(trace: Trace): void {
    if (trace.waiting) for (const waiting of [...trace.waiting]) this.#hurry(waiting);
    this.#store.remove(trace);
  }

  #keepBounds(): void {
    const { waitingMax, bytesMax } = this.#bounds;
    const { heap } = this.#decisions;
    while (this.#decisions.asks > waitingMax) this.#hurry(heap.peek()!);
    for (let trace = this.#store.overflowing(); trace; trace = this.#store.overflowing()) {
      this.#store.counters.evictedTraces++;
      this.#forget(trace);
    }
    this.#store.shrink();
    while (this.#store.bytes > bytesMax && this.#decisions.asks > 0) this.#hurry(heap.peek()!);
  }

  #decideAll(): void {
    const { heap } = this.#decisions;
    for (let next = heap.peek(); next; next = heap.peek()) this.#decisions.giveUp(next, this.#dueNanos(next));
    this.#clear();
  }

  #clear(): void {
    this.#pending = [];
    this.#partSpans = 0;
    this.#decisions.clear();
    this.#store.clear();
    this.#setNewest(0n);
  }
}

const start: Moment = { endHigh: 0, endLow: 0 };

const defaultBounds: AncestryBounds = {
  tracesMax: limits.ancestryTracesMax,
  spansPerTraceMax: limits.ancestrySpansPerTraceMax,
  bytesMax: limits.ancestryBytesMax,
  waitingMax: limits.ancestryWaitingMax,
};
