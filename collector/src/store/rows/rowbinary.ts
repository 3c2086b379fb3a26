/**
 * Writes ClickHouse's RowBinary into one growing buffer: no allocation per value, no JavaScript string where bytes are
 * at hand. A LowCardinality is written as its plain type, a Nullable is not used, arrays and maps start with a varint
 * count. Format: https://clickhouse.com/docs/interfaces/formats/RowBinary
 *
 * Every method makes room for what it writes. A caller that writes many small values may `ensure` once and then store
 * into `buffer` at `length` itself; `buffer` is replaced when it grows, so it must be read again after every other call.
 */
export class RowWriter {
  buffer: Buffer;
  /** Bytes written so far. */
  length = 0;
  readonly #spares: Buffer[] = [];

  /** @param initialBytes room at the start; choose about one batch, growth doubles it. */
  constructor(initialBytes = 64 * 1024) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(initialBytes, 64));
  }

  /** Makes room for `byteCount` more bytes. */
  ensure(byteCount: number): void {
    const needed = this.length + byteCount;
    if (needed > this.buffer.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }

  u8(value: number): void {
    this.ensure(1);
    this.buffer[this.length++] = value;
  }

  u16(value: number): void {
    this.ensure(2);
    const buffer = this.buffer;
    buffer[this.length++] = value;
    buffer[this.length++] = value >>> 8;
  }

  u32(value: number): void {
    this.ensure(4);
    const buffer = this.buffer;
    buffer[this.length++] = value;
    buffer[this.length++] = value >>> 8;
    buffer[this.length++] = value >>> 16;
    buffer[this.length++] = value >>> 24;
  }

  /** UInt64 from its two halves, for arithmetic without bigint. */
  u64Halves(low: number, high: number): void {
    this.u32(low);
    this.u32(high);
  }

  /** UInt64, modulo 2^64. */
  u64(value: bigint): void {
    this.ensure(8);
    this.buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.length);
    this.length += 8;
  }

  /** Int64, modulo 2^64. A DateTime64(9) is this: nanoseconds since the epoch. */
  i64(value: bigint): void {
    this.u64(value);
  }

  /** LEB128 of a length or count below 2^32. */
  varint(value: number): void {
    this.ensure(5);
    const buffer = this.buffer;
    let rest = value;
    while (rest > 0x7f) {
      buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[this.length++] = rest;
  }

  /** A String from a JavaScript string, as UTF-8; lone surrogates become U+FFFD. */
  string(text: string): void {
    const units = text.length;
    this.ensure(units * 3 + 5);
    if (units <= shortTextUnits && this.#shortAscii(text)) return;
    // The length goes before the bytes, and only writing them tells it: guess its width, correct it if wrong.
    const guessedWidth = varintWidth(units);
    const start = this.length;
    const byteCount = this.buffer.write(text, start + guessedWidth, 'utf8');
    const width = varintWidth(byteCount);
    if (width !== guessedWidth) {
      this.buffer.copyWithin(start + width, start + guessedWidth, start + guessedWidth + byteCount);
    }
    this.varint(byteCount);
    this.length = start + width + byteCount;
  }

  /** A loop beats the call into C++ for names and levels. False, with nothing written, for a text that is not ASCII. */
  #shortAscii(text: string): boolean {
    const buffer = this.buffer;
    let at = this.length;
    buffer[at++] = text.length;
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      buffer[at++] = unit;
    }
    this.length = at;
    return true;
  }

  /** A String with the decimal digits of an integer from 0 to 2^32 - 1. */
  digits(value: number): void {
    this.ensure(11);
    const buffer = this.buffer;
    let width = 1;
    for (let limit = 10; value >= limit; limit *= 10) width++;
    buffer[this.length] = width;
    let rest = value;
    for (let at = this.length + width; at > this.length; at--) {
      buffer[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.length += width + 1;
  }

  /** A String from the bytes `source[start, end)`. */
  bytes(source: Uint8Array, start: number, end: number): void {
    this.varint(end - start);
    this.raw(source, start, end);
  }

  /** The bytes `source[start, end)` as they are: already encoded values, the 8 bytes of a fixed64, an encoded name. */
  raw(source: Uint8Array, start: number, end: number): void {
    const byteCount = end - start;
    this.ensure(byteCount);
    const buffer = this.buffer;
    if (byteCount > shortCopyBytes) {
      copyBytes.call(source as Buffer, buffer, this.length, start, end);
      this.length += byteCount;
      return;
    }
    let at = this.length;
    for (let from = start; from < end; from++) buffer[at++] = source[from]!;
    this.length = at;
  }

  /** A String with the lower-case hex of `byteCount` (at most 63) bytes at `offset`; '' when the offset is -1. */
  hex(source: Uint8Array, offset: number, byteCount: number): void {
    if (offset < 0) {
      this.u8(0);
      return;
    }
    this.ensure(byteCount * 2 + 1);
    const buffer = this.buffer;
    let at = this.length;
    buffer[at++] = byteCount * 2;
    for (let from = offset; from < offset + byteCount; from++) {
      const byte = source[from]!;
      buffer[at++] = hexDigits[byte >>> 4]!;
      buffer[at++] = hexDigits[byte & 15]!;
    }
    this.length = at;
  }

  /** What was written, valid until the next write or `reset`. */
  view(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  /** Forgets what was written (or all after `length`) and keeps the buffer. */
  reset(length = 0): void {
    this.length = length;
  }

  /** Gives what was written away without copying it; the writer goes on with another buffer. */
  take(): Buffer {
    const taken = this.view();
    // The next batch is probably about as large as this one.
    const wanted = Math.max(64, this.length + (this.length >>> 2));
    const spare = this.#spares.pop();
    this.buffer = spare !== undefined && spare.length >= this.length ? spare : Buffer.allocUnsafeSlow(wanted);
    this.length = 0;
    return taken;
  }

  /**
   * Takes back what `take` gave, once nobody reads it any more. Fresh megabytes for every batch cost more than writing
   * them: the kernel has to clear the pages and the garbage collector to hurry.
   */
  giveBack(taken: Buffer): void {
    if (this.#spares.length >= sparesMax || taken.buffer.byteLength > spareBytesMax) return;
    this.#spares.push(Buffer.from(taken.buffer));
  }
}

/** Buffers kept for the next batches, and the largest that is worth keeping. */
const sparesMax = 8;
const spareBytesMax = 8 * 1024 * 1024;
/** Texts up to this many UTF-16 units are tried as ASCII first; below 128 so that their length is one byte. */
const shortTextUnits = 48;
/** Below this a loop is faster than the native copy. */
const shortCopyBytes = 32;
const copyBytes = Buffer.prototype.copy;
const hexDigits = Buffer.from('0123456789abcdef', 'latin1');

function varintWidth(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}
