/** A growing Int32Array with rows of a fixed width; reused from batch to batch. */
export class Table {
  rows: Int32Array<ArrayBufferLike>;
  count = 0;
  readonly #stride: number;

  constructor(stride: number, rowsAtStart: number) {
    this.#stride = stride;
    this.rows = new Int32Array(stride * rowsAtStart);
  }

  /** Adds a row and returns the offset of its first column. The row holds whatever was there: set every column. */
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

  #grow(): void {
    const larger = new Int32Array(this.rows.length * 2);
    larger.set(this.rows);
    this.rows = larger;
  }
}
