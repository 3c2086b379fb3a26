import type { Measure } from '../measure.ts';
import { compareNumbers, satisfies, type Threshold } from '../thresholds.ts';
import { type Window, windowMeasure } from './window.ts';

/** How many events of the window hold a value. */
type Occurrences = Map<string | number, number>;

/** value_count: different values, compared exactly. */
export function distinctMeasure(thresholds: readonly Threshold[], sizeMax: number): Measure<Window<Occurrences>> {
  return windowMeasure<Occurrences>(
    {
      create: () => new Map(),
      add: (occurrences, values) => {
        for (const value of values) occurrences.set(value, (occurrences.get(value) ?? 0) + 1);
      },
      remove: (occurrences, values) => {
        for (const value of values) {
          const left = occurrences.get(value)! - 1;
          if (left === 0) occurrences.delete(value);
          else occurrences.set(value, left);
        }
      },
      holds: ({ size }) => satisfies(thresholds, (value) => compareNumbers(size, value)),
      shown: ({ size }) => String(size),
    },
    sizeMax,
  );
}
