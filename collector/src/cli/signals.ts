import { CommandExit, exitCodes } from './exit.ts';

export interface Signals {
  /** Aborts with the first signal, whose name is the reason: stop in order. */
  readonly interrupted: AbortSignal;
  /** Rejects with a CommandExit at the second: end at once. */
  readonly forced: Promise<never>;
  unwatch(): void;
}

/** npm and a terminal may both pass on one Ctrl-C; only what comes later is a second one. */
const secondSignalAfterMs = 500;

/**
 * Takes SIGINT, SIGTERM and SIGHUP away from Node, which would end the process, until `unwatch`. SIGHUP is one of them,
 * because a closed terminal sends it, unless `onHangup` says what else it means.
 */
export function watchSignals({ onHangup }: { readonly onHangup?: () => void } = {}): Signals {
  const interrupt = new AbortController();
  const forced = Promise.withResolvers<never>();
  // Whoever only waits for the first signal leaves the second unhandled.
  forced.promise.catch(() => {});
  let firstAt: number | undefined;
  const onSignal = (name: string): void => {
    const now = performance.now();
    firstAt ??= now;
    interrupt.abort(name);
    if (now - firstAt >= secondSignalAfterMs) forced.reject(new CommandExit(exitCodes.failure, { immediately: true }));
  };
  const names = onHangup ? (['SIGINT', 'SIGTERM'] as const) : (['SIGINT', 'SIGTERM', 'SIGHUP'] as const);
  for (const name of names) process.on(name, onSignal);
  if (onHangup) process.on('SIGHUP', onHangup);
  return {
    interrupted: interrupt.signal,
    forced: forced.promise,
    unwatch: () => {
      for (const name of names) process.off(name, onSignal);
      if (onHangup) process.off('SIGHUP', onHangup);
    },
  };
}
