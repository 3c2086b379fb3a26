import { type CorrelationEvent, compareEvents, isSameSpan, type SettledEvent } from './event.ts';
import type { EventBlock } from './event-block.ts';

/**
 * Events by number, in flat arrays and in the bytes of their blocks. A number stands for its event as long as somebody holds it.
 */
export class EventStore {
  /** Of all blocks with events in them. */
  bytes = 0;
  readonly #blocks: (EventBlock | undefined)[] = [];
  readonly #freePlaces: number[] = [];
  #block = new Int32Array(firstEvents);
  #at = new Uint32Array(firstEvents);
  /** The end and the start of the span, as two words each. */
  #endHigh = new Uint32Array(firstEvents);
  #endLow = new Uint32Array(firstEvents);
  #startHigh = new Uint32Array(firstEvents);
  #startLow = new Uint32Array(firstEvents);
  #holds = new Int32Array(firstEvents);
  #waits = new Uint8Array(firstEvents);
  readonly #words = new BigUint64Array(1);
  readonly #halves = new Uint32Array(this.#words.buffer);
  #free: number[] = [];
  #events = 0;

  /** An event of a block, which waits, held once. @param at where it begins in the block */
  add(block: EventBlock, at: number, timeNanos: bigint, startNanos: bigint): number {
    const event = this.#free.pop() ?? this.#next();
    if (block.place < 0) this.#enter(block);
    block.events++;
    block.waiting++;
    this.#block[event] = block.place;
    this.#at[event] = at;
    this.#words[0] = timeNanos;
    this.#endLow[event] = this.#halves[0]!;
    this.#endHigh[event] = this.#halves[1]!;
    this.#words[0] = startNanos;
    this.#startLow[event] = this.#halves[0]!;
    this.#startHigh[event] = this.#halves[1]!;
    this.#holds[event] = 1;
    this.#waits[event] = 1;
    return event;
  }

  hold(event: number): void {
    this.#holds[event]!++;
  }

  letGo(event: number): void {
    if (--this.#holds[event]! > 0) return;
    this.#free.push(event);
    const block = this.#blocks[this.#block[event]!]!;
    if (--block.events === 0) this.#leave(block);
  }

  /** It waits no longer; who holds it may still read it. */
  settle(event: number): void {
    if (this.#waits[event] === 0) return;
    this.#waits[event] = 0;
    this.#blocks[this.#block[event]!]!.settle();
  }

  waits(event: number): boolean {
    return this.#waits[event] === 1;
  }

  /** Correlations stand at these places now, by where they stood; -1 for those that are gone. */
  exchange(places: readonly number[]): void {
    const known = new Map<readonly number[] | undefined, readonly number[]>();
    for (const block of this.#blocks) {
      if (block === undefined) continue;
      const composed = known.get(block.places) ?? block.places?.map((place) => places[place] ?? -1) ?? places;
      known.set(block.places, composed);
      block.places = composed;
    }
  }

  /** Its parts are not in the order in which they are evaluated, and may be about correlations that are gone. */
  isMoved(event: number): boolean {
    return this.#blocks[this.#block[event]!]!.places !== undefined;
  }

  read(event: number): CorrelationEvent {
    return this.#blocks[this.#block[event]!]!.read(this.#at[event]!);
  }

  /** The event as it is evaluated; of no use when the next one is asked for. */
  settled(event: number): SettledEvent {
    return this.#blocks[this.#block[event]!]!.settled(this.#at[event]!, this.timeNanos(event));
  }

  /** @param timeNanos of 64 bits without sign */
  isBefore(event: number, timeNanos: bigint): boolean {
    this.#words[0] = timeNanos;
    const high = this.#endHigh[event]! - this.#halves[1]!;
    return high === 0 ? this.#endLow[event]! < this.#halves[0]! : high < 0;
  }

  timeNanos(event: number): bigint {
    this.#halves[0] = this.#endLow[event]!;
    this.#halves[1] = this.#endHigh[event]!;
    return this.#words[0]!;
  }

  /** As `compareEvents`. */
  compare(a: number, b: number): number {
    const order = this.#compareTimes(a, b) || this.#compareIds(a, b);
    return order !== 0 || a === b ? order : compareEvents(this.read(a), this.read(b));
  }

  isSameSpan(a: number, b: number): boolean {
    return this.#compareTimes(a, b) === 0 && this.#compareIds(a, b) === 0 && isSameSpan(this.read(a), this.read(b));
  }

  /** The events by block, oldest first, and where they begin in it. */
  byBlock(events: Iterable<number>): (readonly [EventBlock, number[]])[] {
    const blocks = new Map<EventBlock, number[]>();
    for (const event of events) {
      const block = this.#blocks[this.#block[event]!]!;
      const places = blocks.get(block);
      if (places) places.push(this.#at[event]!);
      else blocks.set(block, [this.#at[event]!]);
    }
    for (const places of blocks.values()) places.sort((a, b) => a - b);
    return [...blocks].sort(([a], [b]) => a.number - b.number);
  }

  /** The block takes so many bytes now. */
  resize(block: EventBlock, bytes: number): void {
    if (block.place >= 0) this.bytes += bytes - block.size;
    block.size = bytes;
  }

  #compareTimes(a: number, b: number): number {
    return (
      this.#endHigh[a]! - this.#endHigh[b]! ||
      this.#endLow[a]! - this.#endLow[b]! ||
      this.#startHigh[a]! - this.#startHigh[b]! ||
      this.#startLow[a]! - this.#startLow[b]!
    );
  }

  /** 0 also where only reading both can tell. */
  #compareIds(a: number, b: number): number {
    const block = this.#blocks[this.#block[a]!]!;
    return block.compareIds(this.#at[a]!, this.#blocks[this.#block[b]!]!, this.#at[b]!);
  }

  #enter(block: EventBlock): void {
    block.place = this.#freePlaces.pop() ?? this.#blocks.length;
    this.#blocks[block.place] = block;
    this.bytes += block.size;
  }

  #leave(block: EventBlock): void {
    this.#blocks[block.place] = undefined;
    this.#freePlaces.push(block.place);
    block.place = -1;
    this.bytes -= block.size;
  }

  #next(): number {
    if (this.#events === this.#at.length) this.#grow();
    return this.#events++;
  }

  #grow(): void {
    const size = this.#at.length * 2;
    this.#block = copied(this.#block, new Int32Array(size));
    this.#at = copied(this.#at, new Uint32Array(size));
    this.#endHigh = copied(this.#endHigh, new Uint32Array(size));
    this.#endLow = copied(this.#endLow, new Uint32Array(size));
    this.#startHigh = copied(this.#startHigh, new Uint32Array(size));
    this.#startLow = copied(this.#startLow, new Uint32Array(size));
    this.#holds = copied(this.#holds, new Int32Array(size));
    this.#waits = copied(this.#waits, new Uint8Array(size));
  }
}

const firstEvents = 1024;

function copied<T extends Int32Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
