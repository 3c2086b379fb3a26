import { join } from 'node:path';
import { SpanwardenError } from '../model/errors.ts';
import type { Deliverable, Destination } from './contract.ts';
import type { Clock } from './delivery/clock.ts';
import { CursorKeeper } from './delivery/cursor-keeper.ts';
import { DeadLetters } from './delivery/dead-letters.ts';
import { Delivery, type DeliveryOptions } from './delivery/delivery.ts';
import { filesIn } from './delivery/files.ts';
import type { ExportLogger } from './delivery/health.ts';
import { type DestinationStatus, StatusFile, statusOf } from './delivery/status.ts';

/** A destination with its cursor, its dead letters and its status file. */
export interface Running {
  readonly name: string;
  /** Begins to read and to send. */
  start(): void;
  status(): DestinationStatus;
  stop(graceMs: number): Promise<void>;
}

export interface RunningOptions<Event extends Deliverable>
  extends Pick<DeliveryOptions<Event>, 'name' | 'source' | 'prepare' | 'lanes' | 'laneOf' | 'batch' | 'window'> {
  /** Where it stands in the config, for errors. */
  readonly section: string;
  readonly type: string;
  /** Closed when the rest cannot be opened. */
  readonly destination: Destination<Event>;
  readonly dataDir: string;
  /** Where to begin without a cursor. */
  readonly from: 'now' | 'oldest';
  readonly clock: Clock;
  readonly logger?: ExportLogger | undefined;
  /** Told of each position that is in the cursor file from then on. */
  written?(position: number): void;
}

/** Where a destination keeps what it must not forget. */
export function exportDirectory(dataDir: string, name: string): string {
  return join(dataDir, 'export', name);
}

/** Opens what a destination keeps; nothing is read yet. Throws a SpanwardenError when the machine refuses that. */
export async function openRunning<Event extends Deliverable>(options: RunningOptions<Event>): Promise<Running> {
  const { name, section, type, destination, source, from, clock, logger, written } = options;
  const directory = exportDirectory(options.dataDir, name);
  const files = filesIn(directory);
  try {
    const keeping = { name, files, head: source.head, from, clock, logger, ...(written && { written }) };
    const cursor = await CursorKeeper.open(keeping);
    const deadLetters = await DeadLetters.open(files, { mayCompact: true });
    const delivery = new Delivery<Event>({ ...options, cursor, deadLetters });
    const input = { name, type, delivery, cursor, deadLetters, source, startedMs: clock.now(), clock };
    const status = () => statusOf(input);
    const file = new StatusFile(directory, status, clock, logger);
    return {
      name,
      status,
      start: () => {
        // Neither it nor the source rejects; should one all the same, the other destinations go on.
        delivery.run().catch((error: unknown) => {
          logger?.error({ err: error, destination: name }, 'export: a destination stopped; start again');
        });
        void file.start();
      },
      stop: async (graceMs) => {
        await delivery.stop(graceMs);
        await file.close();
        await destination.close().catch(() => undefined);
      },
    };
  } catch (error) {
    await destination.close();
    throw new SpanwardenError({
      code: 'SW_EXPORT_OPEN',
      message: `${section}.${name}: ${directory} cannot be used: ${(error as Error).message}`,
      advice: 'The folder must belong to the user that runs the collector, on a disk that has room.',
    });
  }
}
