import { limits } from '../../model/limits.ts';
import { Scan, type Scanned, type Steps } from '../slices.ts';
import { type StateBounds, stateBounds } from '../state-bounds.ts';
import { BySecond, secondOf } from './by-second.ts';
import { Crowd } from './crowd.ts';
import { type CallView, compareViews, type ViewKind } from './view.ts';
import { isSameView, keysOf, share, soughtKeysOf, type ViewKeys } from './view-keys.ts';

/** A view as it is remembered. */
export interface Kept extends Scanned {
  readonly view: CallView;
  /** In the order in which they came. */
  readonly number: number;
  readonly keys: ViewKeys;
  /** In which second it ended: most of those that ended too late or too early are told so without arithmetic on large integers. */
  readonly second: number;
  isPending: boolean;
  /** Kinds of views without ids that this one was found to be the same call as: it is one of each at most. */
  claimed: readonly ViewKind[];
}

/** What is to be said of a view that is remembered. */
export type Keeping = Pick<Kept, 'view' | 'isPending' | 'claimed'>;

/** Recent views, found by what views of one call share. The oldest are forgotten. */
export class ViewStore {
  readonly #dueNanos: (view: CallView) => bigint;
  readonly #seed: number;
  readonly #kept = new Set<Kept>();
  /** One view, as of most keys, or several. */
  readonly #byKey = new Map<number, Kept | Crowd<Kept>>();
  readonly #pending = new BySecond<Kept>();
  readonly #byEnd = new BySecond<Kept>();
  readonly #scan = new Scan<Kept>();
  readonly #bounds: StateBounds['calls'];
  #number = 0;
  /** Of those that are remembered, how many have no id and so are found by name. */
  #withoutId = 0;
  chars = 0;

  /**
   * @param dueNanos when a view that waits is decided
   * @param options seed of the keys, and how much is remembered
   */
  constructor(
    dueNanos: (view: CallView) => bigint,
    {
      seed = 0,
      bounds = stateBounds(1).calls,
    }: { readonly seed?: number; readonly bounds?: StateBounds['calls'] } = {},
  ) {
    this.#dueNanos = dueNanos;
    this.#seed = seed;
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#kept.size;
  }

  get isFull(): boolean {
    return this.size > this.#bounds.viewsMax || this.chars > this.#bounds.charsMax;
  }

  /** In the order in which they came. */
  all(): Iterable<Kept> {
    return this.#kept.values();
  }

  /** Those that wait and are due by then. */
  due(nanos: bigint): Kept[] {
    return this.#pending.through(nanos).filter(({ view }) => this.#dueNanos(view) <= nanos);
  }

  /** False where it was remembered before. */
  add({ view, isPending, claimed }: Keeping): boolean {
    const keys = keysOf(view, this.#seed);
    const isKnown = (known: Kept): boolean => isSameView(known.view, view);
    if (this.#someUnder(keys.own, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, isKnown)) return false;
    const second = secondOf(view.endNanos);
    const kept: Kept = { view, number: this.#number++, keys, second, isPending, claimed, scan: this.#scan.number };
    this.#kept.add(kept);
    this.chars += view.chars;
    if (view.callId === '') this.#withoutId++;
    this.#byEnd.add(view.endNanos, kept);
    if (isPending) this.#pending.add(this.#dueNanos(view), kept);
    this.#put(keys.own, kept);
    for (const key of keys.found) this.#put(key, kept);
    return true;
  }

  /** It waits no longer. */
  settle(kept: Kept): void {
    this.#scan.changing(kept);
    kept.isPending = false;
    this.#pending.delete(this.#dueNanos(kept.view), kept);
  }

  /** It was found to be the same call as a view of this kind. */
  claim(kept: Kept, kind: ViewKind): void {
    this.#scan.changing(kept);
    kept.claimed = [...kept.claimed, kind];
  }

  remove(kept: Kept): void {
    const { view, keys } = kept;
    this.#scan.leaving(kept);
    this.#kept.delete(kept);
    this.chars -= view.chars;
    if (view.callId === '') this.#withoutId--;
    this.#byEnd.delete(view.endNanos, kept);
    if (kept.isPending) this.#pending.delete(this.#dueNanos(view), kept);
    this.#take(keys.own, kept);
    for (const key of keys.found) this.#take(key, kept);
  }

  /** Forgets those that ended before. */
  forget(nanos: bigint): void {
    for (const kept of this.#byEnd.through(nanos)) if (kept.view.endNanos < nanos) this.remove(kept);
  }

  /** Views that may be of the same call as this one, and the span above it, which ended in that time; without itself, in event order. */
  near(view: CallView, fromNanos: bigint, untilNanos: bigint): Kept[] {
    const found: Kept[] = [];
    const [from, until] = [secondOf(fromNanos), secondOf(untilNanos)];
    const look = (each: Kept): boolean => {
      const { endNanos } = each.view;
      if (endNanos < fromNanos || endNanos > untilNanos) return false;
      if (share(view, each.view) && !isSameView(view, each.view)) found.push(each);
      return false;
    };
    for (const key of soughtKeysOf(view, this.#withoutId > 0, this.#seed)) this.#someUnder(key, from, until, look);
    if (found.length < 2) return found;
    // One that was found under several keys stands beside itself then: no other view compares equal.
    found.sort((a, b) => compareViews(a.view, b.view));
    return found.filter((each, place) => each !== found[place - 1]);
  }

  /** Writes those of this moment down, bit by bit and in no order. */
  scan(write: (kept: Kept) => void): Steps {
    return this.#scan.begin(this.#kept.values(), write);
  }

  clear(): void {
    this.#scan.cancel();
    this.#kept.clear();
    this.#byKey.clear();
    this.#pending.clear();
    this.#byEnd.clear();
    this.chars = 0;
    this.#withoutId = 0;
  }

  #put(key: number, kept: Kept): void {
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, kept);
    else if (known instanceof Crowd) known.add(kept);
    else {
      const crowd = new Crowd<Kept>();
      crowd.add(known);
      crowd.add(kept);
      this.#byKey.set(key, crowd);
    }
  }

  #take(key: number, kept: Kept): void {
    const known = this.#byKey.get(key);
    if (known instanceof Crowd) known.delete(kept);
    if (known === kept || (known instanceof Crowd && known.isEmpty)) this.#byKey.delete(key);
  }

  /** Of the newest views under a key shows those that ended in some seconds, the last first, until `visit` says true of one. */
  #someUnder(key: number, from: number, until: number, visit: (kept: Kept) => boolean): boolean {
    const known = this.#byKey.get(key);
    if (known === undefined) return false;
    if (known instanceof Crowd) return known.someNewest(limits.callComparedMax, from, until, visit);
    return known.second >= from && known.second <= until && visit(known);
  }
}
