import { approximate, exactUnits } from '../exact-sum.ts';
import type { Measure } from '../measure.ts';
import { satisfies, type Threshold } from '../thresholds.ts';
import { type Window, windowMeasure } from './window.ts';

export interface Sum {
  units: bigint;
  /** How many numbers the sum has; an event may hold several. */
  count: number;
}

/** value_sum: exact, so that the sum depends on no order. */
export function sumMeasure(thresholds: readonly Threshold[], sizeMax: number): Measure<Window<Sum>> {
  const bounds = exactBounds(thresholds);
  return windowMeasure<Sum>(
    {
      ...summing,
      holds: ({ units }) => satisfies(thresholds, (value) => compare(units, bounds.get(value)!)),
      shown: ({ units }) => String(approximate(units)),
    },
    sizeMax,
  );
}

/** value_avg: the mean of the numbers; compared as sum against threshold times count, without rounding. */
export function averageMeasure(thresholds: readonly Threshold[], sizeMax: number): Measure<Window<Sum>> {
  const bounds = exactBounds(thresholds);
  return windowMeasure<Sum>(
    {
      ...summing,
      holds: ({ units, count }) => satisfies(thresholds, (value) => compare(units, bounds.get(value)! * BigInt(count))),
      shown: ({ units, count }) => String(approximate(units) / count),
    },
    sizeMax,
  );
}

const summing = {
  create: (): Sum => ({ units: 0n, count: 0 }),
  add: (sum: Sum, values: readonly (string | number)[]): void => {
    for (const value of values) sum.units += exactUnits(value as number);
    sum.count += values.length;
  },
  remove: (sum: Sum, values: readonly (string | number)[]): void => {
    for (const value of values) sum.units -= exactUnits(value as number);
    sum.count -= values.length;
  },
};

function exactBounds(thresholds: readonly Threshold[]): ReadonlyMap<number, bigint> {
  return new Map(thresholds.map(({ value }) => [value, exactUnits(value)]));
}

function compare(a: bigint, b: bigint): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}
