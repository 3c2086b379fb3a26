import type { Finding } from '../../model/finding.ts';
import { limits } from '../../model/limits.ts';
import { decodeState, decodeStates, encodeState, StateEncoder } from '../correlate/snapshot.ts';
import { Scan, type Scanned, slicesOf, wholeOf } from '../slices.ts';
import type { RestoreOutcome, Slices, Stateful } from '../state.ts';
import { foldId, foldPeriodNanos, isEarlier, periodOf, spanKey } from './fold-key.ts';
import { Told } from './told.ts';

export interface RepeatsOptions {
  /** How far behind the newest span one may arrive and still fold. */
  readonly allowedLatenessNanos: bigint;
  readonly bounds?: Partial<RepeatsBounds>;
}

export interface RepeatsBounds {
  readonly foldsMax: number;
  readonly spansPerFoldMax: number;
  readonly spansMax: number;
  readonly toldMax: number;
}

export interface RepeatsCounters {
  /** Matches counted into a finding that was there. */
  folded: number;
  /** Matches in what calls sent again, which are in the finding of when it was new. */
  retold: number;
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
 * within the allowed lateness. Matches in messages that a call only sends again are not counted; they are a finding where there is
 * none of the call that was the first to send them, once it can no more arrive in time. Findings of correlations, which count for
 * themselves, pass through.
 */
export class Repeats implements Stateful {
  readonly counters: RepeatsCounters = { folded: 0, retold: 0, resent: 0, unfolded: 0, forgottenSpans: 0 };
  readonly #lateness: bigint;
  readonly #bounds: RepeatsBounds;
  #state: State;
  #journal: JournalEntry[] = [];
  readonly #scan = new Scan<Fold>();

  constructor({ allowedLatenessNanos, bounds }: RepeatsOptions) {
    this.#lateness = allowedLatenessNanos;
    this.#bounds = { ...defaultBounds, ...bounds };
    this.#state = emptyState(this.#bounds.toldMax);
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
      if (entry.instead) this.#replaceOpened(this.#state.folds.get(entry.instead.id)!, entry.instead);
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
    const { newest, over, opened, told, folds } = this.#state;
    const encoder = new StateEncoder();
    encoder.write({ format: snapshotFormat, newest, over, opened, told: told.entries() } satisfies Head);
    const steps = this.#scan.begin(folds.values(), ({ scan: _, spans, ...fold }) =>
      encoder.write({ ...fold, spans: [...spans] } satisfies SavedFold),
    );
    return slicesOf(encoder, steps, pieceBytes);
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    const state = readSnapshot(snapshot, this.#bounds.toldMax);
    if (state === undefined) return { status: 'unreadable' };
    this.#scan.cancel();
    this.#state = state;
    this.#journal = [];
    return { status: 'restored', rules: new Set([...state.folds.values()].map(({ shown }) => shown.ruleId)).size };
  }

  /** False when the finding does not fold. */
  #fold(finding: Finding, openedIds: Set<string>, nowNanos: bigint | undefined): boolean {
    const { timeNanos } = finding;
    if (finding.retold && this.#state.told.isKnown(finding)) {
      this.counters.retold++;
      return true;
    }
    if (nowNanos !== undefined && timeNanos > nowNanos + this.#lateness) return false;
    // What is only told again leaves nothing in the journal, so it must not change anything either.
    if (!finding.retold && timeNanos > this.#state.newest) this.#state.newest = timeNanos;
    const id = foldId(finding);
    const fold = this.#state.folds.get(id);
    if (fold === undefined) {
      // A period that is over may have had its findings, and a second one would take the place of theirs.
      if (this.#isOver(timeNanos) || this.#state.folds.size >= this.#bounds.foldsMax) return false;
      const opened = { ...finding, id };
      this.#open(opened);
      this.#journal.push({ open: opened });
      if (!opened.retold) openedIds.add(id);
      return true;
    }
    if (finding.retold || fold.count === 0) return this.#toldAgain(fold, { ...finding, id }, openedIds);
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
    const waits = opened.retold === true;
    const dueNanos = waits ? lastSeenNanos + this.#lateness : 0n;
    const count = waits ? 0 : 1;
    folds.set(opened.id, { shown: opened, count, lastSeenNanos, given: 0, dueNanos, spans, ...place });
    this.#state.spans++;
    if (waits) this.#state.changed.add(opened.id);
    else if (opened.retold === false) this.#state.told.remember(opened);
  }

  /** A match that is told again, or the first that is not, where a finding waits for whether there will be one. */
  #toldAgain(fold: Fold, finding: Finding, openedIds: Set<string>): true {
    if (finding.retold) this.counters.retold++;
    const isFirst = !finding.retold || (fold.count === 0 && fold.given === 0 && isEarlier(finding, fold.shown));
    if (!isFirst) return true;
    this.#replaceOpened(fold, finding);
    this.#journal.push({ instead: finding });
    if (!finding.retold) openedIds.add(finding.id);
    return true;
  }

  #replaceOpened(fold: Fold, finding: Finding): void {
    this.#state.changed.delete(finding.id);
    this.#letGo(fold);
    this.#open(finding);
    this.#state.folds.get(finding.id)!.given = fold.given;
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
    const all = this.#inOrder([...new Set([...ids, ...due])]);
    const given = all.flatMap((id) => this.#giveOut(id) ?? []);
    const forgot = this.#forget();
    if (moved || forgot || all.length > 0) {
      // Of calls that only move the clock on the last stands for all.
      if (all.length === 0 && this.#journal.at(-1)?.settled?.given.length === 0) this.#journal.pop();
      this.#journal.push({ settled: { newest: state.newest, given: all } });
    }
    return given;
  }

  /** Matches that are only told again last, and by time: the first of them decides whether the others are known. */
  #inOrder(ids: readonly string[]): string[] {
    const isWaiting = (id: string): boolean => this.#state.folds.get(id)!.count === 0;
    const shown = (id: string): Finding => this.#state.folds.get(id)!.shown;
    const waiting = ids.filter(isWaiting).sort((a, b) => (isEarlier(shown(a), shown(b)) ? -1 : 1));
    return waiting.length === 0 ? [...ids] : [...ids.filter((id) => !isWaiting(id)), ...waiting];
  }

  #giveOut(id: string): Finding | undefined {
    const fold = this.#state.folds.get(id);
    if (fold === undefined) return undefined;
    this.#state.changed.delete(id);
    if (fold.count === 0) {
      if (this.#state.told.isKnown(fold.shown)) return void this.#letGo(fold);
      this.#state.told.remember(fold.shown);
    }
    this.#scan.changing(fold);
    fold.given++;
    fold.dueNanos = 0n;
    const { shown, lastSeenNanos } = fold;
    const count = Math.max(1, fold.count);
    // A repeat that came late moves the count and not the time.
    return { ...shown, count, lastSeenNanos, version: lastSeenNanos + BigInt(count - 1) };
  }

  #letGo(fold: Fold): void {
    this.#scan.leaving(fold);
    this.#state.spans -= fold.spans.size;
    this.#state.folds.delete(fold.shown.id);
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
      if (this.#isOver(fold.lastSeenNanos) && !this.#state.changed.has(id)) this.#letGo(fold);
    }
    return true;
  }
}

const defaultBounds: RepeatsBounds = {
  foldsMax: limits.repeatsFoldsMax,
  spansPerFoldMax: limits.repeatsSpansPerFoldMax,
  spansMax: limits.repeatsSpansMax,
  toldMax: limits.repeatsToldMax,
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
  /** 0 where all are told again. */
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
  /** Takes the place of the match that opened a fold, which was told again. */
  readonly instead?: Finding;
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
  readonly told: Told;
  readonly folds: Map<string, Fold>;
  /** Ids of folds with a change that was not given out. */
  readonly changed: Set<string>;
}

const snapshotFormat = 3;

function emptyState(toldMax: number): State {
  return { newest: 0n, over: 0n, spans: 0, opened: 0, told: new Told(toldMax), folds: new Map(), changed: new Set() };
}

interface Head extends Pick<State, 'newest' | 'over' | 'opened'> {
  readonly format: number;
  /** Format 2 is without. */
  readonly told?: readonly (readonly [string, bigint])[];
}

/** In any order. */
interface SavedFold extends Omit<Fold, 'spans' | 'scan'> {
  readonly spans: readonly string[];
}

function readSnapshot(bytes: Uint8Array, toldMax: number): State | undefined {
  try {
    const [head, ...saved] = [...decodeStates(bytes)] as [Head, ...SavedFold[]];
    if ((head.format !== 2 && head.format !== snapshotFormat) || typeof head.newest !== 'bigint') return undefined;
    const { newest, over, opened } = head;
    const state = { ...emptyState(toldMax), newest, over, opened, told: new Told(toldMax, head.told) };
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
