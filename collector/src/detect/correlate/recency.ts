/** A record in a `Recency`, which owns the links. */
export interface Recent<K> {
  readonly key: K;
  older: this | null;
  newer: this | null;
}

/** How many records are found by going through them; a table is made for more. */
const withoutTableMax = 8;

/**
 * Records by key, from the one touched longest ago to the newest. A map that is deleted from and set again keeps that order
 * too, but stepping over what was deleted takes longer the more there was. Few records have no table: most groups are small.
 */
export class Recency<K, R extends Recent<K>> {
  #oldest: R | null = null;
  #newest: R | null = null;
  #table: Map<K, R> | null = null;
  #size = 0;
  /** The next of a walk. */
  #walk: R | null = null;

  get size(): number {
    return this.#size;
  }

  get oldest(): R | null {
    return this.#oldest;
  }

  get(key: K): R | undefined {
    if (this.#table) return this.#table.get(key);
    for (let record = this.#newest; record; record = record.older) if (record.key === key) return record;
    return undefined;
  }

  /** Puts in a record whose key is not there, as the newest. */
  add(record: R): void {
    this.#size++;
    this.#link(record);
    if (this.#table) this.#table.set(record.key, record);
    else if (this.#size > withoutTableMax) {
      const table = new Map<K, R>();
      for (const each of this) table.set(each.key, each);
      this.#table = table;
    }
  }

  /** Makes a record the newest. */
  touch(record: R): void {
    if (record === this.#newest) return;
    this.#unlink(record);
    this.#link(record);
  }

  delete(record: R): void {
    this.#size--;
    this.#unlink(record);
    this.#table?.delete(record.key);
    if (this.#size === 0) this.#table = null;
  }

  clear(): void {
    this.#oldest = null;
    this.#newest = null;
    this.#table = null;
    this.#size = 0;
    this.#walk = null;
  }

  /** From the oldest on, while records come, go and are touched: these turn up again at the end. One walk at a time. */
  *walk(): Generator<R> {
    for (this.#walk = this.#oldest; this.#walk; ) {
      const record: R = this.#walk;
      this.#walk = record.newer;
      yield record;
    }
  }

  /** From the oldest on; the one that was given may be deleted. */
  *[Symbol.iterator](): Generator<R> {
    for (let record = this.#oldest; record; ) {
      const { newer } = record;
      yield record;
      record = newer;
    }
  }

  #link(record: R): void {
    record.older = this.#newest;
    record.newer = null;
    if (this.#newest) this.#newest.newer = record;
    else this.#oldest = record;
    this.#newest = record;
  }

  #unlink(record: R): void {
    if (record === this.#walk) this.#walk = record.newer;
    if (record.older) record.older.newer = record.newer;
    else this.#oldest = record.newer;
    if (record.newer) record.newer.older = record.older;
    else this.#newest = record.older;
  }
}
