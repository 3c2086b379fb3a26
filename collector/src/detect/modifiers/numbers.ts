import type { Value } from '../../model/value.ts';

/** A number of any size: JavaScript compares number and bigint with each other exactly. */
export type Numeric = number | bigint;

/** The number a value is or spells; undefined for any other text. Integers keep all their digits. */
export function numericOf(value: Value): Numeric | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value !== 'string' || value.length > 40) return undefined;
  if (/^[+-]?\d+$/.test(value)) {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : BigInt(value.startsWith('+') ? value.slice(1) : value);
  }
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : undefined;
}

export function sameNumber(a: Numeric, b: Numeric): boolean {
  return a <= b && a >= b;
}

export const comparisons: Readonly<Record<string, (a: Numeric, b: Numeric) => boolean>> = {
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
};
