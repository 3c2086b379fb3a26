import type { FieldId } from '../model/fields.ts';
import { Attribute } from '../model/span-batch.ts';

/** Where each name stands in a long run of attributes: spans with hundreds of keys are asked for dozens of names. */
export class AttributeIndex {
  /** By field: the last row of the run that has it. What is no such row is left of other runs, and says so itself. */
  #rows = new Int32Array(1024);
  #first = -1;

  /** To be called before a batch. */
  begin(): void {
    this.#first = -1;
  }

  /** The last row of [first, first + count) with this name, or -1. A row belongs to one run only. */
  find(attributes: Int32Array, first: number, count: number, field: FieldId): number {
    if (first !== this.#first) this.#index(attributes, first, count);
    const row = this.#rows[field] ?? -1;
    return row >= first && row < first + count && attributes[row * Attribute.stride] === field ? row : -1;
  }

  #index(attributes: Int32Array, first: number, count: number): void {
    for (let row = first; row < first + count; row++) {
      const field = attributes[row * Attribute.stride]!;
      if (field >= this.#rows.length) this.#grow(field);
      this.#rows[field] = row;
    }
    this.#first = first;
  }

  #grow(field: FieldId): void {
    const larger = new Int32Array(Math.max(field + 1, this.#rows.length * 2));
    larger.set(this.#rows);
    this.#rows = larger;
  }
}
