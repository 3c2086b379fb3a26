import type { KeptSpan } from './kept.ts';
import { valuesBytes } from './kept.ts';
import type { Waiting } from './waiting.ts';

/** What is remembered of a trace. */
export interface Trace {
  readonly id: string;
  readonly spans: Map<string, KeptSpan>;
  /** What waits, by the id of the span it waits for. */
  readonly missing: Map<string, Waiting[]>;
  /** All that waits, by span and rule, so that a span that comes twice waits once. */
  readonly waiting: Map<string, Waiting>;
  newestNanos: bigint;
  bytes: number;
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

const traceBytes = 400;
const spanBytes = 240;

/** Recent spans by trace. The trace that was touched longest ago comes first, and goes first. */
export class TraceStore {
  readonly counters: TraceCounters = { evictedTraces: 0, evictedSpans: 0, conflicting: 0 };
  readonly #traces = new Map<string, Trace>();
  readonly #bounds: TraceBounds;
  #spans = 0;
  #bytes = 0;

  constructor(bounds: TraceBounds) {
    this.#bounds = bounds;
  }

  get traces(): number {
    return this.#traces.size;
  }

  get spans(): number {
    return this.#spans;
  }

  /** What spans and what waits for them take, about. */
  get bytes(): number {
    return this.#bytes;
  }

  all(): Iterable<Trace> {
    return this.#traces.values();
  }

  /** The trace, which is now the one touched last. */
  touch(id: string): Trace {
    const known = this.#traces.get(id);
    const trace = known ?? newTrace(id);
    if (known) this.#traces.delete(id);
    else this.#bytes += traceBytes;
    this.#traces.set(id, trace);
    return trace;
  }

  get(id: string): Trace | undefined {
    return this.#traces.get(id);
  }

  /** Remembers a span; false when its id is known in the trace. */
  add(trace: Trace, span: KeptSpan): boolean {
    const known = trace.spans.get(span.spanId);
    if (known) {
      if (known.endNanos !== span.endNanos || known.parentId !== span.parentId) this.counters.conflicting++;
      return false;
    }
    trace.spans.set(span.spanId, span);
    this.#spans++;
    this.charge(trace, bytesOf(span));
    if (span.endNanos > trace.newestNanos) trace.newestNanos = span.endNanos;
    if (trace.spans.size > this.#bounds.spansPerTraceMax) this.#evictFirstSpan(trace);
    return true;
  }

  charge(trace: Trace, bytes: number): void {
    trace.bytes += bytes;
    this.#bytes += bytes;
  }

  /** The trace to forget because there is too much: the stalest, but not the only one. */
  overflowing(): Trace | undefined {
    const over = this.#traces.size > this.#bounds.tracesMax || this.#bytes > this.#bounds.bytesMax;
    return over && this.#traces.size > 1 ? this.#stalest() : undefined;
  }

  /** The rest of what is too much: the first spans of the only trace. */
  shrink(): void {
    const trace = this.#stalest();
    while (trace && this.#bytes > this.#bounds.bytesMax && trace.spans.size > 1) this.#evictFirstSpan(trace);
  }

  /** The stalest trace if it ended before a time. One that claims to end in the future goes to the end of the queue. */
  expired(beforeNanos: bigint, futureNanos: bigint): Trace | undefined {
    const trace = this.#stalest();
    if (trace && trace.newestNanos > futureNanos) this.touch(trace.id);
    return trace && trace.newestNanos < beforeNanos ? trace : undefined;
  }

  /** Spans at the head of a trace that nothing can ask for any more. */
  expireSpans(trace: Trace, beforeNanos: bigint): void {
    for (const span of trace.spans.values()) {
      if (span.endNanos >= beforeNanos) return;
      this.#drop(trace, span);
    }
  }

  remove(trace: Trace): void {
    this.#traces.delete(trace.id);
    this.#spans -= trace.spans.size;
    this.#bytes -= trace.bytes + traceBytes;
  }

  clear(): void {
    this.#traces.clear();
    this.#spans = 0;
    this.#bytes = 0;
  }

  #stalest(): Trace | undefined {
    for (const trace of this.#traces.values()) return trace;
    return undefined;
  }

  #evictFirstSpan(trace: Trace): void {
    for (const span of trace.spans.values()) {
      this.#drop(trace, span);
      this.counters.evictedSpans++;
      return;
    }
  }

  #drop(trace: Trace, span: KeptSpan): void {
    trace.spans.delete(span.spanId);
    this.#spans--;
    this.charge(trace, -bytesOf(span));
  }
}

/** What a kept span takes in memory, about. */
export function bytesOf({ values }: KeptSpan): number {
  return spanBytes + valuesBytes(values);
}

function newTrace(id: string): Trace {
  return { id, spans: new Map(), missing: new Map(), waiting: new Map(), newestNanos: 0n, bytes: 0 };
}
