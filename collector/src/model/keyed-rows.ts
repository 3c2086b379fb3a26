import type { FieldId } from './fields.ts';
import { grownBytes } from './grown-bytes.ts';
import type { Remembered } from './session-memory.ts';

/**
 * The attributes of a list whose members have attributes of their own, member by member: of each the name, the place of its value from
 * the first one of the list, and the length.
 */
export class KeyedRows {
  #rows = new Int32Array(rowsMin * stride);
  #count = 0;
  #behind = 0;
  /** How many belong to each member and those before it, and where the bytes of these end. */
  readonly ends: number[] = [];
  readonly #byteEnds: number[] = [];

  /** How many members there are. */
  get count(): number {
    return this.ends.length;
  }

  get weight(): number {
    return this.#rows.byteLength + this.ends.length * 16;
  }

  clear(): void {
    this.#count = 0;
    this.#behind = 0;
    this.ends.length = 0;
    this.#byteEnds.length = 0;
  }

  add(field: FieldId, start: number, length: number): void {
    const at = this.#count++ * stride;
    if (at + stride > this.#rows.length) this.#resize(this.#count * 2);
    this.#rows[at] = field;
    this.#rows[at + 1] = start;
    this.#rows[at + 2] = length;
    this.#behind = Math.max(this.#behind, start + length);
  }

  /** What was added since the one before is a member. */
  endMember(): void {
    this.ends.push(this.#count);
    this.#byteEnds.push(this.#behind);
  }

  field(at: number): FieldId {
    return this.#rows[at * stride]!;
  }

  start(at: number): number {
    return this.#rows[at * stride + 1]!;
  }

  length(at: number): number {
    return this.#rows[at * stride + 2]!;
  }

  /** The first attribute of a member. */
  from(member: number): number {
    return member === 0 ? 0 : this.ends[member - 1]!;
  }

  /** How many bytes there are from the first value to the end of the last one of so many members. */
  bytesOf(members: number): number {
    return members === 0 ? 0 : this.#byteEnds[members - 1]!;
  }

  /** How many members from the first on have the same names, places and lengths. */
  equalMembers(other: KeyedRows): number {
    const count = Math.min(this.count, other.count);
    const [ours, theirs] = [this.#rows, other.#rows];
    let at = 0;
    for (let member = 0; member < count; member++) {
      const end = this.ends[member]!;
      if (other.ends[member] !== end) return member;
      for (; at < end * stride; at++) if (ours[at] !== theirs[at]) return member;
    }
    return count;
  }

  /** Takes what another one has more. */
  growTo(other: KeyedRows): void {
    const known = this.#count * stride;
    if (other.#count * stride > this.#rows.length) this.#resize(other.#count + (other.#count >> 2));
    this.#rows.set(other.#rows.subarray(known, other.#count * stride), known);
    for (let member = this.count; member < other.count; member++) {
      this.ends.push(other.ends[member]!);
      this.#byteEnds.push(other.#byteEnds[member]!);
    }
    this.#count = other.#count;
    this.#behind = other.#behind;
  }

  #resize(rows: number): void {
    const larger = new Int32Array(rows * stride);
    larger.set(this.#rows);
    this.#rows = larger;
  }
}

/** A list as it came, of which more may come. */
export interface KeptRows extends Remembered {
  /** The request from the first value to the end of the last one, whatever stands between them. */
  bytes: Buffer;
  readonly rows: KeyedRows;
}

/** The list that begins with the most members of one that was sent, whose first value stands at `first`, and with how many. */
export function longestKept<K extends KeptRows>(
  all: readonly K[],
  sent: KeyedRows,
  bytes: Buffer,
  first: number,
): readonly [kept: K | undefined, members: number] {
  let [best, most]: [K | undefined, number] = [undefined, 0];
  for (const kept of all) {
    const members = equalMembers(kept, sent, bytes, first);
    if (members > most) [best, most] = [kept, members];
  }
  return [best, most];
}

/** Copies what was sent and is not kept yet, of a list that begins like the one that is kept. */
export function growKept(kept: KeptRows, sent: KeyedRows, bytes: Buffer, first: number): void {
  const before = kept.rows.bytesOf(kept.rows.count);
  const length = sent.bytesOf(sent.count);
  kept.bytes = grownBytes(kept.bytes, before, length);
  bytes.copy(kept.bytes, before, first + before, first + length);
  kept.rows.growTo(sent);
}

/** How many members from the first on are the same. */
function equalMembers(kept: KeptRows, sent: KeyedRows, bytes: Buffer, first: number): number {
  const isEqual = (members: number): boolean => {
    const length = sent.bytesOf(members);
    return bytes.compare(kept.bytes, 0, length, first, first + length) === 0;
  };
  let high = kept.rows.equalMembers(sent);
  if (isEqual(high)) return high;
  let low = 0;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (isEqual(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const stride = 3;
const rowsMin = 32;
