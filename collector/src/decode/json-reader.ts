import type { ProtobufWriter } from '../model/protobuf-writer.ts';
import { unescapeTo } from './json-escapes.ts';
import type { JsonKey } from './json-keys.ts';
import { JsonKind, JsonTape } from './json-tape.ts';
import { MalformedError } from './wire.ts';

/**
 * Typed access to a JSON body; errors name the path to the wrong value. Objects and lists are rows of the tape, which are numbers: a body
 * has so many that objects of the engine for them were most of the garbage. A member that is null is as none, and -1 is none.
 */
export class JsonReader {
  readonly #tape = new JsonTape();
  /** What texts with escapes stand for, one at a time. */
  #unescaped = empty;

  /** Gives the object that a body is, which is good until the next one. Throws MalformedError. */
  read(body: Buffer): number {
    this.#tape.parse(body);
    if (this.#tape.kind(0) === JsonKind.object) return 0;
    throw new MalformedError('SW_OTLP_JSON', 'body must be a JSON object with resourceSpans');
  }

  /** Lets go of the body. */
  release(): void {
    this.#tape.bytes = empty;
    if (this.#unescaped.length > keptBytesMax) this.#unescaped = empty;
  }

  object(owner: number, key: JsonKey): number {
    const at = this.#get(owner, key);
    if (at >= 0 && this.#tape.kind(at) !== JsonKind.object) this.fail(owner, key, notObject);
    return at;
  }

  list(owner: number, key: JsonKey): number {
    const at = this.#get(owner, key);
    if (at >= 0 && this.#tape.kind(at) !== JsonKind.list) this.fail(owner, key, 'must be an array');
    return at;
  }

  /** The first object of a list. */
  first(list: number): number {
    return list < 0 ? list : this.#listedObject(this.#tape.first(list));
  }

  /** The object behind another one in a list. */
  next(at: number, list: number): number {
    return this.#listedObject(this.#tape.after(at, list));
  }

  text(owner: number, key: JsonKey): string | undefined {
    const at = this.#text(owner, key);
    return at < 0 ? undefined : this.#tape.text(at);
  }

  /** Writes a text as a field, without making a string of it where that can be. */
  writeText(writer: ProtobufWriter, field: number, owner: number, key: JsonKey, isEmptyWritten = false): void {
    const at = this.#text(owner, key);
    if (at < 0) return;
    const tape = this.#tape;
    const start = tape.start(at);
    const end = tape.end(at);
    if (tape.kind(at) === JsonKind.text) {
      if (start < end || isEmptyWritten) writer.copied(field, tape.bytes, start, end);
      return;
    }
    if (this.#unescaped.length < end - start) this.#unescaped = Buffer.allocUnsafeSlow(end - start + roomBytes);
    const length = unescapeTo(this.#unescaped, tape.bytes, start, end);
    if (length < 0) writer.string(field, tape.text(at));
    else writer.copied(field, this.#unescaped, 0, length);
  }

  /** Writes the bytes of an id in hex digits; false where the text has to be looked at more closely. */
  writeHex(writer: ProtobufWriter, field: number, owner: number, key: JsonKey): boolean {
    const at = this.#text(owner, key);
    if (at < 0) return true;
    const tape = this.#tape;
    const start = tape.start(at);
    const end = tape.end(at);
    if (start === end) return true;
    if (tape.kind(at) === JsonKind.escaped || (end - start) % 2 === 1) return false;
    return writer.hexed(field, tape.bytes, start, end);
  }

  boolean(owner: number, key: JsonKey): boolean | undefined {
    const at = this.#get(owner, key);
    if (at < 0) return undefined;
    const kind = this.#tape.kind(at);
    if (kind !== JsonKind.true && kind !== JsonKind.false) this.fail(owner, key, 'must be true or false');
    return kind === JsonKind.true;
  }

  /** A 64-bit integer, written as a number or as a decimal string; a small one as a number. */
  integer(owner: number, key: JsonKey): number | bigint | undefined {
    const at = this.#get(owner, key);
    return at < 0 ? undefined : this.#integer(at, owner, key);
  }

  integers(owner: number, key: JsonKey): (number | bigint)[] {
    return this.#listed(owner, key, (at) => this.#integer(at));
  }

  /** Writes a 64-bit integer as a field of fixed width. */
  writeFixed64(writer: ProtobufWriter, field: number, owner: number, key: JsonKey): void {
    const at = this.#get(owner, key);
    if (at < 0) return;
    const tape = this.#tape;
    const end = tape.end(at);
    const middle = Math.max(tape.start(at), end - smallDigitsMax);
    const isPlain = tape.kind(at) === JsonKind.text || tape.kind(at) === JsonKind.number;
    const high = isPlain ? digits(tape.bytes, tape.start(at), middle) : -1;
    const low = isPlain ? digits(tape.bytes, middle, end) : -1;
    if (high >= 0 && low >= 0 && end > tape.start(at)) writeProduct(writer, field, high, low);
    else writer.fixed64(field, this.#integer(at, owner, key));
  }

  double(owner: number, key: JsonKey): number | undefined {
    const at = this.#get(owner, key);
    return at < 0 ? undefined : this.#double(at, owner, key);
  }

  doubles(owner: number, key: JsonKey): number[] {
    return this.#listed(owner, key, (at) => this.#double(at));
  }

  fail(owner: number, key: JsonKey, problem: string): never {
    const path = this.#tape.path(owner);
    throw new MalformedError('SW_OTLP_JSON', `${path === '' ? '' : `${path}.`}${key.name} ${problem}`);
  }

  #get(owner: number, key: JsonKey): number {
    return this.#tape.member(owner, key);
  }

  #listed<T>(owner: number, key: JsonKey, read: (at: number) => T): T[] {
    const list = this.list(owner, key);
    const found: T[] = [];
    if (list < 0) return found;
    const tape = this.#tape;
    for (let at = tape.first(list); at >= 0; at = tape.after(at, list)) found.push(read(at));
    return found;
  }

  #listedObject(at: number): number {
    if (at >= 0 && this.#tape.kind(at) !== JsonKind.object) this.#failAt(at, notObject);
    return at;
  }

  #text(owner: number, key: JsonKey): number {
    const at = this.#get(owner, key);
    if (at < 0) return at;
    const kind = this.#tape.kind(at);
    if (kind !== JsonKind.text && kind !== JsonKind.escaped) this.fail(owner, key, 'must be a string');
    return at;
  }

  /** @param owner and key of a member; without them the value is in a list */
  #integer(at: number, owner?: number, key?: JsonKey): number | bigint {
    const tape = this.#tape;
    const kind = tape.kind(at);
    const start = tape.start(at);
    const end = tape.end(at);
    if ((kind === JsonKind.number || kind === JsonKind.text) && end - start <= smallDigitsMax && end > start) {
      const small = digits(tape.bytes, start, end);
      if (small >= 0) return small;
    }
    if (kind !== JsonKind.number && kind !== JsonKind.text && kind !== JsonKind.escaped) {
      this.#failAt(at, notInteger, owner, key);
    }
    const text = tape.text(at);
    if (integerText.test(text)) return BigInt(text);
    // 1e3 and 1.0 are integers, too.
    const value = kind === JsonKind.number && !digitsOnly.test(text) ? Number(text) : Number.NaN;
    const whole = Number.isInteger(value) ? String(BigInt(value)) : '';
    return integerText.test(whole) ? BigInt(whole) : this.#failAt(at, notInteger, owner, key);
  }

  #double(at: number, owner?: number, key?: JsonKey): number {
    const tape = this.#tape;
    const kind = tape.kind(at);
    if (kind === JsonKind.number) return Number(tape.text(at));
    const isText = kind === JsonKind.text || kind === JsonKind.escaped;
    const text = isText ? tape.text(at) : '';
    return doubleText.test(text) ? Number(text) : this.#failAt(at, 'must be a number', owner, key);
  }

  #failAt(at: number, problem: string, owner?: number, key?: JsonKey): never {
    if (owner !== undefined && key !== undefined) this.fail(owner, key, problem);
    throw new MalformedError('SW_OTLP_JSON', `${this.#tape.path(at)} ${problem}`);
  }
}

const empty = Buffer.alloc(0);
/** So that texts which are a little longer each time do not take a buffer each. */
const roomBytes = 4096;
const keptBytesMax = 1024 * 1024;

const notObject = 'must be an object';
const notInteger = 'must be an integer or a decimal string';
const integerText = /^-?\d{1,20}$/;
const digitsOnly = /^-?\d+$/;
const doubleText = /^(NaN|-?Infinity|-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?)$/;
const smallDigitsMax = 9;
const billion = 1e9;

/** What up to ten decimal digits say, 0 without any; -1 where there are more, or something else. */
function digits(bytes: Buffer, start: number, end: number): number {
  if (end - start > smallDigitsMax + 1) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Writes high * 10^9 + low, which a number cannot hold, in two halves by way of pieces of 16 bits, which it can. */
function writeProduct(writer: ProtobufWriter, field: number, high: number, low: number): void {
  const upper = Math.floor(high / 0x10000) * billion;
  const lower = (high % 0x10000) * billion + low + (upper % 0x10000) * 0x10000;
  writer.fixed64Halves(field, lower % 2 ** 32, Math.floor(upper / 0x10000) + Math.floor(lower / 2 ** 32));
}
