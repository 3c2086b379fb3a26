import { type Fragment, fragmentOf } from './fragments.ts';

/** Of a term the sets that say most are waited for: two, and more of those without literals that stand in every text. */
const [setsMin, setsMax] = [2, 4];
const rareCharsMin = 5;

/**
 * What has to stand in a column of texts for any rule that waits for it: of each set of literals of one of its terms one. Terms are
 * added first; then their literals are found, span by span.
 */
export class Terms {
  readonly #termsMax: number;
  /** By name; undefined for columns of which nothing can be told. */
  readonly #columns = new Map<string, number | undefined>();
  /** So that a term of many rules is one. */
  #known = new Set<string>();
  /** By literal. */
  #literals = new Map<string, Waited>();
  #columnCount = 0;
  /** By term, its column and a bit for each of its sets. */
  readonly #columnOf: number[] = [];
  readonly #whole: number[] = [];
  /** By literal, each term that waits for it with the bit of the set. */
  #waiting: readonly (readonly number[])[] = [];
  /** By term, the sets of which one was found, in the span of that turn. */
  #found = new Int32Array(0);
  #turns = new Int32Array(0);
  /** By column and by literal, the turn of the span in which it was met. */
  #met = new Int32Array(0);
  #noted = new Int32Array(0);
  #turn = 0;

  constructor(termsMax: number) {
    this.#termsMax = termsMax;
  }

  /** Folded literals. False when there are too many terms. */
  add(column: string, sets: readonly (readonly string[])[]): boolean {
    const name = JSON.stringify([column, sets]);
    if (this.#known.has(name)) return true;
    if (this.#known.size === this.#termsMax) return false;
    this.#known.add(name);
    if (!this.#columns.has(column)) this.#columns.set(column, this.#columnCount++);
    const number = this.#columns.get(column);
    const told = sets.map(toldLiterals).filter((each) => each !== undefined);
    // All that is not ASCII stands in no bytes that are.
    if (told.some((literals) => literals.size === 0)) return true;
    if (told.length === 0) this.#columns.set(column, undefined);
    if (told.length === 0 || number === undefined) return true;
    const waited = tellingMost(told);
    for (const [set, literals] of waited.entries()) {
      for (const [literal, fragment] of literals) {
        const known = this.#literals.get(literal) ?? { fragment, waiting: [] };
        known.waiting.push(this.#whole.length, 1 << set);
        this.#literals.set(literal, known);
      }
    }
    this.#columnOf.push(number);
    this.#whole.push(2 ** waited.length - 1);
    return true;
  }

  /** The number of a column; undefined when nothing can be told of it. */
  columnOf(column: string): number | undefined {
    return this.#columns.get(column);
  }

  /** Nothing is added any more. What is to be found of each literal, by its number. */
  close(): readonly Fragment[] {
    const literals = [...this.#literals.values()];
    this.#waiting = literals.map(({ waiting }) => waiting);
    this.#found = new Int32Array(this.#whole.length);
    this.#turns = new Int32Array(this.#whole.length);
    this.#met = new Int32Array(this.#columnCount);
    this.#noted = new Int32Array(literals.length);
    this.#turn = 1;
    this.#known = new Set();
    this.#literals = new Map();
    return literals.map(({ fragment }) => fragment);
  }

  /** Another span. */
  begin(): void {
    this.#turn = (this.#turn + 1) | 0;
    if (this.#turn !== 0) return;
    this.#turn++;
    for (const turns of [this.#turns, this.#met, this.#noted]) turns.fill(0);
  }

  found(literal: number): void {
    if (this.#noted[literal] === this.#turn) return;
    this.#noted[literal] = this.#turn;
    const waiting = this.#waiting[literal]!;
    for (let at = 0; at < waiting.length; at += 2) {
      const term = waiting[at]!;
      const before = this.#turns[term] === this.#turn ? this.#found[term]! : 0;
      this.#turns[term] = this.#turn;
      this.#found[term] = before | waiting[at + 1]!;
      if (this.#found[term] === this.#whole[term]) this.#met[this.#columnOf[term]!] = this.#turn;
    }
  }

  /** Whether all sets of a term of the column were found in this span. */
  isMet(column: number): boolean {
    return this.#met[column] === this.#turn;
  }
}

interface Waited {
  readonly fragment: Fragment;
  readonly waiting: number[];
}

function tellingMost(told: readonly ReadonlyMap<string, Fragment>[]): readonly ReadonlyMap<string, Fragment>[] {
  const shortest = (set: ReadonlyMap<string, Fragment>) => Math.min(...[...set.keys()].map(({ length }) => length));
  const sorted = told.toSorted((a, b) => shortest(b) - shortest(a));
  return sorted.filter((set, i) => i < setsMin || (i < setsMax && shortest(set) >= rareCharsMin));
}

/** Undefined when a literal of the set has no fragment; those that are not ASCII stand in no text that is. */
function toldLiterals(set: readonly string[]): ReadonlyMap<string, Fragment> | undefined {
  const told = new Map<string, Fragment>();
  for (const literal of set) {
    if (notAscii.test(literal)) continue;
    const fragment = fragmentOf(literal);
    if (fragment === undefined) return undefined;
    told.set(literal, fragment);
  }
  return told;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII, controls included.
const notAscii = /[^\x00-\x7f]/;
