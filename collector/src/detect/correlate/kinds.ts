import type { CorrelationText } from './correlation.ts';
import { Evaluator } from './evaluator.ts';
import type { CorrelationEvaluator, EvaluatorBounds } from './kind.ts';
import { absenceKind } from './kinds/absence.ts';
import { extendedKind } from './kinds/extended.ts';
import { flowKind } from './kinds/flow.ts';
import { GroupedEvaluator } from './kinds/grouped.ts';
import { newValueKind } from './kinds/new-value.ts';
import { rareKind } from './kinds/rare.ts';
import { rateKind } from './kinds/rate.ts';
import type { WaitingGroups } from './waiting.ts';

/** The evaluator of a correlation by its type. @param waiting for those that find something early */
export function createEvaluator(
  correlation: CorrelationText,
  bounds: EvaluatorBounds,
  waiting: WaitingGroups,
): CorrelationEvaluator {
  const { extension, extended } = correlation.syntax;
  switch (extension?.kind) {
    case 'new_value':
      return new GroupedEvaluator(correlation, bounds, newValueKind(correlation, extension));
    case 'rare':
      return new GroupedEvaluator(correlation, bounds, rareKind(correlation, extension));
    case 'rate_anomaly':
      return new GroupedEvaluator(correlation, bounds, rateKind(correlation, extension));
    case 'absence':
      return new GroupedEvaluator(correlation, bounds, absenceKind(correlation, extension));
    case 'flow':
      return new GroupedEvaluator(correlation, bounds, flowKind(correlation, extension));
  }
  if (extended?.terms.some(({ unwanted }) => unwanted !== 0)) {
    return new GroupedEvaluator(correlation, bounds, extendedKind(correlation, extended.terms));
  }
  return new Evaluator(correlation, bounds, waiting);
}
