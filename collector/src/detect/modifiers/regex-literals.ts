import { foldCase } from '../fold.ts';

const literalsMax = 64;

/**
 * Texts, case-folded, of which at least one stands in the folded form of everything the regex matches; undefined when
 * none can be told. Reads only what it is sure of: an unknown construct ends a literal or gives up.
 */
export function requiredLiterals(source: string): readonly string[] | undefined {
  const reader: Reader = { source, at: 0 };
  try {
    const literals = readAlternatives(reader);
    return reader.at === source.length ? literals : undefined;
  } catch (error) {
    if (error instanceof Unsure) return undefined;
    throw error;
  }
}

class Unsure extends Error {}

interface Reader {
  readonly source: string;
  at: number;
}

/** What one atom demands: a character that continues a literal, a set of literals, or nothing known. */
type Atom = { readonly char: string } | { readonly literals: readonly string[] | undefined };

const nothing: Atom = { literals: undefined };

function readAlternatives(reader: Reader): readonly string[] | undefined {
  let union: readonly string[] | undefined = readSequence(reader);
  while (reader.source[reader.at] === '|') {
    reader.at++;
    const next = readSequence(reader);
    union = union && next ? [...union, ...next] : undefined;
  }
  return union && union.length <= literalsMax ? union : undefined;
}

function readSequence(reader: Reader): readonly string[] | undefined {
  let best: readonly string[] | undefined;
  let run = '';
  const offer = (literals: readonly string[] | undefined): void => {
    if (literals && shortest(literals) > shortest(best)) best = literals;
  };
  const endRun = (): void => {
    if (run !== '') offer([foldCase(run)]);
    run = '';
  };
  while (reader.at < reader.source.length && !'|)'.includes(reader.source[reader.at]!)) {
    const atom = readAtom(reader);
    const least = readQuantifier(reader);
    if (least === undefined && 'char' in atom) {
      run += atom.char;
      continue;
    }
    if ('char' in atom && least !== 0) run += atom.char;
    endRun();
    if ('literals' in atom && least !== 0) offer(atom.literals);
  }
  endRun();
  return best;
}

function shortest(literals: readonly string[] | undefined): number {
  return literals ? Math.min(...literals.map((literal) => literal.length)) : 0;
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
  const literals = readAlternatives(reader);
  if (reader.source[reader.at] !== ')') throw new Unsure();
  reader.at++;
  return { literals };
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
  return nothing;
}
