/** Those who wait for something new; they look for themselves whether it is what they waited for. */
export class Sleepers {
  readonly #waiting = new Set<() => void>();

  /** Resolves with the next `wake`, or when the signal aborts. */
  sleep(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
