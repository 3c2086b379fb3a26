import { Buffer } from 'node:buffer';

const chunkBytesMin = 4096;
const hashedBytes = 32;
/** So that its head is one byte. */
const shortTextChars = 63;

/** Bytes that grow as they are written. Numbers are little-endian, lengths and counts are varints. */
export class StateWriter {
  #bytes = Buffer.alloc(chunkBytesMin);
  #view = viewOf(this.#bytes);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  /** Takes back what was written after this. */
  set length(length: number) {
    this.#at = length;
  }

  /** What was written; the writer is of no use afterwards. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** What was written, and room for more behind it; another one when the room is used up. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** What was written since the last call, in memory of its own. */
  take(): Uint8Array {
    const taken = Buffer.from(this.done());
    this.#at = 0;
    return taken;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.#room(8);
    if (value < 128) {
      this.#bytes[this.#at++] = value;
      return;
    }
    let rest = value;
    for (; rest > 127 && rest < 2 ** 31; rest >>= 7) this.#bytes[this.#at++] = (rest & 127) | 128;
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  double(value: number): void {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  bigint64(value: bigint): void {
    this.#room(8);
    this.#view.setBigInt64(this.#at, value, true);
    this.#at += 8;
  }

  /** Writes a number over what was written there. */
  uint32At(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  uint32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** The bytes `[from, end)` as they are; whoever reads them knows where they end. */
  raw(value: Buffer, from: number, end: number): void {
    this.#room(end - from);
    this.#at += value.copy(this.#bytes, this.#at, from, end);
  }

  /**
   * UTF-16 units keep what UTF-8 cannot: half a surrogate pair. Almost all texts are ASCII and take a byte a character;
   * the lowest bit of the head says which of both it is.
   */
  text(value: string): void {
    const { length } = value;
    if (length <= shortTextChars && this.#shortText(value)) return;
    const isWide = wide.test(value);
    this.varint(length * 2 + (isWide ? 1 : 0));
    this.#room(length * 2);
    this.#at += this.#bytes.write(value, this.#at, isWide ? 'utf16le' : 'latin1');
  }

  /** Character by character, which is faster than a call for few of them; false, and nothing, where one is wide. */
  #shortText(value: string): boolean {
    const { length } = value;
    this.#room(length + 1);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = length * 2;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 255) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  /** A hash of what was written last, from a place on: of some bytes at its beginning and its end. */
  hashFrom(at: number): number {
    const [bytes, end] = [this.#bytes, this.#at];
    let hash = end - at;
    const beginning = Math.min(end, at + hashedBytes);
    for (let each = at; each < beginning; each++) hash = Math.imul(hash ^ bytes[each]!, 0x01000193);
    for (let each = Math.max(beginning, end - hashedBytes); each < end; each++) {
      hash = Math.imul(hash ^ bytes[each]!, 0x01000193);
    }
    return hash ^ (hash >>> 15);
  }

  /** Whether what was written last, from a place on, stands at another place before it, too. */
  isRepeated(earlier: number, at: number): boolean {
    const bytes = this.#bytes;
    const length = this.#at - at;
    for (let each = 0; each < length; each++) if (bytes[earlier + each] !== bytes[at + each]) return false;
    return true;
  }

  /** Lower-case hex digits as half as many bytes; false, and nothing, for another text. */
  hex(value: string): boolean {
    const { length } = value;
    this.#room(length / 2);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let index = 0; index < length; index += 2) {
      const high = nibble(value.charCodeAt(index));
      const low = nibble(value.charCodeAt(index + 1));
      if ((high | low) > 15) return false;
      bytes[at++] = (high << 4) | low;
    }
    this.#at = at;
    return true;
  }

  /** A text of 8, 10, … 64 lower-case hex digits, under a tag, as half as many bytes; false, and nothing, for another. */
  taggedHex(tag: number, value: string): boolean {
    const { length } = value;
    if (length < 8 || length > 64 || length % 2 === 1) return false;
    const start = this.#at;
    this.byte(tag);
    this.byte(length / 2);
    if (this.hex(value)) return true;
    this.#at = start;
    return false;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

/** Reads what `StateWriter` wrote; every read is bounded. Throws a SyntaxError at bytes that are too few. */
export class StateReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = viewOf(bytes);
  }

  /** How far it has come. */
  get at(): number {
    return this.#at;
  }

  /** Goes to where something begins that was read before. */
  seek(at: number): void {
    this.#at = at;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  varint(): number {
    const first = this.byte();
    if (first < 128) return first;
    let value = first & 127;
    for (let factor = 128; factor < 2 ** 56; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new SyntaxError('a number is too long');
  }

  /** How many values follow, each of at least one byte. */
  count(): number {
    const count = this.varint();
    if (count > this.#bytes.length - this.#at) throw new SyntaxError('more values than bytes');
    return count;
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#take(8));
  }

  biguint64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  bigint64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  /** What stands somewhere that was read before. */
  biguint64At(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  /** What stands somewhere that was read before, as a signed number. */
  int32At(at: number): number {
    return this.#view.getInt32(at, true);
  }

  /** Four bytes, the first of them the highest, as a signed number. */
  int32BigEndian(): number {
    return this.#view.getInt32(this.#take(4));
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** In memory of their own. */
  bytes(): Uint8Array {
    const length = this.varint();
    const start = this.#take(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length));
  }

  text(): string {
    const head = this.varint();
    const length = Math.floor(head / 2);
    const isWide = head % 2 === 1;
    const start = this.#take(isWide ? length * 2 : length);
    return this.#bytes.toString(isWide ? 'utf16le' : 'latin1', start, this.#at);
  }

  /** Goes on behind a text. */
  passText(): void {
    const head = this.varint();
    this.#take(head % 2 === 1 ? head - 1 : head / 2);
  }

  hex(): string {
    return this.hexOf(this.byte());
  }

  /** So many bytes as hex digits. */
  hexOf(bytes: number): string {
    const start = this.#take(bytes);
    return this.#bytes.toString('hex', start, this.#at);
  }

  /** Moves on by so many bytes and says where they start. */
  #take(bytes: number): number {
    const start = this.#at;
    if (bytes > this.#bytes.length - start) throw new SyntaxError('the bytes end in the middle of a value');
    this.#at = start + bytes;
    return start;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The value of a lower-case hex digit, or more than 15. */
function nibble(code: number): number {
  return nibbles[code & 127]! | ((code >> 7) << 4);
}

const nibbles = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : 16;
});

/** Of no text that V8 holds as bytes: there it costs next to nothing, where a loop over the characters is most of writing it. */
const wide = /[\u0100-\uffff]/;
