import { foldCase } from '../text/fold.ts';
import type { Pattern } from './values.ts';

export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** A compiled pattern. It is given text that is already folded unless the pattern is case-sensitive. */
export interface Glob {
  test(text: string): boolean;
  /** Where the pattern's text stands in a text that passed `test`. */
  find(text: string): TextRange;
}

/** Compiles a pattern without placeholders. The common shapes become one string search each. */
export function compileGlob(pattern: Pattern, cased: boolean): Glob {
  const parts = pattern.map((part) =>
    typeof part === 'object' && 'text' in part && !cased ? { text: foldCase(part.text) } : part,
  );
  return simpleGlob(parts) ?? generalGlob(parts);
}

/** The longest text that must occur, folded; '' when none must. */
export function longestLiteral(pattern: Pattern): string {
  let longest = '';
  for (const part of pattern) {
    if (typeof part === 'object' && 'text' in part && part.text.length > longest.length) longest = part.text;
  }
  return foldCase(longest);
}

function simpleGlob(parts: Pattern): Glob | undefined {
  const open = parts[0] === 'any';
  const close = parts.length > (open ? 1 : 0) && parts.at(-1) === 'any';
  const inner = parts.slice(open ? 1 : 0, close ? -1 : undefined);
  const [only] = inner;
  if (inner.length > 1 || (only !== undefined && (typeof only === 'string' || !('text' in only)))) return undefined;
  const text = only === undefined ? '' : only.text;
  const length = text.length;
  if (open && (close || length === 0)) {
    return { test: (value) => value.includes(text), find: (value) => rangeAt(value.indexOf(text), length) };
  }
  if (open) return { test: (value) => value.endsWith(text), find: (value) => rangeAt(value.length - length, length) };
  if (close) return { test: (value) => value.startsWith(text), find: () => rangeAt(0, length) };
  return { test: (value) => value === text, find: (value) => rangeAt(0, value.length) };
}

/** One thing a segment asks of the text: a literal, or one code point (any, or one of the dashes). */
type Unit = string | typeof anyPoint | typeof dash;

const anyPoint = Symbol('one code point');
const dash = Symbol('dash');
const dashes = '-/–—―';

/** Segments between `*` are found left to right, each as early as it can be: the first and last are anchored. */
function generalGlob(parts: Pattern): Glob {
  const segments: Unit[][] = [[]];
  for (const part of parts) {
    if (part === 'any') segments.push([]);
    else segments.at(-1)!.push(part === 'one' ? anyPoint : part === 'dash' ? dash : 'text' in part ? part.text : '');
  }
  const first = segments.shift()!;
  const last = segments.pop();
  const find = (text: string): TextRange | undefined => {
    let position = matchForward(text, 0, first);
    if (position < 0) return undefined;
    if (last === undefined) return position === text.length ? { start: 0, end: position } : undefined;
    const tail = matchBackward(text, text.length, last);
    if (tail < position) return undefined;
    let start = -1;
    for (const segment of segments) {
      const at = search(text, position, segment);
      if (!at || at.end > tail) return undefined;
      if (start < 0) start = at.start;
      position = at.end;
    }
    return start < 0 || first.length > 0 || last.length > 0 ? { start: 0, end: text.length } : { start, end: position };
  };
  return { test: (text) => find(text) !== undefined, find: (text) => find(text) ?? rangeAt(0, 0) };
}

function search(text: string, from: number, segment: readonly Unit[]): TextRange | undefined {
  const lead = segment[0];
  for (let start = from; start <= text.length; start++) {
    if (typeof lead === 'string') {
      start = text.indexOf(lead, start);
      if (start < 0) return undefined;
    }
    const end = matchForward(text, start, segment);
    if (end >= 0) return { start, end };
  }
  return undefined;
}

/** The end of the segment when it stands at `position`, else -1. */
function matchForward(text: string, position: number, segment: readonly Unit[]): number {
  let at = position;
  for (const unit of segment) {
    if (typeof unit === 'string') {
      if (!text.startsWith(unit, at)) return -1;
      at += unit.length;
    } else {
      if (at >= text.length || (unit === dash && !dashes.includes(text[at]!))) return -1;
      at += isPair(text, at) ? 2 : 1;
    }
  }
  return at;
}

/** The start of the segment when it ends at `position`, else -1. */
function matchBackward(text: string, position: number, segment: readonly Unit[]): number {
  let at = position;
  for (let i = segment.length - 1; i >= 0; i--) {
    const unit = segment[i]!;
    if (typeof unit === 'string') {
      at -= unit.length;
      if (at < 0 || !text.startsWith(unit, at)) return -1;
    } else {
      if (at <= 0 || (unit === dash && !dashes.includes(text[at - 1]!))) return -1;
      at -= at >= 2 && isPair(text, at - 2) ? 2 : 1;
    }
  }
  return at;
}

function isPair(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdbff) return false;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

function rangeAt(start: number, length: number): TextRange {
  return { start, end: start + length };
}
