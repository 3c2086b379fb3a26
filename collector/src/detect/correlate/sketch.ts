/**
 * A sliding HyperLogLog: about how many different values a window holds, in memory that does not grow with them. Each of
 * 4,096 registers keeps those of its ranks that may still become its largest while older ones leave the window
 * (Chabchoub and Hébrail, "Sliding HyperLogLog", 2010). The estimate is Ertl's improved one (arXiv 1702.01284), which needs no
 * correction for small or large counts. The standard error is 1.04 / √4096, 1.6 %. Plain data, so that it can be stored.
 */
export interface Sketch {
  /** For each register `rank, micros` pairs: ranks fall, times rise. */
  readonly registers: number[][];
  /** How many registers have each rank as their largest; it is 0 for those without one. */
  readonly histogram: number[];
  /** No register's largest rank is older than this. */
  oldestMicros: number;
  /** Pairs in all registers. */
  size: number;
}

const registerBits = 12;
const registerCount = 1 << registerBits;
/** Ranks are 1 … rankMax. */
const rankMax = 41;

export function createSketch(): Sketch {
  const histogram = Array.from({ length: rankMax + 1 }, () => 0);
  histogram[0] = registerCount;
  const registers = Array.from({ length: registerCount }, (): number[] => []);
  return { registers, histogram, oldestMicros: Number.POSITIVE_INFINITY, size: 0 };
}

/** Notes a value; times never fall from call to call. */
export function addToSketch(sketch: Sketch, value: string | number, timeNanos: bigint): void {
  const [high, low] = hashOf(String(value));
  const register = sketch.registers[high >>> (32 - registerBits)]!;
  const rank = rankOf(high, low);
  const micros = Number(timeNanos / 1000n);
  const before = register[0] ?? 0;
  while (register.length > 0 && register[register.length - 2]! <= rank) {
    register.length -= 2;
    sketch.size--;
  }
  register.push(rank, micros);
  sketch.size++;
  if (micros < sketch.oldestMicros) sketch.oldestMicros = micros;
  recount(sketch, before, register[0]!);
}

/** Forgets what happened before a time, to the microsecond. */
export function expireSketch(sketch: Sketch, beforeNanos: bigint): void {
  const before = Number(beforeNanos / 1000n);
  if (before <= sketch.oldestMicros) return;
  let oldest = Number.POSITIVE_INFINITY;
  for (const register of sketch.registers) {
    if (register.length === 0) continue;
    let gone = 0;
    while (gone < register.length && register[gone + 1]! < before) gone += 2;
    if (gone > 0) {
      const largest = register[0]!;
      register.splice(0, gone);
      sketch.size -= gone / 2;
      recount(sketch, largest, register[0] ?? 0);
    }
    if (register.length > 0 && register[1]! < oldest) oldest = register[1]!;
  }
  sketch.oldestMicros = oldest;
}

/** About how many different values were noted and not forgotten; 0 for none. */
export function estimate({ histogram }: Sketch): number {
  if (histogram[0] === registerCount) return 0;
  let z = registerCount * tau(1 - histogram[rankMax]! / registerCount);
  for (let rank = rankMax - 1; rank >= 1; rank--) z = (z + histogram[rank]!) / 2;
  z += registerCount * sigma(histogram[0]! / registerCount);
  return Math.round(registerCount ** 2 / (2 * Math.LN2 * z));
}

function recount({ histogram }: Sketch, before: number, after: number): void {
  if (before === after) return;
  histogram[before]!--;
  histogram[after]!++;
}

/** The place of the first 1 in the 40 bits after those that chose the register. */
function rankOf(high: number, low: number): number {
  const zeros = Math.clz32((high << registerBits) | (low >>> (32 - registerBits)));
  if (zeros < 32) return zeros + 1;
  return Math.min(33 + Math.clz32((low << registerBits) | (1 << 23)), rankMax);
}

function sigma(start: number): number {
  let [x, y, z, last] = [start, 1, start, -1];
  while (z !== last) {
    last = z;
    x *= x;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let [x, y, z, last] = [start, 1, 1 - start, -1];
  while (z !== last) {
    last = z;
    x = Math.sqrt(x);
    y /= 2;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}

/** 64 bits of a text: two multiply-and-xor lanes that mix each other at the end. Equal on all machines and after restarts. */
function hashOf(text: string): readonly [high: number, low: number] {
  let [a, b] = [0x9e3779b9, 0x85ebca6b];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0x9e3779b1);
    b = Math.imul(b ^ code, 0x5f356495);
  }
  a = finish(a ^ (b >>> 15));
  b = finish(b ^ (a << 7) ^ text.length);
  return [finish(a ^ b) >>> 0, b >>> 0];
}

/** The finisher of MurmurHash3: every bit of the input reaches every bit of the output. */
function finish(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
