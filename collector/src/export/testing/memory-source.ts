import type { ExportEvent } from '../../model/export-event.ts';
import type { EventSource, SourcedEvents, SourceRead } from '../source.ts';

/** A stream in memory. Positions may have gaps, and records no events. */
export class MemoryEventSource implements EventSource {
  readonly #records: SourcedEvents[] = [];
  readonly #recordsMax: number;
  #arrived = Promise.withResolvers<void>();
  #isEnded = false;
  head = -1;
  waiting: string | undefined;
  /** Records that `read` gave, each time that it gave them. */
  reads = 0;

  /** @param recordsMax records of one `read`. */
  constructor(recordsMax = 16) {
    this.#recordsMax = recordsMax;
  }

  add(events: readonly ExportEvent[], position: number = this.head + 1): void {
    this.head = position;
    this.#records.push({ position, events });
    this.#wake();
  }

  /** Readers that have come to the end get undefined from now on. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async read(after: number, signal: AbortSignal): Promise<SourceRead | undefined> {
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    for (;;) {
      if (signal.aborted) return undefined;
      const found = this.#records.filter(({ position }) => position > after).slice(0, this.#recordsMax);
      const last = found.at(-1);
      if (last !== undefined) {
        this.reads += found.length;
        return { batch: found.filter(({ events }) => events.length > 0), through: last.position, lost: 0 };
      }
      if (this.#isEnded) return undefined;
      await Promise.race([this.#arrived.promise, aborted]);
    }
  }

  #wake(): void {
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers<void>();
  }
}
