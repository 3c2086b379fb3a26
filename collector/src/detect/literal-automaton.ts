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
  /** Where in `outputIds` those of a state start, by how many rows it is behind `loud`; they end where the next ones start. */
  readonly outputStarts: Int32Array;
  /** The needles that end in each of these states. */
  readonly outputIds: Int32Array;
}

/** Folded needles as `likeNormalised` leaves them, each of characters of one UTF-16 unit. A table of more than `cellsMax` cells looks for beginnings only. */
export function buildAutomaton(needles: readonly string[], cellsMax: number): Automaton {
  const { classOf, classes } = classify(needles);
  const trie = buildTrie(needles, classOf, classes, cellsMax);
  const { next, states, ends } = trie;
  const fail = new Int32Array(states);
  // The states are numbered by depth: the failure state of a state is shallower, so its row is complete when it is copied from.
  for (let state = 0; state < states; state++) {
    const [row, back] = [state * classes, fail[state]! * classes];
    const isSpaced = trie.spaced[state] === 1;
    for (let column = 0; column < classes; column++) {
      const child = next[row + column]!;
      if (child === 0) next[row + column] = next[back + column]!;
      else fail[child] = state === 0 ? 0 : next[back + column]!;
    }
    if (isSpaced) next[row + spaceClass] = state;
  }
  for (let state = 0; state < states; state++) next[state * classes + skippedClass] = state;
  const { loudness, ...outputs } = outputsOf(needles.length, ends, fail);
  return { classOf, classes, next, loud: renumber(next, loudness, classes), ...outputs };
}

interface Outputs {
  readonly outputStarts: Int32Array;
  readonly outputIds: Int32Array;
  /** By state, whether needles end in it. */
  readonly loudness: Uint8Array;
}

/** The needles that end in each state: its own, and those of its failure state, which are shorter. */
function outputsOf(needles: number, ends: Int32Array, fail: Int32Array): Outputs {
  const states = fail.length;
  // The needles of a state as a chain: the last one first, each with the one before it.
  const lastOf = new Int32Array(states).fill(-1);
  const before = new Int32Array(needles);
  const counts = new Int32Array(states);
  for (let id = 0; id < needles; id++) {
    before[id] = lastOf[ends[id]!]!;
    lastOf[ends[id]!] = id;
    counts[ends[id]!]!++;
  }
  const loudness = new Uint8Array(states);
  let [loud, length] = [0, 0];
  for (let state = 0; state < states; state++) {
    counts[state]! += counts[fail[state]!]! * Number(state > 0);
    if (counts[state] === 0) continue;
    loudness[state] = 1;
    loud++;
    length += counts[state]!;
  }
  const outputStarts = new Int32Array(loud + 1);
  const outputIds = new Int32Array(length);
  for (let state = 0, place = 0, at = 0; state < states; state++) {
    if (loudness[state] === 0) continue;
    for (let from = state; ; from = fail[from]!) {
      for (let id = lastOf[from]!; id >= 0; id = before[id]!) outputIds[at++] = id;
      if (from === 0) break;
    }
    outputStarts[++place] = at;
  }
  return { outputStarts, outputIds, loudness };
}

/**
 * Moves the states in which something ends behind all others, in their order, so that one comparison tells them; and makes
 * starts of rows of the states in the table. Returns the start of the first of them.
 */
function renumber(next: Int32Array, loudness: Uint8Array, classes: number): number {
  const numbers = new Int32Array(loudness.length);
  let silent = 0;
  for (const isLoud of loudness) if (isLoud === 0) silent++;
  for (let state = 0, quiet = 0, loud = silent; state < loudness.length; state++) {
    numbers[state] = (loudness[state] === 0 ? quiet++ : loud++) * classes;
  }
  for (let slot = 0; slot < next.length; slot++) next[slot] = numbers[next[slot]!]!;
  moveRows(next, numbers, classes);
  return silent * classes;
}

/** Brings each row to where it is to start, within the table: a second one would be as large. */
function moveRows(next: Int32Array, starts: Int32Array, classes: number): void {
  const moved = new Uint8Array(starts.length);
  let [held, other] = [new Int32Array(classes), new Int32Array(classes)];
  for (let state = 0; state < starts.length; state++) {
    if (moved[state] === 1) continue;
    held.set(next.subarray(state * classes, (state + 1) * classes));
    // Along a ring of rows of which each takes the place of the next one.
    for (let from = state; moved[from] === 0; ) {
      const start = starts[from]!;
      other.set(next.subarray(start, start + classes));
      next.set(held, start);
      moved[from] = 1;
      [held, other] = [other, held];
      from = start / classes;
    }
  }
}

/** The form of a literal in which the automaton looks for it. */
export function likeNormalised(literal: string): string {
  return changed.test(literal) ? literal.replace(skipped, '').replace(spaces, ' ') : literal;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const changed = /[\x00-\x1f]| {2}/;

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
  folds ??= [...foldedIn(0, 0xd800), ...foldedIn(0xe000, 65_536)];
  return folds;
}

function foldedIn(from: number, to: number): (readonly [number, number])[] {
  // As one text: asking for each character takes a hundred times as long.
  const units = Array.from({ length: to - from }, (_, at) => from + at);
  const folded = foldCase(units.map((unit) => String.fromCharCode(unit)).join(''));
  return units.map((unit, at) => [unit, folded.charCodeAt(at)] as const).filter(([unit, fold]) => unit !== fold);
}

interface Trie {
  /** By state and class the state behind it, 0 where there is none. States are numbered by depth. */
  readonly next: Int32Array;
  readonly states: number;
  /** By needle, the state in which it ends. */
  readonly ends: Int32Array;
  /** By state, 1 where white space leads to it. */
  readonly spaced: Uint8Array;
}

/** How much of each needle there may be in a trie. */
const lengths: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 8, 16, 32]);
const lengthMax = Math.max(...lengths);

/** Of needles up to a length that tells them from one another, or of shorter beginnings when these do not fit. */
function buildTrie(needles: readonly string[], classOf: Uint16Array, classes: number, cellsMax: number): Trie {
  let chars = 1;
  for (const { length } of needles) chars += Math.min(length, lengthMax);
  // First characters fit always.
  const statesMax = Math.min(chars, Math.max(Math.floor(cellsMax / classes), classes + 1));
  const next = new Int32Array(statesMax * classes);
  const spaced = new Uint8Array(statesMax);
  const { states, shallower, ends, isWhole } = grow({ needles, classOf, classes, next, spaced });
  // What did not fit is taken back: all that leads beyond the length.
  if (!isWhole) next.fill(0, shallower * classes, states * classes);
  return { next: next.subarray(0, states * classes), states, ends, spaced: spaced.subarray(0, states) };
}

interface Growth extends Pick<Trie, 'next' | 'spaced'> {
  readonly needles: readonly string[];
  readonly classOf: Uint16Array;
  readonly classes: number;
}

interface Grown extends Pick<Trie, 'states' | 'ends'> {
  /** How many states there are of which longer needles could go on. */
  readonly shallower: number;
  readonly isWhole: boolean;
}

/** Adds one character of all needles after the other; tells of the greatest of the lengths for which all found a place. */
function grow({ needles, classOf, classes, next, spaced }: Growth): Grown {
  let states = 1;
  let grown: Grown | undefined;
  let open = Int32Array.from(needles.keys());
  const ends = new Int32Array(needles.length);
  for (let depth = 0; depth < lengthMax; depth++) {
    const shallower = states;
    open = open.filter((id) => needles[id]!.length > depth);
    for (const id of open) {
      const column = classOf[needles[id]!.charCodeAt(depth)]!;
      const slot = ends[id]! * classes + column;
      if (next[slot] === 0) {
        if (states >= spaced.length) return grown!;
        if (column === spaceClass) spaced[states] = 1;
        next[slot] = states++;
      }
      ends[id] = next[slot]!;
    }
    if (lengths.has(depth + 1)) grown = { states, shallower, ends: ends.slice(), isWhole: false };
  }
  return { states, shallower: states, ends, isWhole: true };
}
