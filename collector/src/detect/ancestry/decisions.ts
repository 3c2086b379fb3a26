import type { Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import type { Rule } from '../load.ts';
import type { Arrivals } from './arrivals.ts';
import type { Judge } from './judge.ts';
import { type KeptFields, valuesBytes } from './kept.ts';
import type { Program } from './program.ts';
import { guarded, type RuleFailure } from './rule-failure.ts';
import { noSlot } from './span-table.ts';
import type { TraceStore } from './traces.ts';
import { unknown, type Verdict } from './verdict.ts';
import { type Ask, type Waiting, WaitingChain, WaitingHeap } from './waiting.ts';
import { nanosBetween, nanosOf } from './words.ts';

/** A rule that matched a span. */
export interface AncestryMatch {
  readonly rule: Rule;
  readonly finding: Finding;
  /** For correlations, at the time when the match was certain. */
  readonly event?: CorrelationEvent;
}

export interface DecisionOptions {
  /** How far apart the ends of a span and of one above it may be, in nanoseconds. */
  readonly waitNanos: bigint;
  /** A rule that the span's own fields did not exclude is decided. */
  readonly onDecided?: (rule: Rule) => void;
  /** A filter, by its place, took a match away. */
  readonly onSuppressed?: (rule: Rule, filter: number) => void;
  readonly onFailed?: RuleFailure;
}

/**
 * The spans that wait, and what they wait for. Each is looked at again only when the span arrives that its chain lacks, and
 * each time its chain grows by one, `limits.ancestryDepthMax` times at most.
 */
export class Decisions {
  readonly heap = new WaitingHeap();
  /** The batch of spans that are not shown yet. */
  events: SpanEvents | undefined;
  /** Nothing is given out, as that happened before. */
  replaying = false;
  /** Rules that wait, of all spans. */
  asks = 0;
  #matches: AncestryMatch[] = [];
  readonly #judge: Judge;
  readonly #arrivals: Arrivals;
  readonly #store: TraceStore;
  readonly #options: DecisionOptions;
  readonly #waitNanos: number;
  readonly #chain: WaitingChain;
  readonly #lastAbove = { top: noSlot, above: noSlot, changes: -1 };
  /** The spans that wait, by the slot of their own id. */
  readonly #queued = new Map<number, Waiting[]>();

  constructor(judge: Judge, arrivals: Arrivals, store: TraceStore, options: DecisionOptions) {
    this.#judge = judge;
    this.#arrivals = arrivals;
    this.#store = store;
    this.#options = options;
    this.#waitNanos = Number(options.waitNanos);
    this.#chain = new WaitingChain(store.table);
  }

  /** A span that was awaited is there. */
  arrived(slot: number): void {
    const { awaiting } = this.#store.table;
    let waiting = awaiting[slot];
    awaiting[slot] = undefined;
    while (waiting) {
      const { after }: Waiting = waiting;
      waiting.awaits = noSlot;
      waiting.before = waiting.after = undefined;
      this.#climb(waiting);
      waiting = after;
    }
  }

  /** Decides what can be decided about a span with what is known; the rest waits. Returns whether something does. */
  ask(waiting: Waiting): boolean {
    const { table } = this.#store;
    const slot = table.find(waiting.trace.number, waiting.idHigh, waiting.idLow);
    const others = this.#queued.get(slot);
    // A span that comes again while it waits waits once.
    if (others) {
      const isAsked = ({ program }: Ask) => others.some(({ asks }) => asks.some((ask) => ask.program === program));
      waiting.asks = waiting.asks.filter((ask) => !isAsked(ask));
    }
    this.asks += waiting.asks.length;
    waiting.end = this.#endAfter(waiting, waiting.hasParent, waiting.parentHigh, waiting.parentLow);
    this.#decideAsks(waiting, undefined, true);
    if (!waiting.decided) this.#climb(waiting);
    if (waiting.decided) return false;
    this.#queue(waiting);
    return true;
  }

  /** Reads all that a later decision needs, as its batch will be gone. */
  show(waiting: Waiting): void {
    const { events } = this;
    if (!events || waiting.decided) return;
    const { asks } = waiting;
    waiting.asks = asks.filter((ask) => this.#arrivals.show(waiting, ask, events));
    this.asks -= asks.length - waiting.asks.length;
    waiting.span = -1;
    if (waiting.decided) this.#finish(waiting);
    else this.#enlist(waiting);
  }

  /** It waits, with the chain that it has, until its batch ends at least. */
  #queue(waiting: Waiting): void {
    const { table, interning } = this.#store;
    const { trace, idHigh, idLow } = waiting;
    waiting.isQueued = true;
    interning.use(waiting.fields);
    waiting.slot = table.find(trace.number, idHigh, idLow);
    if (waiting.slot !== noSlot) {
      table.hold(waiting.slot);
      const others = this.#queued.get(waiting.slot);
      if (others) others.push(waiting);
      else this.#queued.set(waiting.slot, [waiting]);
    }
  }

  /** It still waits when its batch ends, so that time and bounds may decide about it. */
  #enlist(waiting: Waiting): void {
    const { trace } = waiting;
    waiting.isListed = true;
    trace.waiting ??= new Set();
    trace.waiting.add(waiting);
    this.heap.push(waiting);
    waiting.bytes = waitingBytes(waiting);
    this.#store.charge(waiting.bytes);
  }

  /** Takes one in that waited before: its chain is as it was. */
  resume(waiting: Waiting): void {
    this.asks += waiting.asks.length;
    for (const ask of waiting.asks) {
      const hearAll = () => {
        for (const slot of waiting.chain) this.#judge.hear(ask, this.#store.table.fields[slot]!);
      };
      guarded(ask.program.rule, this.#options.onFailed, hearAll);
    }
    this.#queue(waiting);
    this.#enlist(waiting);
    if (!waiting.isStuck) this.#climb(waiting);
  }

  /** Goes on with what waits elsewhere over the same store, for the programs that are still there; between two batches. */
  takeOver(earlier: Decisions, programOf: (before: Program) => Program | undefined): void {
    for (const [slot, others] of earlier.#queued) this.#queued.set(slot, others);
    const all = earlier.heap.all();
    for (const waiting of all) this.heap.push(waiting);
    for (const waiting of all) {
      waiting.asks = waiting.asks.flatMap((ask) => {
        const program = programOf(ask.program);
        return program ? [{ ...ask, program }] : [];
      });
      this.asks += waiting.asks.length;
      if (waiting.decided) this.#finish(waiting);
    }
  }

  /** What is not known by now is absent. Returns how many rules that decides. */
  giveUp(waiting: Waiting, certainNanos?: bigint): number {
    const { length } = waiting.asks;
    waiting.end = 'cut';
    this.#decideAsks(waiting, certainNanos, true);
    return length;
  }

  takeMatches(): AncestryMatch[] {
    const matches = this.#matches;
    this.#matches = [];
    return matches;
  }

  clear(): void {
    for (const waiting of this.heap.all()) waiting.asks = [];
    this.heap.clear();
    this.#queued.clear();
    this.asks = 0;
  }

  /** Follows the chain up as far as it is known, until the rules can be decided. */
  #climb(waiting: Waiting): void {
    const { table } = this.#store;
    while (!waiting.decided) {
      const slot = this.#above(waiting);
      if (slot === noSlot || !table.isFilled(slot)) {
        this.#await(waiting, slot);
        return;
      }
      // A span that ended too long before or after is as good as none, wherever it is known already.
      const apart = nanosBetween(waiting.endHigh, waiting.endLow, table.endHigh[slot]!, table.endLow[slot]!);
      if (apart > this.#waitNanos || apart < -this.#waitNanos) {
        waiting.isStuck = true;
        return;
      }
      this.#extend(waiting, slot);
    }
  }

  /** The slot of the next span up. Many climb through one span after each other: the last answer about one is kept. */
  #above({ trace, chain, parentHigh, parentLow }: Waiting): number {
    const { table } = this.#store;
    if (chain.length === 0) return table.find(trace.number, parentHigh, parentLow);
    const top = chain[chain.length - 1]!;
    const memo = this.#lastAbove;
    if (memo.top === top && memo.changes === table.changes) return memo.above;
    memo.top = top;
    memo.changes = table.changes;
    memo.above = table.find(trace.number, table.parentHigh[top]!, table.parentLow[top]!);
    return memo.above;
  }

  #extend(waiting: Waiting, slot: number): void {
    const { table } = this.#store;
    waiting.extend(table, slot);
    waiting.end = this.#endAfter(waiting, table.hasParent(slot), table.parentHigh[slot]!, table.parentLow[slot]!);
    const fields = table.fields[slot]!;
    const saysNothing = fields === waiting.heard && waiting.end === 'open' && waiting.chain.length > 1;
    waiting.heard = fields;
    if (!saysNothing) this.#decideAsks(waiting, undefined, false, fields);
  }

  /** Ids are the sender's: they may run in a circle, or up without end. */
  #endAfter(waiting: Waiting, hasParent: boolean, high: number, low: number): Waiting['end'] {
    if (!hasParent) return 'root';
    if (low === waiting.idLow && high === waiting.idHigh) return 'cut';
    if (waiting.chain.length === 0) return 'open';
    if (waiting.chain.length >= limits.ancestryDepthMax) return 'cut';
    const next = this.#above(waiting);
    // Who is not there is in no chain, or was forgotten.
    return next !== noSlot && this.#store.table.isFilled(next) && waiting.chain.includes(next) ? 'cut' : 'open';
  }

  /** Asks again where the chain may say more than before: about all rules, or about those that one more ancestor concerns. */
  #decideAsks(waiting: Waiting, certainNanos: bigint | undefined, all: boolean, ancestor?: KeptFields): void {
    const { asks, chain } = waiting;
    this.#chain.of = waiting;
    let left = 0;
    for (const ask of asks) {
      const verdict = this.#verdict(ask, all || waiting.end !== 'open', chain.length, ancestor);
      if (verdict === unknown) asks[left++] = ask;
      else this.#decide(waiting, ask, verdict, certainNanos);
      this.#chain.of = waiting;
    }
    asks.length = left;
    if (left === 0) this.#finish(waiting);
  }

  /** A rule that throws is as one that does not match. */
  #verdict(ask: Ask, mustAsk: boolean, length: number, ancestor: KeptFields | undefined): Verdict {
    const { program } = ask;
    try {
      const isNew = ancestor !== undefined && ask.seen.length > 0 && this.#judge.hear(ask, ancestor);
      const isAsked = mustAsk || isNew || program.readsAcross || (length === 1 && program.readsParent);
      return isAsked ? this.#judge.reachedVerdict(ask, this.#chain) : unknown;
    } catch (error) {
      if (!this.#options.onFailed) throw error;
      this.#options.onFailed(program.rule, error);
      return 0;
    }
  }

  #decide(waiting: Waiting, ask: Ask, verdict: Verdict, certainNanos: bigint | undefined): void {
    this.asks--;
    if (this.replaying) return;
    const { rule } = ask.program;
    this.#options.onDecided?.(rule);
    if (verdict === 1) this.#match(waiting, ask, certainNanos);
    else if (rule.filters.length > 0) {
      const filter = guarded(rule, this.#options.onFailed, () => this.#judge.suppressedBy(ask, this.#chain));
      if (filter !== undefined) this.#options.onSuppressed?.(rule, filter);
    }
  }

  #match(waiting: Waiting, ask: Ask, certainNanos: bigint | undefined): void {
    if (!ask.shown && !(this.events && this.#arrivals.show(waiting, ask, this.events))) return;
    const { rule } = ask.program;
    const { identity } = waiting;
    const shown = ask.shown!;
    const newestNanos = nanosOf({ endHigh: waiting.newestHigh, endLow: waiting.newestLow });
    const finding = guarded(rule, this.#options.onFailed, () =>
      this.#judge.finding(ask, shown, identity!, this.#chain, newestNanos),
    );
    if (!finding) return;
    const { event } = shown;
    this.#matches.push({
      rule,
      finding,
      ...(event && { event: { ...event, timeNanos: certainNanos ?? newestNanos } }),
    });
  }

  #await(waiting: Waiting, known: number): void {
    const { table } = this.#store;
    const { chain, trace } = waiting;
    let slot = known;
    if (slot === noSlot) {
      const top = chain.length === 0 ? noSlot : chain[chain.length - 1]!;
      const high = top === noSlot ? waiting.parentHigh : table.parentHigh[top]!;
      slot = table.insert(trace.number, high, top === noSlot ? waiting.parentLow : table.parentLow[top]!);
    }
    const first = table.awaiting[slot];
    waiting.awaits = slot;
    waiting.after = first;
    if (first) first.before = waiting;
    table.awaiting[slot] = waiting;
  }

  /** Nothing is left to decide about it. */
  #finish(waiting: Waiting): void {
    const { table, interning } = this.#store;
    this.#noLongerAwaits(waiting);
    for (const slot of waiting.chain) table.letGo(slot);
    waiting.chain.length = 0;
    if (!waiting.isQueued) return;
    waiting.isQueued = false;
    interning.drop(waiting.fields);
    if (waiting.isListed) {
      waiting.isListed = false;
      this.heap.noteDecided();
      this.#store.charge(-waiting.bytes);
      waiting.trace.waiting?.delete(waiting);
    }
    if (waiting.slot === noSlot) return;
    const others = this.#queued.get(waiting.slot)!;
    if (others.length === 1) this.#queued.delete(waiting.slot);
    else others.splice(others.indexOf(waiting), 1);
    table.letGo(waiting.slot);
  }

  #noLongerAwaits(waiting: Waiting): void {
    const { awaits, before, after } = waiting;
    if (awaits === noSlot) return;
    waiting.awaits = noSlot;
    waiting.before = waiting.after = undefined;
    if (after) after.before = before;
    if (before) before.after = after;
    else if (after) this.#store.table.awaiting[awaits] = after;
    else {
      this.#store.table.awaiting[awaits] = undefined;
      this.#store.table.remove(awaits);
    }
  }
}

/** About what a span that waits takes in memory. */
function waitingBytes({ asks }: Waiting): number {
  let bytes = 1200;
  for (const { values, shown } of asks) {
    bytes += 400 + valuesBytes([...values.values()]);
    for (const items of shown?.evidence.values() ?? []) {
      for (const { wanted, excerpt } of items) bytes += 200 + (wanted.length + excerpt.length) * 2;
    }
  }
  return bytes;
}
