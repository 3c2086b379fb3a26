import type { Ledger, LedgerRecord } from './ledger.ts';
import { Wakeup } from './wakeup.ts';

export interface WindowOptions {
  readonly eventsMax: number;
  /** Of bodies and of the events that they were made of, about. */
  readonly bytesMax: number;
}

/** What of the stream is in memory: read ahead as far as this allows, and no further while a destination takes nothing. */
export class Window {
  readonly #options: WindowOptions;
  readonly #ledger: Ledger;
  readonly #changed = new Wakeup();
  readonly #filled: () => void;
  #events = 0;
  #bytes = 0;
  #isWaitedFor = false;

  /** @param filled called when an event begins to wait for room. */
  constructor(options: WindowOptions, ledger: Ledger, filled: () => void) {
    this.#options = options;
    this.#ledger = ledger;
    this.#filled = filled;
  }

  /** An event waits for room. */
  get isFull(): boolean {
    return this.#isWaitedFor;
  }

  /** Events that are read and not settled. */
  get events(): number {
    return this.#events;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Waits until an event of the record has room; one that is larger than all there is gets it for itself. */
  async room(record: LedgerRecord, bytes: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#isTooFullFor(record, bytes)) {
      this.#isWaitedFor = true;
      this.#filled();
      await this.#changed.wait(signal);
    }
    this.#isWaitedFor = false;
  }

  add(bytes: number): void {
    this.#events++;
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#events--;
    this.#bytes -= bytes;
    this.#changed.wake();
  }

  /** Also what is settled behind something that is not counts: a cursor names each such event. */
  #isTooFullFor(record: LedgerRecord, bytes: number): boolean {
    if (this.#events === 0) return false;
    const { eventsMax, bytesMax } = this.#options;
    if (this.#events >= eventsMax || this.#bytes + bytes > bytesMax) return true;
    return this.#ledger.events > eventsMax && this.#ledger.first !== record;
  }
}
