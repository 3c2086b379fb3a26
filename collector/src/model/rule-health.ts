/** What a rule did since the last time it was asked. Counters of one kind stand in rows of their own. */
export interface RuleStatsDelta {
  readonly ruleId: string;
  readonly ruleVersion: string;
  /** With an agent, or an agent's service: matches and findings of it. '' where `spans` and cost are counted. */
  readonly agentName: string;
  /** With the id of a filter: what it took away. */
  readonly filterId: string;
  /** Spans of its logsource. */
  readonly spans: number;
  /** Of these, the spans on which its condition was looked at. */
  readonly candidates: number;
  /** Spans that its condition and its filters let through. */
  readonly matches: number;
  /** Findings given out; a rule that only correlations see gives none. */
  readonly findings: number;
  /** Spans that its condition matched and a filter took away. */
  readonly suppressed: number;
  readonly errors: number;
  /** Spans whose evaluation was timed, and how long that took. */
  readonly sampledSpans: number;
  readonly sampledNanos: number;
  /** Event time of the newest match, 0 without one. */
  readonly lastMatchNanos: bigint;
}

/** A field name that arrived in spans of a category; the category of resource attributes is `resource`. */
export interface SeenField {
  readonly category: string;
  readonly field: string;
}

/** `set` is the rule set as a whole, under the rule id ''. */
export type RuleStateName = 'active' | 'disabled' | 'removed' | 'set_loaded' | 'set_refused';

/** How a rule stands now. */
export interface RuleState {
  readonly ruleId: string;
  readonly ruleName: string;
  readonly ruleTitle: string;
  readonly ruleVersion: string;
  /** Ids it had before, whose history is its own. */
  readonly formerIds: readonly string[];
  readonly level: string;
  readonly state: RuleStateName;
  /** Why it is disabled or the set was refused. */
  readonly reason: string;
}
