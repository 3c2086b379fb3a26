import type { Entry } from '../event.ts';

/**
 * Gives listed rules a span of their own each: entry `i` of the result is the span that stands for rule `i`. One span never
 * stands for two rules (augmenting paths, Kuhn). Rules are served in order, each as long as the earlier ones keep theirs.
 */
export class Matching {
  readonly #pool: readonly Entry[];
  /** Which rule each entry of the pool stands for. */
  readonly #taken: number[];

  constructor(pool: readonly Entry[]) {
    this.#pool = pool;
    this.#taken = pool.map(() => -1);
  }

  /** Finds a span for one more rule; false when there is none to be had. */
  serve(rule: number): boolean {
    return this.#augment(rule, new Set());
  }

  /** The span that stands for a rule. */
  of(rule: number): Entry | undefined {
    return this.#pool[this.#taken.indexOf(rule)];
  }

  #augment(rule: number, seen: Set<number>): boolean {
    for (const [index, entry] of this.#pool.entries()) {
      if ((entry.members & (1 << rule)) === 0 || seen.has(index)) continue;
      seen.add(index);
      const holder = this.#taken[index]!;
      if (holder >= 0 && !this.#augment(holder, seen)) continue;
      this.#taken[index] = rule;
      return true;
    }
    return false;
  }
}
