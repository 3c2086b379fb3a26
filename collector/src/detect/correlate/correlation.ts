import type { Position } from '../../model/errors.ts';
import type { Rule } from '../load.ts';
import type { RuleMeta } from '../rule.ts';
import { type ExtendedCondition, type Extension, extensionTypes } from './extension.ts';
import type { Threshold } from './thresholds.ts';

/** Sigma's own types, and `value_median`, which other engines have as well. */
export const sigmaTypes = [
  'event_count',
  'value_count',
  'temporal',
  'temporal_ordered',
  'value_sum',
  'value_avg',
  'value_percentile',
  'value_median',
] as const;

export type SigmaType = (typeof sigmaTypes)[number];

export const correlationTypes = [...sigmaTypes, ...extensionTypes] as const;

export type CorrelationType = (typeof correlationTypes)[number];

/** A name in a rule file and where it stands. */
export interface Named {
  readonly name: string;
  readonly at: Position;
}

/** A correlation rule as written, checked for form; the rules it names not yet looked up. */
export interface CorrelationSyntax {
  readonly meta: RuleMeta;
  readonly type: CorrelationType;
  /** Ids or names, in the order of the steps of `temporal_ordered`. */
  readonly rules: readonly Named[];
  /** Empty is one group for everything. */
  readonly groupBy: readonly Named[];
  readonly timespanNanos: bigint;
  /** As written, for people: `10m`. */
  readonly timespan: string;
  readonly aliases: ReadonlyMap<string, Alias>;
  readonly thresholds: readonly Threshold[];
  /** What is counted, summed or ranked: several only for `value_count`. */
  readonly fields: readonly Named[];
  /** 0 … 100, for `value_percentile` and `value_median`. */
  readonly percentile: number;
  readonly generate: boolean;
  /** What a type that Sigma does not have says beyond that. */
  readonly extension?: Extension;
  /** The condition of a temporal type where it is written in words. */
  readonly extended?: ExtendedCondition;
  readonly at: Position;
}

export interface Alias {
  /** Which field the alias stands for, by the id or name of a listed rule. */
  readonly fields: ReadonlyMap<string, Named>;
  readonly at: Position;
}

/** A correlation rule ready for the detector. */
export interface Correlation {
  readonly meta: RuleMeta;
  readonly file: string;
  readonly syntax: CorrelationSyntax;
  /** One for each entry of `rules`. */
  readonly members: readonly CorrelationMember[];
}

/** What a correlation says, without the rules that it uses: it may be kept longer than these. */
export type CorrelationText = Pick<Correlation, 'meta' | 'syntax'>;

/** One listed rule, with the fields that its matches are grouped and measured by: aliases are already followed. */
export interface CorrelationMember {
  /** The name as listed. */
  readonly name: string;
  readonly source: Rule | Correlation;
  readonly groupFields: readonly string[];
  readonly valueFields: readonly string[];
}

/** Whether a member is a correlation itself. */
export function isCorrelation(source: Rule | Correlation): source is Correlation {
  return 'members' in source;
}

/** Rules and correlations that give no findings of their own: others use them, and none of those says `generate: true`. */
export function silentSources(correlations: readonly Correlation[]): ReadonlySet<Rule | Correlation> {
  const silent = new Set(correlations.flatMap(({ members }) => members.map(({ source }) => source)));
  for (const { members, syntax } of correlations) {
    if (syntax.generate) for (const { source } of members) silent.delete(source);
  }
  return silent;
}
