import type { ProtobufWriter } from '../model/protobuf-writer.ts';
import type { JsonKey } from './json-keys.ts';
import { JsonKind, type JsonTape } from './json-tape.ts';
import { MalformedError } from './wire.ts';

/** An object inside an OTLP/JSON body with typed access; errors name the path to the wrong value. A member that is null is as none. */
export class JsonObject {
  readonly #tape: JsonTape;
  readonly #at: number;

  private constructor(tape: JsonTape, at: number) {
    this.#tape = tape;
    this.#at = at;
  }

  static root(tape: JsonTape): JsonObject {
    if (tape.kind(0) !== JsonKind.object) {
      throw new MalformedError('SW_OTLP_JSON', 'body must be a JSON object with resourceSpans');
    }
    return new JsonObject(tape, 0);
  }

  object(key: JsonKey): JsonObject | undefined {
    const at = this.#get(key);
    return at < 0 ? undefined : this.#objectAt(at, key);
  }

  objects(key: JsonKey): JsonObject[] {
    return this.#list(key, (at) => this.#objectAt(at));
  }

  text(key: JsonKey): string | undefined {
    const at = this.#textAt(key);
    return at < 0 ? undefined : this.#tape.text(at);
  }

  /** Writes a text as a field, without making a string of it where its bytes say all; false when there is none. */
  writeText(writer: ProtobufWriter, field: number, key: JsonKey, isEmptyWritten: boolean): boolean {
    const at = this.#textAt(key);
    if (at < 0) return false;
    const tape = this.#tape;
    const [start, end] = [tape.start(at), tape.end(at)];
    if (start === end && !isEmptyWritten) return true;
    if (tape.kind(at) === JsonKind.escaped) writer.string(field, tape.text(at));
    else writer.copied(field, tape.bytes, start, end);
    return true;
  }

  /** Writes the bytes of an id in hex digits; false where the text has to be looked at more closely. */
  writeHex(writer: ProtobufWriter, field: number, key: JsonKey): boolean {
    const at = this.#textAt(key);
    if (at < 0) return true;
    const tape = this.#tape;
    const [start, end] = [tape.start(at), tape.end(at)];
    if (start === end) return true;
    if (tape.kind(at) === JsonKind.escaped || (end - start) % 2 === 1) return false;
    return writer.hexed(field, tape.bytes, start, end);
  }

  boolean(key: JsonKey): boolean | undefined {
    const at = this.#get(key);
    if (at < 0) return undefined;
    const kind = this.#tape.kind(at);
    if (kind !== JsonKind.true && kind !== JsonKind.false) this.fail(key, 'must be true or false');
    return kind === JsonKind.true;
  }

  /** A 64-bit integer, written as a number or as a decimal string; a small one as a number. */
  integer(key: JsonKey): number | bigint | undefined {
    const at = this.#get(key);
    return at < 0 ? undefined : this.#integer(at, key);
  }

  integers(key: JsonKey): (number | bigint)[] {
    return this.#list(key, (at) => this.#integer(at));
  }

  double(key: JsonKey): number | undefined {
    const at = this.#get(key);
    return at < 0 ? undefined : this.#double(at, key);
  }

  doubles(key: JsonKey): number[] {
    return this.#list(key, (at) => this.#double(at));
  }

  fail(key: JsonKey, problem: string): never {
    const path = this.#tape.path(this.#at);
    throw new MalformedError('SW_OTLP_JSON', `${path === '' ? '' : `${path}.`}${key.name} ${problem}`);
  }

  #get({ code, snakeCode }: JsonKey): number {
    return this.#tape.member(this.#at, code, snakeCode);
  }

  #list<T>(key: JsonKey, read: (at: number) => T): T[] {
    const list = this.#get(key);
    if (list < 0) return [];
    const tape = this.#tape;
    if (tape.kind(list) !== JsonKind.list) this.fail(key, 'must be an array');
    const found: T[] = [];
    for (let at = tape.first(list); at >= 0; at = tape.after(at, list)) found.push(read(at));
    return found;
  }

  #objectAt(at: number, key?: JsonKey): JsonObject {
    if (this.#tape.kind(at) !== JsonKind.object) this.#failAt(at, key, 'must be an object');
    return new JsonObject(this.#tape, at);
  }

  #textAt(key: JsonKey): number {
    const at = this.#get(key);
    if (at < 0) return at;
    const kind = this.#tape.kind(at);
    if (kind !== JsonKind.text && kind !== JsonKind.escaped) this.fail(key, 'must be a string');
    return at;
  }

  #integer(at: number, key?: JsonKey): number | bigint {
    const tape = this.#tape;
    const small = smallInteger(tape, at);
    if (small >= 0) return small;
    const kind = tape.kind(at);
    if (kind !== JsonKind.number && kind !== JsonKind.text && kind !== JsonKind.escaped) {
      this.#failAt(at, key, notInteger);
    }
    const text = tape.text(at);
    if (integerText.test(text)) return BigInt(text);
    // 1e3 and 1.0 are integers, too.
    const value = kind === JsonKind.number && !digitsOnly.test(text) ? Number(text) : Number.NaN;
    const whole = Number.isInteger(value) ? String(BigInt(value)) : '';
    return integerText.test(whole) ? BigInt(whole) : this.#failAt(at, key, notInteger);
  }

  #double(at: number, key?: JsonKey): number {
    const tape = this.#tape;
    const kind = tape.kind(at);
    if (kind === JsonKind.number) return Number(tape.text(at));
    const isText = kind === JsonKind.text || kind === JsonKind.escaped;
    const text = isText ? tape.text(at) : '';
    return doubleText.test(text) ? Number(text) : this.#failAt(at, key, 'must be a number');
  }

  /** @param key of a member; without one the value is in a list */
  #failAt(at: number, key: JsonKey | undefined, problem: string): never {
    if (key !== undefined) this.fail(key, problem);
    throw new MalformedError('SW_OTLP_JSON', `${this.#tape.path(at)} ${problem}`);
  }
}

const notInteger = 'must be an integer or a decimal string';
const integerText = /^-?\d{1,20}$/;
const digitsOnly = /^-?\d+$/;
const doubleText = /^(NaN|-?Infinity|-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?)$/;
const smallDigitsMax = 9;

/** Most numbers: up to nine digits; -1 for all others. */
function smallInteger(tape: JsonTape, at: number): number {
  const [start, end] = [tape.start(at), tape.end(at)];
  if (tape.kind(at) !== JsonKind.number || end - start > smallDigitsMax) return -1;
  let value = 0;
  for (let place = start; place < end; place++) {
    const digit = tape.bytes[place]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
