import { type Correlation, isCorrelation } from '../detect/correlate/correlation.ts';
import type { Rule, RuleSet } from '../detect/load.ts';

/** Rules and correlations with everything that the correlations among them use. */
export function withSources(set: RuleSet, wanted: (rule: Rule | Correlation) => boolean): RuleSet {
  const chosen = new Set<Rule | Correlation>();
  const add = (rule: Rule | Correlation): void => {
    if (chosen.has(rule)) return;
    chosen.add(rule);
    if (isCorrelation(rule)) for (const { source } of rule.members) add(source);
  };
  for (const rule of [...set.rules, ...set.correlations]) if (wanted(rule)) add(rule);
  return {
    rules: set.rules.filter((rule) => chosen.has(rule)),
    correlations: set.correlations.filter((rule) => chosen.has(rule)),
  };
}

/**
 * How much history before the time in question a rule set needs, so that its windows, baselines and waits are filled then:
 * along chains of correlations their times add up.
 */
export function warmUpNanos({ correlations }: RuleSet): bigint {
  return correlations.reduce((most, rule) => maximum(most, reachOf(rule)), 0n);
}

function reachOf({ syntax, members }: Correlation): bigint {
  const below = members.reduce(
    (most, { source }) => (isCorrelation(source) ? maximum(most, reachOf(source)) : most),
    0n,
  );
  // Each type that Sigma does not have names its times itself: what it learns, remembers and waits for.
  const times = Object.entries(syntax.extension ?? {}).flatMap(([key, value]) =>
    key.endsWith('Nanos') && key !== 'ttlNanos' && typeof value === 'bigint' ? [value] : [],
  );
  return below + [syntax.timespanNanos, ...times].reduce(maximum, 0n);
}

function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
