/**
 * Writes protobuf into one growing buffer. Lengths of messages are not known before their end, so each is given five
 * bytes and written as a padded varint, which every reader accepts.
 */
export class ProtobufWriter {
  #buffer = Buffer.allocUnsafe(64 * 1024);
  #length = 0;

  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = Buffer.allocUnsafe(64 * 1024);
    this.#length = 0;
    return taken;
  }

  varint(field: number, value: number | bigint): void {
    this.#tag(field, 0);
    if (typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff) {
      this.#uint32(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) this.#byte(Number(rest & 127n) | 128);
    this.#byte(Number(rest));
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, 1);
    this.#ensure(8);
    this.#length = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, 5);
    this.#ensure(4);
    this.#length = this.#buffer.writeUInt32LE(value >>> 0, this.#length);
  }

  double(field: number, value: number): void {
    this.#tag(field, 1);
    this.#ensure(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  string(field: number, text: string): void {
    const size = Buffer.byteLength(text);
    this.#tag(field, 2);
    this.#uint32(size);
    this.#ensure(size);
    this.#length += this.#buffer.write(text, this.#length);
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#tag(field, 2);
    this.#uint32(bytes.length);
    this.#ensure(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A nested message: `write` writes its fields with this same writer. */
  message(field: number, write: () => void): void {
    this.#tag(field, 2);
    this.#ensure(5);
    const lengthAt = this.#length;
    this.#length += 5;
    write();
    let size = this.#length - lengthAt - 5;
    for (let i = 0; i < 4; i++, size >>>= 7) this.#buffer[lengthAt + i] = (size & 127) | 128;
    this.#buffer[lengthAt + 4] = size;
  }

  #tag(field: number, wireType: number): void {
    this.#uint32((field << 3) | wireType);
  }

  #uint32(value: number): void {
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.#byte((rest & 127) | 128);
    this.#byte(rest);
  }

  #byte(value: number): void {
    this.#ensure(1);
    this.#buffer[this.#length++] = value;
  }

  #ensure(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#length + size, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
