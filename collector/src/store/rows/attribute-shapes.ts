import type { FieldId, FieldTable } from '../../model/fields.ts';
import { Attribute, type AttributeSource } from '../../model/span-batch.ts';
import { type KeyedList, KeyedPlaces, keyedListsIn } from './keyed-lists.ts';

/** Spans with the same attribute names in the same order share one sorted order. */
export interface Shape {
  readonly fields: Int32Array;
  /** Positions in the run, sorted by name, the last of duplicate names only. */
  readonly order: Uint16Array;
}

/** A shape, and what was found out about its names. */
interface Known extends Shape {
  lists?: readonly KeyedList[];
  /** Without some of the lists, by their bits. */
  rests?: Map<number, Shape>;
}

/** The shapes of runs of attributes, remembered as long as ids of names stay what they are. */
export class AttributeShapes {
  readonly #fields: FieldTable;
  readonly #known = new Map<number, Known>();
  readonly #keyed: KeyedPlaces;
  #generation = -1;
  /** Attributes of all known shapes. */
  #places = 0;

  constructor(fields: FieldTable) {
    this.#fields = fields;
    this.#keyed = new KeyedPlaces(fields);
  }

  /** To be called between batches; says whether ids of names are others now. */
  begin(): boolean {
    const isAnew = this.#generation !== this.#fields.generation;
    if (isAnew) this.#keyed.clear();
    if (isAnew || this.#known.size > shapesMax || this.#places > placesMax) {
      this.#known.clear();
      this.#places = 0;
    }
    this.#generation = this.#fields.generation;
    return isAnew;
  }

  /** Of the attribute rows [first, first + count). */
  of({ attributes }: AttributeSource, first: number, count: number): Shape {
    let hash = count;
    const end = (first + count) * Attribute.stride;
    for (let at = first * Attribute.stride; at < end; at += Attribute.stride) {
      hash = Math.imul(hash ^ attributes[at]!, 0x01000193) ^ (hash >>> 15);
    }
    const known = this.#known.get(hash);
    if (known !== undefined && isOf(known, attributes, first, count)) return known;
    const shape = this.#sort(attributes, first, count);
    this.#known.set(hash, shape);
    this.#places += count;
    return shape;
  }

  /** The lists whose members have attributes of their own. */
  keyedLists(shape: Known): readonly KeyedList[] {
    shape.lists ??= keyedListsIn(this.#fields, this.#keyed, shape);
    return shape.lists;
  }

  /** The shape without those of its keyed lists that have a bit set, the first one being 1. */
  without(shape: Known, bits: number): Shape {
    if (bits === 0) return shape;
    shape.rests ??= new Map();
    let rest = shape.rests.get(bits);
    if (rest === undefined) {
      const lists = this.keyedLists(shape).filter((_, i) => (bits & (1 << i)) !== 0);
      const gone = new Set(lists.flatMap(({ places }) => [...places]));
      const order = shape.order.filter((place) => !gone.has(place));
      rest = { fields: shape.fields, order };
      shape.rests.set(bits, rest);
    }
    return rest;
  }

  #sort(attributes: Int32Array, first: number, count: number): Shape {
    const fields = new Int32Array(count);
    const lastOf = new Map<FieldId, number>();
    for (let i = 0; i < count; i++) {
      fields[i] = attributes[(first + i) * Attribute.stride]!;
      lastOf.set(fields[i]!, i);
    }
    const order = [...lastOf.values()].sort((a, b) =>
      compareNames(this.#fields.name(fields[a]!), this.#fields.name(fields[b]!)),
    );
    return { fields, order: Uint16Array.from(order) };
  }
}

function isOf(shape: Shape, attributes: Int32Array, first: number, count: number): boolean {
  if (shape.fields.length !== count) return false;
  for (let i = 0; i < count; i++) {
    if (attributes[(first + i) * Attribute.stride] !== shape.fields[i]) return false;
  }
  return true;
}

/** The order of names in stored maps. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Senders that never repeat a shape must not fill memory. */
const shapesMax = 4096;
/** Of all of them; each takes about 12 bytes. */
const placesMax = 1_000_000;
