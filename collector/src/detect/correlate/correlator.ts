import type { Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import { wholeOf } from '../slices.ts';
import type { SpanIdentity } from '../span-identity.ts';
import type { Slices } from '../state.ts';
import { tellParents, type Work } from './chain.ts';
import type { Correlation } from './correlation.ts';
import { boundsOf, type CorrelatorBounds } from './correlator-bounds.ts';
import { readCorrelator, slicesOfCorrelator } from './correlator-state.ts';
import { type CorrelationEvent, type GroupPart, mergeEvents, type SettledEvent } from './event.ts';
import { EventLog, type Listener, placedParts, standing } from './event-log.ts';
import { EventStore } from './event-store.ts';
import { findingOf } from './findings.ts';
import type { Change, CorrelationEvaluator, EarlyBudget, Episode, EvaluatorCounters } from './kind.ts';
import { createEvaluator } from './kinds.ts';
import { isInPlace, type Lineup, lineUp, placesIn } from './lineup.ts';
import { ReorderBuffer } from './reorder-buffer.ts';
import { Sources } from './sources.ts';
import { placeOf, WaitingGroups } from './waiting.ts';

export interface CorrelatorOptions {
  /** Each after those it uses, as `linkCorrelations` gives them. */
  readonly correlations: readonly Correlation[];
  /** How far behind the newest span of its source a span may arrive and still count. */
  readonly allowedLatenessNanos: bigint;
  readonly bounds?: Partial<CorrelatorBounds>;
  /** Note what comes in, for `takeJournal`, which must be called now and then; default false. */
  readonly journal?: boolean;
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
  /** Findings that were given before the watermark had passed their spans. */
  early: number;
}

/**
 * All correlation rules over the events of all sources. Nothing is settled before the watermark, which is that of the source
 * furthest back (see `Sources`), has passed it; then everything happens in event order. So every order of arrival within the
 * lateness and every batching gives the same findings. What more events cannot undo is given at once, and settled later
 * under the same id.
 */
export class Correlator {
  readonly counters: CorrelatorCounters = { late: 0, future: 0, repeated: 0, hurried: 0, early: 0 };
  #lineup: Lineup;
  readonly #lateness: bigint;
  readonly #bounds: CorrelatorBounds;
  protected readonly log: EventLog;
  readonly #store = new EventStore();
  readonly #buffer = new ReorderBuffer(this.#store);
  /** Episodes that changed, by finding id: the findings to give out. */
  readonly #due = new Map<string, Due>();
  readonly #sources: Sources;
  readonly #looks: EarlyBudget = { left: limits.correlationEarlyLooksMax };
  #nextEarly = 0;
  /** Events that wait for early findings, for each group once, since the last `settle`. */
  #came = 0;
  /** What is left to do of the moment at hand. */
  readonly #work: Work = new Map();
  /** No window closes before this. */
  #nextClose: bigint | undefined;
  /** Everything before it is evaluated. */
  #watermark = 0n;

  constructor({ correlations, allowedLatenessNanos, bounds, journal = false }: CorrelatorOptions) {
    this.log = new EventLog(correlations, this.#store, journal);
    this.#lateness = allowedLatenessNanos;
    this.#bounds = boundsOf(allowedLatenessNanos, bounds);
    this.#sources = new Sources(allowedLatenessNanos);
    this.#lineup = lineUp(
      correlations,
      correlations.map((correlation, place) => this.#evaluatorOf(correlation, place)),
    );
  }

  /** The newest event time seen. */
  get newestNanos(): bigint {
    return this.#sources.newestNanos;
  }

  /** Everything that ended before it is settled. */
  get watermarkNanos(): bigint {
    return this.#watermark;
  }

  get sources(): number {
    return this.#sources.size;
  }

  get waiting(): number {
    return this.#buffer.size;
  }

  evaluators(): readonly {
    readonly correlation: Correlation;
    readonly groups: number;
    readonly counters: EvaluatorCounters;
  }[] {
    const { correlations, evaluators } = this.#lineup;
    return evaluators.map(({ groups, counters }, place) => ({ correlation: correlations[place]!, groups, counters }));
  }

  /**
   * Goes on with other correlations, between two batches. Those whose text is the same keep what they remember as it stands; all
   * others begin anew, also with events that wait. Says how many stayed.
   */
  exchange(correlations: readonly Correlation[]): number {
    const before = this.#lineup;
    const metas = correlations.map(({ meta }) => meta);
    const [from, to] = [placesIn(before.metas, metas), placesIn(metas, before.metas)];
    // Events that were written so far name correlations by where they stood.
    this.log.exchange(correlations);
    if (!isInPlace(to)) this.#store.exchange(to);
    for (const [place, evaluator] of before.evaluators.entries()) if (to[place] === -1) evaluator.clear();
    const evaluators = correlations.map((correlation, place) => {
      const kept = before.evaluators[from[place]!];
      kept?.early?.moveTo(place);
      return kept ?? this.#evaluatorOf(correlation, place);
    });
    this.#lineup = lineUp(correlations, evaluators);
    this.#nextEarly = 0;
    this.#nextClose = this.#findNextClose();
    return from.filter((place) => place >= 0).length;
  }

  /** A source has sent spans, the newest of which ended then, whether or not it matched anything. */
  observe(source: string, endNanos: bigint, nowNanos?: bigint): void {
    this.#sources.observe(source, endNanos, nowNanos);
  }

  /** Event time has come this far without a span. */
  advance(eventNanos: bigint): void {
    this.#sources.advance(eventNanos);
  }

  /** Takes an event in any order. A clock may be ahead of `nowNanos` by as much as spans may be late. */
  add(event: CorrelationEvent, nowNanos?: bigint): void {
    if (event.timeNanos < this.#watermark) this.counters.late++;
    else if (nowNanos !== undefined && event.timeNanos > nowNanos + this.#lateness) this.counters.future++;
    else this.#wait(this.log.event(event), event);
  }

  /**
   * Settles what the watermark has passed and gives the findings that are new or changed, in event order; then early findings
   * of what still waits.
   */
  settle(): Finding[] {
    const frontier = this.#sources.frontierNanos();
    if (frontier > this.#watermark) this.#watermark = frontier;
    for (let next = this.#buffer.peek(); next !== undefined; next = this.#buffer.peek()) {
      if (!this.#store.isBefore(next, this.#watermark)) break;
      this.#evaluateNext();
    }
    while (this.#isFull()) {
      const timeNanos = this.#store.timeNanos(this.#buffer.peek()!);
      if (timeNanos > this.#watermark) this.#watermark = timeNanos;
      this.#evaluateNext();
      this.counters.hurried++;
    }
    this.#closeUntil(this.#watermark);
    this.#fireEarly();
    return this.#take();
  }

  /** Evaluates everything, closes all windows and starts anew. */
  flush(): Finding[] {
    while (this.#buffer.size > 0) this.#evaluateNext();
    for (;;) {
      // The end of the data is no silence.
      for (const evaluator of this.#lineup.evaluators) if (evaluator.closesSilence) evaluator.clear();
      const next = this.#findNextClose();
      if (next === undefined) break;
      this.#closeUntil(next);
    }
    for (const evaluator of this.#lineup.evaluators) evaluator.clear();
    this.#lineup.totals.recount();
    this.#sources.clear();
    this.#nextClose = undefined;
    this.#watermark = 0n;
    return this.#take();
  }

  snapshot(): Uint8Array {
    return wholeOf(this.slices());
  }

  /** As `Stateful.slices`. */
  slices(pieceBytes?: number): Slices {
    this.log.seal();
    const waiting = this.#store.byBlock(this.#buffer.events()).map(([{ bytes }, at]) => ({ bytes, at }));
    const state = { sources: this.#sources.save(), watermark: this.#watermark, waiting };
    return slicesOfCorrelator(state, this.#lineup.evaluators, pieceBytes);
  }

  /**
   * Takes over a snapshot. State of rules that are gone or have changed is left behind. Says how many rules found theirs;
   * `unreadable` leaves the correlator as it was.
   */
  restore(
    bytes: Uint8Array,
  ): { readonly status: 'restored'; readonly rules: number } | { readonly status: 'unreadable' } {
    const snapshot = readCorrelator(bytes);
    if (snapshot === undefined || !this.log.isReadable(snapshot.waiting)) return { status: 'unreadable' };
    const { evaluators, metas, totals } = this.#lineup;
    const places = placesIn(metas, snapshot.rules);
    for (const evaluator of evaluators) evaluator.clear();
    for (const event of this.#buffer.events()) this.#store.letGo(event);
    this.#buffer.clear();
    this.#watermark = 0n;
    for (const { bytes: block, at } of snapshot.waiting) this.log.readEvents(block, at, this.again);
    for (const event of snapshot.events) {
      const parts = placedParts(event, places);
      if (parts.length > 0) this.#wait(this.log.event({ ...event, parts }), { ...event, parts });
    }
    this.log.drop();
    for (const [index, { items }] of snapshot.rules.entries()) evaluators[places[index]!]?.load(items);
    this.#sources.load(snapshot.sources);
    this.#watermark = snapshot.watermark;
    totals.recount();
    this.#nextClose = this.#findNextClose();
    return { status: 'restored', rules: places.filter((place) => place >= 0).length };
  }

  /** Events that were written before. */
  protected readonly again: Pick<Listener, 'event' | 'foreign'> = {
    event: (event, block, at) => {
      if (event.timeNanos < this.#watermark) return;
      this.#wait(this.#store.add(block, at, event.timeNanos, event.startNanos), event);
    },
    foreign: (event) => this.add(event),
  };

  #evaluatorOf({ meta, syntax }: Correlation, place: number): CorrelationEvaluator {
    return createEvaluator({ meta, syntax }, this.#bounds, new WaitingGroups(place, this.#store));
  }

  #isFull(): boolean {
    const { bufferEventsMax, bufferBytesMax } = this.#bounds;
    return this.#buffer.size > bufferEventsMax || (this.#store.bytes > bufferBytesMax && this.#buffer.size > 0);
  }

  #wait(number: number, { parts }: CorrelationEvent): void {
    this.#buffer.push(number);
    for (let at = 0; at < parts.length; at++) {
      const { correlation, groups } = parts[at]!;
      const { early } = this.#lineup.evaluators[correlation]!;
      if (!early) continue;
      for (let group = 0; group < groups.length; group++) early.wait(number, placeOf(at, group), groups[group]!);
      this.#came += groups.length;
    }
  }

  #evaluateNext(): void {
    const first = this.#buffer.pop()!;
    const next = this.#buffer.peek();
    const isRepeated = next !== undefined && this.#store.isSameSpan(first, next);
    const event = isRepeated ? this.#joined(first) : this.#settled(this.#store.settled(first), first);
    this.#store.letGo(first);
    this.#closeUntil(event.timeNanos);
    this.#run(event.timeNanos, event, this.#work);
  }

  /** An event and those after it of the same span. */
  #joined(first: number): SettledEvent {
    let event = this.#settled(this.#store.read(first), first);
    for (let next = this.#buffer.peek(); next !== undefined; next = this.#buffer.peek()) {
      if (!this.#store.isSameSpan(first, next)) break;
      this.#buffer.pop();
      const both = mergeEvents(event, this.#settled(this.#store.read(next), next));
      this.#store.letGo(next);
      if (both === event) this.counters.repeated++;
      event = both;
    }
    return event;
  }

  /** The event waits no longer. */
  #settled(event: SettledEvent, number: number): SettledEvent {
    this.#store.settle(number);
    for (const { correlation, groups } of event.parts) {
      const early = this.#lineup.evaluators[correlation]?.early;
      if (early) for (const part of groups) early.settled(part);
    }
    return this.#store.isMoved(number) ? { ...event, parts: standing(event.parts) } : event;
  }

  #fireEarly(): void {
    const looks =
      this.#came === 0 ? limits.correlationEarlyLooksMax : this.#came * limits.correlationEarlyLooksPerEvent;
    // A group that took more than there was is paid for by later events.
    this.#looks.left = Math.min(this.#looks.left + looks, limits.correlationEarlyLooksMax);
    this.#came = 0;
    const { early: all, correlations, totals } = this.#lineup;
    const turns = all.length;
    for (let turn = 0; turn < turns && this.#looks.left > 0; turn++) {
      // One that is dear to look at must not keep the others from their turn.
      const { index, early } = all[this.#nextEarly]!;
      this.#nextEarly = (this.#nextEarly + 1) % turns;
      const correlation = correlations[index]!;
      for (const episode of early.fire(this.#watermark, this.#looks)) {
        this.#due.set(episode.id, { correlation, episode, early: true });
        this.counters.early++;
      }
      totals.touched(index);
    }
  }

  /** Closes windows up to a time, in the order of their ends. A match at a close happens at that moment. */
  #closeUntil(timeNanos: bigint): void {
    while (this.#nextClose !== undefined && this.#nextClose <= timeNanos) {
      const next = this.#nextClose;
      const work: Work = new Map();
      for (const [index, evaluator] of this.#lineup.evaluators.entries()) {
        if (evaluator.closesNanos !== next) continue;
        for (const change of evaluator.close()) this.#changed(index, change, work);
        this.#lineup.totals.touched(index);
      }
      this.#run(next, undefined, work);
      this.#nextClose = this.#findNextClose();
    }
  }

  #findNextClose(): bigint | undefined {
    let next: bigint | undefined;
    for (const { closesNanos } of this.#lineup.evaluators) {
      if (closesNanos !== undefined && (next === undefined || closesNanos < next)) next = closesNanos;
    }
    return next;
  }

  /**
   * Gives each correlation its share of the moment: of an event, and of what those that it uses have found. A child stands before
   * its parents, so what it adds is still to come. Nothing is left of `work` then.
   */
  #run(timeNanos: bigint, event: SettledEvent | undefined, work: Work): void {
    const parts = event?.parts ?? [];
    for (let at = 0; at < parts.length || work.size > 0; ) {
      const own = parts[at]?.correlation ?? Number.POSITIVE_INFINITY;
      const index = work.size === 0 ? own : Math.min(own, ...work.keys());
      if (index === own) for (const part of parts[at++]!.groups) this.#share(index, timeNanos, event!.span, part, work);
      if (work.size > 0) {
        const told = work.get(index) ?? [];
        work.delete(index);
        for (const { span, part } of told) this.#share(index, timeNanos, span, part, work);
      }
      this.#added(index);
    }
  }

  #share(index: number, timeNanos: bigint, span: SpanIdentity, part: GroupPart, work: Work): void {
    const change = this.#lineup.evaluators[index]!.add(timeNanos, span, part);
    if (change) this.#changed(index, change, work);
  }

  #added(index: number): void {
    const { closesNanos } = this.#lineup.evaluators[index]!;
    if (closesNanos !== undefined && (this.#nextClose === undefined || closesNanos < this.#nextClose)) {
      this.#nextClose = closesNanos;
    }
    const { totals } = this.#lineup;
    totals.touched(index);
    const { allGroupsMax, allEventsMax } = this.#bounds;
    while (totals.groups > allGroupsMax || totals.events > allEventsMax) {
      if (!totals.evictStalest()) break;
    }
  }

  #changed(index: number, { episode, opened }: Change, work: Work): void {
    const { correlations, silent, parents } = this.#lineup;
    const correlation = correlations[index]!;
    if (!silent.has(correlation)) this.#due.set(episode.id, { correlation, episode, early: false });
    if (opened) tellParents(correlation, episode, parents[index]!, work);
  }

  #take(): Finding[] {
    const findings = [...this.#due.values()].map(({ correlation, episode, early }) =>
      early ? { ...findingOf(correlation, episode), ...provisional } : findingOf(correlation, episode),
    );
    this.#due.clear();
    return findings;
  }
}

interface Due {
  readonly correlation: Correlation;
  readonly episode: Episode;
  readonly early: boolean;
}

/** Older than every settled state. */
const provisional = { provisional: true, version: 1n } as const;
