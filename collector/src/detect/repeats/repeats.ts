import type { Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import { decodeState, decodeStates, encodeState, StateEncoder } from '../correlate/snapshot.ts';
import { Scan, type Scanned, slicesOf, wholeOf } from '../slices.ts';
import type { RestoreOutcome, Slices, Stateful } from '../state.ts';
import { foldId, foldPeriodNanos, isEarlier, periodOf, spanKey } from './fold-key.ts';

export interface RepeatsOptions {
  /** How far behind the newest span one may arrive and still fold. */
  readonly allowedLatenessNanos: bigint;
  readonly bounds?: Partial<RepeatsBounds>;
}

export interface RepeatsBounds {
  readonly foldsMax: number;
  readonly spansPerFoldMax: number;
  readonly spansMax: number;
}

export interface RepeatsCounters {
  /** Matches counted into a finding that was there. */
  folded: number;
  /** Spans that came twice and count once. */
  resent: number;
  /** Matches that stay findings of their own: too late, from the future, or too many folds at once. */
  unfolded: number;
  /** Spans no longer remembered: sent again they would count again. */
  forgottenSpans: number;
}

/**
 * Folds repeats of a match into one finding that counts them. The first comes out at once, later states at a bounded
 * rate of event time. Which findings there are in the end, and what they say, does not depend on the order of arrival
 * within the allowed lateness. Findings of correlations, which count for themselves, pass through.
 */
export class Repeats implements Stateful {
  readonly counters: RepeatsCounters = { folded: 0, resent: 0, unfolded: 0, forgottenSpans: 0 };
  readonly #lateness: bigint;
  readonly #bounds: RepeatsBounds;
  #state: State = emptyState();
  #journal: JournalEntry[] = [];
  readonly #scan = new Scan<Fold>();

  constructor({ allowedLatenessNanos, bounds }: RepeatsOptions) {
    this.#lateness = allowedLatenessNanos;
    this.#bounds = { ...defaultBounds, ...bounds };
  }

  /** Findings that are remembered to count their repeats. */
  get size(): number {
    return this.#state.folds.size;
  }

  /** The newest event time seen, in nanoseconds. */
  get newestNanos(): bigint {
    return this.#state.newest;
  }

  /**
   * Takes the findings of a batch and gives those to store: new ones, and changed ones whose time has come. Event time
   * has come as far as `eventNanos`. What is further ahead of `nowNanos` than spans may be late does not fold.
   */
  take(findings: readonly Finding[], eventNanos = 0n, nowNanos?: bigint): Finding[] {
    const given: Finding[] = [];
    const opened = new Set<string>();
    for (const finding of findings) {
      if (finding.count !== undefined) given.push(finding);
      else if (!this.#fold(finding, opened, nowNanos)) {
        this.counters.unfolded++;
        given.push(finding);
      }
    }
    return [...given, ...this.#settle(eventNanos, opened)];
  }

  /** Changed findings whose time has come when event time has come this far. */
  advance(eventNanos: bigint): Finding[] {
    return this.#settle(eventNanos, new Set());
  }

  /** Every change that waits for its time. */
  flush(): Finding[] {
    return this.#settle(0n, this.#state.changed);
  }

  takeJournal(): Uint8Array {
    if (this.#journal.length === 0) return new Uint8Array();
    const journal = encodeState(this.#journal);
    this.#journal = [];
    return journal;
  }

  replay(journal: Uint8Array): void {
    if (journal.length === 0) return;
    for (const entry of decodeState(journal) as JournalEntry[]) {
      if (entry.open) this.#open(entry.open);
      if (entry.repeat) this.#repeat(this.#state.folds.get(entry.repeat.id), entry.repeat);
      if (entry.settled) {
        this.#state.newest = entry.settled.newest;
        for (const id of entry.settled.given) this.#giveOut(id);
        this.#forget();
      }
    }
  }

  snapshot(): Uint8Array {
    return wholeOf(this.slices());
  }

  slices(pieceBytes?: number): Slices {
    const { newest, over, opened, folds } = this.#state;
    const encoder = new StateEncoder();
    encoder.write({ format: snapshotFormat, newest, over, opened } satisfies Head);
    const steps = this.#scan.begin(folds.values(), ({ scan: _, spans, ...fold }) =>
      encoder.write({ ...fold, spans: [...spans] } satisfies SavedFold),
    );
    return slicesOf(encoder, steps, pieceBytes);
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    const state = readSnapshot(snapshot);
    if (state === undefined) return { status: 'unreadable' };
    this.#scan.cancel();
    this.#state = state;
    this.#journal = [];
    return { status: 'restored', rules: new Set([...state.folds.values()].map(({ shown }) => shown.ruleId)).size };
  }

  /** False when the finding does not fold. */
  #fold(finding: Finding, openedIds: Set<string>, nowNanos: bigint | undefined): boolean {
    const { timeNanos } = finding;
    if (nowNanos !== undefined && timeNanos > nowNanos + this.#lateness) return false;
    if (timeNanos > this.#state.newest) this.#state.newest = timeNanos;
    const id = foldId(finding);
    const fold = this.#state.folds.get(id);
    if (fold === undefined) {
      // A period that is over may have had its findings, and a second one would take the place of theirs.
      if (this.#isOver(timeNanos) || this.#state.folds.size >= this.#bounds.foldsMax) return false;
      const opened = { ...finding, id };
      this.#open(opened);
      this.#journal.push({ open: opened });
      openedIds.add(id);
      return true;
    }
    const span = spanKey(finding);
    if (fold.spans.has(span)) {
      this.counters.resent++;
      return true;
    }
    this.counters.folded++;
    const repeat: Repeat = {
      id,
      span,
      timeNanos,
      ...(isEarlier(finding, fold.shown) && { shown: { ...finding, id } }),
    };
    this.#repeat(fold, repeat);
    this.#journal.push({ repeat });
    return true;
  }

  #open(opened: Finding): void {
    const { newest, folds } = this.#state;
    const lastSeenNanos = opened.timeNanos;
    if (lastSeenNanos > newest) this.#state.newest = lastSeenNanos;
    const place = { number: ++this.#state.opened, scan: this.#scan.number };
    const spans = new Set([spanKey(opened)]);
    folds.set(opened.id, { shown: opened, count: 1, lastSeenNanos, given: 0, dueNanos: 0n, spans, ...place });
    this.#state.spans++;
  }

  #repeat(fold: Fold | undefined, { id, span, timeNanos, shown }: Repeat): void {
    if (fold === undefined) return;
    this.#scan.changing(fold);
    if (timeNanos > this.#state.newest) this.#state.newest = timeNanos;
    if (timeNanos > fold.lastSeenNanos) fold.lastSeenNanos = timeNanos;
    if (shown) fold.shown = shown;
    fold.count++;
    fold.spans.add(span);
    this.#state.spans++;
    if (fold.spans.size > this.#bounds.spansPerFoldMax || this.#state.spans > this.#bounds.spansMax) {
      fold.spans.delete(fold.spans.values().next().value!);
      this.#state.spans--;
      this.counters.forgottenSpans++;
    }
    if (fold.dueNanos === 0n) fold.dueNanos = this.#state.newest + waitNanos(fold.given);
    this.#state.changed.add(id);
  }

  /** Gives out these findings and all whose time has come, then lets go of periods that are over. */
  #settle(eventNanos: bigint, ids: ReadonlySet<string>): Finding[] {
    const state = this.#state;
    const moved = eventNanos > state.newest;
    if (moved) state.newest = eventNanos;
    const due = [...state.changed].filter((id) => {
      const { dueNanos, lastSeenNanos } = state.folds.get(id)!;
      return dueNanos <= state.newest || this.#isOver(lastSeenNanos);
    });
    const all = [...new Set([...ids, ...due])];
    const given = all.flatMap((id) => this.#giveOut(id) ?? []);
    const forgot = this.#forget();
    if (moved || forgot || all.length > 0) {
      // Of calls that only move the clock on the last stands for all.
      if (all.length === 0 && this.#journal.at(-1)?.settled?.given.length === 0) this.#journal.pop();
      this.#journal.push({ settled: { newest: state.newest, given: all } });
    }
    return given;
  }

  #giveOut(id: string): Finding | undefined {
    const fold = this.#state.folds.get(id);
    if (fold === undefined) return undefined;
    this.#scan.changing(fold);
    fold.given++;
    fold.dueNanos = 0n;
    this.#state.changed.delete(id);
    const { shown, count, lastSeenNanos } = fold;
    // A repeat that came late moves the count and not the time.
    return { ...shown, count, lastSeenNanos, version: lastSeenNanos + BigInt(count - 1) };
  }

  /** No span of this period can arrive in time any more. */
  #isOver(timeNanos: bigint): boolean {
    return periodOf(timeNanos) + foldPeriodNanos <= this.#state.newest - this.#lateness;
  }

  /** Lets go of periods that are over, once each; false when none is. */
  #forget(): boolean {
    if (this.#state.newest < this.#lateness) return false;
    const over = periodOf(this.#state.newest - this.#lateness);
    if (over <= this.#state.over) return false;
    this.#state.over = over;
    for (const [id, fold] of this.#state.folds) {
      const { lastSeenNanos, spans } = fold;
      if (!this.#isOver(lastSeenNanos) || this.#state.changed.has(id)) continue;
      this.#scan.leaving(fold);
      this.#state.spans -= spans.size;
      this.#state.folds.delete(id);
    }
    return true;
  }
}

const defaultBounds: RepeatsBounds = {
  foldsMax: limits.repeatsFoldsMax,
  spansPerFoldMax: limits.repeatsSpansPerFoldMax,
  spansMax: limits.repeatsSpansMax,
};

/** Updates come quickly at first and then ever more slowly: 1, 2, 4 … 60 seconds of event time. */
function waitNanos(given: number): bigint {
  return BigInt(Math.min(60, 2 ** Math.max(0, Math.min(given - 1, 6)))) * 1_000_000_000n;
}

interface Fold extends Scanned {
  /** How many were opened before it, and itself. */
  readonly number: number;
  /** The earliest match, which the finding shows. */
  shown: Finding;
  count: number;
  lastSeenNanos: bigint;
  /** How often it was given out. */
  given: number;
  /** Event time from which on its change is given out; 0 without a change. */
  dueNanos: bigint;
  readonly spans: Set<string>;
}

interface Repeat {
  readonly id: string;
  readonly span: string;
  readonly timeNanos: bigint;
  /** It is earlier than what was shown. */
  readonly shown?: Finding;
}

interface JournalEntry {
  readonly open?: Finding;
  readonly repeat?: Repeat;
  /** Event time afterwards, and what was given out. */
  readonly settled?: { readonly newest: bigint; readonly given: readonly string[] };
}

interface State {
  newest: bigint;
  /** Periods before it are forgotten. */
  over: bigint;
  /** Spans in all folds. */
  spans: number;
  /** Folds that were ever opened. */
  opened: number;
  readonly folds: Map<string, Fold>;
  /** Ids of folds with a change that was not given out. */
  readonly changed: Set<string>;
}

const snapshotFormat = 2;

function emptyState(): State {
  return { newest: 0n, over: 0n, spans: 0, opened: 0, folds: new Map(), changed: new Set() };
}

interface Head extends Pick<State, 'newest' | 'over' | 'opened'> {
  readonly format: number;
}

/** In any order. */
interface SavedFold extends Omit<Fold, 'spans' | 'scan'> {
  readonly spans: readonly string[];
}

function readSnapshot(bytes: Uint8Array): State | undefined {
  try {
    const [head, ...saved] = [...decodeStates(bytes)] as [Head, ...SavedFold[]];
    if (head.format !== snapshotFormat || typeof head.newest !== 'bigint') return undefined;
    const { newest, over, opened } = head;
    const state = { ...emptyState(), newest, over, opened };
    for (const fold of saved.sort((a, b) => a.number - b.number)) {
      const { id } = fold.shown;
      state.folds.set(id, { ...fold, spans: new Set(fold.spans), scan: 0 });
      state.spans += fold.spans.length;
      if (fold.dueNanos > 0n) state.changed.add(id);
    }
    return state;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
