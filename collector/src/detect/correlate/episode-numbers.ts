import { limits } from '../../model/limits.ts';
import { Recency, type Recent, unlinked } from './recency.ts';

/** How many episodes a group has opened in the slot of the newest. */
export type SavedNumber = readonly [key: string, slot: bigint, opened: number];

export interface Opened extends Recent<string> {
  readonly slot: bigint;
  readonly opened: number;
}

/**
 * What ids of episodes rest on where a finding may be given before the watermark has passed its spans: event time in slots
 * (an hour, say) and the number of the group's episode within the slot. The span that opens an episode would not do, because
 * an earlier one may still come. When state is lost a group starts over with the first number of the slot, and its next
 * finding takes the place of the slot's first.
 */
export class EpisodeNumbers {
  readonly #slotNanos: bigint;
  /** The group that opened one longest ago comes first. */
  readonly #opened = new Recency<string, Opened>();

  constructor(slotNanos: bigint) {
    this.#slotNanos = slotNanos;
  }

  /** The anchor of the episode that opens now; times never fall from call to call. */
  take(key: string, timeNanos: bigint): string {
    const slot = timeNanos / this.#slotNanos;
    const number = this.#numberOf(key, slot);
    const opened = this.#opened;
    const known = opened.get(key);
    if (known) opened.delete(known);
    for (let oldest = opened.oldest; oldest; oldest = opened.oldest) {
      if (oldest.slot === slot && opened.size < limits.correlationNumbersMax) break;
      opened.delete(oldest);
    }
    opened.add({ key, slot, opened: number + 1, ...unlinked });
    return anchorOf(slot, number);
  }

  /** The anchor of an episode that would be the group's next after the frontier; undefined when that is in another slot. */
  peek(key: string, timeNanos: bigint, frontierNanos: bigint): string | undefined {
    const slot = timeNanos / this.#slotNanos;
    return frontierNanos / this.#slotNanos === slot ? anchorOf(slot, this.#numberOf(key, slot)) : undefined;
  }

  /** In the order in which they are to be loaded; they never change. */
  all(): readonly Opened[] {
    return [...this.#opened];
  }

  load(saved: readonly SavedNumber[]): void {
    this.#opened.clear();
    for (const [key, slot, opened] of saved) this.#opened.add({ key, slot, opened, ...unlinked });
  }

  #numberOf(key: string, slot: bigint): number {
    const known = this.#opened.get(key);
    return known?.slot === slot ? known.opened : 0;
  }
}

function anchorOf(slot: bigint, number: number): string {
  return `${slot} ${number}`;
}
