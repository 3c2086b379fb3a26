import { type Clock, sleep } from './clock.ts';
import { Wakeup } from './wakeup.ts';

/** Failures in a row, of all lanes together, after which a destination is asked by one lane at a time. */
const failuresMax = 3;

/**
 * What the lanes of a destination know together of its receiver. Closed: all may send. Open: the receiver is away or wants less, so
 * nobody sends before a time, and then one at a time until one succeeds.
 */
export class Circuit {
  readonly #clock: Clock;
  readonly #changed = new Wakeup();
  #failures = 0;
  #notBeforeMs = 0;
  #isProbing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return this.#failures >= failuresMax;
  }

  /** When the receiver is asked again, milliseconds since the epoch; 0 while the circuit is closed. */
  get retryAtMs(): number {
    return this.isOpen ? this.#notBeforeMs : 0;
  }

  /** Waits until the caller may send, and gives what to call when its call is over. Undefined when the signal aborted instead. */
  async enter(signal: AbortSignal): Promise<(() => void) | undefined> {
    while (!signal.aborted) {
      if (!this.isOpen) return () => undefined;
      const waitMs = this.#notBeforeMs - this.#clock.now();
      if (waitMs > 0) await sleep(this.#clock, waitMs, signal);
      else if (this.#isProbing) await this.#changed.wait(signal);
      else {
        this.#isProbing = true;
        return () => {
          this.#isProbing = false;
          this.#changed.wake();
        };
      }
    }
    return undefined;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#notBeforeMs = 0;
  }

  /** `opens` for what is true of the receiver and not of the request: it asked for a pause, or refuses everything. */
  failed(delayMs: number, opens: boolean): void {
    this.#failures = opens ? Math.max(this.#failures, failuresMax) : this.#failures + 1;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#clock.now() + delayMs);
  }
}
