import { limits } from '../model/limits.ts';
import { MalformedError } from './wire.ts';

/** A growing Int32Array with rows of a fixed width; reused from batch to batch. */
export class Table {
  rows: Int32Array<ArrayBufferLike>;
  count = 0;
  readonly #stride: number;

  readonly #name: string;
  readonly #rowsMax: number;

  /** @param name what the rows are, for the error when a batch has more than `rowsMax` of them */
  constructor(stride: number, rowsAtStart: number, name: string, rowsMax: number = limits.recordsPerBatchMax) {
    this.#stride = stride;
    this.#name = name;
    this.#rowsMax = rowsMax;
    this.rows = new Int32Array(stride * rowsAtStart);
  }

  /** Adds a row and returns the offset of its first column; throws MalformedError when there are too many. The row holds whatever was there: set every column. */
  add(): number {
    const at = this.count * this.#stride;
    if (at + this.#stride > this.rows.length) this.#grow();
    this.count++;
    return at;
  }

  /** Gives memory back after an unusually large batch. */
  reset(rowsKeptMax: number): void {
    if (this.rows.length > rowsKeptMax * this.#stride) this.rows = new Int32Array(rowsKeptMax * this.#stride);
    this.count = 0;
  }

  /** Rows cost memory that empty messages of two bytes do not: a batch of those is refused. */
  #grow(): void {
    if (this.count >= this.#rowsMax) {
      const message = `a request holds more than ${this.#rowsMax} ${this.#name}; send smaller batches`;
      throw new MalformedError('SW_HTTP_BODY_TOO_LARGE', message);
    }
    const larger = new Int32Array(this.rows.length * 2);
    larger.set(this.rows);
    this.rows = larger;
  }
}
