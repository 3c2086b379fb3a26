/** Words in a run, and runs of which the smallest hash is kept: runs of 9 equal words share at least one fingerprint. */
const wordsPerRun = 6;
const runsPerPick = 4;
const fingerprintsMax = 512;

/**
 * Fingerprints of a text by which copies of its parts are recognised, whatever case and punctuation they come in: hashes of runs
 * of words, of which winnowing keeps some (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003). Texts that share a run of
 * `wordsPerRun + runsPerPick - 1` words share a fingerprint. 13 hex digits each, at most `fingerprintsMax`.
 */
export function fingerprints(text: string): string[] {
  const words = wordHashes(text);
  const runs = new Float64Array(Math.max(0, words.length - wordsPerRun + 1));
  for (let first = 0; first < runs.length; first++) runs[first] = runHash(words, first);
  const picked = new Set<number>();
  let last = -1;
  for (let first = 0; first + runsPerPick <= runs.length && picked.size < fingerprintsMax; first++) {
    let least = runs[first]!;
    for (let next = first + 1; next < first + runsPerPick; next++) if (runs[next]! < least) least = runs[next]!;
    // Neighbours mostly pick the same run.
    if (least !== last) picked.add(least);
    last = least;
  }
  return Array.from(picked, (each) => each.toString(16).padStart(13, '0'));
}

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
