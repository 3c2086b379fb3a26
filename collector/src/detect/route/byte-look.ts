import { ByteKind, byteKinds, hasPlainEscapes, kindsOfPairs, mayHoldPairs, mayHoldRun } from './byte-kinds.ts';
import { type GramIndex, gramFactor, gramFold } from './gram-index.ts';

/** What a look at bytes may tell beside the needles in them. */
export const Look = {
  /** Something in the texts may stand in the bytes in another form, so that needles may be missing. */
  unreadable: 1,
  /** Texts may have decoded layers. */
  encoded: 2,
} as const;

/** Tells the index of the needles that stand in `bytes[start, end)`, each once at least, and gives what else there is to tell. */
export type ByteLook = (bytes: Buffer, start: number, end: number) => number;

/** Base64 of 16 bytes covers so many whole words of four, hex with separators so many. */
const [runWords, pairsWords] = [3, 5];
/** Two counts of words side by side, each less than 128, and what makes a bit of the one that comes so far. */
const one = 0x0101;
const toBits = (4 - runWords) | ((8 - pairsWords) << 8);
const [runBit, pairsBit] = [0x0004, 0x0800];
const [runCount, pairsCount] = [0x007f, 0x7f00];
/** By the kinds that both halves of a word have: which counts go on. */
const countsOf: readonly number[] = [0, runCount, pairsCount, runCount | pairsCount];
const kindsShift = Math.log2(ByteKind.run);

let kindsOf: Uint8Array | undefined;

/**
 * One pass over bytes, four at a time as a word of the machine, which is little-endian: each word and the middle of each two are looked
 * up as grams. That is several times as fast as going through a table of literals byte by byte, as no step waits for another.
 */
export function createByteLook({ table, shift, find }: GramIndex): ByteLook {
  kindsOf ??= kindsOfPairs();
  const kinds = kindsOf;
  const state = new Int32Array(stateLength);
  const goingOn = new Int32Array(4);
  /** The buffer that was looked at last, as words. */
  let words: Int32Array = new Int32Array(0);

  const lookUp = (gram: number, bytes: Buffer, at: number, start: number, end: number): void => {
    if (table[Math.imul(gram, gramFactor) >>> shift] === 1) find(gram, bytes, at, start, end);
  };
  /** Grams at even places around the bytes, with a space for what is before and behind all of them. */
  const lookAround = (bytes: Buffer, from: number, to: number, start: number, end: number): void => {
    const isOdd = (bytes.byteOffset + from) & 1;
    for (let at = from - isOdd; at + 2 <= to; at += 2) {
      let gram = gramFold;
      for (let i = 0; i < 4; i++) if (at + i >= start && at + i < end) gram |= bytes[at + i]! << (8 * i);
      lookUp(gram, bytes, at, start, end);
    }
  };
  /** Whether something encoded may stand where the counts have come so far. What was asked once for all bytes is counted no more. */
  const isEncodedAt = (at: number, bytes: Buffer, start: number, end: number): boolean => {
    const reached = state[State.going]! + toBits;
    if ((reached & runBit) !== 0) state[State.going]! &= ~runCount;
    const isEncoded =
      ((reached & runBit) !== 0 && mayHoldRun(bytes, at, start, end)) ||
      ((reached & pairsBit) !== 0 && mayHoldPairs(bytes, start, end));
    if (isEncoded) goingOn.fill(0);
    else if ((reached & pairsBit) !== 0) for (let i = 0; i < goingOn.length; i++) goingOn[i]! &= ~pairsCount;
    return isEncoded;
  };
  /** What is encoded, if anything. */
  const lookThrough = (bytes: Buffer, first: number, last: number, start: number, end: number): number => {
    state.fill(0);
    goingOn.set(countsOf);
    let encoded = 0;
    for (let at = first; ; at++) {
      at = pass(words, at, last, table, kinds, shift, goingOn, state);
      if (at === last) return encoded;
      const place = 4 * at - bytes.byteOffset;
      if (isEncodedAt(place, bytes, start, end)) encoded = Look.encoded;
      const gram = words[at]! | gramFold;
      lookUp(gram, bytes, place, start, end);
      if (at > first) lookUp(((words[at - 1]! | gramFold) >>> 16) | (gram << 16), bytes, place - 2, start, end);
    }
  };
  return (bytes, start, end) => {
    const base = bytes.byteOffset;
    const first = (base + start + 3) >> 2;
    const last = (base + end) >> 2;
    if (last - first < 2) {
      lookAround(bytes, start, end, start, end);
      return told(kindsIn(bytes, start, end), bytes, start, end);
    }
    if (words.buffer !== bytes.buffer) words = new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2);
    const [head, tail] = [4 * first - base, 4 * last - base];
    lookAround(bytes, start, head, start, end);
    const encoded = lookThrough(bytes, first, last, start, end);
    lookAround(bytes, tail - 2, end, start, end);
    const all = state[State.kinds]! | kindsIn(bytes, start, head) | kindsIn(bytes, tail, end);
    return encoded | told(all, bytes, start, end);
  };
}

/** What a pass leaves for the next: kinds of bytes, counts that go on, and the word before. */
const State = { kinds: 0, going: 1, before: 2 } as const;
const stateLength = 3;

/**
 * Goes on to a word that is in the table, or the middle of it and the one before, or at which a count has come so far, or to `last`. A
 * function of numbers and arrays alone is what the engine makes fast.
 */
function pass(
  words: Int32Array,
  from: number,
  last: number,
  table: Uint8Array,
  kinds: Uint8Array,
  shift: number,
  goingOn: Int32Array,
  state: Int32Array,
): number {
  let all = state[State.kinds]!;
  let going = state[State.going]!;
  let before = state[State.before]!;
  let at = from;
  for (; at < last; at++) {
    const word = words[at]!;
    const low = kinds[word & 0xffff]!;
    const high = kinds[word >>> 16]!;
    all |= low | high;
    going = (going + one) & goingOn[(low & high) >>> kindsShift]!;
    const gram = word | gramFold;
    const middle = (before >>> 16) | (gram << 16);
    before = gram;
    const hashed = table[Math.imul(gram, gramFactor) >>> shift]! | table[Math.imul(middle, gramFactor) >>> shift]!;
    if ((hashed | ((going + toBits) & (runBit | pairsBit))) !== 0) break;
  }
  state[State.kinds] = all;
  state[State.going] = going;
  state[State.before] = before;
  return at;
}

function kindsIn(bytes: Buffer, from: number, to: number): number {
  let all = 0;
  for (let at = from; at < to; at++) all |= byteKinds[bytes[at]!]!;
  return all;
}

function told(all: number, bytes: Buffer, start: number, end: number): number {
  if ((all & ByteKind.other) !== 0) return Look.unreadable;
  if ((all & ByteKind.backslash) !== 0 && !hasPlainEscapes(bytes, start, end)) return Look.unreadable;
  return (all & ByteKind.escape) !== 0 ? Look.encoded : 0;
}
