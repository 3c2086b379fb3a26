/** What is told when more is kept with a list: about so many bytes. */
export type Weigh = (bytes: number) => void;

/** What was worked out of the items of a list, one after the other, in their order. */
export class Grown<U> {
  readonly items: U[] = [];
  /** How many of them belong to each item of the list and those before it. */
  readonly ends: number[] = [];
  /** What whoever looks at them keeps for the first so many of them. */
  note: unknown;
  readonly weigh: Weigh;

  constructor(weigh: Weigh) {
    this.weigh = weigh;
  }

  /** How many belong to the first `count` items of the list. */
  upTo(count: number): number {
    return count === 0 ? 0 : this.ends[count - 1]!;
  }
}

/** Gives, by pushing, what is worked out of one item of a list; says about how many bytes that takes beside the item. */
export type Derive<T, U> = (item: T, into: U[]) => number;

/**
 * A list of which items are added at the end and never changed, as the conversation of a session is. Several calls send its first so many
 * items, in whatever order they are asked about, so what is worked out of it goes item by item: each is looked at once, and a call
 * says how many of them are its own.
 */
export class GrownList<T> {
  readonly items: T[] = [];
  /** Whether nothing but plain characters stood in all that was read of it; for the one who reads to say. */
  isPlain = true;
  readonly #derived = new Map<string, Grown<unknown>>();
  readonly weigh: Weigh;

  constructor(weigh: Weigh) {
    this.weigh = weigh;
  }

  /** What `derive` gives for the first `count` items, maybe for more. @param name another one for each `derive` */
  derived<U>(name: string, derive: Derive<T, U>, count: number): Grown<U> {
    let grown = this.#derived.get(name) as Grown<U> | undefined;
    if (grown === undefined) {
      grown = new Grown<U>(this.weigh);
      this.#derived.set(name, grown as Grown<unknown>);
      this.weigh(grownBytes);
    }
    if (grown.ends.length < count) this.#grow(grown, derive, count);
    return grown;
  }

  #grow<U>(grown: Grown<U>, derive: Derive<T, U>, count: number): void {
    const { items, ends } = grown;
    const before = items.length;
    let bytes = (count - ends.length) * pointerBytes;
    for (let at = ends.length; at < count; at++) {
      bytes += derive(this.items[at]!, items);
      ends.push(items.length);
    }
    this.weigh(bytes + (items.length - before) * pointerBytes);
  }
}

const grownBytes = 160;
/** Arrays have room for more than is in them. */
const pointerBytes = 12;
