import type { Value } from '../model/value.ts';
import { jsonBounds } from './json-value.ts';

/** Under this key stands the name of the class of an object. */
export const classKey = '__class__';

/**
 * What Python's `repr` of plain data says: numbers, texts, `None`, `True`, `False`, lists, tuples, dictionaries, members of enums
 * (`<Role.TOOL: 'tool'>` is `'tool'`) and objects of data classes (`ToolCall(id='c', extra=None)`) as maps of their fields. Functions and
 * objects that show an address alone (`<function read at 0x7f>`) are null: what else stands between such brackets may be somebody's. Nothing is
 * looked up and nothing is run. In one pass over the text, which ends with the first thing that is none of these.
 * @returns undefined for a text that is not wholly of these, or that nests too deep or has too many members
 */
export function pythonShown(text: string): Value | undefined {
  const reader = new ShownReader(text);
  const value = reader.value(0);
  return reader.isAtEnd ? value : undefined;
}

/** A tuple is closed by the parenthesis that an object is closed by. */
const closings: Readonly<Record<string, string>> = { '[': ']', '(': ')', '{': '}' };
const name = /[A-Za-z_][A-Za-z0-9_.]*/y;
const number = /-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?![\w.])/y;
const enumHead = /<[A-Za-z_][\w.]{0,255}: /y;
const opaque =
  /<(?:function [\w.<>]{1,512}|(?:bound method [\w.<>]{1,512} of )?<?[\w.]{1,512} object) at 0x[0-9a-fA-F]{1,16}>{1,2}/y;
const escaped = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/suy;
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", '"': '"' };

class ShownReader {
  readonly #text: string;
  #at = 0;
  #left: number = jsonBounds.members;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  value(depth: number): Value | undefined {
    if (depth > jsonBounds.depth || this.#left-- <= 0) return undefined;
    const first = this.#text[this.#at];
    if (first === undefined) return undefined;
    if (first === "'" || first === '"') return this.#quoted(first);
    if (first === '{') return this.#fields('{', ': ', depth);
    if (first === '[' || first === '(') return this.#list(first, depth);
    if (first === '<') return this.#member(depth);
    const digits = this.#match(number);
    if (digits !== undefined) return exact(digits);
    const word = this.#match(name);
    if (word === 'None') return null;
    if (word === 'True' || word === 'False') return word === 'True';
    if (word === undefined || this.#text[this.#at] !== '(') return undefined;
    const object = this.#fields('(', '=', depth);
    return object === undefined ? undefined : Object.assign(object, { [classKey]: word });
  }

  #list(open: string, depth: number): Value | undefined {
    const list: Value[] = [];
    this.#at++;
    while (!this.#taken(closings[open]!)) {
      if (list.length > 0 && !this.#taken(', ')) return undefined;
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      list.push(value);
      // A tuple of one.
      if (open === '(' && list.length === 1 && this.#text.startsWith(',)', this.#at)) this.#at++;
    }
    return list;
  }

  /** Of a dictionary or an object: `key: value` or `key=value`. */
  #fields(open: string, between: string, depth: number): Record<string, Value> | undefined {
    const map: Record<string, Value> = Object.create(null);
    let isFirst = true;
    this.#at++;
    while (!this.#taken(closings[open]!)) {
      if (!isFirst && !this.#taken(', ')) return undefined;
      isFirst = false;
      const key = open === '(' ? this.#match(name) : this.value(depth + 1);
      if (key === undefined || (typeof key === 'object' && key !== null) || !this.#taken(between)) return undefined;
      const value = this.value(depth + 1);
      if (value === undefined) return undefined;
      map[String(key)] = value;
    }
    return map;
  }

  #member(depth: number): Value | undefined {
    if (this.#match(opaque) !== undefined) return null;
    if (this.#match(enumHead) === undefined) return undefined;
    const value = this.value(depth + 1);
    return value !== undefined && this.#taken('>') ? value : undefined;
  }

  #quoted(quote: string): string | undefined {
    const text = this.#text;
    let said = '';
    let from = ++this.#at;
    for (; this.#at < text.length; this.#at++) {
      const char = text[this.#at];
      if (char !== quote && char !== '\\') continue;
      said += text.slice(from, this.#at);
      if (char === quote) {
        this.#at++;
        return said;
      }
      const one = this.#escaped();
      if (one === undefined) return undefined;
      said += one;
      from = this.#at--;
    }
    return undefined;
  }

  #escaped(): string | undefined {
    escaped.lastIndex = this.#at;
    const found = escaped.exec(this.#text);
    if (found === null) return undefined;
    this.#at = escaped.lastIndex;
    const digits = found[1] ?? found[2] ?? found[3];
    if (digits === undefined) return escapes[found[4]!];
    const point = Number.parseInt(digits, 16);
    return point > 0x10ffff ? undefined : String.fromCodePoint(point);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at = pattern.lastIndex;
    return found;
  }

  #taken(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }
}

/** Integers beyond what a number holds stay exact. */
function exact(digits: string): number | bigint {
  const value = Number(digits);
  return /^-?\d{16,64}$/.test(digits) && !Number.isSafeInteger(value) ? BigInt(digits) : value;
}
