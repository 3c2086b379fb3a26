import { limits } from '../model/limits.ts';
import { MalformedError, type WireReader, WireType } from './wire.ts';

/**
 * Repeated numbers of 8 bytes, one list behind the other. Protobuf sends them packed or one by one, and readers take both:
 * https://protobuf.dev/programming-guides/encoding/#packed
 */
export class NumberLists {
  #buffer = Buffer.alloc(64 * 1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): Buffer {
    return this.#buffer;
  }

  /** Forgets what is behind, for a record that was refused. */
  reset(count = 0): void {
    if (count === 0 && this.#buffer.length > keptBytesMax) this.#buffer = Buffer.alloc(keptBytesMax);
    this.#count = count;
  }

  /** fixed64 or double, packed or not. */
  readFixed(reader: WireReader, wireType: number, end: number, field: string): void {
    if (wireType === WireType.fixed64) {
      this.add(reader.bytes, reader.fixed(8, end), 1);
      return;
    }
    reader.expect(wireType, WireType.bytes, field);
    const stop = reader.range(end);
    const length = stop - reader.pos;
    if (length % 8 !== 0) reader.fail(`${field} is no list of 8-byte numbers`);
    this.add(reader.bytes, reader.pos, length / 8);
    reader.pos = stop;
  }

  /** uint64 as varints, packed or not. */
  readVarints(reader: WireReader, wireType: number, end: number, field: string): void {
    if (wireType === WireType.varint) {
      this.#addVarint(reader, end);
      return;
    }
    reader.expect(wireType, WireType.bytes, field);
    const stop = reader.range(end);
    while (reader.pos < stop) this.#addVarint(reader, stop);
  }

  add(from: Buffer, start: number, count: number): void {
    this.#ensure(count);
    from.copy(this.#buffer, this.#count * 8, start, start + count * 8);
    this.#count += count;
  }

  #addVarint(reader: WireReader, end: number): void {
    this.#ensure(1);
    const at = this.#count++ * 8;
    const start = reader.pos;
    reader.varint32(end);
    let value = 0n;
    for (let pos = reader.pos - 1; pos >= start; pos--) value = (value << 7n) | BigInt(reader.bytes[pos]! & 127);
    this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  }

  #ensure(count: number): void {
    if (this.#count + count > limits.metricNumbersPerBatchMax) {
      const message = `a request holds more than ${limits.metricNumbersPerBatchMax} buckets and bounds; send smaller batches`;
      throw new MalformedError('SW_HTTP_BODY_TOO_LARGE', message);
    }
    const needed = (this.#count + count) * 8;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.alloc(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#count * 8);
    this.#buffer = larger;
  }
}

const keptBytesMax = 1024 * 1024;
