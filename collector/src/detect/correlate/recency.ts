import { randomInt } from 'node:crypto';

/** A record in a `Recency`, which owns all but the key. `unlinked` is what it begins with. */
export interface Recent<K> {
  readonly key: K;
  older: this | null;
  newer: this | null;
  /** Of the key, as long as there is a table. */
  hash: number;
  /** The next with the same place in the table. */
  next: this | null;
}

/** Of a record that is in no `Recency`. */
export const unlinked = { older: null, newer: null, hash: 0, next: null } as const;

/** How many records are found by going through them; a table is made for more. */
const withoutTableMax = 8;

/** Places of the first table (a power of two). */
const firstPlaces = 16;

/**
 * Records by key, from the one touched longest ago to the newest. A map that is deleted from and set again keeps that order
 * too, but stepping over what was deleted takes longer the more there was, and a look into a large one goes by more memory:
 * here the hash of a record tells almost all others apart. Few records have no table: most groups are small.
 */
export class Recency<K extends string | number, R extends Recent<K>> {
  #oldest: R | null = null;
  #newest: R | null = null;
  /** The first record of each place; at least as many places as records. */
  #table: (R | null)[] | null = null;
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
    if (this.#table) return this.#find(this.#table, key);
    for (let record = this.#newest; record; record = record.older) if (record.key === key) return record;
    return undefined;
  }

  /** Puts in a record whose key is not there, as the newest. */
  add(record: R): void {
    this.#size++;
    this.#link(record);
    const table = this.#table;
    if (table && this.#size <= table.length) {
      record.hash = hashOf(record.key);
      place(table, record);
    } else if (table || this.#size > withoutTableMax) this.#grow();
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
    if (this.#table) displace(this.#table, record);
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

  #find(table: readonly (R | null)[], key: K): R | undefined {
    const hash = hashOf(key);
    for (let record = table[hash & (table.length - 1)]!; record; record = record.next!) {
      if (record.hash === hash && record.key === key) return record;
    }
    return undefined;
  }

  #grow(): void {
    const isFirst = this.#table === null;
    const places = this.#table ? this.#table.length * 2 : firstPlaces;
    const table: (R | null)[] = new Array(places).fill(null);
    for (let record = this.#oldest; record; record = record.newer) {
      if (isFirst || record === this.#newest) record.hash = hashOf(record.key);
      place(table, record);
    }
    this.#table = table;
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

function place<R extends Recent<unknown>>(table: (R | null)[], record: R): void {
  const at = record.hash & (table.length - 1);
  record.next = table[at]!;
  table[at] = record;
}

function displace<R extends Recent<unknown>>(table: (R | null)[], record: R): void {
  const at = record.hash & (table.length - 1);
  let before: R | null = null;
  for (let each = table[at]!; each !== record; each = each.next!) before = each;
  if (before) before.next = record.next;
  else table[at] = record.next;
  record.next = null;
}

/** Nobody who makes up keys knows these, so that nobody can make up many of one place. */
const [seed, factor] = [randomInt(2 ** 31), randomInt(2 ** 31) * 2 + 1];

function hashOf(key: string | number): number {
  const text = typeof key === 'string' ? key : String(key);
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), factor);
  // The upper bits depend on all characters, the lower ones hardly on any.
  hash = Math.imul(hash ^ (hash >>> 15), factor);
  return hash ^ (hash >>> 16);
}
