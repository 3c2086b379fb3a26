import { foldCase } from '../text/fold.ts';

/**
 * An Aho-Corasick automaton as a table: one row per state, one column per class of characters. All white space of ASCII is one
 * class, of which a run counts once, and control characters that nobody sees do not count at all: what it finds in a text, it also
 * finds in the text's normalised form, and the other way round, as long as that is ASCII.
 */
export interface Automaton {
  /** The class of each UTF-16 unit; characters of no needle share class 0. */
  readonly classOf: Uint16Array;
  readonly classes: number;
  /** Where the row of the next state starts, by the start of a row and a class. */
  readonly next: Int32Array;
  /** The start of the first row of a state in which needles end; all behind it are such. */
  readonly loud: number;
  /** The needles that end in a state, by how many rows it is behind `loud`. */
  readonly outputs: readonly Int32Array[];
}

/** Folded needles as `likeNormalised` leaves them, each of characters of one UTF-16 unit. A table of more than `cellsMax` cells looks for beginnings only. */
export function buildAutomaton(needles: readonly string[], cellsMax: number): Automaton {
  const { classOf, classes } = classify(needles);
  const { next, states, ends, spaced } = buildTrie(needles, classOf, classes, cellsMax);
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
    if (spaced.has(state)) next[state * classes + spaceClass] = state;
  }
  for (let state = 0; state < states; state++) next[state * classes + skippedClass] = state;
  return { classOf, classes, ...renumber(next, found, states, classes) };
}

/** Gives the states in which something ends the highest numbers, so that one comparison tells them from the others. */
function renumber(
  next: Int32Array,
  found: readonly (Set<number> | undefined)[],
  states: number,
  classes: number,
): Pick<Automaton, 'next' | 'loud' | 'outputs'> {
  const silent = found.reduce((count, ids) => (ids ? count : count + 1), 0);
  const numbers = new Int32Array(states);
  const outputs: Int32Array[] = [];
  let quiet = 0;
  for (let state = 0; state < states; state++) {
    const ids = found[state];
    numbers[state] = ids ? silent + outputs.push(Int32Array.from(ids)) - 1 : quiet++;
  }
  const table = new Int32Array(states * classes);
  for (let state = 0; state < states; state++) {
    const row = numbers[state]! * classes;
    for (let column = 0; column < classes; column++) {
      table[row + column] = numbers[next[state * classes + column]!]! * classes;
    }
  }
  return { next: table, loud: silent * classes, outputs };
}

/** The form of a literal in which the automaton looks for it. */
export function likeNormalised(literal: string): string {
  return literal.replace(skipped, '').replace(spaces, ' ');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const skipped = /[\x00-\x08\x0e-\x1f]+/g;
const spaces = /[\t-\r ]+/g;
const spaceClass = 1;
const skippedClass = 2;

/** A class for each folded character of the needles; every character that folds to it is of the same class. */
function classify(needles: readonly string[]): { readonly classOf: Uint16Array; readonly classes: number } {
  const classOf = new Uint16Array(65_536);
  let classes = 3;
  classOf.fill(skippedClass, 0, 0x20);
  classOf.fill(spaceClass, 0x09, 0x0e);
  classOf[0x20] = spaceClass;
  // What texts mostly consist of stands at the start of each row, so that little of the table has to be near the processor.
  for (const needle of ['etaoinshrdlcumwfgypbvkxqjz', ...needles]) {
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

interface Trie {
  readonly next: Int32Array;
  readonly states: number;
  /** By state, the literals that end there. */
  readonly ends: (Set<number> | undefined)[];
  /** The states that white space leads to. */
  readonly spaced: ReadonlySet<number>;
}

/** Of needles up to a length that tells them from one another, or of shorter beginnings when these do not fit. */
function buildTrie(needles: readonly string[], classOf: Uint16Array, classes: number, cellsMax: number): Trie {
  for (const length of [32, 16, 8, 6, 5, 4, 3, 2]) {
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
  const spaced = new Set<number>();
  let states = 1;
  for (const [id, needle] of needles.entries()) {
    let state = 0;
    for (let i = 0; i < Math.min(needle.length, length); i++) {
      const column = classOf[needle.charCodeAt(i)]!;
      const slot = state * classes + column;
      if (next[slot] === 0) {
        if (states >= statesMax) return undefined;
        if (column === spaceClass) spaced.add(states);
        next[slot] = states++;
        ends.push(undefined);
      }
      state = next[slot]!;
    }
    const here = ends[state] ?? new Set();
    here.add(id);
    ends[state] = here;
  }
  return { next: next.subarray(0, states * classes), states, ends, spaced };
}
