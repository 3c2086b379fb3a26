import type { Scanned } from '../slices.ts';
import type { SpanIdentity } from '../span-identity.ts';
import type { SavedNumber } from './episode-numbers.ts';
import type { Entry } from './event.ts';
import type { Episode } from './kind.ts';
import type { Recent, unlinked } from './recency.ts';

export interface Group extends Recent<string>, Scanned {
  /** The only event so far, if it alone means nothing: most groups never see a second, and need no window. */
  one: Entry | null;
  /** Null as long as there is `one`. */
  window: unknown;
  lastNanos: bigint;
  /** Goes up with each touch of any group. */
  turn: number;
  episode: Episode | null;
  tumbling: Tumbling | null;
}

export interface Tumbling {
  /** The number of the window that `window` is about, and its first span. */
  readonly number: bigint;
  readonly first: SpanIdentity;
  /** The last window whose condition held. */
  heldNumber: bigint;
}

export type SavedGroup = Omit<Group, keyof typeof unlinked | 'scan'>;

/** What an evaluator writes down, in any order. */
export type Item =
  | { readonly group: SavedGroup }
  /** When the open tumbling window closes, 0 when there is none; and touches so far. */
  | { readonly closesNanos: bigint; readonly turns: number }
  | { readonly number: SavedNumber }
  /** A group whose next episode was given early. */
  | { readonly fired: string };

export interface SortedItems {
  /** The group touched longest ago comes first. */
  readonly groups: readonly SavedGroup[];
  readonly numbers: readonly SavedNumber[];
  readonly fired: readonly string[];
  readonly closesNanos: bigint;
  readonly turns: number;
}

export function sortItems(items: readonly Item[]): SortedItems {
  const groups: SavedGroup[] = [];
  const numbers: SavedNumber[] = [];
  const fired: string[] = [];
  let [closesNanos, turns] = [0n, 0];
  for (const item of items) {
    if ('group' in item) groups.push(item.group);
    else if ('number' in item) numbers.push(item.number);
    else if ('fired' in item) fired.push(item.fired);
    else ({ closesNanos, turns } = item);
  }
  return { groups: groups.sort((a, b) => a.turn - b.turn), numbers, fired, closesNanos, turns };
}
