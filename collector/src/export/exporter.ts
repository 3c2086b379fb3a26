import { limits } from '../model/limits.ts';
import { batchingOf } from './config.ts';
import { type Clock, systemClock } from './delivery/clock.ts';
import type { ExportLogger } from './delivery/health.ts';
import type { DestinationStatus } from './delivery/status.ts';
import { type ExportEnvironment, openDestination } from './open-destination.ts';
import { openRunning, type Running } from './running.ts';
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

/**
 * Opens every destination of the config; none is asked for anything yet. Throws a SpanwardenError when the machine does not let one be
 * opened, or refuses its cursor.
 */
export function openExporter(options: ExporterOptions): Promise<Exporter> {
  return openAll(Object.keys(options.config.destinations), (name) => open(name, options));
}

/** Opens one after the other; when one cannot be, those before it are closed. */
export async function openAll(names: readonly string[], open: (name: string) => Promise<Running>): Promise<Exporter> {
  const running: Running[] = [];
  try {
    for (const name of names) running.push(await open(name));
  } catch (error) {
    await Promise.all(running.map((each) => each.stop(0)));
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return {
    start: () => {
      for (const each of running) each.start();
    },
    statuses: () => running.map((each) => each.status()),
    warnings: () => running.flatMap((each) => warningsOf(each.status())),
    stop: (graceMs) => {
      stopping ??= Promise.all(running.map((each) => each.stop(graceMs))).then(() => undefined);
      return stopping;
    },
  };
}

/** Several as one. */
export function together(exporters: readonly Exporter[]): Exporter {
  return {
    start: () => {
      for (const each of exporters) each.start();
    },
    statuses: () => exporters.flatMap((each) => each.statuses()),
    warnings: () => exporters.flatMap((each) => each.warnings()),
    stop: async (graceMs) => void (await Promise.all(exporters.map((each) => each.stop(graceMs)))),
  };
}

async function open(name: string, options: ExporterOptions): Promise<Running> {
  const { source, dataDir, logger, clock = systemClock } = options;
  const { config, destination, prepare } = await openDestination(name, options);
  return openRunning({
    ...{
      name,
      section: 'export.destinations',
      type: config.type,
      destination,
      source,
      prepare,
      dataDir,
      clock,
      logger,
    },
    from: config.start,
    lanes: config.concurrency,
    batch: batchingOf(config),
    window: {
      eventsMax: limits.exportWindowEventsMax,
      bytesMax: Math.floor(limits.exportWindowBytesMax / Object.keys(options.config.destinations).length),
    },
  });
}

function warningsOf({
  name,
  type,
  state,
  since,
  lastError,
  deadLetters,
  counts,
  waiting,
}: DestinationStatus): string[] {
  const reason = lastError === undefined ? '' : `: ${lastError.reason}`;
  const isTee = type === 'tee';
  const at = isTee ? `tee ${name}` : `export destination ${name}`;
  const [things, lost] = isTee ? ['requests', 'segments of requests'] : ['events', 'records'];
  const lines: string[] = [];
  if (state === 'misconfigured') lines.push(`${at} is misconfigured since ${since}${reason}`);
  if (state === 'retrying') lines.push(`${at} takes nothing since ${since}${reason}`);
  if (deadLetters.count > 0) lines.push(`${at} refused ${things}, see spanwarden export dead-letter list ${name}`);
  if (deadLetters.overflowed > 0) lines.push(`${at} refused more ${things} than are noted: ${deadLetters.overflowed}`);
  if (counts.lost > 0) lines.push(`${at} missed ${lost} that were gone before it could read them: ${counts.lost}`);
  if (waiting !== undefined) lines.push(`${at} waits: ${waiting}`);
  return lines;
}
