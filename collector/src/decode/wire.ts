import type { ErrorCode } from '../model/errors.ts';

/**
 * Protobuf wire format: https://protobuf.dev/programming-guides/encoding/
 *
 * | wire type | meaning | read as |
 * |---|---|---|
 * | 0 | varint | ≤ 10 bytes, 7 bits each, low bits first |
 * | 1, 5 | fixed64, fixed32 | 8 or 4 bytes, little-endian |
 * | 2 | length-delimited | varint length, then bytes |
 * | 3, 4 | groups | refused: deprecated since 2008, and OTLP has none |
 */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Thrown inside the decoders only; their entry points turn it into a value. */
export class MalformedError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a decoder makes of a request. */
export type Decoded<Batch> = { readonly status: 'ok'; readonly batch: Batch } | Malformed;

export interface Malformed {
  readonly status: 'malformed';
  readonly code: ErrorCode;
  readonly message: string;
}

/** What was read; bytes that are malformed are an outcome and no exception. */
export function orMalformed<T>(read: () => T): T | Malformed {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedError) return { status: 'malformed', code: error.code, message: error.message };
    throw error;
  }
}

/** A position in protobuf bytes. Every read is bounded by the `end` of the message being read. */
export class WireReader {
  bytes: Buffer = empty;
  pos = 0;

  reset(bytes: Buffer): void {
    this.bytes = bytes;
    this.pos = 0;
  }

  /** A tag; field numbers above 2^28 cannot occur in OTLP and are skipped as unknown. */
  tag(end: number): number {
    const tag = this.varint32(end);
    if (tag >>> 3 === 0) this.fail('field number 0');
    return tag;
  }

  /** A varint whose low 32 bits are wanted, unsigned. Nearly all tags and lengths take one byte. */
  varint32(end: number): number {
    const pos = this.pos;
    if (pos < end) {
      const byte = this.bytes[pos]!;
      if (byte < 128) {
        this.pos = pos + 1;
        return byte;
      }
    }
    return this.#longVarint32(end);
  }

  #longVarint32(end: number): number {
    const bytes = this.bytes;
    let pos = this.pos;
    let shift = 0;
    let value = 0;
    for (let i = 0; i < 10; i++) {
      if (pos >= end) this.fail('truncated varint');
      const byte = bytes[pos++]!;
      if (shift < 32) value |= (byte & 127) << shift;
      shift += 7;
      if (byte < 128) {
        this.pos = pos;
        return value >>> 0;
      }
    }
    return this.fail('varint longer than 10 bytes');
  }

  /** Reads a length and returns the end of that range; `pos` is then its start. */
  range(end: number): number {
    const length = this.varint32(end);
    const stop = this.pos + length;
    if (stop > end) this.fail('length runs past the end of its message');
    return stop;
  }

  /** Skips a fixed-width value and returns where it starts. */
  fixed(width: 4 | 8, end: number): number {
    const at = this.pos;
    if (at + width > end) this.fail('truncated fixed-width value');
    this.pos = at + width;
    return at;
  }

  /** Steps over a field nobody knows (OTLP: unknown fields are ignored at any depth). */
  skip(wireType: number, end: number): void {
    if (wireType === WireType.varint) this.varint32(end);
    else if (wireType === WireType.fixed64) this.fixed(8, end);
    else if (wireType === WireType.bytes) this.pos = this.range(end);
    else if (wireType === WireType.fixed32) this.fixed(4, end);
    else this.fail(`wire type ${wireType}`);
  }

  /**
   * The fields 1 to `last` of a message, and one further on where there is one, all of them length-delimited; others are unknown and
   * skipped. `child` finds the reader at the start of the field's content, and may leave it anywhere.
   */
  children(
    end: number,
    last: number,
    message: string,
    child: (field: number, stop: number) => void,
    further = 0,
  ): void {
    while (this.pos < end) {
      const tag = this.tag(end);
      if (tag >>> 3 > last && tag >>> 3 !== further) {
        this.skip(tag & 7, end);
        continue;
      }
      this.expect(tag & 7, WireType.bytes, message);
      const stop = this.range(end);
      child(tag >>> 3, stop);
      this.pos = stop;
    }
  }

  /** Notes where the text from here to `stop` stands: its start in this column, its length in the next. */
  place(rows: Int32Array, column: number, stop: number): void {
    rows[column] = this.pos;
    rows[column + 1] = stop - this.pos;
  }

  /** A known field must have its own wire type: anything else is another message sent to the wrong place. */
  expect(actual: number, expected: number, field: string): void {
    if (actual !== expected) this.fail(`${field} has wire type ${actual}, not ${expected}`);
  }

  fail(what: string): never {
    throw new MalformedError('SW_OTLP_PROTOBUF', `malformed protobuf at byte ${this.pos}: ${what}`);
  }
}

/** Whether a range holds zeros only: an id that is none. */
export function isZero(bytes: Buffer, start: number, length: number): boolean {
  for (let i = start; i < start + length; i++) if (bytes[i] !== 0) return false;
  return true;
}

const empty = Buffer.alloc(0);
