import { stripVTControlCharacters } from 'node:util';

/** Anything that can be written to and may know that it is a terminal. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Style = (text: string) => string;

export interface TableOptions {
  /** Put before every line, e.g. two spaces. */
  readonly indent?: string;
}

/** Styles and layout for one output stream. Without colours the styles return their text unchanged. */
export interface Terminal {
  readonly isTty: boolean;
  readonly columns: number;
  readonly bold: Style;
  readonly dim: Style;
  readonly red: Style;
  readonly yellow: Style;
  readonly green: Style;
  readonly cyan: Style;
  /** Rows with aligned columns, one line a row, ending in a newline; '' for no rows. The last column is not padded. */
  table(rows: readonly (readonly string[])[], options?: TableOptions): string;
  write(text: string): void;
  writeLine(text?: string): void;
}

/**
 * Colours are used on a terminal only. `NO_COLOR` (https://no-color.org) and `TERM=dumb` switch them off,
 * `FORCE_COLOR` switches them on where no terminal is.
 */
export function createTerminal(stream: OutputStream, env: NodeJS.ProcessEnv = process.env): Terminal {
  const isTty = stream.isTTY === true;
  const coloured = usesColour(isTty, env);
  const style = (open: number, close: number): Style =>
    coloured ? (text) => `\u001b[${open}m${text}\u001b[${close}m` : (text) => text;
  return {
    isTty,
    columns: stream.columns ?? 100,
    bold: style(1, 22),
    dim: style(2, 22),
    red: style(31, 39),
    yellow: style(33, 39),
    green: style(32, 39),
    cyan: style(36, 39),
    table,
    write: (text) => void stream.write(text),
    writeLine: (text = '') => void stream.write(`${text}\n`),
  };
}

/**
 * Makes text from outside safe to print on one line: line breaks, escape sequences, C1 controls, bidirectional
 * overrides, zero-width characters and the invisible tag block become visible escapes such as `\n` and `\u{200b}`.
 */
export function escapeControl(text: string): string {
  return text.replace(invisible, (character) => {
    const short = shortEscapes[character];
    return short ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}

/** One JSON value and a newline. bigint becomes a string, and characters a terminal would obey are escaped as JSON allows. */
export function jsonLine(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member), indent);
  return `${text.replace(invisibleInJson, jsonEscape)}\n`;
}

/** Cuts text to a number of characters, the last of which is `…` when something was cut. */
export function truncate(text: string, charsMax: number): string {
  const characters = [...text];
  return characters.length <= charsMax ? text : `${characters.slice(0, Math.max(0, charsMax - 1)).join('')}…`;
}

/** How many terminal cells a text takes: styles and combining marks none, East Asian wide characters and emoji two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (zeroWidth.test(character)) continue;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

// Controls (Cc), formats (Cf: bidi, zero-width, tags), line and paragraph separators, lone surrogates, variation selectors.
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Variation_Selector}]/gu;
// In JSON the line breaks of an indented text stay; JSON.stringify has already escaped C0 controls inside strings.
const invisibleInJson = /[\u{7f}-\u{9f}\p{Cf}\p{Zl}\p{Zp}\p{Variation_Selector}]/gu;
const zeroWidth = /\p{Mn}|\p{Me}|\p{Cf}/u;
const wide = /\p{Emoji_Presentation}|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[！-｠]/u;

function usesColour(isTty: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return true;
  return isTty && env.TERM !== 'dumb';
}

function jsonEscape(character: string): string {
  let escaped = '';
  for (let index = 0; index < character.length; index += 1) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}

function table(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { indent = '' } = options;
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    });
  }
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - displayWidth(cell))).join('  ');
  return rows
    .map((row) => `${indent}${line(row)}`.trimEnd())
    .map((text) => `${text}\n`)
    .join('');
}
