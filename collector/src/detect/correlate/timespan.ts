export const unitNanos: Readonly<Record<string, bigint>> = {
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

/** Nanoseconds of `10m`, or undefined when it is no timespan above 0. */
export function timespanNanosOf(text: string): bigint | undefined {
  const [, digits, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const nanos = digits === undefined ? 0n : BigInt(digits) * unitNanos[unit!]!;
  return nanos > 0n ? nanos : undefined;
}
