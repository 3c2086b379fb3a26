import type { Measure } from '../measure.ts';
import { compareNumbers, satisfies, type Threshold } from '../thresholds.ts';
import { type Window, windowMeasure } from './window.ts';

/** event_count: a span counts once, however many of the listed rules it matches. */
export function countMeasure(thresholds: readonly Threshold[], sizeMax: number): Measure<Window<null>> {
  return windowMeasure<null>(
    {
      create: () => null,
      add: () => {},
      remove: () => {},
      holds: (_, events) => satisfies(thresholds, (value) => compareNumbers(events, value)),
      shown: (_, events) => String(events),
    },
    sizeMax,
  );
}
