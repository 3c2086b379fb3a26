/** What one record carries of the journal. */
export interface Outgoing {
  readonly numbers: readonly number[];
  readonly bytes: Uint8Array;
}

/** One piece of the journal, as `JournalLog` numbered it. */
export interface Chunk {
  readonly number: number;
  readonly bytes: Uint8Array;
}

const headBytes = 12;

/**
 * Numbers what detection takes in, and keeps it until it is known to be on disk. A record carries everything that is in
 * no other record under way, so what the spool refused goes with the next one.
 */
export class JournalLog {
  readonly #waiting = new Map<number, { readonly bytes: Uint8Array; isUnderWay: boolean }>();
  #last: number;
  #segment: number;
  #bytes = 0;

  /** Goes on after the last number and segment that an earlier run has used. */
  constructor(last = 0, segment = 0) {
    this.#last = last;
    this.#segment = segment;
  }

  /** The number of the newest piece; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Every piece up to this number is on disk. */
  get stored(): number {
    const [first] = this.#waiting.keys();
    return first === undefined ? this.#last : first - 1;
  }

  /** The newest segment that holds a piece: every later piece is in this one or in one after it. */
  get segment(): number {
    return this.#segment;
  }

  /** Bytes taken since the start. */
  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#waiting.set(++this.#last, { bytes, isUnderWay: false });
    this.#bytes += bytes.length;
  }

  /** What the next record has to carry. Say with `landed` or `refused` what became of it. */
  outgoing(): Outgoing {
    const numbers: number[] = [];
    const parts: Uint8Array[] = [];
    for (const [number, piece] of this.#waiting) {
      if (piece.isUnderWay) continue;
      piece.isUnderWay = true;
      numbers.push(number);
      parts.push(headOf(number, piece.bytes.length), piece.bytes);
    }
    return { numbers, bytes: Buffer.concat(parts) };
  }

  landed({ numbers }: Outgoing, segment: number): void {
    for (const number of numbers) this.#waiting.delete(number);
    if (numbers.length > 0 && segment > this.#segment) this.#segment = segment;
  }

  refused({ numbers }: Outgoing): void {
    for (const number of numbers) {
      const piece = this.#waiting.get(number);
      if (piece) piece.isUnderWay = false;
    }
  }
}

/** The pieces in a record's journal; ends early where the bytes make no sense. */
export function* chunksOf(journal: Uint8Array): Generator<Chunk> {
  const view = Buffer.from(journal.buffer, journal.byteOffset, journal.byteLength);
  for (let at = 0; view.length - at >= headBytes; ) {
    const number = Number(view.readBigUInt64LE(at));
    const length = view.readUInt32LE(at + 8);
    at += headBytes;
    if (!Number.isSafeInteger(number) || length > view.length - at) return;
    yield { number, bytes: view.subarray(at, at + length) };
    at += length;
  }
}

function headOf(number: number, length: number): Uint8Array {
  const head = Buffer.alloc(headBytes);
  head.writeBigUInt64LE(BigInt(number));
  head.writeUInt32LE(length, 8);
  return head;
}
