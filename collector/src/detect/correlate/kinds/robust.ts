/** A number compared with its history: the median, and how far from it numbers usually are. */
export interface RobustScore {
  readonly median: number;
  readonly scale: number;
  /** How many scales the number is above the median; below it is negative. */
  readonly score: number;
}

/**
 * |x − median| / MAD with the sign of x − median. MAD is the median distance from the median. Where it is 0, because more than
 * half of the history is one number, the mean distance stands in for it. The scale is never below a tenth of the median
 * nor below `unit`: a history without any noise says nothing about small changes.
 *
 * @param history numbers that are not 0, in any order; it is sorted in place
 * @param zeros how many zeros belong to the history besides
 */
export function robustScore(x: number, history: Float64Array, zeros: number, unit: number): RobustScore {
  const median = medianOf(history, zeros);
  const distances = history.map((value) => Math.abs(value - median));
  const atZero = Math.abs(median);
  const mad = medianWith(distances, zeros, atZero);
  let scale = mad;
  if (mad === 0) {
    const count = history.length + zeros;
    scale = distances.reduce((sum, distance) => sum + distance / count, (atZero * zeros) / count);
  }
  scale = Math.max(scale, atZero / 10, unit);
  return { median, scale, score: (x - median) / scale };
}

function medianOf(values: Float64Array, zeros: number): number {
  return medianWith(values, zeros, 0);
}

/** The median of sorted values with `extra` times the value `at` among them; the mean of the middle two of an even number. */
function medianWith(values: Float64Array, extra: number, at: number): number {
  values.sort();
  const below = lowerBound(values, at);
  const value = (rank: number): number => {
    if (rank < below) return values[rank]!;
    return rank < below + extra ? at : values[rank - extra]!;
  };
  const count = values.length + extra;
  if (count === 0) return 0;
  const half = count >> 1;
  return count % 2 === 1 ? value(half) : value(half - 1) / 2 + value(half) / 2;
}

function lowerBound(values: Float64Array, at: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
