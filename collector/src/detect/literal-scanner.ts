import type { Matcher, Member } from './matcher.ts';

/**
 * Looks for the required texts of all costly matchers of a detector in one pass over a member (Aho-Corasick), however
 * many rules ask. Matchers are added first; the automaton is built at the first scan and after that nothing is added. Past
 * `statesMax` characters of literals, which bounds its memory, further matchers are left unguarded.
 */
export interface LiteralScanner {
  /** The matcher, asked only about members that hold the texts it requires. */
  guard(matcher: Matcher): Matcher;
}

export function createLiteralScanner(statesMax = 50_000): LiteralScanner {
  const ids = new Map<string, number>();
  let states = 1;
  let scan: ((text: string) => Uint32Array) | undefined;
  const idOf = (literal: string): number => {
    const known = ids.get(literal);
    if (known !== undefined) return known;
    ids.set(literal, ids.size);
    states += literal.length;
    return ids.size - 1;
  };
  const holds = (member: Member, sets: readonly (readonly number[])[]): boolean => {
    scan ??= buildScan([...ids.keys()]);
    member.found ??= scan(member.folded);
    const { found } = member;
    return sets.every((set) => set.some((id) => (found[id >>> 5]! & (1 << (id & 31))) !== 0));
  };
  const scanner: LiteralScanner = {
    guard: (matcher) => {
      if (matcher.rebuilt) return matcher.rebuilt(scanner.guard);
      if (!matcher.costly || matcher.required.length === 0) return matcher;
      if (scan) throw new Error('literal scanner: a matcher was added after the first scan');
      if (states > statesMax) return matcher;
      const sets = matcher.required.map((set) => set.map(idOf));
      return { ...matcher, test: (member) => member.value !== null && holds(member, sets) && matcher.test(member) };
    },
  };
  return scanner;
}

/** States are rows of `next`, one column per class of characters; characters of no literal share class 0. */
function buildScan(literals: readonly string[]): (text: string) => Uint32Array {
  const classOf = new Uint16Array(65_536);
  let classes = 1;
  for (const literal of literals) {
    for (let i = 0; i < literal.length; i++) {
      const unit = literal.charCodeAt(i);
      if (classOf[unit] === 0) classOf[unit] = classes++;
    }
  }
  const { next, output, chain } = buildAutomaton(literals, classOf, classes);
  const words = (literals.length + 31) >>> 5;
  return (text) => {
    const found = new Uint32Array(words);
    let state = 0;
    for (let i = 0; i < text.length; i++) {
      state = next[state * classes + classOf[text.charCodeAt(i)]!]!;
      for (let hit = output[state]! >= 0 ? state : chain[state]!; hit > 0; hit = chain[hit]!) {
        const id = output[hit]!;
        found[id >>> 5]! |= 1 << (id & 31);
      }
    }
    return found;
  };
}

interface Automaton {
  /** The state after a state and a class. */
  readonly next: Int32Array;
  /** The literal that ends in a state, or -1. */
  readonly output: Int32Array;
  /** The longest proper suffix state in which a literal ends, or 0. */
  readonly chain: Int32Array;
}

function buildAutomaton(literals: readonly string[], classOf: Uint16Array, classes: number): Automaton {
  const statesMax = literals.reduce((sum, literal) => sum + literal.length, 1);
  const next = new Int32Array(statesMax * classes);
  const output = new Int32Array(statesMax).fill(-1);
  let states = 1;
  for (const [id, literal] of literals.entries()) {
    let state = 0;
    for (let i = 0; i < literal.length; i++) {
      const slot = state * classes + classOf[literal.charCodeAt(i)]!;
      if (next[slot] === 0) next[slot] = states++;
      state = next[slot]!;
    }
    output[state] = id;
  }
  const fail = new Int32Array(states);
  const chain = new Int32Array(states);
  const queue: number[] = [];
  for (let column = 0; column < classes; column++) if (next[column] !== 0) queue.push(next[column]!);
  // Breadth first: the failure state of a state is shallower, so its row is complete when it is copied from.
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head]!;
    const back = fail[state]!;
    chain[state] = output[back]! >= 0 ? back : chain[back]!;
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
  return { next, output, chain };
}
