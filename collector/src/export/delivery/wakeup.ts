import type { Clock } from './clock.ts';

/** Wakes those who wait for something to change; they look for themselves whether it is what they waited for. */
export class Wakeup {
  readonly #waiting = new Set<() => void>();

  /** Resolves with the next `wake`, when the signal aborts, or, with a clock, after so many milliseconds. */
  wait(signal: AbortSignal, within?: { readonly clock: Clock; readonly ms: number }): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel?.();
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = within?.clock.timer(within.ms, done);
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }

  wake(): void {
    for (const each of [...this.#waiting]) each();
  }
}
