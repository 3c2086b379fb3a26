/** Whether one of some literals may stand in a text; false is certain, true is wrong where characters beyond Latin-1 look like them. */
export type LiteralFilter = (text: string) => boolean;

export interface LiteralFilterOptions {
  /** Letters of ASCII in either case; default false. */
  readonly ignoreCase?: boolean;
}

interface Known {
  readonly bytes: Buffer;
  /** Where in the literal the pair stands. */
  readonly offset: number;
}

/**
 * A look at every second pair of characters, for a fraction of what a regex with the literals takes. Wherever a literal stands, one of
 * two of its pairs is among those looked at: the rarest of those that begin at its even places, or of those at its odd ones.
 *
 * @param literals of two characters of ASCII at least
 */
export function createLiteralFilter(
  literals: readonly string[],
  { ignoreCase = false }: LiteralFilterOptions = {},
): LiteralFilter {
  const lists: Known[][] = [[]];
  const listOf = new Uint16Array(65_536);
  const add = (pair: number, known: Known): void => {
    if (listOf[pair] === 0) listOf[pair] = lists.push([]) - 1;
    lists[listOf[pair]!]!.push(known);
  };
  for (const literal of literals) {
    const bytes = Buffer.from(ignoreCase ? literal.toLowerCase() : literal, 'latin1');
    for (const from of [0, 1]) {
      const offset = rarestPair(literal, from);
      for (const first of formsOf(bytes[offset]!, ignoreCase))
        for (const second of offset + 1 < bytes.length ? formsOf(bytes[offset + 1]!, ignoreCase) : everyByte)
          add(first | (second << 8), { bytes, offset });
    }
  }
  const overlap = literals.reduce((longest, { length }) => Math.max(longest, length), 0);
  const stands = (at: number, length: number): boolean =>
    lists[listOf[units[at]! | (units[at + 1]! << 8)]!]!.some(({ bytes, offset }) => {
      const start = at - offset;
      if (start < 0 || start + bytes.length > length) return false;
      for (let index = 0; index < bytes.length; index++) {
        const unit = units[start + index]!;
        if (unit !== bytes[index] && !(ignoreCase && isCapital(unit) && (unit | 0x20) === bytes[index])) return false;
      }
      return true;
    });
  return (text) => {
    for (let from = 0; from === 0 || from + overlap < text.length; from += pieceUnits - overlap) {
      const part = text.length <= pieceUnits ? text : text.slice(from, from + pieceUnits);
      const length = units.write(part, 'latin1');
      units[length] = 0;
      const end = (length + 1) >> 1;
      for (let next = nextPair(listOf, 0, end); next < end; next = nextPair(listOf, next + 1, end))
        if (stands(next * 2, length)) return true;
    }
    return false;
  };
}

const pieceUnits = 8192;
const units = Buffer.from(new ArrayBuffer(pieceUnits + 2));
const pairs = new Uint16Array(units.buffer);
const everyByte = Array.from({ length: 256 }, (_, byte) => byte);

/** The next pair that some literal has; four at a time, because most texts have none. */
function nextPair(listOf: Uint16Array, from: number, end: number): number {
  let at = from;
  for (; at + 4 <= end; at += 4) {
    const first = listOf[pairs[at]!]! | listOf[pairs[at + 1]!]!;
    if ((first | listOf[pairs[at + 2]!]! | listOf[pairs[at + 3]!]!) !== 0) break;
  }
  while (at < end && listOf[pairs[at]!] === 0) at++;
  return at;
}

function formsOf(byte: number, ignoreCase: boolean): readonly number[] {
  return ignoreCase && isCapital(byte & ~0x20) ? [byte | 0x20, byte & ~0x20] : [byte];
}

function isCapital(unit: number): boolean {
  return unit >= 0x41 && unit <= 0x5a;
}

/** The last character alone, with whatever follows, where the literal has no pair from there on. */
function rarestPair(literal: string, from: number): number {
  let best = from;
  for (let at = from; at + 1 < literal.length; at += 2)
    if (commonness(literal, at) < commonness(literal, best)) best = at;
  return best;
}

function commonness(literal: string, at: number): number {
  return (commonLetters.indexOf(literal[at]!) + 1) * (commonLetters.indexOf(literal[at + 1]!) + 1);
}

/** Rare ones first; others, capitals among them, are rarer still. */
const commonLetters = 'zqxjkvbpygfwmucldrhsnioate ';
