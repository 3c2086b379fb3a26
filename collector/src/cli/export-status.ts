import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DestinationState } from '../export/delivery/health.ts';
import { type DestinationStatus, statusFile } from '../export/delivery/status.ts';
import { directoryOf, type ExportInput } from './export-command.ts';

/** What `export status` says of one destination. */
export interface ShownStatus {
  readonly name: string;
  readonly type: string;
  /** `new` before the collector has run with it; `unknown` when its status cannot be read or is of a collector that ended suddenly. */
  readonly state: DestinationState | 'new' | 'unknown';
  readonly status?: DestinationStatus;
  readonly advice: readonly string[];
}

/** A running collector writes more often than that. */
const staleMs = 15_000;

/** How every destination and every tee of the config stands, as far as the collector has written it down. */
export async function shownStatuses(input: ExportInput<unknown>, nowMs: number): Promise<ShownStatus[]> {
  const { config } = input;
  const destinations = Object.entries(config.export.destinations).map(([name, { type }]) => [name, type] as const);
  const tees = Object.keys(config.tee.destinations).map((name) => [name, 'tee'] as const);
  return Promise.all([...destinations, ...tees].map(([name, type]) => shownStatus(input, name, type, nowMs)));
}

async function shownStatus(
  input: ExportInput<unknown>,
  name: string,
  type: string,
  nowMs: number,
): Promise<ShownStatus> {
  const text = await readFile(join(directoryOf(input, name), statusFile), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) {
    return { name, type, state: 'new', advice: ['No collector has run with it: start spanwarden serve.'] };
  }
  const status = parse(text);
  if (status === undefined) return { name, type, state: 'unknown', advice: ['Its status file cannot be read.'] };
  const isStale = status.state !== 'stopped' && nowMs - Date.parse(status.updated) > staleMs;
  return { name, type, state: isStale ? 'unknown' : status.state, status, advice: adviceFor(status, isStale) };
}

function adviceFor(status: DestinationStatus, isStale: boolean): string[] {
  const { name, type, state, deadLetters, counts, waiting } = status;
  const advice: string[] = [];
  if (isStale) advice.push('The collector has not written for a while: does it run?');
  if (state === 'misconfigured') advice.push(`Mend its settings, then see: spanwarden export test ${name}`);
  if (state === 'retrying')
    advice.push(`The receiver takes nothing: spanwarden export test ${name} shows what it says.`);
  if (waiting !== undefined) advice.push(`Events cannot be read: ${waiting}`);
  if (deadLetters.count > 0) advice.push(`Events were refused: spanwarden export dead-letter list ${name}`);
  if (deadLetters.overflowed > 0) advice.push(`${deadLetters.overflowed} more were refused than are noted.`);
  if (counts.lost > 0 && type === 'tee')
    advice.push(`${counts.lost} segments were given up before it had them; see tee.bytes_max and tee.age_max_ms.`);
  else if (counts.lost > 0)
    advice.push(`Records were gone before they were read; send them: spanwarden export replay ${name}`);
  return advice;
}

function parse(text: string): DestinationStatus | undefined {
  try {
    const status = JSON.parse(text) as DestinationStatus;
    return typeof status.state === 'string' && typeof status.counts === 'object' ? status : undefined;
  } catch {
    return undefined;
  }
}
