import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { defaultConfigFile, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { SpanwardenError } from '../../model/errors.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { createTerminal, jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
}

/** `spanwarden config check | print`. */
export function configCommand(): Command {
  return new Command('config')
    .description('check the config, or print it with every default')
    .addCommand(
      new Command('check')
        .description('tell everything that is wrong with the config; exit code 2 when something is')
        .option('--json', 'print {"ok", "problems"} as one JSON object')
        .action((_, command: Command) => checkConfig(command.optsWithGlobals<Options>())),
    )
    .addCommand(
      new Command('print')
        .description('print the config as it is understood, defaults filled in and secrets as [REDACTED]')
        .option('--json', 'print JSON instead of YAML')
        .action((_, command: Command) => printConfig(command.optsWithGlobals<Options>())),
    );
}

function checkConfig(options: Options): void {
  const terminal = createTerminal(process.stdout);
  try {
    load(options);
  } catch (error) {
    if (!options.json || !(error instanceof SpanwardenError)) throw error;
    terminal.write(jsonLine({ ok: false, problems: error.problems }));
    throw new CommandExit(exitCodes.usage);
  }
  if (options.json) terminal.write(jsonLine({ ok: true, problems: [] }));
  else terminal.writeLine(`${sourceName(options)}: ${terminal.green('ok')}`);
}

function printConfig(options: Options): void {
  const config = load(options);
  const terminal = createTerminal(process.stdout);
  // Through JSON, where a secret shows as [REDACTED]; a YAML writer would look inside.
  const text = options.json ? jsonLine(config, 2) : stringify(JSON.parse(JSON.stringify(config)));
  terminal.write(text);
}

function sourceName(options: Options): string {
  if (options.config !== undefined) return options.config;
  return existsSync(defaultConfigFile) ? defaultConfigFile : `no ${defaultConfigFile} here, so the defaults`;
}

function load(options: Options): Config {
  return loadConfig({ file: options.config, env: process.env });
}
