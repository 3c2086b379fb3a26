/** A literal that stands in every secret of some format. */
export interface Hint {
  readonly text: string;
  /** The secret is the value of an assignment: `:` or `=` follows shortly. */
  readonly assigns: boolean;
}

/**
 * One pass over the bytes of a request that tells which values may hold a secret, so that all others are copied as they are.
 * It may point at too many values, never at too few: pairs of bytes at every second position are looked up in a table, and
 * every hint has such a pair wherever it stands. Runs of base64 are decoded, one layer, and looked through as well.
 */
export class HintScanner {
  /** Where something was found, ascending; the first `count` of it. */
  #hits = new Int32Array(1024);
  #count = 0;
  #encoded = new Int32Array(256);
  #encodedCount = 0;
  /** By pair of bytes: the list of hints that have it, and whether both may be base64. */
  readonly #pairs = new Uint16Array(65_536);
  readonly #lists: { readonly bytes: Buffer; readonly offset: number; readonly assigns: boolean }[][] = [[]];

  constructor(hints: readonly Hint[]) {
    for (let pair = 0; pair < this.#pairs.length; pair++) {
      if (base64Bytes[pair & 0xff] === 1 && base64Bytes[pair >> 8] === 1) this.#pairs[pair] = base64Flag;
    }
    for (const { text, assigns } of hints) {
      const bytes = Buffer.from(text, 'latin1');
      // A hint may begin at either half of a pair: it is known by the rarest pair that it has for each.
      this.#addAt(rarestPair(text, 0), bytes, assigns);
      if (bytes.length > 2) this.#addAt(rarestPair(text, 1), bytes, assigns);
      // Of two bytes at an odd position only the second is at the start of a pair.
      else for (let next = 0; next < 256; next++) this.#add(bytes[1]! | (next << 8), bytes, 1, assigns);
    }
    const encoded = Buffer.from('\\u00');
    this.#add(encoded[0]! | (encoded[1]! << 8), encoded, 0, false);
    this.#add(encoded[1]! | (encoded[2]! << 8), encoded, 1, false);
  }

  /** Looks through all bytes; what was found before is forgotten. */
  scan(bytes: Buffer): void {
    this.#count = 0;
    this.#encodedCount = 0;
    const pairs = this.#pairs;
    const last = bytes.length - 1;
    /** Pairs in a row that may be base64. */
    let run = 0;
    for (let at = 0; at < last; at += 2) {
      const pair = pairs[bytes[at]! | (bytes[at + 1]! << 8)]!;
      // Without a branch: words end too often to be foreseen.
      run = Math.imul(run + 1, pair >>> 15);
      if ((pair & listMask) !== 0 || run === encodedPairs) this.#look(bytes, at, pair & listMask, run);
    }
  }

  #look(bytes: Buffer, at: number, list: number, run: number): void {
    if (list !== 0 && this.#stands(bytes, at, list)) this.#hit(at);
    if (run === encodedPairs) this.#encodedRun(bytes, at);
  }

  /** Whether something was found in [start, end). */
  has(start: number, end: number): boolean {
    return contains(this.#hits, this.#count, start, end) || contains(this.#encoded, this.#encodedCount, start, end);
  }

  #addAt(offset: number, bytes: Buffer, assigns: boolean): void {
    this.#add(bytes[offset]! | (bytes[offset + 1]! << 8), bytes, offset, assigns);
  }

  #add(pair: number, bytes: Buffer, offset: number, assigns: boolean): void {
    if ((this.#pairs[pair]! & listMask) === 0) {
      this.#pairs[pair]! |= this.#lists.length;
      this.#lists.push([]);
    }
    this.#lists[this.#pairs[pair]! & listMask]!.push({ bytes, offset, assigns });
  }

  #stands(bytes: Buffer, at: number, list: number): boolean {
    for (const { bytes: hint, offset, assigns } of this.#lists[list]!) {
      const start = at - offset;
      const end = start + hint.length;
      if (start < 0 || end > bytes.length) continue;
      let index = 0;
      while (index < hint.length && bytes[start + index] === hint[index]) index++;
      if (index < hint.length) continue;
      if (!assigns || assignmentFollows(bytes, end)) return true;
    }
    return false;
  }

  #hit(at: number): void {
    if (this.#count === this.#hits.length) this.#hits = larger(this.#hits);
    this.#hits[this.#count++] = at;
  }

  /** `inside` is in a long run that was not looked at yet. */
  #encodedRun(bytes: Buffer, inside: number): void {
    let start = inside;
    while (start > 0 && base64Bytes[bytes[start - 1]!] === 1) start--;
    let end = inside + 1;
    while (end < bytes.length && base64Bytes[bytes[end]!] === 1) end++;
    if (end - start < encodedBytesMin || !this.#decodesToHint(bytes, start, end)) return;
    if (this.#encodedCount === this.#encoded.length) this.#encoded = larger(this.#encoded);
    this.#encoded[this.#encodedCount++] = start + ((end - start) >> 1);
  }

  /** A byte of the message around it may look like the beginning of the run, so all four alignments are tried. */
  #decodesToHint(bytes: Buffer, start: number, end: number): boolean {
    if (!hasCapital(bytes, start, end)) return false;
    for (let shift = 0; shift < 4; shift++) {
      const decoded = Buffer.from(bytes.toString('latin1', start + shift, end), 'base64');
      for (let at = 0; at < decoded.length - 1; at++) {
        const list = this.#pairs[decoded[at]! | (decoded[at + 1]! << 8)]! & listMask;
        if (list !== 0 && this.#stands(decoded, at, list)) return true;
      }
    }
    return false;
  }
}

/** Where in the hint, of every second place from `from`, the pair of letters stands that texts have least often. */
function rarestPair(text: string, from: number): number {
  let best = from;
  for (let at = from; at + 1 < text.length; at += 2) {
    if (commonness(text, at) < commonness(text, best)) best = at;
  }
  return best;
}

function commonness(text: string, at: number): number {
  return (commonLetters.indexOf(text[at]!) + 1) * (commonLetters.indexOf(text[at + 1]!) + 1);
}

/** Rare ones first. Others, capitals among them, are rarer still in texts. */
const commonLetters = 'zqxjkvbpygfwmucldrhsnioate';

/** Base64 of a secret of 20 characters, without the padding. */
export const encodedBytesMin = 27;
/** As many whole pairs as a run of so many bytes has at least. */
const encodedPairs = (encodedBytesMin - 1) >> 1;
const base64Flag = 0x8000;
const listMask = 0x7fff;
const assignmentBytesMax = 32;

function assignmentFollows(bytes: Buffer, end: number): boolean {
  const stop = Math.min(bytes.length, end + assignmentBytesMax);
  for (let at = end; at < stop; at++) if (bytes[at] === 0x3a || bytes[at] === 0x3d) return true;
  return false;
}

function contains(hits: Int32Array, count: number, start: number, end: number): boolean {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (hits[middle]! < start) low = middle + 1;
    else high = middle;
  }
  return low < count && hits[low]! < end;
}

function larger(hits: Int32Array): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(hits.length * 2);
  copy.set(hits);
  return copy;
}

/** Base64 of text always has some; most ids have none. A length in front of the run may be any byte. */
function hasCapital(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start + 2; at < end; at++) if (bytes[at]! >= 0x41 && bytes[at]! <= 0x5a) return true;
  return false;
}

const base64Bytes = classOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_');

function classOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}
