import { StateReader, StateWriter } from './detect/correlate/state-bytes.ts';
import type { RestoreOutcome, Stateful } from './detect/state.ts';
import { type KeyBudget, KeyPlace } from './store/rows/key-budget.ts';

const learned = 1;
const forgotten = 2;
const snapshotFormat = 1;
/** In the place of a service: those that share a place. */
const others = 1;
const named = 0;

/**
 * What a budget of attribute keys knows, kept with the memory of detection: a budget that began anew with each restart would let a sender
 * store as many keys again. A key is noted in the record that first holds it.
 */
export class KeyState implements Stateful {
  readonly #budget: KeyBudget;
  readonly #journal = new StateWriter();

  constructor(budget: KeyBudget) {
    this.#budget = budget;
    budget.listener = {
      learned: (service, place, hash) => this.#learned(this.#begun(), service, place, hash),
      forgot: (service) => {
        const journal = this.#begun();
        journal.byte(forgotten);
        journal.text(service);
      },
    };
  }

  takeJournal(): Uint8Array {
    return this.#journal.length === 0 ? new Uint8Array() : this.#journal.take();
  }

  dropJournal(): void {
    this.#journal.length = 0;
  }

  replay(journal: Uint8Array): void {
    if (journal.length === 0) return;
    const reader = new StateReader(journal);
    const seeds = [reader.uint32(), reader.uint32()] as const;
    const now = this.#budget.seeds;
    if (seeds[0] !== now[0] || seeds[1] !== now[1]) this.#budget.begin(seeds);
    this.#read(reader);
  }

  snapshot(): Uint8Array {
    const writer = new StateWriter();
    writer.byte(snapshotFormat);
    for (const seed of this.#budget.seeds) writer.uint32(seed);
    this.#budget.walk((service, place, hash) => this.#learned(writer, service, place, hash));
    return writer.done();
  }

  restore(snapshot: Uint8Array): RestoreOutcome {
    try {
      const reader = new StateReader(snapshot);
      if (reader.byte() !== snapshotFormat) return { status: 'unreadable' };
      this.#budget.begin([reader.uint32(), reader.uint32()]);
      this.#journal.length = 0;
      this.#read(reader);
      return { status: 'restored', rules: 0 };
    } catch (error) {
      if (error instanceof SyntaxError) return { status: 'unreadable' };
      throw error;
    }
  }

  #begun(): StateWriter {
    if (this.#journal.length === 0) for (const seed of this.#budget.seeds) this.#journal.uint32(seed);
    return this.#journal;
  }

  #learned(writer: StateWriter, service: string | undefined, place: KeyPlace, hash: number): void {
    writer.byte(learned);
    writer.byte(service === undefined ? others : named);
    if (service !== undefined) writer.text(service);
    writer.byte(place);
    writer.uint32(Math.floor(hash / 2 ** 32));
    writer.uint32(hash >>> 0);
  }

  #read(reader: StateReader): void {
    while (!reader.atEnd) {
      if (reader.byte() === forgotten) {
        this.#budget.forget(reader.text());
        continue;
      }
      const service = reader.byte() === others ? undefined : reader.text();
      const place = places[reader.byte()];
      if (place === undefined) throw new SyntaxError('a key stands in no place');
      const high = reader.uint32();
      this.#budget.relearn(service, place, high * 2 ** 32 + reader.uint32());
    }
  }
}

const places = Object.values(KeyPlace);
