/** Words in a run, and runs of which the smallest hash is kept: runs of 9 equal words share at least one fingerprint. */
const wordsPerRun = 6;
const runsPerPick = 4;
const fingerprintsMax = 512;

/** Hex digits of a fingerprint. */
export const fingerprintDigits = 13;

/**
 * Fingerprints of a text by which copies of its parts are recognised, whatever case and punctuation they come in: hashes of runs
 * of words, of which winnowing keeps some (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003). Texts that share a run of
 * `wordsPerRun + runsPerPick - 1` words share a fingerprint. `fingerprintDigits` each, with commas between, at most
 * `fingerprintsMax`.
 */
export function fingerprints(text: string): string {
  const words = wordHashes(text);
  const runs = Math.max(0, words.length - wordsPerRun + 1);
  if (runs < runsPerPick) return '';
  const picked = new Set<number>();
  // The hashes of the runs in view; of a long text only as many are made as are kept.
  let a = runHash(words, 0);
  let b = runHash(words, 1);
  let c = runHash(words, 2);
  let last = -1;
  for (let next = runsPerPick - 1; next < runs && picked.size < fingerprintsMax; next++) {
    const d = runHash(words, next);
    const least = Math.min(a, b, c, d);
    // Neighbours mostly pick the same run.
    if (least !== last) picked.add(least);
    last = least;
    a = b;
    b = c;
    c = d;
  }
  return written(picked);
}

const line = Buffer.alloc(fingerprintsMax * (fingerprintDigits + 1));

/** Digits are written byte by byte, because numbers of this size are turned into text slowly. */
function written(picked: ReadonlySet<number>): string {
  let at = 0;
  for (const hash of picked) {
    let high = Math.floor(hash / 0x1000000);
    let low = hash - high * 0x1000000;
    for (let digit = fingerprintDigits - 1; digit >= 0; digit--) {
      const isLow = digit >= fingerprintDigits - 6;
      line[at + digit] = digits.charCodeAt((isLow ? low : high) & 15);
      if (isLow) low >>>= 4;
      else high >>>= 4;
    }
    at += fingerprintDigits;
    line[at++] = 0x2c;
  }
  return at === 0 ? '' : line.toString('latin1', 0, at - 1);
}

const digits = '0123456789abcdef';

/** FNV-1a of each word in lower case; ASCII letters and digits and everything beyond ASCII make words. */
function wordHashes(text: string): Uint32Array {
  const hashes = new Uint32Array((text.length >> 1) + 1);
  let count = 0;
  let current = 0;
  for (let at = 0; at <= text.length; at++) {
    let code = at < text.length ? text.charCodeAt(at) : 32;
    if (code >= 65 && code <= 90) code += 32;
    const inWord = code >= 128 || (code >= 97 && code <= 122) || (code >= 48 && code <= 57);
    if (inWord) current = Math.imul((current === 0 ? 0x811c9dc5 : current) ^ code, 0x01000193);
    else if (current !== 0) {
      hashes[count++] = current;
      current = 0;
    }
  }
  return hashes.subarray(0, count);
}

/** Two 32-bit mixes of the words of a run, joined to 52 bits. */
function runHash(words: Uint32Array, first: number): number {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let index = first; index < first + wordsPerRun; index++) {
    a = Math.imul(a ^ words[index]!, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b + words[index]!, 0xc2b2ae35);
    b ^= b >>> 13;
  }
  return (a >>> 0) * 0x100000 + ((b >>> 0) & 0xfffff);
}
