import type { MetricKind } from '../model/metric-batch.ts';
import { Point } from '../model/metric-batch.ts';

/** How a field of a data point is read. `offset`: 8 bytes, whose place is kept. */
export type Reading = 'offset' | 'varint' | 'zigzag' | 'attribute' | 'exemplar' | 'fixed list' | 'quantile' | 'buckets';

export interface PointField {
  readonly reading: Reading;
  /** The column of `points`; for lists that of their start. */
  readonly column: number;
}

const offset = (column: number): PointField => ({ reading: 'offset', column });
const flags: PointField = { reading: 'varint', column: Point.flags };
const attribute: PointField = { reading: 'attribute', column: Point.attributes };
const exemplar: PointField = { reading: 'exemplar', column: Point.exemplars };
const times = { 2: offset(Point.start), 3: offset(Point.time) };

/** NumberDataPoint: 2 start, 3 time, 4 as_double, 5 exemplars, 6 as_int (sfixed64), 7 attributes, 8 flags. */
const numberPoint: Readonly<Record<number, PointField>> = {
  ...times,
  4: offset(Point.double),
  5: exemplar,
  6: offset(Point.int),
  7: attribute,
  8: flags,
};

/**
 * Fields of data points by number, all others are unknown:
 *
 * | message | fields |
 * |---|---|
 * | HistogramDataPoint | 2 start, 3 time, 4 count, 5 sum, 6 bucket_counts, 7 explicit_bounds, 8 exemplars, 9 attributes, |
 * | | 10 flags, 11 min, 12 max |
 * | ExponentialHistogramDataPoint | 1 attributes, 2 start, 3 time, 4 count, 5 sum, 6 scale (sint32), 7 zero_count, 8 positive, |
 * | | 9 negative (Buckets: 1 offset, 2 bucket_counts), 10 flags, 11 exemplars, 12 min, 13 max |
 * | SummaryDataPoint | 2 start, 3 time, 4 count, 5 sum, 6 quantile_values (1 quantile, 2 value), 7 attributes, 8 flags |
 */
export const pointFields: Readonly<Record<MetricKind, Readonly<Record<number, PointField>>>> = {
  gauge: numberPoint,
  sum: numberPoint,
  histogram: {
    ...times,
    4: offset(Point.count),
    5: offset(Point.sum),
    6: { reading: 'fixed list', column: Point.buckets },
    7: { reading: 'fixed list', column: Point.bounds },
    8: exemplar,
    9: attribute,
    10: flags,
    11: offset(Point.min),
    12: offset(Point.max),
  },
  exponential_histogram: {
    1: attribute,
    ...times,
    4: offset(Point.count),
    5: offset(Point.sum),
    6: { reading: 'zigzag', column: Point.scale },
    7: offset(Point.zeroCount),
    8: { reading: 'buckets', column: Point.buckets },
    9: { reading: 'buckets', column: Point.negatives },
    10: flags,
    11: exemplar,
    12: offset(Point.min),
    13: offset(Point.max),
  },
  summary: {
    ...times,
    4: offset(Point.count),
    5: offset(Point.sum),
    6: { reading: 'quantile', column: Point.buckets },
    7: attribute,
    8: flags,
  },
};

/** Columns that hold an offset, or -1. */
export const offsetColumns: readonly number[] = [
  ...[Point.start, Point.time, Point.double, Point.int, Point.count, Point.sum, Point.min, Point.max, Point.zeroCount],
];
