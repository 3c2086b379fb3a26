import type { Level } from './severity.ts';

/** Findings of one causal chain: what people look at, close and reopen. The newest version of a row replaces the others. */
export interface Case {
  /** 32 hex digits: the chain of its earliest finding. When two cases turn out to be one, that of the earlier stays. */
  readonly id: string;
  /** Grows with every row of every case. */
  readonly version: bigint;
  /** Days since the epoch on which the chain that gave the id began. */
  readonly day: number;
  /** Id of the case that this one has become part of, '' for a case of its own. */
  readonly mergedInto: string;
  /** One sentence for people: who did what after reading what. One line, without control characters. */
  readonly headline: string;
  readonly level: Level;
  /** Why the level is above that of every finding, '' when it is not. */
  readonly raisedBy: string;
  readonly firstSeenNanos: bigint;
  readonly lastSeenNanos: bigint;
  /** Different findings, and how often they were seen together. */
  readonly findings: number;
  readonly count: number;
  /** Rules that fired, the worst first. */
  readonly votes: readonly CaseVote[];
  /** The worst `limits.caseTimelineMax` findings, in event order. */
  readonly timeline: readonly CaseFinding[];
  readonly agents: readonly string[];
  readonly users: readonly string[];
  /** Sessions that are more than a trace: conversations, and calls that were stitched. */
  readonly conversations: readonly string[];
  readonly traceIds: readonly string[];
  /** Findings with one of these as `chainId` belong to the case. */
  readonly chainIds: readonly string[];
  /** How many times the case called for attention: when it opened, and whenever its level rose. */
  readonly alertSeq: number;
  /** Whether this row is a call for attention, and not only newer. */
  readonly alerted: boolean;
  /** On a row that only tells what somebody did about the case. */
  readonly decision?: CaseDecision;
}

/** What somebody did about a case. */
export interface CaseDecision {
  readonly action: 'close' | 'reopen';
  /** Microseconds since the epoch. */
  readonly atMicros: bigint;
  /** What a closed case was, '' for one that was opened again. */
  readonly disposition: string;
  readonly reason: string;
  readonly by: string;
}

/** The newer row of a case, in place of one that nobody has seen: what that one called for attention with still counts. */
export function inPlaceOf(unseen: Case | undefined, newer: Case): Case {
  return unseen?.alerted === true && !newer.alerted ? { ...newer, alerted: true } : newer;
}

/** What one rule says about a case. */
export interface CaseVote {
  readonly ruleId: string;
  readonly ruleTitle: string;
  readonly level: Level;
  readonly findings: number;
  readonly count: number;
}

/** A finding as a case tells of it: names bounded and on one line. */
export interface CaseFinding {
  readonly findingId: string;
  readonly timeNanos: bigint;
  readonly lastSeenNanos: bigint;
  readonly count: number;
  readonly ruleId: string;
  readonly ruleTitle: string;
  readonly level: Level;
  readonly traceId: string;
  readonly spanId: string;
  readonly spanName: string;
  readonly agentName: string;
  readonly toolName: string;
  /** What made the rule match. */
  readonly shown: string;
}
