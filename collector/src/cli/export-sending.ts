import { batchingOf } from '../export/config.ts';
import { systemClock } from '../export/delivery/clock.ts';
import { CursorKeeper } from '../export/delivery/cursor-keeper.ts';
import { type DeadLetter, DeadLetters } from '../export/delivery/dead-letters.ts';
import { Delivery } from '../export/delivery/delivery.ts';
import { filesIn } from '../export/delivery/files.ts';
import type { ExportLogger } from '../export/delivery/health.ts';
import type { OpenDestination } from '../export/open-destination.ts';
import type { ExportEvent } from '../model/export-event.ts';
import { limits } from '../model/limits.ts';
import { PagedSource } from './export-stored.ts';
import { createProgress } from './progress.ts';
import { watchSignals } from './signals.ts';
import { escapeControl } from './terminal.ts';

export interface SendingOptions {
  readonly opened: OpenDestination;
  /** Of the destination: what is refused is noted there. */
  readonly directory: string;
  readonly pages: AsyncIterable<ExportEvent[]>;
  /** How many events there are, about. */
  readonly total: number;
  delivered?(event: ExportEvent): void;
  refused?(letter: DeadLetter): void;
}

export interface Sent {
  readonly delivered: number;
  readonly refused: number;
  /** What the filter let be. */
  readonly filtered: number;
  /** All of it was delivered or refused: nobody interrupted it, and the receiver lets us in. */
  readonly isWhole: boolean;
}

const watchMs = 200;
const stopGraceMs = 2_000;

/**
 * Sends events as the collector does, with its encoder, batches, order and retries, but without its cursor: it may run at the same
 * time. Ends when all are settled, with Ctrl-C, or when the destination is misconfigured. Progress and failures go to stderr.
 */
export async function sendEvents(options: SendingOptions): Promise<Sent> {
  const { opened, directory, pages, total } = options;
  const { name, config, destination, prepare } = opened;
  const clock = systemClock;
  const source = new PagedSource(pages);
  const letters = await DeadLetters.open(filesIn(directory));
  const delivery = new Delivery({
    ...{ name, destination, source, prepare, clock, logger: stderrLogger },
    ...(options.delivered && { delivered: options.delivered }),
    cursor: await CursorKeeper.open({ name, files: undefined, head: -1, from: 'oldest', clock }),
    deadLetters: {
      add: (added) => {
        const own = added.map((letter) => ({ ...letter, position: -1 }));
        for (const letter of own) options.refused?.(letter);
        return letters.add(own);
      },
    },
    lanes: config.concurrency,
    batch: { ...batchingOf(config), lingerMs: 0 },
    window: { eventsMax: limits.exportWindowEventsMax, bytesMax: limits.exportWindowBytesMax },
  });
  const signals = watchSignals();
  const progress = createProgress(total, process.stderr, performance.now(), 'events');
  const watch = setInterval(() => {
    const { counts, health } = delivery;
    progress.advance(counts.delivered + counts.refused + counts.filtered, performance.now());
    if (signals.interrupted.aborted || health.state === 'misconfigured') void delivery.stop(stopGraceMs);
  }, watchMs);
  try {
    await Promise.race([delivery.run(), signals.forced]);
  } finally {
    clearInterval(watch);
    progress.end();
    signals.unwatch();
  }
  if (source.failure !== undefined) throw source.failure;
  const { delivered, refused, filtered } = delivery.counts;
  return { delivered, refused, filtered, isWhole: !delivery.isStopped && delivery.waiting.events === 0 };
}

const stderrLogger: ExportLogger = { info: () => undefined, warn: say, error: say };

function say(fields: object, message: string): void {
  const { reason, err } = fields as { readonly reason?: unknown; readonly err?: unknown };
  const why = reason ?? (err instanceof Error ? err.message : undefined);
  process.stderr.write(
    `${message.replace(/^export: /, '')}${why === undefined ? '' : `: ${escapeControl(String(why))}`}\n`,
  );
}
