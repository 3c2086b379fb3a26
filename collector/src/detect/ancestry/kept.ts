import { createHash } from 'node:crypto';
import { limits } from '../../model/limits.ts';
import { isList, type Value, valueText } from '../../model/value.ts';

/** What is remembered of a span for those below it. */
export interface KeptSpan {
  readonly spanId: string;
  /** '' on a root. */
  readonly parentId: string;
  readonly endNanos: bigint;
  /** One for each base field; undefined where the span has none. */
  readonly values: KeptValues;
}

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

/** Neighbours mostly have the same values: a list that equals one of the last few becomes that one. */
export function createInterning(lastFew = 8): (values: KeptValues) => KeptValues {
  const last: KeptValues[] = [];
  let oldest = 0;
  return (values) => {
    for (const known of last) if (areSame(known, values)) return known;
    last[oldest] = values;
    oldest = (oldest + 1) % lastFew;
    return values;
  };
}

function areSame(a: KeptValues, b: KeptValues): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
