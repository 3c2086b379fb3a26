import { foldCase } from '../../text/fold.ts';

/** Bounds of what is kept: short texts stand everywhere, and long lists cost more than they spare. */
const literalCharsMin = 2;
const literalsPerSetMax = 64;
const setsMax = 4;

/** Sets of texts; of each set at least one stands in everything that matches. A space in them stands for any run of white space of ASCII. */
export type LiteralSets = readonly (readonly string[])[];

/**
 * Texts, case-folded, without which a regex cannot match: one of each set stands in the folded form of everything it
 * matches. The sets that say most come first; none when nothing is known. Reads only what it is sure of: an unknown
 * construct ends a literal or gives up.
 */
export function requiredLiterals(source: string): LiteralSets {
  const reader: Reader = { source, at: 0 };
  try {
    const sets = readAlternatives(reader);
    return reader.at === source.length ? sets.slice(0, setsMax) : [];
  } catch (error) {
    if (error instanceof Unsure) return [];
    throw error;
  }
}

class Unsure extends Error {}

interface Reader {
  readonly source: string;
  at: number;
}

/** What one atom demands: a character that continues a literal, or sets of literals. */
type Atom = { readonly char: string } | { readonly sets: LiteralSets };

const nothing: Atom = { sets: [] };
/** White space, of which literals know no more than that there is some. */
const space: Atom = { char: ' ' };

/** Of alternatives only the best set of each can be joined, as each may match alone. */
function readAlternatives(reader: Reader): LiteralSets {
  const first = readSequence(reader);
  let union = first[0];
  let alternatives = 1;
  while (reader.source[reader.at] === '|') {
    reader.at++;
    alternatives++;
    const [best] = readSequence(reader);
    union = union && best ? [...union, ...best] : undefined;
  }
  if (alternatives === 1) return first;
  return union && union.length <= literalsPerSetMax ? [[...new Set(union)]] : [];
}

function readSequence(reader: Reader): LiteralSets {
  const sets: (readonly string[])[] = [];
  let run = '';
  const endRun = (): void => {
    if (run.trim().length >= literalCharsMin) sets.push([foldCase(run)]);
    run = '';
  };
  while (reader.at < reader.source.length && !'|)'.includes(reader.source[reader.at]!)) {
    const atom = readAtom(reader);
    const least = readQuantifier(reader);
    // Further white space is of the same run.
    if ('char' in atom && least !== 0 && (least === undefined || atom.char === ' ')) {
      if (atom.char !== ' ' || !run.endsWith(' ')) run += atom.char;
      continue;
    }
    if ('char' in atom && least !== 0) run += atom.char;
    endRun();
    if ('sets' in atom && least !== 0) sets.push(...atom.sets);
  }
  endRun();
  return sets.sort((a, b) => shortest(b) - shortest(a));
}

function shortest(literals: readonly string[]): number {
  return Math.min(...literals.map((literal) => literal.length));
}

function readAtom(reader: Reader): Atom {
  const { source } = reader;
  const char = String.fromCodePoint(source.codePointAt(reader.at)!);
  reader.at += char.length;
  if (char === '(') return readGroup(reader);
  if (char === '[') return skipClass(reader);
  if (char === '\\') return readEscape(reader);
  if ('.^$'.includes(char)) return nothing;
  if ('*+?{'.includes(char)) throw new Unsure();
  return { char };
}

/** The least count of a quantifier, or undefined when none stands here. */
function readQuantifier(reader: Reader): number | undefined {
  const match = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(reader.source.slice(reader.at, reader.at + 16));
  if (!match) return undefined;
  reader.at += match[0].length;
  if (match[1] !== undefined) return Number(match[1]);
  return match[0].startsWith('+') ? 1 : 0;
}

function readGroup(reader: Reader): Atom {
  const head = /^\?(?:P?<\w+>|[imsU-]*:|([imsU-]+)\))/.exec(reader.source.slice(reader.at, reader.at + 64));
  if (reader.source[reader.at] === '?' && !head) throw new Unsure();
  reader.at += head ? head[0].length : 0;
  if (head?.[1] !== undefined) return nothing;
  const sets = readAlternatives(reader);
  if (reader.source[reader.at] !== ')') throw new Unsure();
  reader.at++;
  return { sets };
}

function skipClass(reader: Reader): Atom {
  const { source } = reader;
  if (source[reader.at] === '^') reader.at++;
  if (source[reader.at] === ']') reader.at++;
  while (source[reader.at] !== ']') {
    if (reader.at >= source.length) throw new Unsure();
    const named = /^\[:\^?\w+:\]/.exec(source.slice(reader.at, reader.at + 16));
    reader.at += named ? named[0].length : source[reader.at] === '\\' ? 2 : 1;
  }
  reader.at++;
  return nothing;
}

function readEscape(reader: Reader): Atom {
  const rest = reader.source.slice(reader.at, reader.at + 64);
  const next = rest[0];
  if (next === undefined) throw new Unsure();
  if (/^[^\w\s]$/.test(next) && next < '\x80') {
    reader.at++;
    return { char: next };
  }
  const skipped = /^(?:[AbBdDsSwWztnrfva]|x\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|[pP](?:[A-Z]|\{[^}]*\}))/.exec(rest);
  if (!skipped) throw new Unsure();
  reader.at += skipped[0].length;
  return skipped[0] === 's' ? space : nothing;
}
