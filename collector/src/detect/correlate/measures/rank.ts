import type { Measure } from '../measure.ts';
import { compareNumbers, satisfies, type Threshold } from '../thresholds.ts';
import { createSorted, insertSorted, removeSorted, type Sorted, sortedAt } from './sorted.ts';
import { type Window, windowMeasure } from './window.ts';

/** value_percentile and value_median: the value at the nearest rank, ⌈p/100 · n⌉, of the sorted numbers. */
export function rankMeasure(
  thresholds: readonly Threshold[],
  percentile: number,
  sizeMax: number,
): Measure<Window<Sorted>> {
  const ranked = (sorted: Sorted): number =>
    sortedAt(sorted, Math.max(0, Math.ceil((percentile * sorted.length) / 100) - 1));
  return windowMeasure<Sorted>(
    {
      create: createSorted,
      add: (sorted, values) => {
        for (const value of values) insertSorted(sorted, value as number);
      },
      remove: (sorted, values) => {
        for (const value of values) removeSorted(sorted, value as number);
      },
      holds: (sorted) => satisfies(thresholds, (value) => compareNumbers(ranked(sorted), value)),
      shown: (sorted) => String(ranked(sorted)),
    },
    sizeMax,
  );
}
