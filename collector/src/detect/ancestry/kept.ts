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

/** Spans of one service mostly have the same values: equal lists become one. Forgets them all when there are too many. */
export function createInterning(distinctMax = 4096): (values: KeptValues) => KeptValues {
  const known = new Map<string, KeptValues>();
  return (values) => {
    let key = '';
    for (const value of values) {
      if (typeof value === 'string' && value.length <= 128) key += `s${value.length}:${value}`;
      else if (value === undefined) key += 'u';
      else return values;
    }
    const same = known.get(key);
    if (same) return same;
    if (known.size >= distinctMax) known.clear();
    known.set(key, values);
    return values;
  };
}
