import type { Metrics } from '../metrics.ts';
import type { ActiveRules } from './active-rules.ts';

/** How the rules stand, read when somebody asks. */
export function addRuleGauges(metrics: Metrics, rules: ActiveRules): void {
  const add = metrics.gauge;
  add('spanwarden_rules_active', 'Rules that run.', () => {
    const { rules: detections, correlations } = rules.set;
    return detections.length + correlations.length - rules.disabledRules().length;
  });
  add('spanwarden_rules_disabled', 'Rules that threw or took too long, and are not asked any more.', () => {
    return rules.disabledRules().length;
  });
  add('spanwarden_rules_suppressions', 'Filters among the rules.', () => rules.set.filters.length);
  add('spanwarden_rules_reloads', 'Times the rules were exchanged since the start.', () => rules.reloads.reloaded);
  add(
    'spanwarden_rules_refused_reloads',
    'Times they were not, because of errors in them.',
    () => rules.reloads.refused,
  );
  add('spanwarden_rules_stale', '1 while the newest rules have errors and older ones run.', () =>
    rules.refused ? 1 : 0,
  );
  add(
    'spanwarden_rules_reload_seconds',
    'How long spans waited at the last reload.',
    () => rules.reloads.lastMs / 1000,
  );
}
