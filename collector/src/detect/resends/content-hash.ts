/** How many secret words a hash needs. */
export const factorsCount = 4;

/** Of words that nobody outside knows; odd, so that a product with one loses nothing. */
export function factorsOf(randomWord: () => number): Int32Array {
  return Int32Array.from({ length: factorsCount }, () => randomWord() | 1);
}

/**
 * 64 bits of ranges of bytes, as MurmurHash3 makes them from four lanes, but with secret factors in the place of its public ones: who chooses
 * content must not be able to choose two that have one hash. The same factors give the same hash, wherever the bytes stand.
 */
export class ContentHash {
  /** The hash of what was added since `begin` or `from`. */
  high = 0;
  low = 0;
  readonly #factors: readonly [number, number, number, number];
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(factors: Int32Array) {
    this.#factors = [factors[0]!, factors[1]!, factors[2]!, factors[3]!];
  }

  /** What ranges are ranges of. */
  read(bytes: Uint8Array): void {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  begin(): void {
    this.high = this.#factors[0];
    this.low = this.#factors[1];
  }

  /** Goes on from a hash. */
  from(high: number, low: number): void {
    this.high = high;
    this.low = low;
  }

  add(start: number, end: number): void {
    const view = this.#view;
    const [f0, f1, f2, f3] = this.#factors;
    let a = this.high;
    let b = this.low;
    let c = f2;
    let d = f3;
    let at = start;
    // Written out: as a function that is called it takes half as long again.
    for (const last = end - 16; at <= last; at += 16) {
      let word = Math.imul(view.getInt32(at, true), f0);
      word = a ^ Math.imul((word << 15) | (word >>> 17), f1);
      a = (Math.imul((word << 13) | (word >>> 19), 5) + 0x561ccd1b) | 0;
      word = Math.imul(view.getInt32(at + 4, true), f1);
      word = b ^ Math.imul((word << 15) | (word >>> 17), f2);
      b = (Math.imul((word << 13) | (word >>> 19), 5) + 0x0bcaa747) | 0;
      word = Math.imul(view.getInt32(at + 8, true), f2);
      word = c ^ Math.imul((word << 15) | (word >>> 17), f3);
      c = (Math.imul((word << 13) | (word >>> 19), 5) + 0x96cd1c35) | 0;
      word = Math.imul(view.getInt32(at + 12, true), f3);
      word = d ^ Math.imul((word << 15) | (word >>> 17), f0);
      d = (Math.imul((word << 13) | (word >>> 19), 5) + 0x32ac3b17) | 0;
    }
    for (; at + 4 <= end; at += 4) a = step(a, view.getInt32(at, true), f0, f1);
    for (; at < end; at++) b = step(b, view.getUint8(at), f1, f2);
    this.#finish(a, b, c, d, end - start);
  }

  addWord(word: number): void {
    const [f0, f1, f2, f3] = this.#factors;
    this.#finish(step(this.high, word, f0, f1), step(this.low, word, f1, f2), f2, f3, 4);
  }

  /** Each lane into both halves. */
  #finish(a: number, b: number, c: number, d: number, length: number): void {
    let first = (a ^ length) + b + c + d;
    const second = spread((b ^ length) + first);
    const third = spread((c ^ length) + first);
    const fourth = spread((d ^ length) + first);
    first = spread(first) + second + third + fourth;
    this.high = first | 0;
    this.low = (second + first) | 0;
  }
}

function step(lane: number, value: number, factor: number, other: number): number {
  let word = Math.imul(value, factor);
  word = lane ^ Math.imul((word << 15) | (word >>> 17), other);
  return (Math.imul((word << 13) | (word >>> 19), 5) + 0x561ccd1b) | 0;
}

function spread(value: number): number {
  let word = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
