import { limits } from '../model/limits.ts';
import { foldCase } from '../text/fold.ts';
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
    scan ??= remembering(buildScan(literals, cellsMax));
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
      return sets.every((set) => found.some((id) => set.includes(id)));
    };
    return { ...matcher, test: (member) => member.value !== null && holds(member) && matcher.test(member) };
  };
  return { add, hits, guard };
}

type Scan = (text: string) => Int32Array;

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

/** States are rows of `next`, one column per class of characters; characters of no literal share class 0. */
function buildScan(literals: readonly string[], cellsMax: number): Scan {
  const needles = literals.map(scannable);
  const { classOf, classes } = classify(needles);
  const { next, silent, outputs } = buildAutomaton(needles, classOf, classes, cellsMax);
  const seen = new Int32Array(literals.length);
  let turn = 0;
  return (text) => {
    let found: number[] | undefined;
    turn++;
    let state = 0;
    for (let i = 0; i < text.length; i++) {
      state = next[state * classes + classOf[text.charCodeAt(i)]!]!;
      if (state < silent) continue;
      for (const id of outputs[state - silent]!) {
        if (seen[id] === turn) continue;
        seen[id] = turn;
        found ??= [];
        found.push(id);
      }
    }
    return found ? Int32Array.from(found) : none;
  };
}

/** A class for each folded character of the needles; every character that folds to it is of the same class. */
function classify(needles: readonly string[]): { readonly classOf: Uint16Array; readonly classes: number } {
  const classOf = new Uint16Array(65_536);
  let classes = 1;
  for (const needle of needles) {
    for (let i = 0; i < needle.length; i++) {
      const unit = needle.charCodeAt(i);
      if (classOf[unit] === 0) classOf[unit] = classes++;
    }
  }
  for (const [unit, folded] of foldedUnits()) classOf[unit] = classOf[folded]!;
  return { classOf, classes };
}

let folds: readonly (readonly [number, number])[] | undefined;

/** Every UTF-16 unit that is a character of its own and folds to another one, with that one. */
function foldedUnits(): readonly (readonly [number, number])[] {
  folds ??= Array.from({ length: 65_536 }, (_, unit) => unit)
    .filter((unit) => unit < 0xd800 || unit > 0xdfff)
    .map((unit) => [unit, foldCase(String.fromCharCode(unit)).charCodeAt(0)] as const)
    .filter(([unit, folded]) => unit !== folded);
  return folds;
}

interface Automaton {
  /** The state after a state, a row, and a class, a column. */
  readonly next: Uint16Array | Int32Array;
  /** How many states come before those in which literals end. */
  readonly silent: number;
  /** The literals that end in a state, by how far it is behind `silent`. */
  readonly outputs: readonly Int32Array[];
}

function buildAutomaton(
  needles: readonly string[],
  classOf: Uint16Array,
  classes: number,
  cellsMax: number,
): Automaton {
  const { next, states, ends } = buildTrie(needles, classOf, classes, cellsMax);
  const fail = new Int32Array(states);
  const found: (Set<number> | undefined)[] = ends;
  const queue: number[] = [];
  for (let column = 0; column < classes; column++) if (next[column] !== 0) queue.push(next[column]!);
  // Breadth first: the failure state of a state is shallower, so its row is complete when it is copied from.
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head]!;
    const back = fail[state]!;
    const inherited = found[back];
    if (inherited) found[state] = new Set([...(found[state] ?? []), ...inherited]);
    for (let column = 0; column < classes; column++) {
      const slot = state * classes + column;
      const fallback = next[back * classes + column]!;
      if (next[slot] === 0) next[slot] = fallback;
      else {
        fail[next[slot]!] = fallback;
        queue.push(next[slot]!);
      }
    }
  }
  return renumber(next, found, states, classes);
}

/** Gives the states in which something ends the highest numbers, so that one comparison tells them from the others. */
function renumber(
  next: Int32Array,
  found: readonly (Set<number> | undefined)[],
  states: number,
  classes: number,
): Automaton {
  const silent = found.reduce((count, ids) => (ids ? count : count + 1), 0);
  const numbers = new Int32Array(states);
  const outputs: Int32Array[] = [];
  let quiet = 0;
  for (let state = 0; state < states; state++) {
    const ids = found[state];
    numbers[state] = ids ? silent + outputs.push(Int32Array.from(ids)) - 1 : quiet++;
  }
  // Half the bytes keep more of the table near the processor.
  const table = states <= 65_536 ? new Uint16Array(states * classes) : new Int32Array(states * classes);
  for (let state = 0; state < states; state++) {
    const row = numbers[state]! * classes;
    for (let column = 0; column < classes; column++) table[row + column] = numbers[next[state * classes + column]!]!;
  }
  return { next: table, silent, outputs };
}

interface Trie {
  readonly next: Int32Array;
  readonly states: number;
  /** By state, the literals that end there. */
  readonly ends: (Set<number> | undefined)[];
}

/** Of whole needles if they fit, else of their beginnings, as long as fit. */
function buildTrie(needles: readonly string[], classOf: Uint16Array, classes: number, cellsMax: number): Trie {
  for (const length of [Number.POSITIVE_INFINITY, 32, 16, 8, 6, 5, 4, 3, 2]) {
    const trie = tryTrie(needles, length, classOf, classes, cellsMax);
    if (trie) return trie;
  }
  return tryTrie(needles, 1, classOf, classes, Number.POSITIVE_INFINITY)!;
}

function tryTrie(
  needles: readonly string[],
  length: number,
  classOf: Uint16Array,
  classes: number,
  cellsMax: number,
): Trie | undefined {
  const chars = needles.reduce((sum, needle) => sum + Math.min(needle.length, length), 1);
  const statesMax = Math.min(chars, Math.floor(cellsMax / classes));
  const next = new Int32Array(Math.max(1, statesMax) * classes);
  const ends: (Set<number> | undefined)[] = [undefined];
  let states = 1;
  for (const [id, needle] of needles.entries()) {
    let state = 0;
    for (let i = 0; i < Math.min(needle.length, length); i++) {
      const slot = state * classes + classOf[needle.charCodeAt(i)]!;
      if (next[slot] === 0) {
        if (states >= statesMax) return undefined;
        next[slot] = states++;
        ends.push(undefined);
      }
      state = next[slot]!;
    }
    const here = ends[state] ?? new Set();
    here.add(id);
    ends[state] = here;
  }
  return { next: next.subarray(0, states * classes), states, ends };
}
