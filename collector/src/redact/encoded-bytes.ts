import { nestedBytesMax } from './encoded-runs.ts';

/**
 * Whether a run of base64 or hex in [start, end) may say a hint, by a cheap look: a pair of `pairs` in what base64 says, a layer of
 * base64 below it, or hex of ASCII. It may say yes too often, and never no where `inDecoded` would find one.
 */
export function mayDecodeTo(bytes: Buffer, start: number, end: number, pairs: Uint8Array): boolean {
  if (hexMayBeAscii(bytes, start, end)) return true;
  if (!hasCapital(bytes, start, end)) return false;
  return base64MayHave(bytes, start, end, pairs) || (end - start <= nestedBytesMax && mayNest(bytes, start, end));
}

/** Whether hex for 19 bytes of ASCII stands there, from either half of a pair on. Ids and hashes have any other byte as well. */
function hexMayBeAscii(bytes: Uint8Array, start: number, end: number): boolean {
  let even = 0;
  let odd = 0;
  for (let at = start; at < end; at++) {
    const kind = hexKinds[bytes[at]!]!;
    if (kind === 0) {
      even = 0;
      odd = 0;
    } else if ((at & 1) === 0) even = kind === highDigit ? even + 1 : 0;
    else odd = kind === highDigit ? odd + 1 : 0;
    if (even >= asciiBytesMin || odd >= asciiBytesMin) return true;
  }
  return false;
}

const asciiBytesMin = 19;
const highDigit = 2;
const hexKinds = new Uint8Array(256);
for (const character of '0123456789abcdefABCDEF') hexKinds[character.charCodeAt(0)] = 1;
for (const character of '0234567') hexKinds[character.charCodeAt(0)] = highDigit;

/**
 * Whether what base64 says may hold base64 or hex again: letters of it that go on for as long as the shortest run, whichever character
 * the groups of four begin with.
 */
function mayNest(bytes: Uint8Array, start: number, end: number): boolean {
  const runs = [0, 0, 0, 0];
  let group = 0;
  for (let at = start; at < end; at++) {
    group = ((group << 6) | sextets[bytes[at]!]!) & 0xffffff;
    const all = base64Bytes[group >>> 16]! & base64Bytes[(group >>> 8) & 0xff]! & base64Bytes[group & 0xff]!;
    const run = all === 0 ? 0 : runs[at & 3]! + 1;
    if (run >= innerGroupsMin) return true;
    runs[at & 3] = run;
  }
  return false;
}

/** Of three bytes; the shortest run has so many whole ones wherever it begins. */
const innerGroupsMin = 8;

/**
 * Whether a pair of `pairs` stands in what base64 in [start, end) says, from whichever character its groups of four begin: each
 * character is taken for the first of a group, whose three bytes and the first of the next make three pairs.
 */
function base64MayHave(bytes: Uint8Array, start: number, end: number, pairs: Uint8Array): boolean {
  let group = 0;
  for (let at = start; at < end + 3; at++) {
    const next = at < end ? sextets[bytes[at]!]! : 0;
    // Six characters are in view: four of the group, and two of which the first byte of the next one is made.
    const first = group >>> 6;
    const second = ((group << 2) | (next >>> 4)) & 0xff;
    group = ((group << 6) | next) & 0x3fffffff;
    const third = (first >>> 8) & 0xff;
    const found =
      pairs[(first >>> 16) | (first & 0xff00)]! |
      pairs[third | ((first & 0xff) << 8)]! |
      pairs[(first & 0xff) | (second << 8)]!;
    if (found !== 0) return true;
  }
  return false;
}

const sextets = new Uint8Array(256);
for (const [value, character] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries())
  sextets[character.charCodeAt(0)] = value;
sextets[0x2d] = 62;
sextets[0x5f] = 63;

/** Base64 of text always has some; most ids have none. A length in front of the run may be any byte. */
function hasCapital(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start + 2; at < end; at++) if (bytes[at]! >= 0x41 && bytes[at]! <= 0x5a) return true;
  return false;
}

export const base64Bytes = classOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_');

function classOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
