import type { Measure } from '../measure.ts';
import { compareNumbers, satisfies, type Threshold } from '../thresholds.ts';
import { type Window, windowMeasure } from './window.ts';

/** value_percentile and value_median: the value at the nearest rank, ⌈p/100 · n⌉, of the sorted numbers. */
export function rankMeasure(
  thresholds: readonly Threshold[],
  percentile: number,
  sizeMax: number,
): Measure<Window<number[]>> {
  const ranked = (sorted: readonly number[]): number =>
    sorted[Math.max(0, Math.ceil((percentile * sorted.length) / 100) - 1)]!;
  return windowMeasure<number[]>(
    {
      create: () => [],
      add: (sorted, values) => {
        for (const value of values) sorted.splice(placeOf(sorted, value as number), 0, value as number);
      },
      remove: (sorted, values) => {
        for (const value of values) sorted.splice(placeOf(sorted, value as number), 1);
      },
      holds: (sorted) => satisfies(thresholds, (value) => compareNumbers(ranked(sorted), value)),
      shown: (sorted) => String(ranked(sorted)),
    },
    sizeMax,
  );
}

/** The first place whose number is not below `value`. */
function placeOf(sorted: readonly number[], value: number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
