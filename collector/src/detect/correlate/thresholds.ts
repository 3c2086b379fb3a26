/** One entry of a condition map, `gte: 5`. All entries of a condition are ANDed. */
export interface Threshold {
  readonly operator: Operator;
  readonly value: number;
}

export const operators = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'] as const;

export type Operator = (typeof operators)[number];

/** Says whether the measured value is below (-1), at (0) or above (1) a number, exactly. */
export type Comparison = (threshold: number) => -1 | 0 | 1;

export function satisfies(thresholds: readonly Threshold[], compare: Comparison): boolean {
  for (const { operator, value } of thresholds) if (!holds[operator](compare(value))) return false;
  return true;
}

const holds: Readonly<Record<Operator, (order: number) => boolean>> = {
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
  eq: (order) => order === 0,
  neq: (order) => order !== 0,
};

/** Only lower bounds: what the condition asks for can be seen before the window is over. */
export function onlyLowerBounds(thresholds: readonly Threshold[]): boolean {
  return thresholds.every(({ operator }) => operator === 'gt' || operator === 'gte');
}

/** Of the whole numbers 0 … `max` those that satisfy the condition. */
export function satisfyingCounts(thresholds: readonly Threshold[], max: number): number[] {
  return Array.from({ length: max + 1 }, (_, count) => count).filter((count) =>
    satisfies(thresholds, (value) => compareNumbers(count, value)),
  );
}

/** Any whole number from 1 on satisfies the condition: a group in which nothing happened is not seen. */
export function canCount(thresholds: readonly Threshold[]): boolean {
  const near = thresholds.flatMap(({ value }) => [-1, 0, 1, 2].map((more) => Math.floor(value) + more));
  return [1, ...near].some((count) => count >= 1 && satisfies(thresholds, (value) => compareNumbers(count, value)));
}

/** No number at all satisfies the condition. */
export function isContradiction(thresholds: readonly Threshold[]): boolean {
  const candidates = thresholds.flatMap(({ value }) => [
    value,
    ...thresholds.map((other) => (value + other.value) / 2),
  ]);
  const { length } = thresholds;
  const ends = length === 0 ? [] : [Math.min(...candidates) - 1, Math.max(...candidates) + 1];
  return ![...candidates, ...ends].some((number) => satisfies(thresholds, (value) => compareNumbers(number, value)));
}

export function compareNumbers(a: number, b: number): -1 | 0 | 1 {
  return a < b ? -1 : a > b ? 1 : 0;
}

const signs: Readonly<Record<Operator, string>> = { gt: '>', gte: '≥', lt: '<', lte: '≤', eq: '=', neq: '≠' };

/** For people: `≥ 5 and < 10`. */
export function thresholdsText(thresholds: readonly Threshold[]): string {
  return thresholds.map(({ operator, value }) => `${signs[operator]} ${value}`).join(' and ');
}
