import { rarityOf } from '../literal-scanner.ts';

/** Shorter pieces stand everywhere. */
export const fragmentCharsMin = 3;
/** So many neighbouring characters of a fragment decide how often it is met. */
const decidingChars = 5;

/** A piece of a literal, and what stands on both sides of it. */
export interface Fragment {
  readonly text: string;
  readonly before: string;
  readonly behind: string;
}

/**
 * The piece of a folded ASCII literal that stands, but for its case, in the bytes of an attribute whenever the literal stands in a text
 * that was read from it, however often the text is nested as JSON: white space and quotes may be written as escapes, JSON that is
 * written anew loses spaces behind commas and colons, and gets other digits. Undefined when the literal has no such piece.
 */
export function fragmentOf(literal: string): Fragment | undefined {
  let best: Fragment | undefined;
  let rarity = -1;
  for (const { 0: text, index } of literal.matchAll(lasting)) {
    if (text.length < fragmentCharsMin || !telling.test(text) || written.some((word) => word.includes(text))) continue;
    const own = rarityIn(text, decidingPart(text));
    if (own <= rarity) continue;
    rarity = own;
    best = { text, before: literal.slice(0, index), behind: literal.slice(index + text.length) };
  }
  return best;
}

/** Where the rarest neighbouring characters of a fragment stand. */
export function decidingPart(fragment: string): number {
  let [best, rarity] = [0, -1];
  for (let from = 0; from <= fragment.length - decidingChars; from++) {
    const own = rarityIn(fragment, from);
    if (own > rarity) [best, rarity] = [from, own];
  }
  return best;
}

function rarityIn(text: string, from: number): number {
  let sum = 0;
  for (let at = from; at < Math.min(text.length, from + decidingChars); at++) sum += 1 + rarityOf(text.charCodeAt(at));
  return sum;
}

/** All but what JSON writes in several ways, and what stands between its values. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const lasting = /[^\x00-\x20\x7f"\\,:[\]{}]+/g;
/** A character that no number has. */
const telling = /[^0-9.e+-]/;
/** What JSON that is written anew may say in place of a number, and of what nests too deep. */
const written = ['-infinity', 'null'];

/**
 * Whether, beside a fragment at `bytes[from, to)`, the rest of its literal may stand: white space as such or as escapes, of any length; other
 * characters up to the first one that JSON may write in another way.
 */
export function mayStandAround(
  { before, behind }: Fragment,
  bytes: Uint8Array,
  [from, to]: readonly [number, number],
  [start, end]: readonly [number, number],
): boolean {
  return follows(before, -1, bytes, from - 1, start - 1) && follows(behind, 1, bytes, to, end);
}

/** Goes through the rest in one direction, up to `stop`. */
function follows(rest: string, step: 1 | -1, bytes: Uint8Array, from: number, stop: number): boolean {
  let at = from;
  for (let i = 0; i < rest.length; ) {
    const unit = rest.charCodeAt(step > 0 ? i : rest.length - 1 - i);
    if (isSpace(unit)) {
      const next = step > 0 ? behindSpace(bytes, at, stop) : beforeSpace(bytes, at, stop);
      if (next === at) return false;
      at = next;
      do i++;
      while (i < rest.length && isSpace(rest.charCodeAt(step > 0 ? i : rest.length - 1 - i)));
    } else {
      if (unit < 0x20 || unwritten.has(unit)) return true;
      if (at === stop || (bytes[at]! | 0x20) !== (unit | 0x20)) return false;
      at += step;
      i++;
    }
  }
  return true;
}

function behindSpace(bytes: Uint8Array, from: number, stop: number): number {
  let at = from;
  while (at < stop) {
    if (isSpace(bytes[at]!)) at++;
    else {
      let letter = at;
      while (letter < stop && bytes[letter] === backslash) letter++;
      if (letter === at || letter === stop || !spaceLetters.has(bytes[letter]!)) return at;
      at = letter + 1;
    }
  }
  return at;
}

function beforeSpace(bytes: Uint8Array, from: number, stop: number): number {
  let at = from;
  while (at > stop) {
    if (isSpace(bytes[at]!)) at--;
    else {
      if (!spaceLetters.has(bytes[at]!) || at - 1 === stop || bytes[at - 1] !== backslash) return at;
      at--;
      while (at > stop && bytes[at] === backslash) at--;
    }
  }
  return at;
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
}

const backslash = 0x5c;
/** Of escapes. */
const spaceLetters: ReadonlySet<number> = new Set(Buffer.from('nrtf'));
const unwritten: ReadonlySet<number> = new Set(Buffer.from('"\\,:[]{}\x7f'));
