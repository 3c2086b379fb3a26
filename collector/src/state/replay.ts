import { limits } from '../model/limits.ts';
import { type Chunk, chunksOf } from './journal-log.ts';

export interface ReplayOutcome {
  readonly records: number;
  readonly bytes: number;
  /** Pieces that were taken in again, and those that could not be. */
  readonly replayed: number;
  readonly failed: number;
  /** Pieces between others that are in no record. */
  readonly missing: number;
  /** The newest number and segment seen, whether taken in again or not. */
  readonly last: number;
  readonly segment: number;
}

/**
 * Takes in again, in the order of their numbers, all pieces of journals after a checkpoint. Records stand almost in that
 * order: a piece that a failed write sent round comes a little later than those after it, which are held back for it. One
 * that never comes was in a record that nobody was told of, or in one that is damaged: it is counted, and the rest goes on.
 */
export async function replayJournals(
  journals: AsyncIterable<{ readonly segment: number; readonly bytes: Uint8Array }>,
  after: number,
  apply: (bytes: Uint8Array) => void,
): Promise<ReplayOutcome> {
  const replay = new Replay(after, apply);
  let [records, bytes, segment] = [0, 0, 0];
  for await (const journal of journals) {
    records++;
    bytes += journal.bytes.length;
    segment = Math.max(segment, journal.segment);
    for (const chunk of chunksOf(journal.bytes)) replay.take(chunk);
  }
  replay.finish();
  const { replayed, failed, missing, last } = replay;
  return { records, bytes, segment, replayed, failed, missing, last };
}

class Replay {
  readonly #apply: (bytes: Uint8Array) => void;
  readonly #held = new Map<number, Uint8Array>();
  /** Everything up to it has been taken in. */
  #done: number;
  replayed = 0;
  failed = 0;
  missing = 0;
  last: number;

  constructor(after: number, apply: (bytes: Uint8Array) => void) {
    this.#done = after;
    this.last = after;
    this.#apply = apply;
  }

  take({ number, bytes }: Chunk): void {
    this.last = Math.max(this.last, number);
    if (number <= this.#done) return;
    // Without a checkpoint the first piece that is still there is where the memory begins.
    if (this.#done === 0) this.#done = number - 1;
    this.#held.set(number, bytes);
    this.#drain();
    if (this.#held.size > limits.journalHeldMax) this.#skip();
  }

  finish(): void {
    while (this.#held.size > 0) this.#skip();
  }

  #drain(): void {
    for (let bytes = this.#held.get(this.#done + 1); bytes; bytes = this.#held.get(this.#done + 1)) {
      this.#held.delete(++this.#done);
      try {
        this.#apply(bytes);
        this.replayed++;
      } catch {
        this.failed++;
      }
    }
  }

  /** Gives up what is missing before the earliest that is held. */
  #skip(): void {
    const next = [...this.#held.keys()].reduce((a, b) => Math.min(a, b));
    this.missing += next - 1 - this.#done;
    this.#done = next - 1;
    this.#drain();
  }
}
