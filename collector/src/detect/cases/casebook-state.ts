import { decodeStates } from '../correlate/snapshot.ts';
import type { CaseRecord } from './record.ts';
import type { Sighting } from './sighting.ts';
import type { Tie, Ties } from './ties.ts';

/** One call, as the journal keeps it. */
export interface JournalEntry {
  readonly sightings?: readonly Sighting[];
  readonly ties?: readonly Tie[];
  readonly eventNanos?: bigint;
  readonly flush?: boolean;
}

/** An entry as it is written down: its ties one key after the other, and of traces only their ids. */
export type SavedEntry = Omit<JournalEntry, 'ties'> & { readonly ties?: readonly string[] };

export function savedEntry({ ties, ...entry }: JournalEntry): SavedEntry {
  if (ties === undefined || ties.length === 0) return entry;
  const keys: string[] = [];
  for (const [a, b] of ties) keys.push(savedKey(a), savedKey(b));
  return { ...entry, ties: keys };
}

/** Throws a SyntaxError where keys are missing, or none. */
export function entryOf({ ties: keys = [], ...entry }: SavedEntry): JournalEntry {
  if (keys.length % 2 !== 0 || keys.some((key) => typeof key !== 'string')) throw new SyntaxError('no ties');
  const ties: Tie[] = [];
  for (let at = 0; at < keys.length; at += 2) ties.push([keyIn(keys[at]!), keyIn(keys[at + 1]!)]);
  return { ...entry, ties };
}

/** Ids are written in half the bytes. Keys of other kinds have a prefix and are never such an id. */
function savedKey(key: string): string {
  return traceIdKey.test(key) ? key.slice(2) : key;
}

function keyIn(saved: string): string {
  return saved.length === 32 && traceIdKey.test(`t:${saved}`) ? `t:${saved}` : saved;
}

const traceIdKey = /^t:[0-9a-f]{32}$/;

/** Where a key leads, and when it was seen. */
export interface Place {
  record: CaseRecord;
  firstNanos: bigint;
  lastNanos: bigint;
}

/** Everything a casebook remembers but ties. */
export interface State {
  newest: bigint;
  version: bigint;
  tidied: bigint;
  /** Findings in all records. */
  findings: number;
  /** Touches of records so far. */
  turns: number;
  readonly records: Set<CaseRecord>;
  readonly index: Map<string, Place>;
  /** Chains whose case was let go early, with how often. */
  readonly retired: Map<string, { readonly generation: number; readonly day: number }>;
}

export const snapshotFormat = 2;

export function emptyState(): State {
  const counts = { newest: 0n, version: 0n, tidied: 0n, findings: 0, turns: 0 };
  return { ...counts, records: new Set(), index: new Map(), retired: new Map() };
}

/** What a snapshot begins with. */
export interface Head extends Pick<State, 'newest' | 'version' | 'tidied' | 'turns'> {
  readonly format: number;
}

/** What comes after the head, in any order but for that of chains and of ties among themselves. */
export type Item =
  | { readonly record: Omit<CaseRecord, 'keys' | 'scan'>; readonly keys: readonly SavedKey[] }
  | { readonly retired: readonly [chainId: string, { readonly generation: number; readonly day: number }] }
  | { readonly tie: SavedTie };

type SavedKey = readonly [key: string, firstNanos: bigint, lastNanos: bigint];
type SavedTie = ReturnType<Ties['list']>[number];

/** A record with the keys that lead to it. */
export function itemOf({ keys, scan: _, ...record }: CaseRecord, index: State['index']): Item {
  const places = [...keys].map((key): SavedKey => {
    const { firstNanos = 0n, lastNanos = 0n } = index.get(key) ?? {};
    return [key, firstNanos, lastNanos];
  });
  return { record, keys: places };
}

/** Undefined for bytes that are no snapshot of this format. */
export function readSnapshot(
  bytes: Uint8Array,
): { readonly state: State; readonly ties: readonly SavedTie[] } | undefined {
  try {
    const [head, ...items] = [...decodeStates(bytes)] as [Head, ...Item[]];
    if (head.format !== snapshotFormat || typeof head.newest !== 'bigint') return undefined;
    const { newest, version, tidied, turns } = head;
    const state: State = { ...emptyState(), newest, version, tidied, turns };
    const ties: SavedTie[] = [];
    const records = items.flatMap((item) => ('record' in item ? [item] : []));
    for (const item of items) {
      if ('retired' in item) state.retired.set(...item.retired);
      else if ('tie' in item) ties.push(item.tie);
    }
    for (const { record: plain, keys } of records.sort((a, b) => a.record.turn - b.record.turn)) {
      const record: CaseRecord = { ...plain, keys: new Set(keys.map(([key]) => key)), scan: 0 };
      state.records.add(record);
      state.findings += record.findings.size;
      for (const [key, firstNanos, lastNanos] of keys) state.index.set(key, { record, firstNanos, lastNanos });
    }
    return { state, ties };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
