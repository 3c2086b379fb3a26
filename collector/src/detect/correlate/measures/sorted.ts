/** Numbers in order, in chunks: putting one in or taking one out moves a chunk's worth, however many there are. */
export interface Sorted {
  /** None is empty. */
  readonly chunks: number[][];
  length: number;
}

const chunkMax = 512;

export function createSorted(): Sorted {
  return { chunks: [], length: 0 };
}

export function insertSorted(sorted: Sorted, value: number): void {
  const { chunks } = sorted;
  sorted.length++;
  if (chunks.length === 0) {
    chunks.push([value]);
    return;
  }
  const at = Math.min(chunkOf(chunks, value), chunks.length - 1);
  const chunk = chunks[at]!;
  chunk.splice(placeOf(chunk, value), 0, value);
  if (chunk.length > chunkMax) chunks.splice(at + 1, 0, chunk.splice(chunkMax / 2));
}

/** Takes out one number that is there. */
export function removeSorted(sorted: Sorted, value: number): void {
  const { chunks } = sorted;
  const at = chunkOf(chunks, value);
  const chunk = chunks[at]!;
  chunk.splice(placeOf(chunk, value), 1);
  if (chunk.length === 0) chunks.splice(at, 1);
  sorted.length--;
}

/** The number at a rank, the smallest at 0; there is one. */
export function sortedAt({ chunks }: Sorted, rank: number): number {
  let left = rank;
  for (const chunk of chunks) {
    if (left < chunk.length) return chunk[left]!;
    left -= chunk.length;
  }
  return Number.NaN;
}

/** The first chunk whose last number is not below `value`; the number of chunks when all are. */
function chunkOf(chunks: readonly (readonly number[])[], value: number): number {
  let [from, to] = [0, chunks.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (chunks[middle]!.at(-1)! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The first place whose number is not below `value`. */
function placeOf(numbers: readonly number[], value: number): number {
  let [from, to] = [0, numbers.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (numbers[middle]! < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
