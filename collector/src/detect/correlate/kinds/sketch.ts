import { createHash } from 'node:crypto';

/** Two 32-bit numbers of a text that nobody can choose texts for. */
export function textHash(text: string): readonly [number, number] {
  const digest = createHash('sha256').update(text).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

/** A Bloom filter: what was added is found again; a few others are found as well. Plain data. */
export interface Filter {
  words: number[];
  bitsSet: number;
}

const filterBits = 1 << 17;
const probes = 4;

export function createFilter(): Filter {
  return { words: new Array<number>(filterBits / 32).fill(0), bitsSet: 0 };
}

export function filterHas({ words }: Filter, text: string): boolean {
  return bitsOf(text).every((bit) => (words[bit >>> 5]! & (1 << (bit & 31))) !== 0);
}

export function addToFilter(filter: Filter, text: string): void {
  for (const bit of bitsOf(text)) {
    const mask = 1 << (bit & 31);
    if ((filter.words[bit >>> 5]! & mask) !== 0) continue;
    filter.words[bit >>> 5]! |= mask;
    filter.bitsSet++;
  }
}

/** The probability that a text which was never added is found all the same. */
export function filterErrorRate({ bitsSet }: Filter): number {
  return (bitsSet / filterBits) ** probes;
}

function bitsOf(text: string): number[] {
  const [a, b] = textHash(text);
  return Array.from({ length: probes }, (_, probe) => (a + Math.imul(probe, b | 1)) & (filterBits - 1));
}

/** How many different texts there were: exact up to `exactMax`, above it about right (HyperLogLog). Plain data. */
export interface Distinct {
  exact: string[] | null;
  registers: number[];
}

const exactMax = 64;
const registerBits = 8;
const registerCount = 1 << registerBits;

export function createDistinct(): Distinct {
  return { exact: [], registers: [] };
}

export function addDistinct(distinct: Distinct, text: string): void {
  const { exact } = distinct;
  if (exact === null) {
    register(distinct.registers, text);
    return;
  }
  // The newest come last and repeat most, so that a repeated text is found at once.
  if (exact.lastIndexOf(text) >= 0) return;
  exact.push(text);
  if (exact.length <= exactMax) return;
  distinct.registers = new Array<number>(registerCount).fill(0);
  for (const each of exact) register(distinct.registers, each);
  distinct.exact = null;
}

/** `12`, or `about 3400` where it is an estimate. */
export function distinctText({ exact, registers }: Distinct): string {
  if (exact !== null) return String(exact.length);
  return `about ${Number(estimate(registers).toPrecision(2))}`;
}

function register(registers: number[], text: string): void {
  const [a, b] = textHash(text);
  const place = a & (registerCount - 1);
  registers[place] = Math.max(registers[place]!, Math.clz32(b) + 1);
}

/** Flajolet et al., HyperLogLog, 2007, with linear counting where many registers are empty. */
function estimate(registers: readonly number[]): number {
  const alpha = 0.7213 / (1 + 1.079 / registerCount);
  const raw = (alpha * registerCount ** 2) / registers.reduce((sum, rank) => sum + 2 ** -rank, 0);
  const empty = registers.filter((rank) => rank === 0).length;
  return raw <= 2.5 * registerCount && empty > 0 ? registerCount * Math.log(registerCount / empty) : raw;
}
