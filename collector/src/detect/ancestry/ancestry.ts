import type { FieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import type { Rule } from '../load.ts';
import type { Cursor } from '../reader.ts';
import type { RestoreOutcome, Stateful } from '../state.ts';
import { type ArrivalOptions, Arrivals } from './arrivals.ts';
import { extendChain, nextOf } from './chain.ts';
import { decodeJournal, decodeSnapshot, encodeJournal, encodeSnapshot, type JournalEntry } from './codec.ts';
import { Judge, newestOf } from './judge.ts';
import { type KeptSpan, valuesBytes } from './kept.ts';
import { createPrograms, type Programs } from './program.ts';
import { guarded } from './rule-failure.ts';
import { bytesOf, type Trace, type TraceBounds, type TraceCounters, TraceStore } from './traces.ts';
import { unknown, type Verdict } from './verdict.ts';
import { type Waiting, WaitingHeap } from './waiting.ts';

/** How long spans wait for those above them when nothing else is said. */
export const traceWaitDefaultNanos = 600_000_000_000n;

export interface AncestryOptions extends ArrivalOptions {
  readonly rules: readonly Rule[];
  readonly fields: FieldTable;
  /**
   * How long a span waits for the spans above it, in event time after its end; and how long before or after its end those
   * may have ended.
   */
  readonly waitNanos: bigint;
  readonly allowedLatenessNanos: bigint;
  /** A filter, by its place, took a match away. */
  readonly onSuppressed?: (rule: Rule, filter: number) => void;
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

/** A rule that matched a span. */
export interface AncestryMatch {
  readonly rule: Rule;
  readonly finding: Finding;
  /** For correlations, at the time when the match was certain. */
  readonly event?: CorrelationEvent;
}

/**
 * The rules that read fields of the parent, the root or any ancestor. Spans arrive children first, so a span that the rule
 * cannot be decided on by its own fields waits for those above it, until event time has passed its end by `waitNanos`. A
 * span above it counts when both end within that time of each other. So a decision depends on spans, not on their arrival.
 */
export class Ancestry implements Stateful {
  readonly #programs: Programs;
  readonly #judge: Judge;
  readonly #options: AncestryOptions;
  readonly #bounds: AncestryBounds;
  readonly #store: TraceStore;
  readonly #heap = new WaitingHeap();
  readonly #arrivals: Arrivals;
  readonly #counters = { timedOut: 0, hurried: 0, late: 0 };
  #matches: AncestryMatch[] = [];
  #journal: JournalEntry[] = [];
  #replaying = false;
  #newest = 0n;
  /** The newest event time of the batch that is being taken; it counts at the end of it. */
  #batchNewest = 0n;

  constructor(options: AncestryOptions) {
    const { rules, fields, bounds } = options;
    this.#options = options;
    this.#bounds = { ...defaultBounds, ...bounds };
    this.#store = new TraceStore(this.#bounds);
    this.#programs = createPrograms(rules, fields);
    this.#judge = new Judge(this.#programs, fields);
    this.#arrivals = new Arrivals(this.#programs, this.#judge, fields, options);
  }

  /** Whether a rule is one of these; the others are left to the detector. */
  has(rule: Rule): boolean {
    return this.#programs.programs.some((program) => program.rule === rule);
  }

  /** The newest event time seen, in nanoseconds; 0 before the first span and when no rule asks for other spans. */
  get newestNanos(): bigint {
    return this.#newest;
  }

  /** Takes the span that the cursor stands on, whatever its categories: any span may be a parent. */
  add(cursor: Cursor, categories: number, nowNanos?: bigint): void {
    if (this.#programs.programs.length === 0) return;
    const { traceId, span, asked } = this.#arrivals.read(cursor, categories);
    this.#take(traceId, span, asked);
    this.#note({ kind: 'span', traceId, span, waiting: asked.filter(({ decided }) => !decided) });
    const seen = nowNanos !== undefined && span.endNanos > nowNanos ? nowNanos : span.endNanos;
    if (seen > this.#batchNewest) this.#batchNewest = seen;
  }

  /** The matches that became certain, with event time as far as the newest span, or as `eventNanos`. */
  settle(eventNanos = 0n): AncestryMatch[] {
    if (this.#programs.programs.length === 0) return [];
    const newest = this.#batchNewest > eventNanos ? this.#batchNewest : eventNanos;
    if (newest > this.#newest) {
      this.#note({ kind: 'time', newestNanos: newest });
      this.#moveOn(newest);
    }
    return this.#takeMatches();
  }

  /** Decides everything with what is known, and starts anew. */
  flush(): AncestryMatch[] {
    if (this.#newest > 0n || this.#store.traces > 0) this.#note({ kind: 'flush' });
    this.#decideAll();
    return this.#takeMatches();
  }

  stats(): AncestryStats {
    const { traces, spans, bytes, counters } = this.#store;
    return { ...counters, ...this.#counters, traces, spans, bytes, waiting: this.#heap.size };
  }

  takeJournal(): Uint8Array {
    const journal = this.#journal;
    this.#journal = [];
    return journal.length === 0 ? new Uint8Array() : encodeJournal(journal, this.#programs);
  }

  dropJournal(): void {
    this.#journal = [];
  }

  replay(journal: Uint8Array): void {
    if (journal.length === 0 || this.#programs.programs.length === 0) return;
    this.#replaying = true;
    try {
      for (const entry of decodeJournal(journal, this.#programs)) this.#redo(entry);
    } finally {
      this.#replaying = false;
      this.#matches = [];
    }
  }

  snapshot(): Uint8Array {
    const traces = [...this.#store.all()].map((trace) => ({ id: trace.id, spans: [...trace.spans.values()] }));
    return encodeSnapshot({ newestNanos: this.#newest, traces, waiting: this.#heap.all() }, this.#programs);
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    const saved = decodeSnapshot(snapshot, this.#programs);
    if (saved === undefined) return { status: 'unreadable' };
    this.#clear();
    if (this.#programs.programs.length === 0) return { status: 'restored', rules: 0 };
    this.#newest = saved.newestNanos;
    for (const { id, spans } of saved.traces) {
      const trace = this.#store.touch(id);
      for (const span of spans) this.#store.add(trace, { ...span, values: this.#arrivals.intern(span.values) });
    }
    for (const waiting of saved.waiting) {
      const trace = this.#store.get(waiting.identity.traceId) ?? this.#store.touch(waiting.identity.traceId);
      this.#queue(waiting, trace);
      this.#await(waiting, trace);
    }
    return { status: 'restored', rules: saved.programs };
  }

  #redo(entry: JournalEntry): void {
    if (entry.kind === 'span') {
      this.#take(entry.traceId, entry.span, entry.waiting);
      if (entry.span.endNanos > this.#batchNewest) this.#batchNewest = entry.span.endNanos;
    } else if (entry.kind === 'time') this.#moveOn(entry.newestNanos);
    else this.#decideAll();
  }

  #note(entry: JournalEntry): void {
    if (this.#options.journalled) this.#journal.push(entry);
  }

  /** Remembers a span, helps those that waited for it, and then asks about it itself. */
  #take(traceId: string, span: KeptSpan, asked: readonly Waiting[]): void {
    const trace = this.#store.touch(traceId);
    if (span.endNanos < this.#watermark) this.#counters.late++;
    this.#store.expireSpans(trace, this.#forgetsBefore);
    const children = this.#store.add(trace, span) ? trace.missing.get(span.spanId) : undefined;
    if (children) {
      trace.missing.delete(span.spanId);
      for (const child of children) if (!child.decided) this.#climb(child, trace);
    }
    for (const each of asked) {
      if (trace.waiting.has(waitingKey(each))) each.decided = true;
      else if (!this.#decides(each, trace)) {
        this.#queue(each, trace);
        this.#climb(each, trace);
      }
    }
    this.#keepBounds();
  }

  /** Follows the chain up as far as it is known, until the rule can be decided. */
  #climb(waiting: Waiting, trace: Trace): void {
    const { chain } = waiting;
    for (;;) {
      const span = trace.spans.get(nextOf(chain));
      if (span === undefined) {
        this.#await(waiting, trace);
        return;
      }
      if (!this.#isNear(waiting, span)) return;
      extendChain(chain, span);
      waiting.bytes += bytesOf(span);
      this.#store.charge(trace, bytesOf(span));
      if (this.#decides(waiting, trace)) return;
    }
  }

  /** A span that ended too long before or after is as good as none, wherever it is known already. */
  #isNear({ identity }: Waiting, { endNanos }: KeptSpan): boolean {
    const apart = endNanos > identity.endNanos ? endNanos - identity.endNanos : identity.endNanos - endNanos;
    return apart <= this.#options.waitNanos;
  }

  #await(waiting: Waiting, trace: Trace): void {
    const next = nextOf(waiting.chain);
    const others = trace.missing.get(next);
    if (others) others.push(waiting);
    else trace.missing.set(next, [waiting]);
  }

  #queue(waiting: Waiting, trace: Trace): void {
    waiting.bytes = waitingBytes(waiting);
    trace.waiting.set(waitingKey(waiting), waiting);
    this.#store.charge(trace, waiting.bytes);
    this.#heap.push(waiting);
  }

  #decides(waiting: Waiting, trace: Trace): boolean {
    const verdict = this.#verdict(waiting);
    if (verdict === unknown) return false;
    this.#decide(waiting, verdict, newestOf(waiting.chain), trace);
    return true;
  }

  #decide(waiting: Waiting, verdict: Verdict, certainNanos: bigint, trace: Trace): void {
    const key = waitingKey(waiting);
    if (trace.waiting.get(key) === waiting) {
      trace.waiting.delete(key);
      this.#store.charge(trace, -waiting.bytes);
      this.#heap.noteDecided();
    }
    waiting.decided = true;
    const { program, event } = waiting;
    const { rule } = program;
    if (verdict === 1) {
      const finding = guarded(rule, this.#options.onFailed, () => this.#judge.finding(waiting));
      if (!finding) return;
      this.#matches.push({ rule, finding, ...(event && { event: { ...event, timeNanos: certainNanos } }) });
    } else if (rule.filters.length > 0 && !this.#replaying) {
      const filter = this.#judge.suppressedBy(waiting);
      if (filter !== undefined) this.#options.onSuppressed?.(rule, filter);
    }
  }

  /** A rule that throws is as one that does not match. */
  #verdict(waiting: Waiting): Verdict {
    return guarded(waiting.program.rule, this.#options.onFailed, () => this.#judge.reachedVerdict(waiting)) ?? 0;
  }

  /** What is not known by now is absent. */
  #giveUp(waiting: Waiting, certainNanos: bigint): void {
    waiting.chain.end = 'cut';
    const trace = this.#store.get(waiting.identity.traceId)!;
    this.#decide(waiting, this.#verdict(waiting), certainNanos, trace);
  }

  #hurry(waiting: Waiting): void {
    this.#counters.hurried++;
    this.#giveUp(waiting, newestOf(waiting.chain));
  }

  get #watermark(): bigint {
    return this.#newest - this.#options.allowedLatenessNanos;
  }

  /** What ended before is near to no span that may still come, nor to one that waits. */
  get #forgetsBefore(): bigint {
    return this.#watermark - 2n * this.#options.waitNanos;
  }

  #moveOn(newestNanos: bigint): void {
    this.#newest = newestNanos;
    for (let next = this.#heap.peek(); next && this.#dueNanos(next) < this.#watermark; next = this.#heap.peek()) {
      this.#counters.timedOut++;
      this.#giveUp(next, this.#dueNanos(next));
    }
    const future = newestNanos + this.#options.allowedLatenessNanos;
    for (;;) {
      const trace = this.#store.expired(this.#forgetsBefore, future);
      if (trace === undefined) return;
      this.#forget(trace);
    }
  }

  #dueNanos({ identity }: Waiting): bigint {
    return identity.endNanos + this.#options.waitNanos;
  }

  #forget(trace: Trace): void {
    for (const waiting of [...trace.waiting.values()]) this.#hurry(waiting);
    this.#store.remove(trace);
  }

  #keepBounds(): void {
    const { waitingMax, bytesMax } = this.#bounds;
    while (this.#heap.size > waitingMax) this.#hurry(this.#heap.peek()!);
    for (let trace = this.#store.overflowing(); trace; trace = this.#store.overflowing()) {
      this.#store.counters.evictedTraces++;
      this.#forget(trace);
    }
    this.#store.shrink();
    while (this.#store.bytes > bytesMax && this.#heap.size > 0) this.#hurry(this.#heap.peek()!);
  }

  #decideAll(): void {
    for (let next = this.#heap.peek(); next; next = this.#heap.peek()) this.#giveUp(next, this.#dueNanos(next));
    this.#clear();
  }

  #clear(): void {
    for (const waiting of this.#heap.all()) waiting.decided = true;
    this.#heap.clear();
    this.#store.clear();
    this.#newest = 0n;
    this.#batchNewest = 0n;
  }

  #takeMatches(): AncestryMatch[] {
    const matches = this.#matches;
    this.#matches = [];
    return matches;
  }
}

function waitingKey({ program, identity }: Waiting): string {
  return `${identity.spanId} ${program.signature}`;
}

/** About what a decision that waits takes in memory. */
function waitingBytes({ evidence, values, chain }: Waiting): number {
  let bytes = 1000 + valuesBytes([...values.values()]);
  for (const items of evidence.values()) {
    for (const { wanted, excerpt } of items) bytes += 200 + (wanted.length + excerpt.length) * 2;
  }
  for (const span of chain.spans) bytes += bytesOf(span);
  return bytes;
}

const defaultBounds: AncestryBounds = {
  tracesMax: limits.ancestryTracesMax,
  spansPerTraceMax: limits.ancestrySpansPerTraceMax,
  bytesMax: limits.ancestryBytesMax,
  waitingMax: limits.ancestryWaitingMax,
};
