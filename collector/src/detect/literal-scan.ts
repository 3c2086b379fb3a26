import { hasRun, runUnitsMin, TextTrait, type TextTraits, traitOf } from '../text/traits.ts';
import type { TextRange } from './glob.ts';
import { buildAutomaton } from './literal-automaton.ts';

/** What one pass over a text tells. */
export interface Scanned {
  /** The needles that may stand in it, by their places in the list, each once, in no order. */
  readonly hits: Int32Array;
  readonly traits: TextTraits;
  /** What costly matchers said of the text, and where they match, kept by the literal scanner. */
  answers?: Map<number, boolean>;
  places?: Map<number, TextRange>;
}

export type Scan = (text: string) => Scanned;

/** Pieces of a text are copied here: reading an array costs a fraction of asking a string for each character. */
const chunkUnits = 16_384;
/** Shorter pieces are read by one lane. */
const lanesUnitsMin = 256;
/** A unit's class stands in these bits, its traits above them. */
const classBits = 16;
const classMask = (1 << classBits) - 1;

/** The traits of each UTF-16 unit where they stand in the table of a scan; the same for all scans. */
let traitsOf: Int32Array | undefined;

/**
 * A scan for all needles at once. The table of the automaton is what costs: each step waits for the one before. So four lanes
 * read four parts of a piece side by side; afterwards each goes on into the next part until it stands where that part's own
 * lane stood, as from there on both say the same.
 */
export function createScan(needles: readonly string[], cellsMax: number): Scan {
  const { classOf, classes, next, loud, outputStarts, outputIds } = buildAutomaton(needles, cellsMax);
  traitsOf ??= Int32Array.from({ length: classOf.length }, (_, unit) => traitOf(unit) << classBits);
  const lookup = new Int32Array(traitsOf);
  for (let unit = 0; unit < lookup.length; unit++) lookup[unit]! |= classOf[unit]!;
  const units = new Uint16Array(chunkUnits);
  const bytes = Buffer.from(units.buffer);
  const seen = new Int32Array(needles.length);
  let turn = 0;
  let found: number[] = [];
  let traits = 0;

  const note = (row: number): void => {
    const place = (row - loud) / classes;
    for (let at = outputStarts[place]!; at < outputStarts[place + 1]!; at++) {
      const id = outputIds[at]!;
      if (seen[id] === turn) continue;
      seen[id] = turn;
      found.push(id);
    }
  };
  /** The row in which the lane ends that comes to `from` in `row`. */
  const oneLane = (row: number, from: number, to: number): number => {
    let here = row;
    let all = 0;
    for (let at = from; at < to; at++) {
      const each = lookup[units[at]!]!;
      all |= each;
      here = next[here + (each & classMask)]!;
      if (here >= loud) note(here);
    }
    traits |= all;
    return here;
  };
  /** Goes on from a boundary of two parts: undefined when it met the lane that started there, else its row at the end. */
  const goOn = (row: number, from: number, to: number): number | undefined => {
    let [here, started] = [row, 0];
    for (let at = from; here !== started; at++) {
      if (at === to) return here;
      const column = classOf[units[at]!]!;
      here = next[here + column]!;
      started = next[started + column]!;
      if (here >= loud) note(here);
    }
    return undefined;
  };
  const fourLanes = (row: number, length: number): number => {
    const part = length >>> 2;
    let [a, b, c, d] = [row, 0, 0, 0];
    let all = 0;
    for (let at = 0; at < part; at++) {
      const inA = lookup[units[at]!]!;
      const inB = lookup[units[at + part]!]!;
      const inC = lookup[units[at + 2 * part]!]!;
      const inD = lookup[units[at + 3 * part]!]!;
      all |= inA | inB | inC | inD;
      a = next[a + (inA & classMask)]!;
      b = next[b + (inB & classMask)]!;
      c = next[c + (inC & classMask)]!;
      d = next[d + (inD & classMask)]!;
      if (a >= loud) note(a);
      if (b >= loud) note(b);
      if (c >= loud) note(c);
      if (d >= loud) note(d);
    }
    traits |= all;
    const last = oneLane(d, 4 * part, length);
    return goOn(a, part, length) ?? goOn(b, 2 * part, length) ?? goOn(c, 3 * part, length) ?? last;
  };
  /** Copying a few characters takes longer than asking for each. */
  const readShort = (text: string): void => {
    let here = 0;
    for (let at = 0; at < text.length; at++) {
      const each = lookup[text.charCodeAt(at)]!;
      traits |= each;
      here = next[here + (each & classMask)]!;
      if (here >= loud) note(here);
    }
  };
  const readLong = (text: string): void => {
    for (let row = 0, from = 0; from < text.length; from += chunkUnits) {
      const piece = text.length <= chunkUnits ? text : text.slice(from, from + chunkUnits);
      // UTF-16 as the machine has it: all that Node runs on are little-endian.
      const length = bytes.write(piece, 'utf16le') >>> 1;
      row = length < lanesUnitsMin ? oneLane(row, 0, length) : fourLanes(row, length);
    }
  };
  return (text) => {
    turn = (turn + 1) | 0;
    if (turn === 0) seen.fill(turn++);
    found = [];
    traits = 0;
    const isShort = text.length < runUnitsMin;
    if (isShort) readShort(text);
    else readLong(text);
    const mayRun = !isShort && (text.length > chunkUnits || hasRun(units, text.length));
    const hits = found.length > 0 ? new Int32Array(found) : none;
    return { hits, traits: (traits >>> classBits) | (mayRun ? TextTrait.run : 0) };
  };
}

const none = new Int32Array(0);
