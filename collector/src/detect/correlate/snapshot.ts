import { KeptSpan, plainSpan } from './kept-span.ts';
import { StateReader, StateWriter } from './state-bytes.ts';

/**
 * Plain data as bytes and back, for snapshots and journals: null, undefined, booleans, numbers, bigints, texts, bytes, arrays,
 * maps, sets and records. Texts and the keys of records are written once, and so are records with a `spanId`, which stand
 * in many windows at once: after decoding they are one object again.
 */
export function encodeState(state: unknown): Uint8Array {
  const writer = new StateWriter();
  new Encoder(writer).write(state);
  return writer.done();
}

/** Throws a SyntaxError on bytes that `encodeState` did not write. */
export function decodeState(bytes: Uint8Array): unknown {
  const reader = new StateReader(bytes);
  const value = new Decoder(reader).read(0);
  if (!reader.atEnd) throw new SyntaxError('bytes are left after the state');
  return value;
}

/** Values one after the other, taken in pieces. What is written once is so for all of them. */
export class StateEncoder {
  readonly #writer = new StateWriter();
  readonly #encoder = new Encoder(this.#writer);

  /** Bytes since the last piece. */
  get length(): number {
    return this.#writer.length;
  }

  write(value: unknown): void {
    this.#encoder.write(value);
  }

  take(): Uint8Array {
    return this.#writer.take();
  }
}

/** The values in all pieces of a `StateEncoder`, put together. Throws a SyntaxError on other bytes. */
export function* decodeStates(bytes: Uint8Array): Generator<unknown> {
  const reader = new StateReader(bytes);
  const decoder = new Decoder(reader);
  while (!reader.atEnd) yield decoder.read(0);
}

/** The first byte of a value; it never changes what it stands for. */
const kinds = {
  null: 0,
  undefined: 1,
  false: 2,
  true: 3,
  /** Zigzag varint. */
  integer: 4,
  double: 5,
  /** 64 bits, signed. */
  bigint: 6,
  /** Beyond 64 bits: sign byte, number of zero digits left out at the end, hex digits. */
  longBigint: 7,
  newText: 8,
  knownText: 9,
  /** An even number of lower-case hex digits, as of trace and span ids: half the bytes, and remembered nowhere. */
  hexText: 10,
  bytes: 11,
  array: 12,
  map: 13,
  set: 14,
  newShape: 15,
  knownShape: 16,
  /** A record with a `spanId`: the next one, or one that came before. */
  newShared: 17,
  knownShared: 18,
} as const;

/** Of texts the newest so many are remembered by their number, of records the first. */
const rememberedMax = 1 << 16;
const depthMax = 64;

class Encoder {
  readonly #writer: StateWriter;
  readonly #texts = new RecentTexts();
  readonly #shapes: (readonly string[])[] = [];
  readonly #shared = new Map<object, number>();

  constructor(writer: StateWriter) {
    this.#writer = writer;
  }

  write(value: unknown): void {
    if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'bigint') this.#bigint(value);
    else if (typeof value === 'boolean') this.#writer.byte(value ? kinds.true : kinds.false);
    else if (value === undefined) this.#writer.byte(kinds.undefined);
    else if (value === null) this.#writer.byte(kinds.null);
    else if (typeof value === 'object') this.#object(value);
    else throw new TypeError(`a ${typeof value} is no plain data`);
  }

  #number(value: number): void {
    const writer = this.#writer;
    if (Number.isSafeInteger(value) && Math.abs(value) < 2 ** 52 && !Object.is(value, -0)) {
      writer.byte(kinds.integer);
      writer.varint(value < 0 ? -value * 2 - 1 : value * 2);
    } else {
      writer.byte(kinds.double);
      writer.double(value);
    }
  }

  #bigint(value: bigint): void {
    const writer = this.#writer;
    if (BigInt.asIntN(64, value) === value) {
      writer.byte(kinds.bigint);
      writer.bigint64(value);
      return;
    }
    const digits = (value < 0n ? -value : value).toString(16);
    const kept = digits.replace(/0+$/, '');
    writer.byte(kinds.longBigint);
    writer.byte(value < 0n ? 1 : 0);
    writer.varint(digits.length - kept.length);
    writer.text(kept);
  }

  #text(value: string): void {
    const writer = this.#writer;
    if (writer.taggedHex(kinds.hexText, value)) return;
    const known = this.#texts.find(value);
    if (known < 0) {
      writer.byte(kinds.newText);
      writer.text(value);
    } else {
      writer.byte(kinds.knownText);
      writer.varint(known);
    }
  }

  #object(value: object): void {
    const writer = this.#writer;
    if (Array.isArray(value)) {
      writer.byte(kinds.array);
      writer.varint(value.length);
      for (const member of value) this.write(member);
    } else if (value instanceof Map) {
      writer.byte(kinds.map);
      writer.varint(value.size);
      for (const [key, member] of value) {
        this.write(key);
        this.write(member);
      }
    } else if (value instanceof Set) {
      writer.byte(kinds.set);
      writer.varint(value.size);
      for (const member of value) this.write(member);
    } else if (value instanceof Uint8Array) {
      writer.byte(kinds.bytes);
      writer.bytes(value);
    } else this.#record(value as Record<string, unknown>);
  }

  #record(value: Record<string, unknown>): void {
    const writer = this.#writer;
    let record = value;
    if ('spanId' in value) {
      const place = this.#shared.get(value);
      if (place !== undefined) {
        writer.byte(kinds.knownShared);
        writer.varint(place);
        return;
      }
      if (this.#shared.size < rememberedMax) this.#shared.set(value, this.#shared.size);
      writer.byte(kinds.newShared);
      if (value instanceof KeptSpan) record = plainSpan(value) as never;
    }
    const keys = Object.keys(record);
    const known = this.#shapes.findIndex((shape) => isSame(shape, keys));
    if (known >= 0) {
      writer.byte(kinds.knownShape);
      writer.varint(known);
    } else {
      if (this.#shapes.length < rememberedMax) this.#shapes.push(keys);
      writer.byte(kinds.newShape);
      writer.varint(keys.length);
      for (const key of keys) writer.text(key);
    }
    for (const key of keys) this.write(record[key]);
  }
}

/**
 * Where a text was written before. It looks in one place only, so that looking is cheap; a text that lost its place to
 * another one is written out again.
 */
class RecentTexts {
  readonly #texts: (string | undefined)[] = new Array(textPlaces);
  readonly #numbers = new Float64Array(textPlaces);
  #count = 0;

  /** The number of a text among the newest, or -1: then it has the next one from now on. */
  find(text: string): number {
    const place = placeOf(text);
    const number = this.#numbers[place]!;
    if (this.#texts[place] === text && number >= this.#count - rememberedMax) return number % rememberedMax;
    this.#texts[place] = text;
    this.#numbers[place] = this.#count++;
    return -1;
  }
}

const textPlaces = 1 << 12;

function placeOf(text: string): number {
  const { length } = text;
  let hash = length;
  // The end of a text tells ids apart, its beginning names.
  for (let index = Math.max(0, length - 6); index < length; index++) hash = (hash * 31 + text.charCodeAt(index)) | 0;
  if (length > 6) hash = (hash * 31 + text.charCodeAt(0) * 7 + text.charCodeAt(length >> 1)) | 0;
  return (hash ^ (hash >>> 12)) & (textPlaces - 1);
}

class Decoder {
  readonly #reader: StateReader;
  readonly #texts: string[] = [];
  #textCount = 0;
  readonly #shapes: (readonly string[])[] = [];
  readonly #shared: object[] = [];

  constructor(reader: StateReader) {
    this.#reader = reader;
  }

  read(depth: number): unknown {
    if (depth > depthMax) throw new SyntaxError('the state is nested too deep');
    const reader = this.#reader;
    const kind = reader.byte();
    switch (kind) {
      case kinds.null:
        return null;
      case kinds.undefined:
        return undefined;
      case kinds.false:
        return false;
      case kinds.true:
        return true;
      case kinds.integer:
        return unzigzag(reader.varint());
      case kinds.double:
        return reader.double();
      case kinds.bigint:
        return reader.bigint64();
      case kinds.longBigint:
        return this.#longBigint();
      case kinds.newText:
        return this.#newText(reader.text());
      case kinds.knownText:
        return member(this.#texts, reader.varint());
      case kinds.hexText:
        return reader.hex();
      case kinds.bytes:
        return reader.bytes();
      default:
        return this.#composite(kind, depth + 1);
    }
  }

  #composite(kind: number, depth: number): unknown {
    const reader = this.#reader;
    switch (kind) {
      case kinds.array:
        return Array.from({ length: reader.count() }, () => this.read(depth));
      case kinds.map: {
        const map = new Map<unknown, unknown>();
        for (let left = reader.count(); left > 0; left--) map.set(this.read(depth), this.read(depth));
        return map;
      }
      case kinds.set: {
        const set = new Set<unknown>();
        for (let left = reader.count(); left > 0; left--) set.add(this.read(depth));
        return set;
      }
      case kinds.newShared: {
        const record: Record<string, unknown> = {};
        if (this.#shared.length < rememberedMax) this.#shared.push(record);
        return this.#fill(record, reader.byte(), depth);
      }
      case kinds.knownShared:
        return member(this.#shared, reader.varint());
      default:
        return this.#fill({}, kind, depth);
    }
  }

  #fill(record: Record<string, unknown>, kind: number, depth: number): Record<string, unknown> {
    for (const key of this.#shape(kind)) record[key] = this.read(depth);
    return record;
  }

  #shape(kind: number): readonly string[] {
    const reader = this.#reader;
    if (kind === kinds.knownShape) return member(this.#shapes, reader.varint());
    if (kind !== kinds.newShape) throw new SyntaxError(`no value starts with ${kind}`);
    const keys = Array.from({ length: reader.count() }, () => reader.text());
    // As a key it would not be a member but the prototype.
    if (keys.includes('__proto__')) throw new SyntaxError('a record has a forbidden key');
    return this.#remembered(this.#shapes, keys);
  }

  #newText(text: string): string {
    this.#texts[this.#textCount++ % rememberedMax] = text;
    return text;
  }

  #remembered<T>(list: T[], value: T): T {
    if (list.length < rememberedMax) list.push(value);
    return value;
  }

  #longBigint(): bigint {
    const reader = this.#reader;
    const isNegative = reader.byte() === 1;
    const zeros = reader.varint();
    const digits = reader.text();
    if (zeros > 1 << 16 || !/^[0-9a-f]+$/.test(digits)) throw new SyntaxError('a number is damaged');
    const size = BigInt(`0x${digits}`) << BigInt(zeros * 4);
    return isNegative ? -size : size;
  }
}

function member<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new SyntaxError('the state refers to what is not there');
  return found;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function isSame(shape: readonly string[], keys: readonly string[]): boolean {
  if (shape.length !== keys.length) return false;
  for (let index = 0; index < keys.length; index++) if (shape[index] !== keys[index]) return false;
  return true;
}
