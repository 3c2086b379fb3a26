import { decodeState } from '../correlate/snapshot.ts';
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
  readonly records: Set<CaseRecord>;
  readonly index: Map<string, Place>;
  /** Chains whose case was let go early, with how often. */
  readonly retired: Map<string, { readonly generation: number; readonly day: number }>;
}

export const snapshotFormat = 1;

export function emptyState(): State {
  return { newest: 0n, version: 0n, tidied: 0n, findings: 0, records: new Set(), index: new Map(), retired: new Map() };
}

interface Snapshot extends Pick<State, 'newest' | 'version' | 'tidied' | 'retired'> {
  readonly format: number;
  readonly records: readonly (Omit<CaseRecord, 'keys'> & { readonly keys: readonly string[] })[];
  readonly index: readonly (readonly [string, Omit<Place, 'record'>])[];
  readonly ties: ReturnType<Ties['list']>;
}

/** Undefined for bytes that are no snapshot of this format. */
export function readSnapshot(
  bytes: Uint8Array,
): { readonly state: State; readonly ties: Snapshot['ties'] } | undefined {
  try {
    const read = decodeState(bytes) as Snapshot;
    if (read.format !== snapshotFormat || typeof read.newest !== 'bigint') return undefined;
    const { newest, version, tidied, retired } = read;
    const state: State = { ...emptyState(), newest, version, tidied, retired };
    const times = new Map(read.index);
    for (const { keys, ...plain } of read.records) {
      const record: CaseRecord = { ...plain, keys: new Set(keys) };
      state.records.add(record);
      state.findings += record.findings.size;
      for (const key of keys) state.index.set(key, { record, ...times.get(key)! });
    }
    return { state, ties: read.ties };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
