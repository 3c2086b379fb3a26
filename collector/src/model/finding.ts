import type { Session } from './session.ts';
import type { Level } from './severity.ts';

/** What a rule asks for when it matches. `approve` and `block` act only where the guard is on. */
export type RuleResponse = 'alert' | 'approve' | 'block';

/** Why a rule matched: one field item of it and what stood there. */
export interface Evidence {
  /** The search identifier in the rule's detection part. */
  readonly selection: string;
  /** The field as the rule names it; '' for keywords. */
  readonly field: string;
  /** What the rule asked for, for people, e.g. `contains "ignore"`. */
  readonly wanted: string;
  /** An excerpt around the matching place, at most `limits.evidenceCharsMax` characters, control characters escaped. */
  readonly excerpt: string;
}

/** A stored match of a rule. Ids are derived, so that a replay gives the same finding again. */
export interface Finding {
  /** 32 hex digits: hash(rule id, group key, first span or number of the episode). A correlation updates its finding under the same id. */
  readonly id: string;
  /** Event time: the end of the span, nanoseconds since the epoch. */
  readonly timeNanos: bigint;
  readonly ruleId: string;
  readonly ruleTitle: string;
  /** Hash of the rule's content, so that a finding says which version of the rule made it. */
  readonly ruleVersion: string;
  readonly level: Level;
  readonly response: RuleResponse;
  readonly tags: readonly string[];
  /** One sentence for people: the rule's description, shortened to its first sentence. */
  readonly reason: string;
  readonly groupKey: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly spanName: string;
  readonly serviceName: string;
  readonly agentName: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly toolName: string;
  /** The session of the span where that is neither its conversation nor its trace; see `sessionOf`. */
  readonly session?: Session | undefined;
  readonly evidence: readonly Evidence[];
  /** Events that belong to the finding; left out where it is a single span. */
  readonly count?: number;
  /** Values of the fields in the rule's `fold-by`: matches that agree in them are repeats of each other. Not stored. */
  readonly foldValues?: readonly string[];
  /**
   * Of a rule over the messages of a call: whether all that it matched stood in the calls before, and this one sends it again. Not
   * stored.
   */
  readonly retold?: boolean;
  /** Says which of two states is newer where `lastSeenNanos` does not: of folded repeats, and of provisional ones. */
  readonly version?: bigint;
  /** 32 hex digits: the session (conversation or trace) and day that the finding belongs to; cases are made of these. */
  readonly chainId?: string;
  /** Event time of the newest of them. Of two settled states of a finding the one seen later is newer. */
  readonly lastSeenNanos?: bigint;
  /**
   * Given before spans that may still come have settled it: every settled state of the finding is newer. It stands, but its
   * count and evidence, and the span that it names, may change.
   */
  readonly provisional?: true;
}

/** Of two states of one finding the one with the larger version is newer. */
export function versionOf({ version, lastSeenNanos, timeNanos }: Finding): bigint {
  return version ?? lastSeenNanos ?? timeNanos;
}
