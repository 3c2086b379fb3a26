/**
 * Writes protobuf into one growing buffer. Lengths of messages are not known before their end, so each is given five
 * bytes and written as a padded varint, which every reader accepts.
 */
export class ProtobufWriter {
  #buffer: Buffer;
  #length = 0;

  /** @param initialBytes room at the start; growth doubles it */
  constructor(initialBytes = bytesAtStart) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  /** Gives what was written away. */
  take(): Buffer {
    const taken = this.view();
    this.#buffer = none;
    this.#length = 0;
    return taken;
  }

  /** What was written, until the next `reset`. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Forgets what was written and keeps the buffer, unless it is larger than this. */
  reset(keptBytesMax: number): void {
    if (this.#buffer.length > keptBytesMax) this.#buffer = none;
    this.#length = 0;
  }

  varint(field: number, value: number | bigint): void {
    this.#tag(field, 0, 10);
    if (typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff) {
      this.#uint32(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) this.#buffer[this.#length++] = Number(rest & 127n) | 128;
    this.#buffer[this.#length++] = Number(rest);
  }

  fixed64(field: number, value: number | bigint): void {
    this.#tag(field, 1, 8);
    this.#length = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), this.#length);
  }

  /** A fixed64 from its two halves, for arithmetic without bigint. */
  fixed64Halves(field: number, low: number, high: number): void {
    this.#tag(field, 1, 8);
    this.#bytes4(low);
    this.#bytes4(high);
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, 5, 4);
    this.#bytes4(value);
  }

  double(field: number, value: number): void {
    this.#tag(field, 1, 8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  string(field: number, text: string): void {
    if (text.length <= shortChars && this.#shortAscii(field, text)) return;
    const size = Buffer.byteLength(text);
    this.#tag(field, 2, 5 + size);
    this.#uint32(size);
    this.#length += this.#buffer.write(text, this.#length);
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.copied(field, bytes, 0, bytes.length);
  }

  /** The same for a part of some bytes. */
  copied(field: number, bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.#tag(field, 2, 5 + size);
    this.#uint32(size);
    const buffer = this.#buffer;
    let at = this.#length;
    // A call costs more than copying so little.
    if (size <= shortChars) for (let from = start; from < end; from++) buffer[at++] = bytes[from]!;
    else buffer.set(bytes.subarray(start, end), at);
    this.#length += size;
  }

  /** The bytes that hex digits stand for, two of which make a byte; false, and nothing is written, where something else stands there. */
  hexed(field: number, digits: Uint8Array, start: number, end: number): boolean {
    const from = this.#length;
    const size = (end - start) >> 1;
    this.#tag(field, 2, 5 + size);
    this.#uint32(size);
    const buffer = this.#buffer;
    for (let at = start; at < end; at += 2) {
      const high = nibbles[digits[at]!]!;
      const low = nibbles[digits[at + 1]!]!;
      if ((high | low) > 15) {
        this.#length = from;
        return false;
      }
      buffer[this.#length++] = (high << 4) | low;
    }
    return true;
  }

  /** A nested message: `write` writes its fields with this same writer. */
  message(field: number, write: () => void): void {
    const opened = this.open(field);
    write();
    this.close(opened);
  }

  /** Begins a nested message, for those who write very many; ends with `close` of what this gives. */
  open(field: number): number {
    this.#tag(field, 2, 5);
    this.#length += 5;
    return this.#length;
  }

  close(opened: number): void {
    const buffer = this.#buffer;
    let size = this.#length - opened;
    for (let at = opened - 5; at < opened - 1; at++, size >>>= 7) buffer[at] = (size & 127) | 128;
    buffer[opened - 1] = size;
  }

  /** Without a call to ask how many bytes the text is and one to write them; false for one that is not ASCII. */
  #shortAscii(field: number, text: string): boolean {
    const from = this.#length;
    this.#tag(field, 2, 5 + text.length);
    this.#uint32(text.length);
    const buffer = this.#buffer;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) {
        this.#length = from;
        return false;
      }
      buffer[this.#length++] = code;
    }
    return true;
  }

  /** Makes room for the tag and so many bytes behind it. */
  #tag(field: number, wireType: number, bytesBehind: number): void {
    const needed = this.#length + tagBytesMax + bytesBehind;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#uint32((field << 3) | wireType);
  }

  /** Where room was made. */
  #uint32(value: number): void {
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.#buffer[this.#length++] = (rest & 127) | 128;
    this.#buffer[this.#length++] = rest;
  }

  #bytes4(value: number): void {
    const buffer = this.#buffer;
    for (let shift = 0; shift < 32; shift += 8) buffer[this.#length++] = value >>> shift;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2, bytesAtStart));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

const bytesAtStart = 64 * 1024;
const none = Buffer.alloc(0);
const tagBytesMax = 5;
const shortChars = 40;

/** By the code of a hex digit its value; 255 of all else. */
const nibbles = new Uint8Array(256).fill(255);
for (const digit of '0123456789abcdefABCDEF') nibbles[digit.charCodeAt(0)] = Number.parseInt(digit, 16);
