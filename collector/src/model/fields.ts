import { limits } from './limits.ts';

/**
 * Attribute names as small integers, so that the hot path compares numbers and not strings.
 *
 * Names that rules, the normaliser or the tables ask for are *permanent* and are interned at load. Names that only arrive
 * in spans are *dynamic*: when there are too many of them they are forgotten between two batches, which bounds memory
 * against senders that invent keys. A dynamic id is therefore valid within one batch only. A single batch with far too
 * many gets the name `_overflow` for the rest; names that somebody asks for are still found.
 */
export type FieldId = number;

export interface FieldTable {
  /** The id of a name, made permanent. Call it at load, not per span. */
  intern(name: string): FieldId;
  /** The id of the name that stands in `bytes[start, end)`. Called per attribute. */
  internBytes(bytes: Uint8Array, start: number, end: number): FieldId;
  /** Whether `bytes[start, end)` is the name of `id`; cheaper than `internBytes` when a guess is at hand. */
  matches(id: FieldId, bytes: Uint8Array, start: number, end: number): boolean;
  name(id: FieldId): string;
  /** Whether somebody asks for this name, so that it is never forgotten. */
  isPermanent(id: FieldId): boolean;
  /** The name as RowBinary and protobuf both write it: varint length, then UTF-8. */
  encodedName(id: FieldId): Uint8Array;
  /** How many ids exist; ids are 0 … size-1. */
  readonly size: number;
  /** Grows each time dynamic names were forgotten; whoever caches dynamic ids compares it. */
  readonly generation: number;
  /** Attributes whose name was one too many and that became `_overflow`, since the start. */
  readonly overflowed: number;
  /** Forgets dynamic names when there are too many. Call between batches. */
  trim(): void;
}

interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly encoded: Uint8Array;
  permanent: boolean;
}

const textEncoder = new TextEncoder();
// A name may begin with a byte order mark, as values may.
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
const probesMax = 64;

/** An open-addressing hash table over name bytes, seeded per process so that senders cannot aim at one slot. */
export function createFieldTable(dynamicNamesMax: number = limits.fieldNamesMax): FieldTable {
  let entries: (Entry | undefined)[] = [];
  let free: FieldId[] = [];
  let slots = new Int32Array(1024);
  let used = 0;
  let dynamicNames = 0;
  let generation = 0;
  let seed = randomSeed();
  let overflowed = 0;
  const overflow = intern(overflowName);

  function hash(bytes: Uint8Array, start: number, end: number): number {
    let h = seed;
    for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x5bd1e995) ^ (h >>> 13);
    return (h ^ (h >>> 15)) >>> 0;
  }

  /** The id of the name, or -1 - slot where it would go, or `crowded` when too many names share the neighbourhood. */
  function locate(bytes: Uint8Array, start: number, end: number): number {
    const mask = slots.length - 1;
    let slot = hash(bytes, start, end) & mask;
    for (let probe = 0; probe < probesMax; probe++) {
      const id = slots[slot]! - 1;
      if (id < 0) return -1 - slot;
      if (matches(id, bytes, start, end)) return id;
      slot = (slot + 1) & mask;
    }
    return crowded;
  }

  function matches(id: FieldId, bytes: Uint8Array, start: number, end: number): boolean {
    const known = entries[id]?.bytes;
    if (known === undefined || known.length !== end - start) return false;
    for (let i = known.length - 1; i >= 0; i--) if (known[i] !== bytes[start + i]) return false;
    return true;
  }

  function rehash(size: number): void {
    let wanted = size;
    for (;;) {
      slots = new Int32Array(wanted);
      seed = randomSeed();
      if (placeAll()) return;
      wanted *= 2;
    }
  }

  function placeAll(): boolean {
    for (let id = 0; id < entries.length; id++) {
      const entry = entries[id];
      if (entry === undefined) continue;
      const at = locate(entry.bytes, 0, entry.bytes.length);
      if (at === crowded) return false;
      slots[-1 - at] = id + 1;
    }
    return true;
  }

  function add(bytes: Uint8Array, at: number): FieldId {
    const id = free.pop() ?? entries.length;
    // `slice` of a Buffer is no copy.
    const copy = Uint8Array.from(bytes);
    entries[id] = { name: textDecoder.decode(copy), bytes: copy, encoded: lengthPrefixed(copy), permanent: false };
    used++;
    dynamicNames++;
    if (at === crowded || used * 2 > slots.length) rehash(slots.length * 2);
    else slots[-1 - at] = id + 1;
    return id;
  }

  function internBytes(bytes: Uint8Array, start: number, end: number): FieldId {
    const at = locate(bytes, start, end);
    if (at >= 0) return at;
    if (dynamicNames < dynamicNamesMax * 2) return add(bytes.subarray(start, end), at);
    overflowed++;
    return overflow;
  }

  function intern(name: string): FieldId {
    const bytes = textEncoder.encode(name);
    const at = locate(bytes, 0, bytes.length);
    const id = at >= 0 ? at : add(bytes, at);
    const entry = entries[id]!;
    if (!entry.permanent) dynamicNames--;
    entry.permanent = true;
    return id;
  }

  function trim(): void {
    if (dynamicNames <= dynamicNamesMax) return;
    free = [];
    entries = entries.map((entry, id) => {
      if (entry?.permanent) return entry;
      free.push(id);
      return undefined;
    });
    used = entries.length - free.length;
    dynamicNames = 0;
    generation++;
    rehash(1024 << Math.ceil(Math.log2(Math.max(1, (used * 2) / 1024))));
  }

  return {
    intern,
    internBytes,
    matches,
    name: (id) => entries[id]?.name ?? '',
    isPermanent: (id) => entries[id]?.permanent === true,
    encodedName: (id) => entries[id]?.encoded ?? emptyName,
    get size() {
      return entries.length;
    },
    get generation() {
      return generation;
    },
    get overflowed() {
      return overflowed;
    },
    trim,
  };
}

/** What attributes are called whose own name was one too many. */
export const overflowName = '_overflow';
const crowded = Number.MIN_SAFE_INTEGER;
const emptyName = new Uint8Array(1);

function randomSeed(): number {
  return (Math.random() * 0xffffffff) | 0;
}

function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  const head: number[] = [];
  let rest = bytes.length;
  for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128);
  head.push(rest);
  const out = new Uint8Array(head.length + bytes.length);
  out.set(head);
  out.set(bytes, head.length);
  return out;
}
