/** Work that must happen at the latest when the process ends, such as ending the spans of streams nobody finished reading. */
const pending = new Set<() => void>();
const pendingMax = 10_000;

/**
 * Runs `close` after `delayMs`, or at the end of the process if that comes first (only then when no delay is given).
 * Returns a function that calls it off. Never keeps the process alive.
 */
export function closeLater(delayMs: number | undefined, close: () => void): () => void {
  const run = (): void => {
    cancel();
    close();
  };
  const timer = delayMs === undefined ? undefined : setTimeout(run, delayMs);
  timer?.unref();
  const cancel = (): void => {
    clearTimeout(timer);
    pending.delete(run);
  };
  if (pending.size < pendingMax) pending.add(run);
  return cancel;
}

/** Runs all that is pending now; the process is about to end. Never throws. */
export function closePending(): void {
  for (const run of [...pending]) {
    try {
      run();
    } catch {
      // Nothing is left to tell at the end of a process.
    }
  }
}
