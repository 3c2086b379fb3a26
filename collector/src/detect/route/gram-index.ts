import { decidingPart, type Fragment, fragmentCharsMin, mayStandAround } from './fragments.ts';

/** What is looked for, in lower case. */
export interface Needle extends Fragment {
  /** It is looked for as a word of its own only, though others may be found. */
  readonly isWord?: true;
}

/**
 * Where four neighbouring bytes may be of a needle. Grams are 32-bit numbers, the first byte lowest, in which every byte has the bit that
 * tells lower case from upper. Of every needle so many are in it that one is met by who looks at every second byte of a text, and
 * at its ends with a space beside.
 */
export interface GramIndex {
  /** By the hash of a gram, 1 where it may be one of a needle. */
  readonly table: Uint8Array;
  /** `Math.imul(gram, gramFactor) >>> shift` is the hash of a gram. */
  readonly shift: number;
  /** Tells of the needles that stand in `bytes[start, end)` with the gram at `at`, which may be a byte before or behind. */
  find(gram: number, bytes: Uint8Array, at: number, start: number, end: number): void;
}

export const gramFactor = 0x9e3779b1 | 0;
/** Makes letters lower case, in all bytes of a gram. */
export const gramFold = 0x20202020;

/** Past these the table is too full, or too large for the caches of a processor. */
const gramsMax = 131_072;
const [hashBitsMin, hashBitsMax] = [12, 19];
/** Of this many hashes one is taken, so that few grams of texts are looked up any further. */
const hashesPerGram = 16;

/**
 * Undefined when there are too many needles.
 * @param found is told the place in the list of each needle that is found, each time
 */
export function createGramIndex(needles: readonly Needle[], found: (needle: number) => void): GramIndex | undefined {
  const grams: number[] = [];
  const owners: number[] = [];
  const offsets: number[] = [];
  for (const [owner, needle] of needles.entries()) {
    if (grams.length > gramsMax) return undefined;
    for (const [offset, gram] of gramsOf(needle)) {
      grams.push(gram);
      owners.push(owner);
      offsets.push(offset);
    }
  }
  const wanted = Math.ceil(Math.log2(grams.length * hashesPerGram + 1));
  const shift = 32 - Math.min(hashBitsMax, Math.max(hashBitsMin, wanted));
  const table = new Uint8Array(2 ** (32 - shift));
  for (const gram of grams) table[Math.imul(gram, gramFactor) >>> shift] = 1;
  const chains = new Chains(grams);
  const texts = needles.map(({ text }) => Uint8Array.from(Buffer.from(text, 'latin1'), (byte) => byte | 0x20));
  const stands = (text: Uint8Array, bytes: Uint8Array, from: number): boolean => {
    for (let i = 0; i < text.length; i++) if ((bytes[from + i]! | 0x20) !== text[i]) return false;
    return true;
  };
  return {
    ...{ table, shift },
    find: (gram, bytes, at, start, end) => {
      for (let entry = chains.first(gram); entry >= 0; entry = chains.next[entry]!) {
        const owner = owners[entry]!;
        const from = at - offsets[entry]!;
        const text = texts[owner]!;
        const to = from + text.length;
        if (from < start || to > end || !stands(text, bytes, from)) continue;
        if (mayStandAround(needles[owner]!, bytes, [from, to], [start, end])) found(owner);
      }
    },
  };
}

/** Entries of equal grams one behind the other: a map of numbers takes several times as much memory. */
class Chains {
  readonly next: Int32Array;
  readonly #grams: readonly number[];
  /** By slot the first entry of a gram, or -1. */
  readonly #slots: Int32Array;
  readonly #shift: number;

  constructor(grams: readonly number[]) {
    this.#grams = grams;
    this.#shift = 32 - Math.ceil(Math.log2(2 * grams.length + 2));
    this.#slots = new Int32Array(2 ** (32 - this.#shift)).fill(-1);
    this.next = new Int32Array(grams.length).fill(-1);
    for (const [entry, gram] of grams.entries()) {
      const slot = this.#slot(gram);
      this.next[entry] = this.#slots[slot]!;
      this.#slots[slot] = entry;
    }
  }

  first(gram: number): number {
    return this.#slots[this.#slot(gram)]!;
  }

  #slot(gram: number): number {
    let slot = Math.imul(gram, gramFactor) >>> this.#shift;
    for (let entry = this.#slots[slot]!; entry >= 0; entry = this.#slots[slot]!) {
      if (this.#grams[entry] === gram) break;
      slot = slot + 1 === this.#slots.length ? 0 : slot + 1;
    }
    return slot;
  }
}

/** Grams, with how far behind the beginning of the needle each begins. */
function gramsOf({ text, isWord }: Needle): (readonly [offset: number, gram: number])[] {
  if (text.length < fragmentCharsMin) throw new Error('gram index: a needle is too short');
  const folded = [...Buffer.from(text, 'latin1')].map((byte) => byte | 0x20);
  const [before, behind] = isWord ? [beforeWords, behindWords] : [anyBytes, anyBytes];
  if (folded.length === fragmentCharsMin) {
    return [
      ...before.map((byte) => [-1, gramOf(byte, ...folded)] as const),
      ...behind.map((byte) => [0, gramOf(...folded, byte)] as const),
    ];
  }
  const from = decidingPart(text);
  const here = [from, gramOf(...folded.slice(from, from + 4))] as const;
  if (folded.length > 4) return [here, [from + 1, gramOf(...folded.slice(from + 1, from + 5))]];
  return [here, ...before.map((byte) => [-1, gramOf(byte, ...folded.slice(0, 3))] as const)];
}

function gramOf(...bytes: readonly number[]): number {
  return bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24);
}

/** All that bytes of ASCII texts become. */
const anyBytes: readonly number[] = [...new Set(Array.from({ length: 128 }, (_, byte) => byte | 0x20))];
const behindWords = anyBytes.filter((byte) => !/[a-z0-9]|\x7f/.test(String.fromCharCode(byte)));
/** The letters of escapes, which white space may be written as. */
const beforeWords = [...behindWords, ...Buffer.from('nrtf')];
