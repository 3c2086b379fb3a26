import { mixed } from '../../model/seeded-hash.ts';
import type { KeptFields } from './kept.ts';
import type { Waiting } from './waiting.ts';
import type { SpanWords } from './words.ts';

export const noSlot = -1;

/**
 * Spans as rows of flat arrays, so that a million of them are nothing for the garbage collector to walk. A row is named by
 * its slot. It is found by trace and id while its span is kept or awaited; what a chain holds stays readable after that.
 */
export class SpanTable {
  idHigh = new Uint32Array(firstRows);
  idLow = new Uint32Array(firstRows);
  parentHigh = new Uint32Array(firstRows);
  parentLow = new Uint32Array(firstRows);
  endHigh = new Uint32Array(firstRows);
  endLow = new Uint32Array(firstRows);
  /** The next span of the trace in order of arrival. */
  next = new Int32Array(firstRows);
  readonly fields: (KeptFields | undefined)[] = [];
  /** The first that waits for the span. */
  readonly awaiting: (Waiting | undefined)[] = [];
  /** Grows whenever an id is found in another slot than before, or no more. */
  changes = 0;
  #flags = new Uint8Array(firstRows);
  /** The number of the trace. */
  #trace = new Int32Array(firstRows);
  /** How many chains hold it. */
  #holds = new Int32Array(firstRows);
  /** The next row under the same hash, or the next free one. */
  #link = new Int32Array(firstRows);
  #heads = new Int32Array(firstRows).fill(noSlot);
  #free = noSlot;
  #rows = 0;
  readonly #onFreed: (fields: KeptFields) => void;

  /** `onFreed` is told when a row lets go of its fields. */
  constructor(onFreed: (fields: KeptFields) => void) {
    this.#onFreed = onFreed;
  }

  find(trace: number, idHigh: number, idLow: number): number {
    let slot = this.#heads[this.#bucket(trace, idHigh, idLow)]!;
    while (slot !== noSlot) {
      if (this.idLow[slot] === idLow && this.idHigh[slot] === idHigh && this.#trace[slot] === trace) return slot;
      slot = this.#link[slot]!;
    }
    return noSlot;
  }

  /** A row for an id that is not there yet: awaited, until it is filled. */
  insert(trace: number, idHigh: number, idLow: number): number {
    const slot = this.#take();
    this.changes++;
    this.idHigh[slot] = idHigh;
    this.idLow[slot] = idLow;
    this.#trace[slot] = trace;
    this.#flags[slot] = isFound;
    const bucket = this.#bucket(trace, idHigh, idLow);
    this.#link[slot] = this.#heads[bucket]!;
    this.#heads[bucket] = slot;
    return slot;
  }

  /** A row that is not found by its id: for a chain that holds a span which is not kept any more. */
  insertHidden(idHigh: number, idLow: number): number {
    const slot = this.#take();
    this.idHigh[slot] = idHigh;
    this.idLow[slot] = idLow;
    this.#flags[slot] = 0;
    return slot;
  }

  fill(slot: number, words: SpanWords, fields: KeptFields): void {
    this.parentHigh[slot] = words.parentHigh;
    this.parentLow[slot] = words.parentLow;
    this.endHigh[slot] = words.endHigh;
    this.endLow[slot] = words.endLow;
    this.next[slot] = noSlot;
    this.fields[slot] = fields;
    this.#flags[slot]! |= isFilled | (words.hasParent ? hasParent : 0);
  }

  /** Whether the span is known, and not only awaited. */
  isFilled(slot: number): boolean {
    return (this.#flags[slot]! & isFilled) !== 0;
  }

  hasParent(slot: number): boolean {
    return (this.#flags[slot]! & hasParent) !== 0;
  }

  /** It is not found any more, and gone unless a chain holds it. */
  remove(slot: number): void {
    this.#unlink(slot);
    this.changes++;
    this.#flags[slot]! &= ~isFound;
    if (this.#holds[slot] === 0) this.#release(slot);
  }

  hold(slot: number): void {
    this.#holds[slot]!++;
  }

  letGo(slot: number): void {
    if (--this.#holds[slot]! === 0 && (this.#flags[slot]! & isFound) === 0) this.#release(slot);
  }

  clear(): void {
    this.#heads.fill(noSlot);
    this.fields.length = 0;
    this.awaiting.length = 0;
    this.changes++;
    this.#free = noSlot;
    this.#rows = 0;
  }

  #bucket(trace: number, idHigh: number, idLow: number): number {
    return mixed(mixed(trace, idHigh), idLow) & (this.#heads.length - 1);
  }

  #take(): number {
    let slot = this.#free;
    if (slot !== noSlot) this.#free = this.#link[slot]!;
    else {
      if (this.#rows === this.next.length) this.#grow();
      slot = this.#rows++;
    }
    this.#holds[slot] = 0;
    this.fields[slot] = undefined;
    this.awaiting[slot] = undefined;
    return slot;
  }

  #release(slot: number): void {
    const fields = this.fields[slot];
    if (fields) this.#onFreed(fields);
    this.fields[slot] = undefined;
    this.#flags[slot] = 0;
    this.#link[slot] = this.#free;
    this.#free = slot;
  }

  #unlink(slot: number): void {
    const bucket = this.#bucket(this.#trace[slot]!, this.idHigh[slot]!, this.idLow[slot]!);
    let at = this.#heads[bucket]!;
    if (at === slot) {
      this.#heads[bucket] = this.#link[slot]!;
      return;
    }
    while (this.#link[at] !== slot) at = this.#link[at]!;
    this.#link[at] = this.#link[slot]!;
  }

  #grow(): void {
    const rows = this.next.length * 2;
    const wide = <T extends Uint32Array | Int32Array | Uint8Array>(old: T, grown: T): T => {
      grown.set(old);
      return grown;
    };
    this.idHigh = wide(this.idHigh, new Uint32Array(rows));
    this.idLow = wide(this.idLow, new Uint32Array(rows));
    this.parentHigh = wide(this.parentHigh, new Uint32Array(rows));
    this.parentLow = wide(this.parentLow, new Uint32Array(rows));
    this.endHigh = wide(this.endHigh, new Uint32Array(rows));
    this.endLow = wide(this.endLow, new Uint32Array(rows));
    this.next = wide(this.next, new Int32Array(rows));
    this.#flags = wide(this.#flags, new Uint8Array(rows));
    this.#trace = wide(this.#trace, new Int32Array(rows));
    this.#holds = wide(this.#holds, new Int32Array(rows));
    this.#link = wide(this.#link, new Int32Array(rows));
    this.#heads = new Int32Array(rows).fill(noSlot);
    for (let slot = 0; slot < this.#rows; slot++) {
      if ((this.#flags[slot]! & isFound) === 0) continue;
      const bucket = this.#bucket(this.#trace[slot]!, this.idHigh[slot]!, this.idLow[slot]!);
      this.#link[slot] = this.#heads[bucket]!;
      this.#heads[bucket] = slot;
    }
  }
}

const firstRows = 1024;
const [isFound, isFilled, hasParent] = [1, 2, 4] as const;
