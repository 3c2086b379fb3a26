import type { Rule } from '../load.ts';
import { type Parent, parentsOf } from './chain.ts';
import { type Correlation, silentSources } from './correlation.ts';
import type { CorrelationEvaluator, EarlyFiring } from './kind.ts';
import { Totals } from './totals.ts';

/** The correlations that run, and for each of them, by its place, what remembers its groups and who uses its matches. */
export interface Lineup {
  readonly correlations: readonly Correlation[];
  readonly metas: readonly Correlation['meta'][];
  readonly evaluators: readonly CorrelationEvaluator[];
  readonly parents: readonly (readonly Parent[])[];
  readonly silent: ReadonlySet<Rule | Correlation>;
  /** Those that may tell a finding early. */
  readonly early: readonly { readonly index: number; readonly early: EarlyFiring }[];
  readonly totals: Totals;
}

export function lineUp(correlations: readonly Correlation[], evaluators: readonly CorrelationEvaluator[]): Lineup {
  const silent = silentSources(correlations);
  const totals = new Totals(evaluators);
  totals.recount();
  return {
    correlations,
    metas: correlations.map(({ meta }) => meta),
    evaluators,
    parents: correlations.map((child) => parentsOf(child, correlations)),
    silent,
    early: evaluators.flatMap(({ early }, index) =>
      early && !silent.has(correlations[index]!) ? [{ index, early }] : [],
    ),
    totals,
  };
}

type Version = Pick<Correlation['meta'], 'id' | 'version'>;

/** Where each of these correlations stands among others, -1 where it is not there with the same text. */
export function placesIn(others: readonly Version[], these: readonly Version[]): readonly number[] {
  const known = new Map(others.map((other, place) => [keyOf(other), place]));
  return these.map((each) => known.get(keyOf(each)) ?? -1);
}

function keyOf({ id, version }: Version): string {
  return `${version} ${id}`;
}

/** Whether each stands where it stood. */
export function isInPlace(places: readonly number[]): boolean {
  return places.every((place, at) => place === at);
}
