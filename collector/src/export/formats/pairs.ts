import type { Facts } from './facts.ts';
import { techniquesOf } from './frameworks.ts';
import { cutBytes } from './text.ts';

/** One field of a format that writes a row of keys and values. The tables of these are also what pages and content packs are made of. */
export interface Pair {
  readonly key: string;
  /** Where the format names a custom field in a second field, as CEF's `cs1Label` does. */
  readonly label?: string;
  /** What stands in it, for people. */
  readonly says: string;
  /** The receiver takes no longer one. */
  readonly bytesMax?: number;
  of(facts: Facts): string | number;
}

/** The pairs that have a value, with their texts within the receiver's bounds. */
export function pairsOf(table: readonly Pair[], facts: Facts): { pair: Pair; value: string }[] {
  return table.flatMap((pair) => {
    const value = String(pair.of(facts));
    return value === '' ? [] : [{ pair, value: cutBytes(value, pair.bytesMax ?? Number.MAX_SAFE_INTEGER) }];
  });
}

/**
 * The fields of the user as pairs: a dot in a name becomes `_`, which every receiver takes. One whose name is already taken is left
 * out, so that nobody can pass off a field of the user as ours.
 */
export function extraPairs(facts: Facts, taken: ReadonlySet<string>): [string, string][] {
  const pairs = new Map<string, string>();
  for (const [name, value] of Object.entries(facts.extra)) {
    const key = name.replaceAll('.', '_');
    if (value !== '' && !taken.has(key) && !pairs.has(key)) pairs.set(key, value);
  }
  return [...pairs];
}

/** Ids of techniques, the sub-technique where there is one. */
export function techniqueIds(facts: Facts): string[] {
  return techniquesOf(facts.tags).map(({ id, subId }) => subId || id);
}
