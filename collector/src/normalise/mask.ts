/** A value for people: two characters at each end, or none when it is short. Never enough to use it. */
export function masked(value: string): string {
  return value.length < 12 ? '****' : `${value.slice(0, 2)}****${value.slice(-2)}`;
}
