import { resolve } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { type OpenDestination, openDestination } from '../export/open-destination.ts';
import { exportDirectory } from '../export/running.ts';
import { exportEnvironment } from '../exporting.ts';
import { SpanwardenError } from '../model/errors.ts';
import { createFieldTable } from '../model/fields.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/** What a command about destinations has at hand. */
export interface ExportInput<Options> {
  readonly config: Config;
  readonly options: Options;
  readonly terminal: Terminal;
  readonly dataDir: string;
}

/**
 * Runs a command over the destinations that the config names; a name that is not among them ends it.
 * @param isForTees whether the command knows what to do with a tee, too.
 */
export async function runOnExport<Options extends { readonly config?: string }>(
  command: Command,
  name: string | undefined,
  perform: (input: ExportInput<Options>) => Promise<void>,
  isForTees = false,
): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const config = loadConfig({ file: options.config, env: process.env });
  const tees = Object.keys(config.tee.destinations);
  const known = [...Object.keys(config.export.destinations), ...(isForTees ? tees : [])];
  if (name !== undefined && !known.includes(name)) {
    if (tees.includes(name)) {
      throw new SpanwardenError({
        code: 'SW_EXPORT_NAME',
        message: `${name} is a tee, which sends requests as they came: there are no findings and cases to ${command.name()}`,
        advice: 'Name a destination of export.destinations.',
      });
    }
    throw new SpanwardenError({
      code: 'SW_EXPORT_NAME',
      message: `the config has no destination ${JSON.stringify(name)}`,
      advice:
        known.length === 0
          ? `There is none in export.destinations${isForTees ? ' or tee.destinations' : ''}; name the config with --config.`
          : `There are: ${known.join(', ')}.`,
    });
  }
  await perform({ config, options, terminal: createTerminal(process.stdout), dataDir: resolve(config.data_dir) });
}

/** Opens a destination as the collector does, and closes it afterwards. */
export async function withDestination<T>(
  { config, dataDir }: ExportInput<unknown>,
  name: string,
  perform: (opened: OpenDestination) => Promise<T>,
): Promise<T> {
  const opened = await openDestination(name, exportEnvironment(config, dataDir, createFieldTable()));
  try {
    return await perform(opened);
  } finally {
    await opened.destination.close();
  }
}

/** Where a destination keeps its cursor, dead letters and status. */
export function directoryOf({ dataDir }: ExportInput<unknown>, name: string): string {
  return exportDirectory(dataDir, name);
}
