// Times of events, which are nanoseconds since the epoch, as receivers want them.

const nanosPerMilli = 1_000_000n;
const nanosPerSecond = 1_000_000_000n;

/** Whole milliseconds since the epoch. */
export function millisOf(nanos: bigint): number {
  return Number(nanos / nanosPerMilli);
}

/** ISO 8601 in UTC with nine digits after the point, `2026-11-29T02:22:18.123456789Z`; any unsigned 64 bits have one. */
export function isoOfNanos(nanos: bigint): string {
  const seconds = new Date(Number(nanos / nanosPerSecond) * 1000).toISOString().slice(0, -'.000Z'.length);
  return `${seconds}.${String(nanos % nanosPerSecond).padStart(9, '0')}Z`;
}

/** ISO 8601 in UTC with milliseconds. */
export function isoOfMillis(millis: number): string {
  return new Date(millis).toISOString();
}
