import { join } from 'node:path';
import { SpanwardenError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import { batchingOf } from './config.ts';
import { type Clock, systemClock } from './delivery/clock.ts';
import { CursorKeeper } from './delivery/cursor-keeper.ts';
import { DeadLetters } from './delivery/dead-letters.ts';
import { Delivery } from './delivery/delivery.ts';
import { filesIn } from './delivery/files.ts';
import type { ExportLogger } from './delivery/health.ts';
import { type DestinationStatus, StatusFile, type StatusInput, statusOf } from './delivery/status.ts';
import { type ExportEnvironment, type OpenDestination, openDestination } from './open-destination.ts';
import type { EventSource } from './source.ts';

export interface ExporterOptions extends ExportEnvironment {
  /** Cursors, dead letters and status stand in `export/<name>` in it. */
  readonly dataDir: string;
  readonly source: EventSource;
  readonly logger?: ExportLogger;
  readonly clock?: Clock;
}

/** All destinations of the config. */
export interface Exporter {
  /** Begins to read and to send. */
  start(): void;
  statuses(): readonly DestinationStatus[];
  /** What a person should look at, one line each. */
  warnings(): readonly string[];
  /** Waits so long, in milliseconds, for what is under way; the rest is sent by the next run. Idempotent, never rejects. */
  stop(graceMs: number): Promise<void>;
}

interface Running {
  readonly opened: OpenDestination;
  readonly delivery: Delivery;
  readonly status: StatusInput;
  readonly file: StatusFile;
}

/** Where a destination keeps what it must not forget. */
export function exportDirectory(dataDir: string, name: string): string {
  return join(dataDir, 'export', name);
}

/**
 * Opens every destination of the config; none is asked for anything yet. Throws a SpanwardenError when the machine does not let one be
 * opened, or refuses its cursor.
 */
export async function openExporter(options: ExporterOptions): Promise<Exporter> {
  const running: Running[] = [];
  try {
    for (const name of Object.keys(options.config.destinations)) running.push(await open(name, options));
  } catch (error) {
    await Promise.all(running.map(({ opened }) => opened.destination.close()));
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return {
    start: () => {
      for (const { opened, delivery, file } of running) {
        // Neither it nor the source rejects; should one all the same, the other destinations go on.
        delivery.run().catch((error: unknown) => {
          options.logger?.error({ err: error, destination: opened.name }, 'export: a destination stopped; start again');
        });
        void file.start();
      }
    },
    statuses: () => running.map(({ status }) => statusOf(status)),
    warnings: () => running.flatMap(({ status }) => warningsOf(statusOf(status))),
    stop: (graceMs) => {
      stopping ??= Promise.all(running.map((each) => stop(each, graceMs))).then(() => undefined);
      return stopping;
    },
  };
}

async function open(name: string, options: ExporterOptions): Promise<Running> {
  const { source, logger, clock = systemClock } = options;
  const opened = await openDestination(name, options);
  const { config, destination, prepare } = opened;
  const directory = exportDirectory(options.dataDir, name);
  const files = filesIn(directory);
  try {
    const keeping = { name, files, head: source.head, from: config.start, clock, logger };
    const cursor = await CursorKeeper.open(keeping);
    const deadLetters = await DeadLetters.open(files, { mayCompact: true });
    const delivery = new Delivery({
      ...{ name, destination, source, cursor, deadLetters, prepare, clock, logger },
      lanes: config.concurrency,
      batch: batchingOf(config),
      window: windowOf(Object.keys(options.config.destinations).length),
    });
    const status = { name, type: config.type, delivery, cursor, deadLetters, source, startedMs: clock.now(), clock };
    return { opened, delivery, status, file: new StatusFile(directory, () => statusOf(status), clock, logger) };
  } catch (error) {
    await destination.close();
    throw new SpanwardenError({
      code: 'SW_EXPORT_OPEN',
      message: `export.destinations.${name}: ${directory} cannot be used: ${(error as Error).message}`,
      advice: 'The folder must belong to the user that runs the collector, on a disk that has room.',
    });
  }
}

function windowOf(destinations: number) {
  return {
    eventsMax: limits.exportWindowEventsMax,
    bytesMax: Math.floor(limits.exportWindowBytesMax / destinations),
  };
}

async function stop({ opened, delivery, file }: Running, graceMs: number): Promise<void> {
  await delivery.stop(graceMs);
  await file.close();
  await opened.destination.close().catch(() => undefined);
}

function warningsOf({ name, state, since, lastError, deadLetters, counts, waiting }: DestinationStatus): string[] {
  const reason = lastError === undefined ? '' : `: ${lastError.reason}`;
  const at = `export destination ${name}`;
  const lines: string[] = [];
  if (state === 'misconfigured') lines.push(`${at} is misconfigured since ${since}${reason}`);
  if (state === 'retrying') lines.push(`${at} takes nothing since ${since}${reason}`);
  if (deadLetters.count > 0) lines.push(`${at} refused events, see spanwarden export dead-letter list ${name}`);
  if (deadLetters.overflowed > 0) lines.push(`${at} refused more events than are noted: ${deadLetters.overflowed}`);
  if (counts.lost > 0) lines.push(`${at} missed records that were gone before it could read them: ${counts.lost}`);
  if (waiting !== undefined) lines.push(`${at} waits: ${waiting}`);
  return lines;
}
