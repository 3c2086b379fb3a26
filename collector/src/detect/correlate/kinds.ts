import type { Correlation } from './correlation.ts';
import { Evaluator } from './evaluator.ts';
import type { CorrelationEvaluator, EvaluatorBounds } from './kind.ts';

/** The evaluator of a correlation by its type. */
export function createEvaluator(correlation: Correlation, bounds: EvaluatorBounds): CorrelationEvaluator {
  return new Evaluator(correlation, bounds);
}
