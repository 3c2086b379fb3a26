/** What a look at every character of a text told, as bits. */
export type TextTraits = number;

export const TextTrait = {
  /** Something that is not ASCII, or DEL: normalising may do more than drop, join and lower characters. */
  other: 1,
  /** A character with which escapes begin: percent, HTML, backslash, tag characters. */
  escape: 2,
  /** A run that base64 or hex could be. */
  run: 4,
} as const;

/** The traits that a UTF-16 unit brings in; `run` is none of these. */
export function traitOf(unit: number): TextTraits {
  const escapes = unit === 0x25 || unit === 0x26 || unit === 0x5c || unit === 0xdb40;
  return (unit > 0x7e ? TextTrait.other : 0) | (escapes ? TextTrait.escape : 0);
}

/** The shortest word of base64 or hex that is decoded, and the fewest pairs of hex digits with separators between. */
export const runUnitsMin = 16;
const pairsMin = 8;
/** The fewest pairs are so long, less the places that are looked at together. */
const pairsStride = 3 * pairsMin - 1 - 2;

/** Whether a run stands in the first units of an array. */
export function hasRun(units: Uint16Array, length: number): boolean {
  return hasLongWord(units, length) || hasPairs(units, length);
}

/** A word is looked for from where it could end backwards, so that the first unit that is none of it moves that end on. */
function hasLongWord(units: Uint16Array, length: number): boolean {
  for (let end = runUnitsMin - 1; end < length; ) {
    let at = end;
    while (at > end - runUnitsMin && (kindOf(units[at]!) & word) !== 0) at--;
    if (at === end - runUnitsMin) return true;
    end = at + runUnitsMin;
  }
  return false;
}

/** Pairs cover one of every so many places and the two behind it, which are then a separator and a pair in some turn. */
function hasPairs(units: Uint16Array, length: number): boolean {
  for (let at = 0; at + 2 < length; at += pairsStride) {
    const [a, b, c] = [kindOf(units[at]!), kindOf(units[at + 1]!), kindOf(units[at + 2]!)];
    if (((a | b | c) & separator) === 0 || (a & hexDigit) + (b & hexDigit) + (c & hexDigit) !== 2 * hexDigit) continue;
    if (isPairs(units, at, length)) return true;
  }
  return false;
}

/** Longer than any run has to be to be seen in one of two pieces. */
const overlapUnits = 64;
const pieceUnits = 8192;
const piece = new Uint16Array(pieceUnits);
const pieceBytes = Buffer.from(piece.buffer);

/** The same of a text, which is copied piece by piece, as reading an array costs a fraction of asking a string. */
export function textHasRun(text: string): boolean {
  if (text.length < runUnitsMin) return false;
  for (let from = 0; from === 0 || from + overlapUnits < text.length; from += pieceUnits - overlapUnits) {
    const part = text.length <= pieceUnits ? text : text.slice(from, from + pieceUnits);
    if (hasRun(piece, pieceBytes.write(part, 'utf16le') >>> 1)) return true;
  }
  return false;
}

const [word, separator, hexDigit] = [1, 2, 4];

const kinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  const bits = [/[A-Za-z0-9+/_-]/.test(char), /[ :,]/.test(char), /[0-9a-f]/.test(char)];
  return (bits[0] ? word : 0) | (bits[1] ? separator : 0) | (bits[2] ? hexDigit : 0);
});

function kindOf(unit: number): number {
  return unit < 128 ? kinds[unit]! : 0;
}

/** One of three neighbours in pairs of hex digits is a separator; from there the pairs are counted to both sides. */
function isPairs(units: Uint16Array, at: number, length: number): boolean {
  for (let place = at; place < at + 3 && place < length; place++) {
    if ((kindOf(units[place]!) & separator) === 0) continue;
    let pairs = 0;
    for (let next = place; isPair(units, next + 1, length); next += 3) {
      pairs++;
      if (next + 3 >= length || (kindOf(units[next + 3]!) & separator) === 0) break;
    }
    for (let last = place; isPair(units, last - 2, length); last -= 3) {
      pairs++;
      if (last < 3 || (kindOf(units[last - 3]!) & separator) === 0) break;
    }
    return pairs >= pairsMin;
  }
  return false;
}

function isPair(units: Uint16Array, at: number, length: number): boolean {
  return at >= 0 && at + 1 < length && (kindOf(units[at]!) & kindOf(units[at + 1]!) & hexDigit) !== 0;
}
