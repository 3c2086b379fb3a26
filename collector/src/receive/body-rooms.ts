/**
 * Room for large bodies, which is used again once their requests are on disk: new megabytes for every body have to be cleared by the kernel, and
 * make garbage collection hurry.
 */
export class BodyRooms {
  readonly #spares: Buffer[] = [];
  /** What was taken, by its memory. */
  readonly #lent = new WeakSet<ArrayBufferLike>();

  /** So many bytes, which hold whatever was there. */
  take(byteCount: number): Buffer {
    const found = this.#spares.findIndex(({ length }) => length >= byteCount);
    const room =
      found >= 0
        ? this.#spares.splice(found, 1)[0]!
        : Buffer.allocUnsafeSlow(Math.ceil(byteCount / roundedBytes) * roundedBytes);
    this.#lent.add(room.buffer);
    return room.subarray(0, byteCount);
  }

  /** To be called when nobody reads the body any more; does nothing for bytes from elsewhere. */
  giveBack({ buffer }: Buffer): void {
    if (!this.#lent.delete(buffer) || buffer.byteLength > spareBytesMax) return;
    this.#spares.push(Buffer.from(buffer));
    // The oldest goes: a size that is no longer sent would stay forever.
    if (this.#spares.length > sparesMax) this.#spares.shift();
  }
}

/** Bodies of one sender are about as long as each other. */
const roundedBytes = 256 * 1024;
const sparesMax = 4;
const spareBytesMax = 4 * 1024 * 1024;
