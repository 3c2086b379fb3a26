import { type Outcome, ok } from '../model/outcome.ts';

/** Batches remembered for the recognition of resends, some 100 bytes each. */
export const digestsMax = 65_536;

/**
 * Which batches were committed lately and which are being committed: a sender that got no answer sends the same batch
 * again, and must not make rows twice. Bounded by count and by age; the oldest is forgotten first.
 */
export class DigestWindow {
  readonly #ageMaxMs: number;
  readonly #countMax: number;
  readonly #now: () => number;
  readonly #committed = new Map<string, number>();
  readonly #committing = new Map<string, Promise<Outcome>>();

  constructor(options: { readonly ageMaxMs: number; readonly now: () => number; readonly countMax?: number }) {
    this.#ageMaxMs = options.ageMaxMs;
    this.#now = options.now;
    this.#countMax = options.countMax ?? digestsMax;
  }

  get size(): number {
    return this.#committed.size;
  }

  find(digest: Uint8Array): Promise<Outcome> | undefined {
    const key = digestKey(digest);
    const committing = this.#committing.get(key);
    if (committing) return committing;
    const timeMs = this.#committed.get(key);
    return timeMs !== undefined && !this.#isExpired(timeMs) ? Promise.resolve(ok) : undefined;
  }

  /** A batch on its way to disk. When it lands, it is in the window before anybody hears of it. */
  track<T extends Outcome>(digest: Uint8Array, commit: Promise<T>): Promise<T> {
    const key = digestKey(digest);
    const tracked = commit.then((outcome) => {
      this.#committing.delete(key);
      if (outcome.status === 'ok') this.#remember(key, this.#now());
      return outcome;
    });
    this.#committing.set(key, tracked);
    return tracked;
  }

  /** A batch found on disk at start. */
  restore(digest: Uint8Array, timeMs: number): void {
    if (!this.#isExpired(timeMs)) this.#remember(digestKey(digest), timeMs);
  }

  #remember(key: string, timeMs: number): void {
    this.#committed.delete(key);
    this.#committed.set(key, timeMs);
    for (const [oldest, oldestMs] of this.#committed) {
      if (this.#committed.size <= this.#countMax && !this.#isExpired(oldestMs)) break;
      this.#committed.delete(oldest);
    }
  }

  #isExpired(timeMs: number): boolean {
    return this.#now() - timeMs > this.#ageMaxMs;
  }
}

function digestKey(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('latin1');
}
