import type { Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import type { Rule } from '../load.ts';
import { numericOf } from '../modifiers/numbers.ts';
import type { SpanIdentity } from '../span-identity.ts';
import { type Correlation, isCorrelation, silentSources } from './correlation.ts';
import { membersFrom, textsFrom } from './evaluator.ts';
import { type CorrelationEvent, type GroupPart, isSameSpan } from './event.ts';
import { findingOf } from './findings.ts';
import type { Change, CorrelationEvaluator, Episode, EvaluatorBounds, EvaluatorCounters } from './kind.ts';
import { createEvaluator } from './kinds.ts';
import { ReorderBuffer } from './reorder-buffer.ts';
import { decodeState, encodeState } from './snapshot.ts';

export interface CorrelatorOptions {
  /** Each after those it uses, as `linkCorrelations` gives them. */
  readonly correlations: readonly Correlation[];
  /** How far behind the newest event a span may arrive and still count. */
  readonly allowedLatenessNanos: bigint;
  readonly bounds?: Partial<CorrelatorBounds>;
}

export interface CorrelatorBounds extends EvaluatorBounds {
  readonly bufferEventsMax: number;
  readonly allGroupsMax: number;
  readonly allEventsMax: number;
}

export interface CorrelatorCounters {
  /** Events behind the watermark: correlations did not see them. */
  late: number;
  /** Events that end further in the future than clocks differ: kept, they would fill the buffer and move the watermark. */
  future: number;
  /** Spans that came twice. */
  repeated: number;
  /** Events evaluated before their time because too many waited. */
  hurried: number;
}

/**
 * All correlation rules over the events of one source. Nothing is evaluated before the watermark, the newest event time
 * less the allowed lateness, has passed it; then everything happens in event order. So every order of arrival within
 * the lateness and every batching gives the same findings.
 */
export class Correlator {
  readonly counters: CorrelatorCounters = { late: 0, future: 0, repeated: 0, hurried: 0 };
  readonly #evaluators: readonly CorrelationEvaluator[];
  readonly #parents: readonly (readonly Parent[])[];
  readonly #silent: ReadonlySet<Rule | Correlation>;
  readonly #lateness: bigint;
  readonly #bounds: CorrelatorBounds;
  readonly #buffer = new ReorderBuffer();
  /** Episodes that changed, by finding id: the findings to give out. */
  readonly #due = new Map<string, { readonly correlation: Correlation; readonly episode: Episode }>();
  #newest = 0n;
  /** Everything before it is evaluated. */
  #watermark = 0n;

  constructor({ correlations, allowedLatenessNanos, bounds }: CorrelatorOptions) {
    this.#lateness = allowedLatenessNanos;
    this.#bounds = { ...defaultBounds, ...bounds };
    this.#evaluators = correlations.map((correlation) => createEvaluator(correlation, this.#bounds));
    this.#silent = silentSources(correlations);
    this.#parents = correlations.map((child) => parentsOf(child, correlations));
  }

  /** The newest event time seen. */
  get newestNanos(): bigint {
    return this.#newest;
  }

  get waiting(): number {
    return this.#buffer.size;
  }

  evaluators(): readonly {
    readonly correlation: Correlation;
    readonly groups: number;
    readonly counters: EvaluatorCounters;
  }[] {
    return this.#evaluators;
  }

  /** Notes that event time has come this far, whether or not the span at that time matched anything. */
  observe(timeNanos: bigint): void {
    if (timeNanos > this.#newest) this.#newest = timeNanos;
  }

  /** Takes an event in any order. A clock may be ahead of `nowNanos` by as much as spans may be late. */
  add(event: CorrelationEvent, nowNanos?: bigint): void {
    if (event.timeNanos < this.#watermark) this.counters.late++;
    else if (nowNanos !== undefined && event.timeNanos > nowNanos + this.#lateness) this.counters.future++;
    else this.#buffer.push(event);
  }

  /** Evaluates what the watermark has passed and gives the findings that are new or changed, in event order. */
  settle(): Finding[] {
    const watermark = this.#newest - this.#lateness;
    if (watermark > this.#watermark) this.#watermark = watermark;
    while ((this.#buffer.peek()?.timeNanos ?? this.#watermark) < this.#watermark) this.#evaluateNext();
    while (this.#buffer.size > this.#bounds.bufferEventsMax) {
      const { timeNanos } = this.#buffer.peek()!;
      if (timeNanos > this.#watermark) this.#watermark = timeNanos;
      this.#evaluateNext();
      this.counters.hurried++;
    }
    this.#closeUntil(this.#watermark);
    return this.#take();
  }

  /** Evaluates everything, closes all windows and starts anew. */
  flush(): Finding[] {
    while (this.#buffer.size > 0) this.#evaluateNext();
    for (;;) {
      const next = this.#nextClose();
      if (next === undefined) break;
      this.#closeUntil(next);
    }
    for (const evaluator of this.#evaluators) evaluator.clear();
    this.#newest = 0n;
    this.#watermark = 0n;
    return this.#take();
  }

  snapshot(): Uint8Array {
    const rules = this.#evaluators.map((evaluator) => ({
      ...identity(evaluator.correlation),
      state: evaluator.save(),
    }));
    const buffer = this.#buffer.events();
    return encodeState({ format: snapshotFormat, newest: this.#newest, watermark: this.#watermark, rules, buffer });
  }

  /**
   * Takes over a snapshot. State of rules that are gone or have changed is left behind. Says how many rules found theirs;
   * `unreadable` leaves the correlator as it was.
   */
  restore(
    bytes: Uint8Array,
  ): { readonly status: 'restored'; readonly rules: number } | { readonly status: 'unreadable' } {
    const snapshot = readSnapshot(bytes);
    if (snapshot === undefined) return { status: 'unreadable' };
    const places = snapshot.rules.map(({ id, version }) =>
      this.#evaluators.findIndex(({ correlation: { meta } }) => meta.id === id && meta.version === version),
    );
    for (const [index, { state }] of snapshot.rules.entries()) this.#evaluators[places[index]!]?.load(state);
    this.#buffer.clear();
    for (const event of snapshot.buffer) {
      const parts = event.parts.map((part) => ({ ...part, correlation: places[part.correlation]! }));
      const known = parts.filter(({ correlation }) => correlation >= 0).sort((a, b) => a.correlation - b.correlation);
      if (known.length > 0) this.#buffer.push({ ...event, parts: known });
    }
    this.#newest = snapshot.newest;
    this.#watermark = snapshot.watermark;
    return { status: 'restored', rules: places.filter((place) => place >= 0).length };
  }

  #evaluateNext(): void {
    const event = this.#buffer.pop()!;
    for (let next = this.#buffer.peek(); next && isSameSpan(event, next); next = this.#buffer.peek()) {
      this.#buffer.pop();
      this.counters.repeated++;
    }
    this.#closeUntil(event.timeNanos);
    const work: Work = new Map();
    for (const { correlation, groups } of event.parts)
      work.set(
        correlation,
        groups.map((part) => ({ span: event.span, part })),
      );
    this.#run(event.timeNanos, work);
  }

  /** Closes tumbling windows up to a time, in the order of their ends. A match at a close happens at that moment. */
  #closeUntil(timeNanos: bigint): void {
    for (;;) {
      const next = this.#nextClose();
      if (next === undefined || next > timeNanos) return;
      const closing = this.#evaluators.filter(({ closesNanos }) => closesNanos === next);
      const work: Work = new Map();
      for (const evaluator of closing) {
        const index = this.#evaluators.indexOf(evaluator);
        for (const change of evaluator.close()) this.#changed(index, change, work);
      }
      this.#run(next, work);
    }
  }

  #nextClose(): bigint | undefined {
    let next: bigint | undefined;
    for (const { closesNanos } of this.#evaluators) {
      if (closesNanos !== undefined && (next === undefined || closesNanos < next)) next = closesNanos;
    }
    return next;
  }

  /** Gives each correlation its share of the moment. A child stands before its parents, so what it adds is still to come. */
  #run(timeNanos: bigint, work: Work): void {
    while (work.size > 0) {
      const index = Math.min(...work.keys());
      const shares = work.get(index)!;
      work.delete(index);
      for (const { span, part } of shares) {
        const change = this.#evaluators[index]!.add(timeNanos, span, part);
        if (change) this.#changed(index, change, work);
      }
      this.#evict();
    }
  }

  #changed(index: number, { episode, opened }: Change, work: Work): void {
    const { correlation } = this.#evaluators[index]!;
    if (!this.#silent.has(correlation)) this.#due.set(episode.id, { correlation, episode });
    if (!opened) return;
    for (const { index: parent, members, groupFields, valueFields, correlation: target } of this.#parents[index]!) {
      const texts = textsFrom(correlation, groupFields, episode.groupTexts);
      const values = valuesFor(target, textsFrom(correlation, valueFields, episode.groupTexts));
      if (valueFields.length > 0 && values.length === 0) continue;
      const shares = work.get(parent) ?? [];
      work.set(parent, shares);
      shares.push({ span: episode.opened, part: { texts, members, values } });
    }
  }

  #evict(): void {
    const over = (): boolean => {
      let [groups, events] = [0, 0];
      for (const evaluator of this.#evaluators) {
        groups += evaluator.groups;
        events += evaluator.size;
      }
      return groups > this.#bounds.allGroupsMax || events > this.#bounds.allEventsMax;
    };
    while (over()) {
      const full = this.#evaluators.filter(({ groups }) => groups > 0);
      const stalest = full.reduce((a, b) => (b.stalestNanos! < a.stalestNanos! ? b : a));
      stalest.evictStalest();
    }
  }

  #take(): Finding[] {
    const findings = [...this.#due.values()].map(({ correlation, episode }) => findingOf(correlation, episode));
    this.#due.clear();
    return findings;
  }
}

const defaultBounds: CorrelatorBounds = {
  groupsMax: limits.correlationGroupsPerRuleMax,
  eventsPerGroupMax: limits.correlationEventsPerGroupMax,
  bufferEventsMax: limits.correlationBufferEventsMax,
  allGroupsMax: limits.correlationGroupsMax,
  allEventsMax: limits.correlationEventsMax,
};

/** What each correlation is to do at one moment. */
type Work = Map<number, { readonly span: SpanIdentity; readonly part: GroupPart }[]>;

interface Parent {
  readonly index: number;
  readonly correlation: Correlation;
  readonly members: number;
  readonly groupFields: readonly string[];
  readonly valueFields: readonly string[];
}

function parentsOf(child: Correlation, correlations: readonly Correlation[]): readonly Parent[] {
  return correlations.flatMap((correlation, index) => {
    const member = correlation.members.find(({ source }) => isCorrelation(source) && source === child);
    if (!member) return [];
    const { groupFields, valueFields } = member;
    return [{ index, correlation, members: membersFrom(correlation, child), groupFields, valueFields }];
  });
}

/** Of a child's match only its group is known: texts to count, or texts that spell numbers. */
function valuesFor({ syntax }: Correlation, texts: readonly string[]): (string | number)[] {
  if (syntax.type === 'value_count') return texts.length > 1 ? [JSON.stringify(texts)] : [...texts];
  return texts.map((text) => Number(numericOf(text) ?? Number.NaN)).filter(Number.isFinite);
}

const snapshotFormat = 1;

interface Snapshot {
  readonly format: number;
  readonly newest: bigint;
  readonly watermark: bigint;
  readonly rules: readonly { readonly id: string; readonly version: string; readonly state: unknown }[];
  readonly buffer: readonly CorrelationEvent[];
}

function identity({ meta }: Correlation): { readonly id: string; readonly version: string } {
  return { id: meta.id, version: meta.version };
}

function readSnapshot(bytes: Uint8Array): Snapshot | undefined {
  try {
    const snapshot = decodeState(bytes) as Snapshot;
    return snapshot.format === snapshotFormat && Array.isArray(snapshot.rules) ? snapshot : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
