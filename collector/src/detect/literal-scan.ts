import { buildAutomaton } from './literal-automaton.ts';

/** The needles that may stand in a text, by their places in the list, each once, in no order. */
export type Scan = (text: string) => Int32Array;

/** Pieces of a text are copied here: reading an array costs a fraction of asking a string for each character. */
const chunkUnits = 16_384;
/** Shorter pieces are read by one lane. */
const lanesUnitsMin = 512;

/**
 * A scan for all needles at once. The table of the automaton is what costs: each step waits for the one before. So four lanes
 * read four parts of a piece side by side, each as far into the next part as a needle is long.
 */
export function createScan(needles: readonly string[], cellsMax: number): Scan {
  const { classOf, classes, next, loud, outputs, depth } = buildAutomaton(needles, cellsMax);
  // Behind the piece are zeros, which no needle holds.
  const units = new Uint16Array(chunkUnits + 4 * depth);
  const bytes = Buffer.from(units.buffer);
  const seen = new Int32Array(needles.length);
  let turn = 0;
  let found: number[] = [];

  const note = (row: number): void => {
    for (const id of outputs[(row - loud) / classes]!) {
      if (seen[id] === turn) continue;
      seen[id] = turn;
      found.push(id);
    }
  };
  const oneLane = (length: number): void => {
    let row = 0;
    for (let at = 0; at < length; at++) {
      row = next[row + classOf[units[at]!]!]!;
      if (row >= loud) note(row);
    }
  };
  const fourLanes = (length: number): void => {
    const part = (length + 3) >>> 2;
    const end = part + depth - 1;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let at = 0; at < end; at++) {
      a = next[a + classOf[units[at]!]!]!;
      b = next[b + classOf[units[at + part]!]!]!;
      c = next[c + classOf[units[at + 2 * part]!]!]!;
      d = next[d + classOf[units[at + 3 * part]!]!]!;
      if (a >= loud) note(a);
      if (b >= loud) note(b);
      if (c >= loud) note(c);
      if (d >= loud) note(d);
    }
  };
  return (text) => {
    turn++;
    found = [];
    for (let from = 0; from === 0 || from + depth - 1 < text.length; from += chunkUnits - depth + 1) {
      const piece = text.length <= chunkUnits ? text : text.slice(from, from + chunkUnits);
      // UTF-16 as the machine has it: all that Node runs on are little-endian.
      const length = bytes.write(piece, 'utf16le') >>> 1;
      units.fill(0, length, length + 4 * depth);
      if (length < lanesUnitsMin) oneLane(length);
      else fourLanes(length);
    }
    return found.length > 0 ? Int32Array.from(found) : none;
  };
}

const none = new Int32Array(0);
