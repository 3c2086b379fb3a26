import type { Slices } from './detect/state.ts';
import { AgentEventSpans } from './log-intake.ts';
import type { AgentEvent } from './model/agent-event.ts';
import type { Case } from './model/case.ts';
import type { FieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import type { PriceList } from './model/prices.ts';
import type { SpanEvents } from './model/span-events.ts';

/** Rules as they judge what they are shown. */
export interface Judge {
  detect(events: SpanEvents, nowNanos: bigint): Finding[];
  /** Findings that become due because event time has come this far without a span. */
  advance(eventNanos: bigint): Finding[];
  /** Everything that is still open. */
  flush(): Finding[];
  readonly newestNanos: bigint;
}

/** The rule engine as the pipeline needs it. */
export interface Detector extends Judge {
  /** What it took in since the last call. */
  takeJournal(): Uint8Array;
  /** All it remembers, in pieces. */
  slices(pieceBytes?: number): Slices;
  /** The cases that changed since the last call. */
  takeCases?(): readonly Case[];
}

/** What joins log records to spans, as the pipeline needs it. Its memory is kept with the detector's. */
export interface Joiner {
  spans(events: SpanEvents): void;
  /** Gives those that need no joining. */
  logs(events: readonly AgentEvent[], latestNanos: bigint): AgentEvent[];
  /** What is due when event time has come this far. */
  advance(eventNanos: bigint): AgentEvent[];
  flush(): AgentEvent[];
  readonly newestNanos: bigint;
}

/** What makes one call of all that is seen of a tool call, as the pipeline needs it. Its memory is kept with the detector's. */
export interface Calls {
  /** The batch without what is no tool call of its own yet. */
  masked(events: SpanEvents): SpanEvents;
  spans(events: SpanEvents, latestNanos: bigint): void;
  /** Calls that have no tool span, and what there is to say about calls, when event time has come this far. */
  advance(eventNanos: bigint): AgentEvent[];
  flush(): AgentEvent[];
  readonly newestNanos: bigint;
}

export interface JudgingOptions {
  readonly fields: FieldTable;
  readonly detector: Judge;
  /** Without one what log records tell is judged record by record. */
  readonly joiner?: Joiner;
  /** Without it every view of a tool call is one. */
  readonly calls?: Calls;
  /** Tells which model calls restate tokens; without it all of them count. */
  readonly usage?: { mark(events: SpanEvents): void };
  /** Without them no call has a cost. */
  readonly prices?: PriceList;
  now(): number;
  readonly observer?: {
    detectFailed?(error: unknown): void;
    /** The batch is only valid during the call. */
    batch?(events: SpanEvents, findings: readonly Finding[]): void;
  };
}

/** Spans and records from further ahead do not move event time: the clock of their sender is wrong. */
const futureMs = 300_000;

/**
 * What rules get to see, in this order: the spans of a batch, what log records tell with their spans, and tool calls that no span tells.
 * The last two are told when event time has come far enough, and take the way that spans take.
 */
export class Judging {
  readonly #options: JudgingOptions;
  readonly #agentEvents: AgentEventSpans;

  constructor(options: JudgingOptions) {
    this.#options = options;
    this.#agentEvents = new AgentEventSpans(options.fields, options.prices);
  }

  /** How far event time has come. */
  get newestNanos(): bigint {
    const { detector, joiner, calls } = this.#options;
    const all = [detector.newestNanos, joiner?.newestNanos ?? 0n, calls?.newestNanos ?? 0n];
    return all.reduce((newest, each) => (each > newest ? each : newest));
  }

  /** Findings in a batch of spans. */
  spans(events: SpanEvents): Finding[] {
    const findings = this.#detect(events);
    this.#guarded(() => void this.#options.joiner?.spans(events));
    return findings;
  }

  /** Findings in what log records tell that need no span. */
  logs(events: readonly AgentEvent[]): Finding[] {
    const { joiner } = this.#options;
    return this.#judge(joiner === undefined ? events : joiner.logs(events, this.#latestNanos()));
  }

  /** Findings in what is told when event time has come this far. */
  told(eventNanos: bigint): Finding[] {
    const { joiner } = this.#options;
    const joined = this.#judge(joiner?.advance(eventNanos) ?? []);
    return [...joined, ...this.#judgeCalls((calls) => calls.advance(eventNanos))];
  }

  /** The same, and those that are due because of it; what is told is judged before windows close. */
  advance(eventNanos: bigint): Finding[] {
    return [...this.told(eventNanos), ...this.#guarded(() => this.#options.detector.advance(eventNanos))];
  }

  /** All that is still open. */
  flush(): Finding[] {
    const { detector, joiner } = this.#options;
    const joined = this.#judge(joiner?.flush() ?? []);
    const called = this.#judgeCalls((calls) => calls.flush());
    return [...joined, ...called, ...this.#guarded(() => detector.flush())];
  }

  /** What a batch tells of tool calls is noted as well. */
  #detect(events: SpanEvents): Finding[] {
    const { calls, usage } = this.#options;
    this.#guarded(() => void usage?.mark(events));
    const findings = this.#found(calls?.masked(events) ?? events);
    this.#guarded(() => void calls?.spans(events, this.#latestNanos()));
    return findings;
  }

  #judge(events: readonly AgentEvent[]): Finding[] {
    if (events.length === 0) return [];
    return this.#guarded(() => {
      const spans = this.#agentEvents.bind(events);
      const findings = this.#detect(spans);
      this.#options.observer?.batch?.(spans, findings);
      return findings;
    });
  }

  /** They are no news to those who told them, and so are not noted once more. */
  #judgeCalls(told: (calls: Calls) => AgentEvent[]): Finding[] {
    const { calls, observer } = this.#options;
    if (calls === undefined) return [];
    return this.#guarded(() => {
      const events = told(calls);
      if (events.length === 0) return [];
      const spans = this.#agentEvents.bind(events);
      const findings = this.#found(spans);
      observer?.batch?.(spans, findings);
      return findings;
    });
  }

  #found(events: SpanEvents): Finding[] {
    const { detector, now } = this.#options;
    return this.#guarded(() => detector.detect(events, BigInt(now()) * 1_000_000n));
  }

  #latestNanos(): bigint {
    return BigInt(this.#options.now() + futureMs) * 1_000_000n;
  }

  /** A fault in detection must not cost the spans. */
  #guarded(detect: () => Finding[] | undefined): Finding[] {
    try {
      return detect() ?? [];
    } catch (error) {
      this.#options.observer?.detectFailed?.(error);
      return [];
    }
  }
}
