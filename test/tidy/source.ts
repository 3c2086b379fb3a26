import { posix } from 'node:path';

/** A text file of the repository; the path has forward slashes and starts at the root. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Something untidy, as a sentence that starts with where it is. */
export type Untidy = string;

export function isTest(path: string): boolean {
  return /\.test\.ts$|(^|\/)(test|testing)\//.test(path);
}

/** What a file imports, statically or dynamically, also only as types: the specifiers as written. */
export function importsOf(text: string): string[] {
  const code = blank(text, { comments: true });
  const found = code.matchAll(
    /\b(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? '');
}

/** The repository path that a relative import means, or undefined for a package or builtin. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}

export interface BlankOptions {
  readonly comments?: boolean;
  readonly strings?: boolean;
}

/**
 * The same text with comments, or strings and regular expressions as well, replaced by spaces; line breaks stay, so that
 * positions do. Code inside `${…}` of a template stays code.
 */
export function blank(text: string, { comments = false, strings = false }: BlankOptions): string {
  let out = '';
  let at = 0;
  /** Depth of braces at which each open template continues. */
  const templates: number[] = [];
  let braces = 0;
  const take = (end: number, hide: boolean): void => {
    const piece = text.slice(at, end);
    out += hide ? piece.replace(/[^\n]/g, ' ') : piece;
    at = end;
  };
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const one = text[at]!;
    if (two === '//') take(endOf(text, /\n|$/g, at), comments);
    else if (two === '/*') take(endOf(text, /\*\/|$/g, at + 2, true), comments);
    else if (one === "'" || one === '"') take(endOfQuoted(text, at + 1, one), strings);
    else if (one === '/' && startsRegex(out)) take(endOfRegex(text, at + 1), strings);
    else if (one === '`' || (one === '}' && templates.at(-1) === braces)) {
      if (one === '}') templates.pop();
      const end = endOf(text, /\\[\s\S]|`|\$\{|$/g, at + 1, true, '\\');
      if (text.slice(end - 2, end) === '${') templates.push(braces);
      take(end, strings);
    } else {
      if (one === '{') braces += 1;
      if (one === '}') braces -= 1;
      take(at + 1, false);
    }
  }
  return out;
}

/** Where the first match from `start` on begins, or ends; matches that start with `skip` are passed over. */
function endOf(text: string, pattern: RegExp, start: number, inclusive = false, skip?: string): number {
  pattern.lastIndex = start;
  let match = pattern.exec(text);
  while (match !== null && skip !== undefined && match[0].startsWith(skip)) match = pattern.exec(text);
  if (match === null) return text.length;
  return inclusive ? match.index + match[0].length : match.index;
}

function endOfQuoted(text: string, start: number, quote: string): number {
  return endOf(text, quote === "'" ? /\\[\s\S]|'|(?=\n)|$/g : /\\[\s\S]|"|(?=\n)|$/g, start, true, '\\');
}

/** A slash inside a class does not end the expression. */
function endOfRegex(text: string, start: number): number {
  let inClass = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '\n') return at;
    else if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    else if (character === '/' && !inClass) return at + 1;
  }
  return text.length;
}

/** A slash begins a regular expression where an operand may stand, and divides after one. */
function startsRegex(before: string): boolean {
  const last = before.trimEnd();
  if (last === '' || /(^|[^\w$.])(return|typeof|case|in|of|void|await|yield)$/.test(last)) return true;
  return !/[\w$)\]}'"`]$/.test(last);
}
