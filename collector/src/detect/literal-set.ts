import type { TextRange } from './glob.ts';

/** Many literals searched in one pass, whichever occurs first. */
export interface LiteralSet {
  find(text: string): TextRange | undefined;
}

/**
 * Aho-Corasick for very many literals: transitions in one hash table of typed arrays, some 45 bytes for each character that
 * the literals do not share as a prefix. A search is linear in the text, whatever the literals are.
 */
export function createLiteralSet(literals: readonly string[]): LiteralSet {
  const trie = new Trie(literals.reduce((sum, literal) => sum + literal.length, 1));
  for (const literal of literals) trie.add(literal);
  const { fail, found } = trie.links();
  return {
    find: (text) => {
      let state = 0;
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i);
        let next = trie.next(state, unit);
        while (next === 0 && state !== 0) {
          state = fail[state]!;
          next = trie.next(state, unit);
        }
        state = next;
        const length = found[state]!;
        if (length > 0) return { start: i + 1 - length, end: i + 1 };
      }
      return undefined;
    },
  };
}

class Trie {
  /** `state * 65536 + unit + 1`; 0 is a free slot. */
  readonly #keys: Float64Array;
  readonly #values: Int32Array;
  readonly #mask: number;
  readonly #parents: Int32Array;
  readonly #units: Uint16Array;
  readonly #depths: Int32Array;
  /** The length of the literal that ends in a state, or 0. */
  readonly #ends: Int32Array;
  #states = 1;

  constructor(statesMax: number) {
    const slots = 1 << Math.ceil(Math.log2(statesMax * 2));
    this.#mask = slots - 1;
    this.#keys = new Float64Array(slots);
    this.#values = new Int32Array(slots);
    this.#parents = new Int32Array(statesMax);
    this.#units = new Uint16Array(statesMax);
    this.#depths = new Int32Array(statesMax);
    this.#ends = new Int32Array(statesMax);
  }

  /** The state after a state and a character, or 0. */
  next(state: number, unit: number): number {
    return this.#values[this.#slot(state, unit)]!;
  }

  add(literal: string): void {
    let state = 0;
    for (let i = 0; i < literal.length; i++) {
      const unit = literal.charCodeAt(i);
      const slot = this.#slot(state, unit);
      if (this.#values[slot] === 0) {
        this.#keys[slot] = state * 65_536 + unit + 1;
        this.#values[slot] = this.#states;
        this.#parents[this.#states] = state;
        this.#units[this.#states] = unit;
        this.#depths[this.#states] = i + 1;
        this.#states++;
      }
      state = this.#values[slot]!;
    }
    this.#ends[state] = literal.length;
  }

  /** Where to go on after a mismatch, and the length of a literal that ends in each state. */
  links(): { readonly fail: Int32Array; readonly found: Int32Array } {
    const fail = new Int32Array(this.#states);
    const found = this.#ends.slice(0, this.#states);
    const order = Int32Array.from({ length: this.#states }, (_, state) => state);
    order.sort((a, b) => this.#depths[a]! - this.#depths[b]!);
    for (const state of order) {
      if (this.#depths[state]! > 1) {
        let back = fail[this.#parents[state]!]!;
        const unit = this.#units[state]!;
        while (back !== 0 && this.next(back, unit) === 0) back = fail[back]!;
        fail[state] = this.next(back, unit);
      }
      if (found[state] === 0) found[state] = found[fail[state]!]!;
    }
    return { fail, found };
  }

  #slot(state: number, unit: number): number {
    const key = state * 65_536 + unit + 1;
    let slot = (Math.imul(state, 0x9e3779b1) ^ Math.imul(unit + 1, 0x85ebca6b)) & this.#mask;
    while (this.#keys[slot] !== 0 && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask;
    return slot;
  }
}
