/** The types that Sigma does not have. What they mean: docs/extension-rules.md. */
export const extensionTypes = ['new_value', 'rare', 'rate_anomaly', 'absence', 'flow'] as const;

export type ExtensionType = (typeof extensionTypes)[number];

/** What a correlation of an extension type says beyond rules, group-by and aliases. Timespans are in nanoseconds. */
export type Extension = NewValueSyntax | RareSyntax | RateSyntax | AbsenceSyntax | FlowSyntax;

export interface NewValueSyntax {
  readonly kind: 'new_value';
  /** Silent until both are over; 0 where not written. */
  readonly learnNanos: bigint;
  readonly learnEvents: number;
  /** As written: `7d`, `500 events`. */
  readonly learn: string;
  readonly ttlNanos: bigint;
}

export interface RareSyntax {
  readonly kind: 'rare';
  /** A share of the history, 0 … 1, and a number of events; undefined where not written, both must hold otherwise. */
  readonly maxShare: number | undefined;
  readonly maxCount: number | undefined;
  /** Events with the field that the history must hold. */
  readonly min: number;
  readonly historyNanos: bigint;
}

export interface RateSyntax {
  readonly kind: 'rate_anomaly';
  readonly measure: 'count' | 'sum' | 'ratio';
  /** Of a ratio: the bits of the members above and below the line. */
  readonly over: number;
  readonly under: number;
  readonly bucketNanos: bigint;
  /** How many past buckets are compared with. */
  readonly historyBuckets: number;
  readonly score: number;
  /** Past buckets there must be. */
  readonly min: number;
  readonly direction: 'up' | 'down' | 'both';
  /** A bucket below it is never too high; undefined where not written. */
  readonly atLeast: number | undefined;
}

export interface AbsenceSyntax {
  readonly kind: 'absence';
  /** How long before the second rule the first may have matched. */
  readonly withinNanos: bigint;
  readonly scope: 'trace' | 'session' | undefined;
}

export const sourceClasses = ['untrusted', 'internal', 'sensitive'] as const;
export const sinkEffects = ['send', 'pay', 'write', 'execute', 'post', 'delete', 'merge', 'install'] as const;
export const flowWays = ['value', 'decoded', 'ngram'] as const;
export const flowExceptions = ['user_supplied', 'approved'] as const;
export const valueKinds = ['url', 'host', 'email', 'account', 'secret', 'pii', 'id', 'words'] as const;

export interface FlowSyntax {
  readonly kind: 'flow';
  readonly from: readonly (typeof sourceClasses)[number][];
  readonly to: readonly (typeof sinkEffects)[number][];
  readonly via: readonly (typeof flowWays)[number][];
  readonly unless: readonly (typeof flowExceptions)[number][];
  readonly kinds: readonly (typeof valueKinds)[number][];
  /** A session that is silent for longer is forgotten. */
  readonly idleNanos: bigint;
}

/** One way to make an extended condition true: rules that match and rules that do not, as bits. */
export interface Term {
  readonly wanted: number;
  readonly unwanted: number;
}

/** A condition in words, `a and (b or c) and not d`, as alternatives of which one must hold. */
export interface ExtendedCondition {
  readonly text: string;
  readonly terms: readonly Term[];
}
