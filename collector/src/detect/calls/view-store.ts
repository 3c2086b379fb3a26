import { limits } from '../../model/limits.ts';
import { type CallView, keysOf, spanKey, viewKey } from './view.ts';

/** A view as it is remembered. */
export interface Kept {
  readonly view: CallView;
  isPending: boolean;
  /** Kinds of views without ids that this one was found to be the same call as: it is one of each at most. */
  readonly claimed: string[];
}

/** Recent views, found by what views of one call share. The oldest are forgotten. */
export class ViewStore {
  readonly #kept = new Map<string, Kept>();
  readonly #byKey = new Map<string, Kept[]>();
  chars = 0;

  get size(): number {
    return this.#kept.size;
  }

  get isFull(): boolean {
    return this.size > limits.callViewsMax || this.chars > limits.callCharsMax;
  }

  /** In the order in which they came. */
  all(): Iterable<Kept> {
    return this.#kept.values();
  }

  has(view: CallView): boolean {
    return this.#kept.has(viewKey(view));
  }

  add(kept: Kept): void {
    const { view } = kept;
    this.#kept.set(viewKey(view), kept);
    this.chars += view.chars;
    for (const key of keysOf(view)) {
      const bucket = this.#byKey.get(key);
      if (bucket) bucket.push(kept);
      else this.#byKey.set(key, [kept]);
    }
  }

  remove({ view }: Kept): void {
    this.#kept.delete(viewKey(view));
    this.chars -= view.chars;
    for (const key of keysOf(view)) {
      const bucket = this.#byKey.get(key);
      const at = bucket?.findIndex((each) => each.view === view) ?? -1;
      if (at < 0) continue;
      bucket!.splice(at, 1);
      if (bucket!.length === 0) this.#byKey.delete(key);
    }
  }

  /** The newest views under a key. */
  under(key: string): readonly Kept[] {
    const bucket = this.#byKey.get(key) ?? [];
    return bucket.length <= limits.callComparedMax ? bucket : bucket.slice(-limits.callComparedMax);
  }

  /** Views that share a key with this one, and the span above it; without itself. */
  near(view: CallView): Kept[] {
    const found = new Set(this.under(spanKey(view.traceId, view.parentSpanId)));
    for (const key of keysOf(view)) for (const each of this.under(key)) found.add(each);
    const own = viewKey(view);
    return [...found].filter((each) => viewKey(each.view) !== own);
  }

  clear(): void {
    this.#kept.clear();
    this.#byKey.clear();
    this.chars = 0;
  }
}
