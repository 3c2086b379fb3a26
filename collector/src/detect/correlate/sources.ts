import { limits } from '../../model/limits.ts';

/** How far one source has come. */
interface Source {
  /** The end of its newest span. */
  newestNanos: bigint;
  /** What `Sources` had counted as passed, by spans and in silence, when it last sent one. */
  passedThen: bigint;
  silentThen: bigint;
}

export interface SavedSources {
  readonly sources: readonly (readonly [key: string, newestNanos: bigint, passedThen: bigint, silentThen: bigint])[];
  readonly newestNanos: bigint;
  readonly reachedNanos: bigint;
  readonly passedNanos: bigint;
  readonly silentNanos: bigint;
  readonly clocked: boolean;
}

/**
 * Who sends spans, and how far event time has come for all of them. A source's watermark is the end of its newest span less
 * the allowed lateness; when it is silent it moves on with the silence of all, and with the spans of others once these have
 * come further than the lateness. So no source makes another's spans late: a clock that is ahead only lets its own events
 * wait, and a slow sender holds the others back until it is `limits.sourceBehindLatenesses` times the lateness behind.
 */
export class Sources {
  readonly #lateness: bigint;
  readonly #sources = new Map<string, Source>();
  /** The newest end of all spans, and how far event time has come, with or without a span. */
  #newest = 0n;
  #reached = 0n;
  /** Event time that passed with spans, where a jump counts as no more than twice the lateness, and without any. */
  #passed = 0n;
  #silent = 0n;
  #clocked = false;

  constructor(allowedLatenessNanos: bigint) {
    this.#lateness = allowedLatenessNanos;
  }

  get newestNanos(): bigint {
    return this.#newest;
  }

  get size(): number {
    return this.#sources.size;
  }

  /** A source has sent spans of which the newest ended then. Times after `nowNanos` are a clock's mistake: as if now. */
  observe(source: string, endNanos: bigint, nowNanos?: bigint): void {
    this.#clocked = nowNanos !== undefined;
    const end = nowNanos !== undefined && endNanos > nowNanos ? nowNanos : endNanos;
    if (end > this.#newest) this.#newest = end;
    if (end > this.#reached) {
      // A sender of old spans may be followed by one of new ones: this says nothing of how long others were silent.
      const jump = end - this.#reached;
      this.#passed += jump < this.#lateness * 2n ? jump : this.#lateness * 2n;
      this.#reached = end;
    }
    const place = this.#placeOf(source);
    const before = this.#sources.get(place)?.newestNanos ?? 0n;
    const newestNanos = end > before ? end : before;
    this.#sources.set(place, { newestNanos, passedThen: this.#passed, silentThen: this.#silent });
  }

  /** Event time has come this far without a span: every source has been silent since the newest. */
  advance(eventNanos: bigint): void {
    if (this.#sources.size === 0 || eventNanos <= this.#reached) return;
    this.#silent += eventNanos - this.#reached;
    this.#reached = eventNanos;
  }

  /** No source may still send a span that ended before this. */
  frontierNanos(): bigint {
    let furthest = -1n;
    for (const source of this.#sources.values()) {
      const reached = this.#reachedBy(source);
      if (reached > furthest) furthest = reached;
    }
    // Without a clock nobody knows whether one is ahead or the other behind.
    const behind = this.#clocked ? furthest - this.#lateness * BigInt(limits.sourceBehindLatenesses) : -1n;
    let frontier = furthest;
    for (const source of this.#sources.values()) {
      const reached = this.#reachedBy(source);
      if (reached < frontier && reached >= behind) frontier = reached;
    }
    return frontier - this.#lateness;
  }

  save(): SavedSources {
    const sources = [...this.#sources].map(
      ([key, { newestNanos, passedThen, silentThen }]) => [key, newestNanos, passedThen, silentThen] as const,
    );
    const [newestNanos, reachedNanos, passedNanos] = [this.#newest, this.#reached, this.#passed];
    return { sources, newestNanos, reachedNanos, passedNanos, silentNanos: this.#silent, clocked: this.#clocked };
  }

  load({ sources, newestNanos, reachedNanos, passedNanos, silentNanos, clocked }: SavedSources): void {
    this.#sources.clear();
    for (const [key, newest, passedThen, silentThen] of sources) {
      this.#sources.set(key, { newestNanos: newest, passedThen, silentThen });
    }
    this.#newest = newestNanos;
    this.#reached = reachedNanos;
    this.#passed = passedNanos;
    this.#silent = silentNanos;
    this.#clocked = clocked;
  }

  clear(): void {
    this.load({ sources: [], newestNanos: 0n, reachedNanos: 0n, passedNanos: 0n, silentNanos: 0n, clocked: false });
  }

  #reachedBy({ newestNanos, passedThen, silentThen }: Source): bigint {
    const passed = this.#passed - passedThen - this.#lateness;
    return newestNanos + this.#silent - silentThen + (passed > 0n ? passed : 0n);
  }

  /** The source itself while there is room, else one place for all that have none. */
  #placeOf(source: string): string {
    if (this.#sources.has(source) || this.#sources.size < limits.sourcesMax - 1) return source;
    // Whoever has long been silent holds nobody back and may come anew.
    const long = this.#lateness * BigInt(limits.sourceBehindLatenesses);
    for (const [key, { passedThen }] of this.#sources) {
      if (this.#passed - passedThen > long) this.#sources.delete(key);
    }
    return this.#sources.size < limits.sourcesMax - 1 ? source : overflow;
  }
}

/** No service has this name: keys of sources are JSON. */
const overflow = '…';
