import type { Casework } from './detect/casework.ts';
import type { Metrics } from './metrics.ts';

/** How repeats fold and cases grow, and what their bounds cost. */
export function addCaseGauges(metrics: Metrics, casework: Casework): void {
  const repeats = () => casework.stats().repeats;
  const cases = () => casework.stats().cases;
  const gauges = [
    ['repeats_folded_matches', 'Matches counted into a finding that was there.', () => repeats().folded],
    ['repeats_resent_spans', 'Spans that came twice and counted once.', () => repeats().resent],
    [
      'repeats_unfolded_matches',
      'Matches that stayed findings of their own: too late, from the future, or too many at once.',
      () => repeats().unfolded,
    ],
    ['repeats_forgotten_spans', 'Spans that would count again if they came again.', () => repeats().forgottenSpans],
    ['repeats_remembered_findings', 'Findings remembered to count their repeats.', () => repeats().folds],
    ['cases_opened', 'Cases written for the first time.', () => cases().opened],
    ['cases_merged', 'Cases that became part of another.', () => cases().merged],
    ['cases_evicted', 'Cases let go because there were too many; they grow no more.', () => cases().evicted],
    ['cases_unjoined_values', 'Shared values that joined nothing, as the case was full.', () => cases().unjoined],
    ['cases_forgotten_keys', 'Traces and values that no longer lead to their case.', () => cases().forgottenKeys],
    ['cases_remembered', 'Cases that may grow, with chains that have not become one.', () => cases().remembered],
    ['cases_remembered_findings', 'Findings in them.', () => cases().findings],
  ] as const;
  for (const [name, help, read] of gauges) metrics.gauge(`spanwarden_${name}`, help, read);
}
