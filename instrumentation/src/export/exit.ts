import { closePending } from '../pending.ts';
import type { QueueProcessor } from './queue-processor.ts';

/** How long the end of the process may wait for the last spans. */
const exitFlushMs = 2000;
const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * Sends the last spans at every way a process ends: running dry, process.exit, an uncaught error, SIGTERM and SIGINT. The
 * host's own handling stays as it is: where it listens for the signal, it decides; where nobody does, the process still
 * dies of that signal.
 */
export function flushOnExit(processor: QueueProcessor): void {
  process.on('beforeExit', () => {
    closePending();
    if (processor.hasFresh) void processor.flushWithin(exitFlushMs);
  });
  process.on('exit', () => {
    closePending();
    processor.flushNow(exitFlushMs);
  });
  for (const signal of signals) flushOnSignal(signal, processor);
}

function flushOnSignal(signal: NodeJS.Signals, processor: QueueProcessor): void {
  // First in the row and gone before anybody else is called: libraries that count the listeners see only their own.
  process.prependOnceListener(signal, () => {
    if (process.listenerCount(signal) > 0) {
      void processor.flushWithin(exitFlushMs);
      return;
    }
    closePending();
    const die = (): void => void process.kill(process.pid, signal);
    processor.flushWithin(exitFlushMs).then(die, die);
  });
}
