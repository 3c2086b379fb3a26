import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { SpanwardenError } from '../model/errors.ts';
import { nodeFiles } from '../spool/files.ts';
import { type SpoolPlace, type SpoolSurvey, surveySpool } from '../spool/survey.ts';
import { CommandExit, exitCodes } from './exit.ts';
import { createTerminal, type Terminal } from './terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly sent?: true;
}

/** What a command about a spool has at hand. */
export interface SpoolInput {
  readonly config: Config;
  readonly options: Options;
  readonly terminal: Terminal;
  readonly place: SpoolPlace;
  readonly survey: SpoolSurvey;
}

/** Runs a command over the spool that the config names. */
export async function runOnSpool(command: Command, perform: (input: SpoolInput) => Promise<void>): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const config = loadConfig({ file: options.config, env: process.env });
  const place = { files: nodeFiles, directory: join(config.data_dir, 'spool') };
  const survey = await surveySpool(place).catch((error: unknown) => {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  });
  if (survey === undefined) {
    throw new SpanwardenError({
      code: 'SW_DATA_DIR',
      message: `there is no spool in ${place.directory}`,
      advice: 'Name the config of the collector with --config; data_dir in it says where the spool is.',
    });
  }
  await perform({ config, options, terminal: createTerminal(process.stdout), place, survey });
}

/** The one of all that has this id, or ends or begins with it; else says why there is none and ends the command. */
export function theOnly<T>(
  all: readonly T[],
  id: string,
  { idOf, noun, list }: { readonly idOf: (each: T) => string; readonly noun: string; readonly list: string },
): T {
  const matching = all.filter((each) => idOf(each).endsWith(id) || idOf(each).startsWith(id));
  if (matching.length === 1) return matching[0]!;
  process.stderr.write(
    matching.length === 0
      ? `No ${noun} ${id}. See all with: ${list}\n`
      : `${matching.length} ${noun}s fit ${id}; write more of it.\n`,
  );
  throw new CommandExit(exitCodes.failure);
}
