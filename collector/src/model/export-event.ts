import type { Case } from './case.ts';
import type { Finding } from './finding.ts';

/** What is new: something that was not there, a newer state of it, or somebody said that it is done. */
export type Activity = 'create' | 'update' | 'close';

interface EventCommon {
  /**
   * Stable: the same state of the same finding or case has the same id, however often it is sent, after any restart, by any
   * destination. 32 hex digits, `-`, and the state's version or number, or what was done about it and when; receivers tell
   * repetitions by it.
   */
  readonly id: string;
  readonly activity: Activity;
  /** Events with the same key are delivered in order: the case, or the chain of findings that may become one. */
  readonly orderKey: string;
  /** When the collector took in what the event is about, milliseconds since the epoch. */
  readonly takenMs: number;
}

/** A state of a finding. */
export interface FindingEvent extends EventCommon {
  readonly kind: 'finding';
  readonly finding: Finding;
  /** The case that it belongs to, as far as known when it was taken in; '' otherwise. */
  readonly caseId: string;
  /** Marked as an example that somebody sends to see whether it arrives; never about anything that happened. */
  readonly isSample: boolean;
}

/** A case that opened, whose level rose, or that somebody closed or opened again. */
export interface CaseEvent extends EventCommon {
  readonly kind: 'case';
  readonly case: Case;
  readonly isSample: boolean;
}

/** What destinations get: findings and cases as they are stored, or with more taken out, never with less. */
export type ExportEvent = FindingEvent | CaseEvent;
