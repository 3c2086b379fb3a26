import { createHash } from 'node:crypto';
import { limits } from '../../model/limits.ts';
import { isList, type Value, valueText } from '../../model/value.ts';

export type KeptValues = readonly (Value | undefined)[];

/**
 * A value as it is kept: plain, of bounded size and free of the batch it came from. A long text is its beginning and a
 * hash, so that different texts stay different; a map is its JSON text, as rules see it.
 */
export function keptValue(value: Value): Value {
  if (!isList(value)) return keptScalar(value);
  const members: Value[] = [];
  addMembers(value, members);
  return members;
}

function addMembers(values: readonly Value[], members: Value[]): void {
  for (const value of values) {
    if (members.length >= limits.ancestryMembersMax) return;
    if (isList(value)) addMembers(value, members);
    else members.push(keptScalar(value));
  }
}

function keptScalar(value: Value): Value {
  if (typeof value === 'string') return keptText(value);
  if (typeof value === 'object' && value !== null) return keptText(valueText(value));
  // JSON, in which the state is written, has no such numbers; no comparison holds for them as text either.
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function keptText(text: string): string {
  if (text.length <= limits.ancestryValueCharsMax) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
  const start = `${text.slice(0, limits.ancestryValueCharsMax - 33)}…${hash}`;
  // A copy through bytes: a slice would keep the whole text alive.
  return Buffer.from(start, 'utf16le').toString('utf16le');
}

/** About what values take in memory. */
export function valuesBytes(values: KeptValues): number {
  let bytes = 16;
  for (const value of values) bytes += value === undefined ? 8 : valueBytes(value);
  return bytes;
}

function valueBytes(value: Value): number {
  if (typeof value === 'string') return 24 + value.length * 2;
  if (typeof value === 'object' && value !== null && isList(value)) {
    return value.reduce((sum: number, member) => sum + valueBytes(member), 24);
  }
  return 24;
}

/** The fields that spans have in common: most have the same as some other, so each list of values is kept once. */
export interface KeptFields {
  /** One for each base field; undefined where the span has none. */
  readonly values: KeptValues;
  /** Equal for equal values only. */
  readonly key: string;
  /** What items about ancestors say of these values, by item; filled when it is asked. */
  readonly said: number[];
  readonly bytes: number;
  /** How many spans have them. */
  uses: number;
  /** Where the journal that is being written has them. */
  place: number;
  journal: number;
}

/** Each list of values once. */
export class FieldsInterning {
  /** Of those in use, about. */
  bytes = 0;
  readonly #all = new Map<string, KeptFields>();
  /** Neighbours mostly have the same: a list of texts that equals one of the last few needs no search. */
  readonly #last: KeptFields[] = [];
  #oldest = 0;

  of(values: KeptValues): KeptFields {
    for (const known of this.#last) if (areSame(known.values, values)) return known;
    const key = keyOf(values);
    const fields = this.#all.get(key) ?? newFields(values, key);
    this.#last[this.#oldest] = fields;
    this.#oldest = (this.#oldest + 1) % lastFew;
    return fields;
  }

  use(fields: KeptFields): void {
    if (fields.uses++ > 0) return;
    this.#all.set(fields.key, fields);
    this.bytes += fields.bytes;
  }

  drop(fields: KeptFields): void {
    if (--fields.uses > 0) return;
    this.#all.delete(fields.key);
    this.bytes -= fields.bytes;
  }

  clear(): void {
    for (const fields of this.#all.values()) fields.uses = 0;
    this.#all.clear();
    this.bytes = 0;
  }
}

const lastFew = 8;

function newFields(values: KeptValues, key: string): KeptFields {
  const bytes = fieldsBytes + valuesBytes(values) + key.length;
  return { values, key, said: [], bytes, uses: 0, place: 0, journal: 0 };
}

/** What comes with the values: an entry of the map, and this record. */
const fieldsBytes = 200;

function keyOf(values: KeptValues): string {
  let key = '';
  for (const value of values) {
    if (value === undefined) key += '-';
    else if (typeof value === 'string') key += `t${value.length}:${value}`;
    else {
      const json = JSON.stringify(packValue(value));
      key += `j${json.length}:${json}`;
    }
  }
  // A long one as a hash: it would take as much memory as the values.
  return key.length <= keyCharsMax ? key : createHash('sha256').update(key, 'utf16le').digest('base64');
}

const keyCharsMax = 512;

/** A value as JSON can carry it: absent is an empty object, integers beyond numbers are texts in one. */
export function packValue(value: Value | undefined): unknown {
  if (value === undefined) return {};
  if (typeof value === 'bigint') return { n: String(value) };
  return typeof value === 'object' && value !== null && isList(value) ? value.map(packValue) : value;
}

export function unpackValue(packed: unknown): Value | undefined {
  if (typeof packed !== 'object' || packed === null) return packed as Value | undefined;
  if (Array.isArray(packed)) return packed.map((member) => unpackValue(member)!);
  return 'n' in packed ? BigInt(packed.n as string) : undefined;
}

function areSame(a: KeptValues, b: KeptValues): boolean {
  // Their names are in order of the alphabet: the user, who differs most, stands last.
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}
