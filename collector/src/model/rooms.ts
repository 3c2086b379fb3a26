export interface RoomsBounds {
  /** How many rooms are kept for later, and of how many bytes at most. */
  readonly sparesMax: number;
  readonly spareBytesMax: number;
}

/**
 * Memory for megabytes that come and go, used again by who comes next: new ones have to be cleared by the kernel each time, and make garbage
 * collection hurry.
 */
export class Rooms {
  readonly #bounds: RoomsBounds;
  readonly #spares: Buffer[] = [];
  /** What was taken, by its memory. */
  readonly #lent = new WeakSet<ArrayBufferLike>();

  constructor(bounds: RoomsBounds) {
    this.#bounds = bounds;
  }

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

  /** To be called when nobody reads the bytes any more; does nothing for bytes from elsewhere. */
  giveBack({ buffer }: Buffer): void {
    const { sparesMax, spareBytesMax } = this.#bounds;
    if (!this.#lent.delete(buffer) || buffer.byteLength > spareBytesMax) return;
    this.#spares.push(Buffer.from(buffer));
    // The oldest goes: a size that is no longer sent would stay forever.
    if (this.#spares.length > sparesMax) this.#spares.shift();
  }
}

/** What comes from one place is about as long each time. */
const roundedBytes = 256 * 1024;
