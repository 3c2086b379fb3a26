import { isUtf8 } from 'node:buffer';
import { limits } from '../model/limits.ts';
import { isEscape } from './json-escapes.ts';
import { bitOfCode, codeOfBytes, codeOfName, type JsonKey, nameOfCode, nextHash } from './json-keys.ts';
import { hasMoreValues } from './json-values.ts';
import { MalformedError } from './wire.ts';

/** What an entry of a tape is. `escaped` is a text that is not what its bytes say. */
export const JsonKind = { none: 0, false: 1, true: 2, number: 3, text: 4, escaped: 5, list: 6, object: 7 } as const;

/**
 * One row per JSON value, in the order of the text: kind and, from bit 4 on, the code of the name it stands under; where its bytes start
 * and end, without quotes, or which names an object has, as a set of 32; and the row behind it and all that is in it.
 */
const Row = { stride: 4, head: 0, start: 1, names: 1, end: 2, next: 3 } as const;
const kindMask = 15;
const codeShift = 4;

/**
 * A JSON text as a table of places in it, of which nothing becomes a JavaScript value before somebody asks. Takes what `JSON.parse` takes
 * and nothing else (https://www.rfc-editor.org/rfc/rfc8259); values may nest as deep as `limits.jsonDepthMax`.
 */
export class JsonTape {
  /** The text; not the bytes it was given where these were no UTF-8. */
  bytes: Buffer = empty;
  #rows = new Int32Array(rowsAtStart * Row.stride);
  #length = 0;
  #open = new Int32Array(64);
  #depth = 0;
  /** Of the name before the next value. */
  #code = 0;
  /** Whether the last text has escapes. */
  #isEscaped = false;
  /** The text from a byte on, four at a time. */
  #words: Int32Array = new Int32Array(0);
  #wordsFrom = 0;

  /** Throws MalformedError for what is no JSON, has too many values or nests too deep. The tape is good until the next call. */
  parse(body: Buffer): void {
    if (body.length > countedBytesMin && hasMoreValues(body, limits.jsonValuesMax)) {
      const message = `body holds more than ${limits.jsonValuesMax} JSON values; send smaller batches`;
      throw new MalformedError('SW_HTTP_BODY_TOO_LARGE', message);
    }
    // As a decoder of UTF-8 has it, with U+FFFD in place of what is none.
    this.bytes = isUtf8(body) ? body : Buffer.from(body.toString('utf8'));
    this.#length = 0;
    this.#depth = 0;
    this.#wordsFrom = -this.bytes.byteOffset & 3;
    this.#words = wordsOf(this.bytes, this.#wordsFrom);
    if (this.#rows.length > rowsKeptMax * Row.stride) this.#rows = new Int32Array(rowsAtStart * Row.stride);
    this.#read();
  }

  kind(at: number): number {
    return this.#rows[at]! & kindMask;
  }

  start(at: number): number {
    return this.#rows[at + Row.start]!;
  }

  end(at: number): number {
    return this.#rows[at + Row.end]!;
  }

  /** A text with its escapes resolved, or a number as it is written. */
  text(at: number): string {
    const start = this.start(at);
    const end = this.end(at);
    if (this.kind(at) !== JsonKind.escaped) return this.bytes.toString('utf8', start, end);
    return JSON.parse(this.bytes.toString('utf8', start - 1, end + 1)) as string;
  }

  /** The first value in a list or object; -1 in an empty one. */
  first(at: number): number {
    return this.#rows[at + Row.next] === at + Row.stride ? -1 : at + Row.stride;
  }

  /** The value behind another one in the same list or object; -1 when there is none. */
  after(at: number, owner: number): number {
    const next = this.#rows[at + Row.next]!;
    return next === this.#rows[owner + Row.next] ? -1 : next;
  }

  /** The member of an object under either name that is not null; of members of one name the last counts. -1 when there is none. */
  member(at: number, { code, snakeCode, bit }: JsonKey): number {
    const rows = this.#rows;
    // Most that are asked for are not there.
    if ((rows[at + Row.names]! & bit) === 0) return -1;
    const end = rows[at + Row.next]!;
    let found = -1;
    let snake = -1;
    for (let member = at + Row.stride; member < end; member = rows[member + Row.next]!) {
      const own = rows[member]! >> codeShift;
      if (own === code) found = member;
      else if (own === snakeCode) snake = member;
    }
    if (found >= 0 && (rows[found]! & kindMask) !== JsonKind.none) return found;
    return snake >= 0 && (rows[snake]! & kindMask) !== JsonKind.none ? snake : -1;
  }

  /** Where a value stands, for an error: names and places from the root on, '' for the root. */
  path(wanted: number): string {
    let path = '';
    for (let at = 0; at !== wanted; ) {
      const isList = this.kind(at) === JsonKind.list;
      let place = 0;
      let inside = this.first(at);
      for (; inside >= 0 && wanted >= this.#rows[inside + Row.next]!; place++) inside = this.after(inside, at);
      if (inside < 0) return path;
      const name = nameOfCode(this.#rows[inside]! >> codeShift);
      path += isList ? `[${place}]` : path === '' ? name : `.${name}`;
      at = inside;
    }
    return path;
  }

  #read(): void {
    const { bytes } = this;
    this.#code = 0;
    for (let pos = this.#space(0); ; ) {
      const byte = bytes[pos];
      const row = this.#add();
      if (byte === brace || byte === bracket) {
        this.#enter(row, byte === brace ? JsonKind.object : JsonKind.list);
        pos = this.#space(pos + 1);
        if (bytes[pos] !== byte + toClosing) {
          if (byte === brace) pos = this.#name(pos, row);
          continue;
        }
      } else pos = this.#space(this.#scalar(pos, row));
      // Behind a value: ends of what it is in, then the next one.
      for (; ; pos = this.#space(pos + 1)) {
        if (this.#depth === 0) {
          if (pos < bytes.length) this.#fail();
          return;
        }
        const owner = this.#open[this.#depth - 1]!;
        const opening = this.kind(owner) === JsonKind.object ? brace : bracket;
        if (bytes[pos] === comma) {
          pos = this.#space(pos + 1);
          if (opening === brace) pos = this.#name(pos, owner);
          break;
        }
        if (bytes[pos] !== opening + toClosing) this.#fail();
        this.#rows[owner + Row.next] = this.#length;
        this.#depth--;
      }
    }
  }

  #add(): number {
    const at = this.#length;
    if (at + Row.stride > this.#rows.length) {
      const larger = new Int32Array(this.#rows.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#length = at + Row.stride;
    this.#rows[at] = this.#code << codeShift;
    this.#rows[at + Row.names] = 0;
    this.#rows[at + Row.next] = this.#length;
    this.#code = 0;
    return at;
  }

  #enter(row: number, kind: number): void {
    this.#rows[row]! |= kind;
    if (this.#depth >= limits.jsonDepthMax)
      throw new MalformedError('SW_OTLP_DEPTH', 'body nests too deeply to be parsed');
    if (this.#depth === this.#open.length) {
      const larger = new Int32Array(this.#open.length * 2);
      larger.set(this.#open);
      this.#open = larger;
    }
    this.#open[this.#depth++] = row;
  }

  /** Reads the name of a member; gives where its value begins. */
  #name(pos: number, owner: number): number {
    const { bytes } = this;
    if (bytes[pos] !== quote) this.#fail();
    let hash = 0;
    let at = pos + 1;
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === quote || byte === backslash || byte < 0x20) break;
      hash = nextHash(hash, byte);
    }
    if (bytes[at] === quote) this.#code = codeOfBytes(bytes, pos + 1, at++, hash);
    else {
      at = this.#string(pos + 1);
      this.#code = codeOfName(JSON.parse(bytes.toString('utf8', pos, at)) as string);
    }
    this.#rows[owner + Row.names]! |= bitOfCode(this.#code);
    if (bytes[at] !== colon) at = this.#space(at);
    if (bytes[at] !== colon) this.#fail();
    return this.#space(at + 1);
  }

  /** Where a text, number or literal ends. */
  #scalar(pos: number, row: number): number {
    const byte = this.bytes[pos];
    const isText = byte === quote;
    const end = isText
      ? this.#string(pos + 1)
      : isDigit(byte) || byte === minus
        ? this.#number(pos)
        : this.#literal(pos);
    const kind = isText ? (this.#isEscaped ? JsonKind.escaped : JsonKind.text) : scalarKind(byte!);
    this.#rows[row]! |= kind;
    this.#rows[row + Row.start] = isText ? pos + 1 : pos;
    this.#rows[row + Row.end] = isText ? end - 1 : end;
    return end;
  }

  /** Behind the quote that ends a text, which begins at `pos`. */
  #string(pos: number): number {
    const { bytes } = this;
    const { length } = bytes;
    this.#isEscaped = false;
    let far = pos + shortBytes;
    for (let at = pos; at < length; at++) {
      if (at === far) {
        at = this.#plainWords(at);
        far = at + shortBytes;
        if (at >= length) break;
      }
      const byte = bytes[at]!;
      if (byte === quote) return at + 1;
      if (byte < 0x20) break;
      if (byte !== backslash) continue;
      this.#isEscaped = true;
      const letter = bytes[++at]!;
      if (letter === 0x75) {
        for (let digit = 0; digit < 4; digit++) if (!isHexDigit(bytes[++at])) this.#fail();
      } else if (!isEscape(letter)) break;
    }
    return this.#fail();
  }

  /** Where a word ends that has a quote, a backslash or a control character; the three bytes before `pos` have none. */
  #plainWords(pos: number): number {
    const words = this.#words;
    let at = (pos - this.#wordsFrom) >> 2;
    for (; at < words.length; at++) {
      const word = words[at]!;
      const quotes = word ^ 0x22222222;
      const backslashes = word ^ 0x5c5c5c5c;
      // https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord and #HasLessInWord
      const found =
        ((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes) | ((word - 0x20202020) & ~word);
      if ((found & 0x80808080) !== 0) break;
    }
    return Math.max(pos, this.#wordsFrom + at * 4);
  }

  /** https://www.rfc-editor.org/rfc/rfc8259#section-6 */
  #number(pos: number): number {
    const { bytes } = this;
    let at = bytes[pos] === minus ? pos + 1 : pos;
    const isZero = bytes[at] === zero;
    at = isZero ? at + 1 : this.#digits(at);
    if (bytes[at] === 0x2e) at = this.#digits(at + 1);
    if ((bytes[at]! | 0x20) === 0x65) {
      const sign = bytes[at + 1];
      at = this.#digits(sign === minus || sign === 0x2b ? at + 2 : at + 1);
    }
    return at;
  }

  #digits(pos: number): number {
    let at = pos;
    while (isDigit(this.bytes[at])) at++;
    return at === pos ? this.#fail() : at;
  }

  #literal(pos: number): number {
    const { bytes } = this;
    for (const literal of literals) {
      let at = 0;
      while (at < literal.length && bytes[pos + at] === literal[at]) at++;
      if (at === literal.length) return pos + at;
    }
    return this.#fail();
  }

  #space(pos: number): number {
    const { bytes } = this;
    let at = pos;
    for (; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    }
    return at;
  }

  /** In the words of the engine, which knows best what to say of it. */
  #fail(): never {
    let problem = 'no JSON';
    try {
      JSON.parse(this.bytes.toString('utf8'));
    } catch (error) {
      problem = (error as Error).message;
    }
    throw new MalformedError('SW_OTLP_JSON', `body is not JSON: ${problem}`);
  }
}

const [quote, backslash, comma, colon, minus, zero] = [0x22, 0x5c, 0x2c, 0x3a, 0x2d, 0x30] as const;
const [bracket, brace] = [0x5b, 0x7b] as const;
/** From the code of an opening bracket or brace to that of the closing one. */
const toClosing = 2;
/** What is longer is looked through by words. */
const shortBytes = 24;
const literals = ['null', 'false', 'true'].map((text) => Buffer.from(text));
const empty = Buffer.alloc(0);

const rowsAtStart = 4096;
/** What is kept from request to request. */
const rowsKeptMax = 1 << 17;
/** Smaller bodies cannot hold enough values to matter. */
const countedBytesMin = 4 * 1024 * 1024;

/** The whole words of some bytes from an aligned one on. */
function wordsOf({ buffer, byteOffset, length }: Buffer, from: number): Int32Array {
  return length < from + 4 ? new Int32Array(0) : new Int32Array(buffer, byteOffset + from, (length - from) >> 2);
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= 0x39;
}

function isHexDigit(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

function scalarKind(first: number): number {
  if (first === 0x6e) return JsonKind.none;
  if (first === 0x74) return JsonKind.true;
  return first === 0x66 ? JsonKind.false : JsonKind.number;
}
