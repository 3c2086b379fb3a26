import { base64Bytes, mayDecodeTo } from './encoded-bytes.ts';
import { encodedBytesMin, inDecoded } from './encoded-runs.ts';
import { assignmentFollows, cookieFollows, credentialsFollow, passwordFollows } from './hint-context.ts';

/** A literal that stands in every secret of some format. */
export interface Hint {
  readonly text: string;
  /** What must stand behind it: `:` or `=` and a value, or the user and password of a URL. */
  readonly behind?: keyof typeof followers;
}

const followers = {
  assignment: assignmentFollows,
  password: passwordFollows,
  cookie: cookieFollows,
  credentials: credentialsFollow,
};

interface KnownHint {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly behind: Hint['behind'];
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
  /** 1 for the one pair by which each hint is looked up in decoded bytes, where every position is looked at. */
  readonly #decodedPairs = new Uint8Array(65_536);
  readonly #lists: KnownHint[][] = [[]];
  readonly #candidates = new Int32Array(pairsPerTurn);
  /** Where the last run of base64 ends that was looked at. */
  #encodedEnd = 0;

  constructor(hints: readonly Hint[]) {
    for (let pair = 0; pair < this.#pairs.length; pair++) {
      if (base64Bytes[pair & 0xff] === 1 && base64Bytes[pair >> 8] === 1) this.#pairs[pair] = base64Flag;
    }
    for (const { text, behind } of hints) {
      const bytes = Buffer.from(text, 'latin1');
      const rarest = rarestPair(text, 0);
      this.#decodedPairs[bytes[rarest]! | (bytes[rarest + 1]! << 8)] = 1;
      // A hint may begin at either half of a pair: it is known by the rarest pair that it has for each.
      this.#addAt(rarest, bytes, behind);
      if (bytes.length > 2) this.#addAt(rarestPair(text, 1), bytes, behind);
      // Of two bytes at an odd position only the second is at the start of a pair.
      else for (let next = 0; next < 256; next++) this.#add(bytes[1]! | (next << 8), bytes, 1, behind);
    }
    for (const start of ['\\u00', '&#']) {
      const encoded = Buffer.from(start);
      this.#add(encoded[0]! | (encoded[1]! << 8), encoded, 0, undefined);
      if (encoded.length > 2) this.#add(encoded[1]! | (encoded[2]! << 8), encoded, 1, undefined);
      else for (let next = 0; next < 256; next++) this.#add(encoded[1]! | (next << 8), encoded, 1, undefined);
    }
    // Letters, digits and signs in URLs. Digits are everywhere, so that behind an odd place the pair in front of them is known.
    for (const start of ['%3', '%4', '%5', '%6', '%7']) {
      const encoded = Buffer.from(start);
      this.#add(encoded[0]! | (encoded[1]! << 8), encoded, 0, undefined);
      for (let before = 0; before < 256; before++) this.#add(before | (encoded[0]! << 8), encoded, -1, undefined);
    }
  }

  /** Looks through all bytes; what was found before is forgotten. */
  scan(bytes: Buffer): void {
    this.#count = 0;
    this.#encodedCount = 0;
    this.#encodedEnd = 0;
    // Of the two ways to see bytes as pairs the one that memory is aligned for.
    const first = bytes.byteOffset & 1;
    const pairs = new Uint16Array(bytes.buffer, bytes.byteOffset + first, Math.max(0, bytes.length - first) >> 1);
    for (let from = 0; from < pairs.length; from += pairsPerTurn) {
      const count = candidatesIn(pairs, from, this.#pairs, this.#candidates);
      for (let index = 0; index < count; index++) this.#look(bytes, first, this.#candidates[index]!);
    }
  }

  #look(bytes: Buffer, first: number, candidate: number): void {
    const at = first + (candidate & ~1);
    const list = this.#pairs[bytes[at]! | (bytes[at + 1]! << 8)]! & listMask;
    if (list !== 0 && this.#stands(bytes, at, list)) this.#hit(bytes[at + 1] === percent ? at + 1 : at);
    if ((candidate & 1) === 1 && at >= this.#encodedEnd) this.#encodedRun(bytes, at);
  }

  /** Whether something was found in [start, end). */
  has(start: number, end: number): boolean {
    return contains(this.#hits, this.#count, start, end) || this.hasEncoded(start, end);
  }

  /** Whether that is a run of base64 or hex. */
  hasEncoded(start: number, end: number): boolean {
    return contains(this.#encoded, this.#encodedCount, start, end);
  }

  #addAt(offset: number, bytes: Buffer, behind: Hint['behind']): void {
    this.#add(bytes[offset]! | (bytes[offset + 1]! << 8), bytes, offset, behind);
  }

  #add(pair: number, bytes: Buffer, offset: number, behind: Hint['behind']): void {
    if ((this.#pairs[pair]! & listMask) === 0) {
      this.#pairs[pair]! |= this.#lists.length;
      this.#lists.push([]);
    }
    this.#lists[this.#pairs[pair]! & listMask]!.push({ bytes, offset, behind });
  }

  #stands(bytes: Buffer, at: number, list: number): boolean {
    for (const { bytes: hint, offset, behind } of this.#lists[list]!) {
      const start = at - offset;
      const end = start + hint.length;
      if (start < 0 || end > bytes.length) continue;
      let index = 0;
      while (index < hint.length && bytes[start + index] === hint[index]) index++;
      if (index < hint.length) continue;
      if (behind === undefined) return true;
      if (followers[behind](bytes, end)) return true;
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
    this.#encodedEnd = end;
    if (end - start < encodedBytesMin || !this.#decodesToHint(bytes, start, end)) return;
    if (this.#encodedCount === this.#encoded.length) this.#encoded = larger(this.#encoded);
    this.#encoded[this.#encodedCount++] = start + ((end - start) >> 1);
  }

  /** Most runs are ids, and of most others a cheap look tells that they say nothing. */
  #decodesToHint(bytes: Buffer, start: number, end: number): boolean {
    if (!mayDecodeTo(bytes, start, end, this.#decodedPairs)) return false;
    return inDecoded(bytes.toString('latin1', start, end), (decoded) => this.#hasHint(decoded)) === true;
  }

  #hasHint(text: string): true | undefined {
    const bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < bytes.length - 1; at++) {
      const list = this.#pairs[bytes[at]! | (bytes[at + 1]! << 8)]! & listMask;
      if (list !== 0 && this.#stands(bytes, at, list)) return true;
    }
    return undefined;
  }
}

/**
 * Which of the next pairs are to be looked at, as twice their index, and one more where a whole group of them may be base64; how
 * many. Taken in groups, because most have none; a function without calls or fields, because this is the loop over all bytes.
 */
function candidatesIn(pairs: Uint16Array, from: number, lists: Uint16Array, into: Int32Array): number {
  const end = Math.min(pairs.length, from + pairsPerTurn);
  let count = 0;
  let at = from;
  for (; at + pairsPerGroup <= end; at += pairsPerGroup) {
    const a = lists[pairs[at]!]!;
    const b = lists[pairs[at + 1]!]!;
    const c = lists[pairs[at + 2]!]!;
    const d = lists[pairs[at + 3]!]!;
    const e = lists[pairs[at + 4]!]!;
    const f = lists[pairs[at + 5]!]!;
    const encoded = (a & b & c & d & e & f) >>> 15;
    if (((a | b | c | d | e | f) & listMask) !== 0) {
      for (let each = at; each < at + pairsPerGroup; each++)
        if ((lists[pairs[each]!]! & listMask) !== 0) into[count++] = each << 1;
      if (encoded === 1) {
        if (into[count - 1]! >> 1 === at + pairsPerGroup - 1) into[count - 1]! |= 1;
        else into[count++] = ((at + pairsPerGroup - 1) << 1) | 1;
      }
    } else if (encoded === 1) into[count++] = (at << 1) | 1;
  }
  for (; at < end; at++) if ((lists[pairs[at]!]! & listMask) !== 0) into[count++] = at << 1;
  return count;
}

/** Every run of `encodedBytesMin` bytes has a whole group in it, wherever it begins. */
const pairsPerGroup = 6;
const pairsPerTurn = pairsPerGroup * 1024;

/** Where in the hint, of every second place from `from`, the pair of letters stands that texts have least often. */
function rarestPair(text: string, from: number): number {
  let best = from;
  for (let at = from; at + 1 < text.length; at += 2) {
    if (commonness(text, at) < commonness(text, best)) best = at;
  }
  return best;
}

function commonness(text: string, at: number): number {
  const place = commonPairs.indexOf(text.slice(at, at + 2));
  if (place >= 0) return letterPairs + commonPairs.length - place;
  return (commonLetters.indexOf(text[at]!) + 1) * (commonLetters.indexOf(text[at + 1]!) + 1);
}

/** Rare ones first; `_` and quotes stand in every name and all JSON. Others, capitals among them, are rarer still. */
const commonLetters = 'zqxjk=v-/bpyg:fw.mucldrhs_nioate "';
const letterPairs = commonLetters.length ** 2;
/** Pairs that English has more often than their letters say, those that it has most often first. */
const commonPairs =
  'th,he,in,er,an,re,nd,at,on,nt,ha,es,st,en,ed,to,it,ou,ea,hi,is,or,ti,as,te,et,ng,of,al,de,se,le,sa,si,ar,ve,ra,ld,ur,wh,ow,ll,ch,ai,la,ge,om,ic,us,wi,me,ma,no,li,ce,co,io,ro,ri,be,ne,el,ec,ly,ke,e_,s_,d_,_t,_i,_c,_s,n_,t_'.split(
    ',',
  );

const percent = 0x25;
const base64Flag = 0x8000;
const listMask = 0x7fff;
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
