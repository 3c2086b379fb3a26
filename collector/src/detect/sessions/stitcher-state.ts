import type { Finding } from '../../model/finding.ts';
import type { CorrelationEvent } from '../correlate/event.ts';
import { decodeStates } from '../correlate/snapshot.ts';
import type { Call } from './call.ts';
import type { SessionRecord } from './session-table.ts';
import type { HeldEvent, WaitingCall } from './waiting-calls.ts';

export const snapshotFormat = 1;

export interface Head {
  readonly format: number;
  readonly newest: bigint;
}

/** What comes after the head of a snapshot, in any order. */
export type Item =
  | { readonly session: Omit<SessionRecord, 'scan'> }
  | { readonly waiting: { readonly call: Call; readonly findings: readonly Finding[]; readonly events: SavedEvent[] } };

/** One step, as the journal keeps it. */
export type JournalEntry =
  | { readonly calls: readonly Call[] }
  | { readonly held: string; readonly findings: readonly Finding[]; readonly events: readonly SavedEvent[] }
  | { readonly settled: bigint }
  | { readonly flush: true };

/** An event names correlations by digest, so that a start with other rules takes in what still fits. */
export interface SavedEvent {
  readonly event: Omit<CorrelationEvent, 'parts'>;
  readonly parts: readonly { readonly rule: string; readonly groups: CorrelationEvent['parts'][number]['groups'] }[];
  readonly nowNanos: bigint | undefined;
}

export function savedEvent({ event, nowNanos }: HeldEvent, digests: readonly string[]): SavedEvent {
  const { parts, ...rest } = event;
  return {
    event: rest,
    parts: parts.map(({ correlation, groups }) => ({ rule: digests[correlation]!, groups })),
    nowNanos,
  };
}

/** None when all rules of the event are gone. */
export function restoredEvents(saved: readonly SavedEvent[], digests: readonly string[]): HeldEvent[] {
  return saved.flatMap(({ event, parts, nowNanos }) => {
    const known = parts
      .map(({ rule, groups }) => ({ correlation: digests.indexOf(rule), groups }))
      .filter(({ correlation }) => correlation >= 0)
      .sort((a, b) => a.correlation - b.correlation);
    return known.length === 0 ? [] : [{ event: { ...event, parts: known }, nowNanos }];
  });
}

export interface Restored {
  readonly newest: bigint;
  /** Those touched earlier first. */
  readonly sessions: readonly SessionRecord[];
  readonly waiting: readonly WaitingCall[];
}

/** Undefined for bytes that are no snapshot of this format. */
export function readSnapshot(bytes: Uint8Array, digests: readonly string[]): Restored | undefined {
  try {
    const [head, ...items] = [...decodeStates(bytes)] as [Head, ...Item[]];
    if (head.format !== snapshotFormat || typeof head.newest !== 'bigint') return undefined;
    const sessions: SessionRecord[] = [];
    const waiting: WaitingCall[] = [];
    for (const item of items) {
      if ('session' in item) sessions.push({ ...item.session, scan: 0 });
      else {
        const { call, findings, events } = item.waiting;
        waiting.push({ call, findings: [...findings], events: restoredEvents(events, digests) });
      }
    }
    return { newest: head.newest, sessions: sessions.sort((a, b) => a.turn - b.turn), waiting };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
