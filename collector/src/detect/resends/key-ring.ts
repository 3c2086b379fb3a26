import { mixed } from '../../model/seeded-hash.ts';

/** In `#next` of a place whose key is in no chain: it was deleted, or there was none. */
const unchained = -1;

/** How many places a step of a walk looks at. */
const placesAtOnce = 512;

/** The last so many keys of 64 bits; the oldest gives way to the newest. 16 to 20 bytes for each that may be there, taken at once. */
export class KeyRing {
  readonly capacity: number;
  /** Keys that were ever added: the number of the next one. */
  added = 0;
  /** Two words for each place. */
  readonly #keys: Int32Array;
  /** Chains of places whose keys share a head; 0 ends a chain, other numbers are one more than a place. */
  readonly #next: Int32Array;
  readonly #heads: Int32Array;
  /** Where the next key goes. */
  #place = 0;
  #size = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#keys = new Int32Array(capacity * 2);
    this.#next = new Int32Array(capacity).fill(unchained);
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(capacity)));
  }

  get size(): number {
    return this.#size;
  }

  /** The number under which a key was added, counted from 0; -1 for one that is not there. */
  find(high: number, low: number): number {
    const keys = this.#keys;
    for (let link = this.#heads[this.#headOf(high, low)]!; link !== 0; link = this.#next[link - 1]!) {
      if (keys[link * 2 - 2] === high && keys[link * 2 - 1] === low) return this.#numberOf(link - 1);
    }
    return -1;
  }

  /** A key that is not there yet. */
  add(high: number, low: number): void {
    const place = this.#place;
    if (this.#next[place] !== unchained) this.#unlink(place);
    this.#keys[place * 2] = high;
    this.#keys[place * 2 + 1] = low;
    const head = this.#headOf(high, low);
    this.#next[place] = this.#heads[head]!;
    this.#heads[head] = place + 1;
    this.#size++;
    this.added++;
    this.#place = place + 1 === this.capacity ? 0 : place + 1;
  }

  /** Its place stays empty until its turn comes. */
  delete(high: number, low: number): void {
    const number = this.find(high, low);
    if (number >= 0) this.#unlink((this.#place - (this.added - number) + this.capacity) % this.capacity);
  }

  /**
   * The keys of this moment, the oldest first, while the ring goes on changing: each call of what it gives gives some of them, and says
   * whether there are more.
   */
  walk(): (give: (high: number, low: number) => void) => boolean {
    // Copied whole, which is far quicker than to look at each.
    const [keys, next, first, { capacity }] = [this.#keys.slice(), this.#next.slice(), this.#place, this];
    let offset = 0;
    return (give) => {
      for (const end = Math.min(capacity, offset + placesAtOnce); offset < end; offset++) {
        const place = first + offset < capacity ? first + offset : first + offset - capacity;
        if (next[place] !== unchained) give(keys[place * 2]!, keys[place * 2 + 1]!);
      }
      return offset < capacity;
    };
  }

  #headOf(high: number, low: number): number {
    return mixed(high, low) & (this.#heads.length - 1);
  }

  #numberOf(place: number): number {
    return this.added - 1 - ((this.#place - 1 - place + this.capacity) % this.capacity);
  }

  #unlink(place: number): void {
    const head = this.#headOf(this.#keys[place * 2]!, this.#keys[place * 2 + 1]!);
    const after = this.#next[place]!;
    let link = this.#heads[head]!;
    if (link === place + 1) this.#heads[head] = after;
    else {
      while (this.#next[link - 1] !== place + 1) link = this.#next[link - 1]!;
      this.#next[link - 1] = after;
    }
    this.#next[place] = unchained;
    this.#size--;
  }
}
