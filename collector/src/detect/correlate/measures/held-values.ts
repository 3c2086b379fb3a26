import type { SpanIdentity } from '../../span-identity.ts';
import type { Entry } from '../event.ts';
import { KeptSpan, nanosOf } from '../kept-span.ts';
import { Recency, type Recent, unlinked } from '../recency.ts';

/**
 * A value and what is kept of the event that held it last. When another one holds it, this is written over: windows hold very many values,
 * and what is made anew for each event of such a window has to be moved by the garbage collector.
 */
export class Held implements Recent<string | number> {
  readonly key: string | number;
  older: this | null = null;
  newer: this | null = null;
  hash = 0;
  next: this | null = null;
  /** Of its own where its ids are numbers, so that nobody else may keep it. */
  span: SpanIdentity;
  /** When it was held, as two signed words. */
  high: number;
  low: number;

  constructor(key: string | number, high: number, low: number, span: SpanIdentity) {
    this.key = key;
    this.high = high;
    this.low = low;
    this.span = Held.copyOf(span);
  }

  static copyOf(this: void, span: SpanIdentity): SpanIdentity {
    return span instanceof KeptSpan ? span.copy() : span;
  }

  get timeNanos(): bigint {
    return nanosOf(this.high, this.low);
  }

  again(high: number, low: number, span: SpanIdentity): void {
    this.high = high;
    this.low = low;
    if (span instanceof KeptSpan && this.span instanceof KeptSpan) this.span.become(span);
    else this.span = Held.copyOf(span);
  }

  /** @param high and low of times that are not negative */
  isBefore(high: number, low: number): boolean {
    return this.high < high || (this.high === high && this.low >>> 0 < low >>> 0);
  }
}

/** Values by when they were held last, which never falls from call to call. */
export class HeldValues extends Recency<string | number, Held> {
  hold(value: string | number, timeNanos: bigint, span: SpanIdentity): void {
    words[0] = timeNanos;
    const [low, high] = [halves[0]!, halves[1]!];
    const held = this.get(value);
    if (held) {
      held.again(high, low, span);
      this.touch(held);
    } else this.add(new Held(value, high, low, span));
  }

  /** Forgets what was held before a time only. */
  expire(beforeNanos: bigint): void {
    if (beforeNanos <= 0n) return;
    words[0] = beforeNanos;
    const [low, high] = [halves[0]!, halves[1]!];
    for (let held = this.oldest; held?.isBefore(high, low); held = this.oldest) this.delete(held);
  }

  /** In the order in which they are to be held again. Values of one event have one span, which is written once. */
  saved(): SavedHeld[] {
    let event: SavedHeld[1] | undefined;
    return Array.from(this, ({ key, timeNanos, span }) => {
      const isSame = event !== undefined && event.timeNanos === timeNanos && KeptSpan.isSame(event.span, span);
      if (!isSame) event = { timeNanos, span: Held.copyOf(span) };
      return [key, event!];
    });
  }
}

/** A value as it is written down. */
export type SavedHeld = readonly [value: string | number, held: Pick<Entry, 'timeNanos' | 'span'>];

const words = new BigInt64Array(1);
const halves = new Int32Array(words.buffer);

/** A value of an event that waits. */
interface Above extends Recent<string | number> {
  entry: Entry;
}

/** Values as they would be with more events, without a copy of those that are there. */
export class HeldOverlay {
  readonly #below: HeldValues;
  /** The next of `below` to leave the window. */
  #next: Held | null;
  readonly #above = new Recency<string | number, Above>();
  /** Values of `below` that are above, or were. */
  readonly #moved = new Set<string | number>();
  #left: number;

  constructor(below: HeldValues) {
    this.#below = below;
    this.#left = below.size;
    this.#next = below.oldest;
  }

  get size(): number {
    return this.#left + this.#above.size;
  }

  /** @param before what happened before this has left the window */
  add(entry: Entry, before: bigint): void {
    this.#expire(before);
    for (const key of entry.values) {
      const above = this.#above.get(key);
      if (above) {
        above.entry = entry;
        this.#above.touch(above);
        continue;
      }
      this.#above.add({ key, entry, ...unlinked });
      if (this.#moved.has(key)) continue;
      const below = this.#below.get(key);
      if (!below) continue;
      this.#moved.add(key);
      if (below.timeNanos >= before) this.#left--;
    }
  }

  /** Of the events of the window, earliest first. Those of below become others later. */
  *spans(): Generator<SpanIdentity> {
    for (let held = this.#next; held; held = held.newer) if (!this.#moved.has(held.key)) yield held.span;
    for (const { entry } of this.#above) yield entry.span;
  }

  #expire(before: bigint): void {
    for (; this.#next && this.#next.timeNanos < before; this.#next = this.#next.newer) {
      if (!this.#moved.has(this.#next.key)) this.#left--;
    }
    const above = this.#above;
    for (let held = above.oldest; held && held.entry.timeNanos < before; held = above.oldest) above.delete(held);
  }
}
