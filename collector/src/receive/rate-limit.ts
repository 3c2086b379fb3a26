/** Takes one request; 0 when there was room for it, else in how many milliseconds there will be. */
export type RateLimit = () => number;

/**
 * A token bucket that holds the requests of one second, at least one, and fills up at the rate.
 *
 * @param clock milliseconds that only go forward
 */
export function rateLimit(requestsPerSecond: number, clock: () => number): RateLimit {
  const roomMax = Math.max(1, requestsPerSecond);
  let room = roomMax;
  let filledMs = clock();
  return () => {
    const now = clock();
    room = Math.min(roomMax, room + ((now - filledMs) / 1000) * requestsPerSecond);
    filledMs = now;
    if (room < 1) return Math.ceil(((1 - room) / requestsPerSecond) * 1000);
    room -= 1;
    return 0;
  };
}
