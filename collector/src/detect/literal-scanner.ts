import { limits } from '../model/limits.ts';
import { createScan, type Scan } from './literal-scan.ts';
import type { Matcher, Member } from './matcher.ts';

/** The number of a literal in the scanner of a detector. */
export type LiteralId = number;

/**
 * Looks for the required texts of all rules of a detector in one pass over a member (Aho-Corasick), however many rules ask.
 * Literals are added first; the automaton is built at the first scan and after that nothing is added. It works on the text
 * as it is: characters that fold to the same one share a class. When all literals together are too large for its table, it
 * looks for their beginnings, so that it may say too much but never too little.
 */
export interface LiteralScanner {
  /** Folded text; undefined when the scanner cannot look for it. */
  add(literal: string): LiteralId | undefined;
  /** The literals that may stand in the member, each once, in no order; kept for the life of the member. */
  hits(member: Member): Int32Array;
  /** The matcher, asked only about members that hold the texts it requires. */
  guard(matcher: Matcher): Matcher;
}

export function createLiteralScanner(cellsMax = limits.literalTableCellsMax): LiteralScanner {
  const literals: string[] = [];
  const ids = new Map<string, LiteralId>();
  let scan: Scan | undefined;
  const add = (literal: string): LiteralId | undefined => {
    const known = ids.get(literal);
    if (known !== undefined) return known;
    if (scan) throw new Error('literal scanner: a text was added after the first scan');
    if (scannable(literal) === '') return undefined;
    ids.set(literal, literals.length);
    return literals.push(literal) - 1;
  };
  const hits = (member: Member): Int32Array => {
    scan ??= remembering(createScan(literals.map(scannable), cellsMax));
    member.hits ??= member.twin ? hits(member.twin) : scan(member.text);
    return member.hits;
  };
  const guard = (matcher: Matcher): Matcher => {
    if (matcher.rebuilt) return matcher.rebuilt(guard);
    if (!matcher.costly) return matcher;
    const sets = matcher.required.map((set) => set.map(add)).filter((set) => !set.includes(undefined));
    if (sets.length === 0) return matcher;
    const holds = (member: Member): boolean => {
      const found = hits(member);
      return (
        found.length > 0 &&
        sets.every((set) => (set.length === 1 ? found.includes(set[0]!) : found.some((id) => set.includes(id))))
      );
    };
    return { ...matcher, test: (member) => member.value !== null && holds(member) && matcher.test(member) };
  };
  return { add, hits, guard };
}

const none = new Int32Array(0);

/**
 * Conversations repeat on every call of a model: what was found in a long text is kept for when it comes again. A place in
 * the table is chosen by a few characters, which costs little; whether it is the same text is decided by all of them.
 */
function remembering(scan: Scan): Scan {
  const places = limits.scanCacheTextsMax;
  const texts: string[] = new Array(places).fill('');
  const found: Int32Array[] = new Array(places).fill(none);
  return (text) => {
    if (text.length < limits.scanCacheCharsMin || text.length > limits.scanCacheCharsMax) return scan(text);
    const place = sample(text) & (places - 1);
    if (texts[place] === text) return found[place]!;
    texts[place] = text;
    found[place] = scan(text);
    return found[place]!;
  };
}

function sample(text: string): number {
  let mixed = text.length;
  for (let i = 1; i <= 16; i++) mixed = Math.imul(mixed ^ text.charCodeAt((text.length * i - 1) >> 4), 0x9e3779b1) + i;
  return mixed ^ (mixed >>> 15);
}

/** The longest run of a literal in which every character is one UTF-16 unit, so that a class of its own can stand for it. */
function scannable(literal: string): string {
  return literal.split(/[\ud800-\udfff]+/).reduce((best, run) => (run.length > best.length ? run : best), '');
}
