import { Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { schemaOptions } from '../../store/config.ts';
import { ddlScript } from '../../store/schema/ddl.ts';
import type { Layout } from '../../store/schema/layout.ts';
import { migrate } from '../../store/schema/migrate.ts';
import { migrations } from '../../store/schema/migrations.ts';
import { answered, clientOptions } from '../open-store.ts';
import { createTerminal, jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly mode?: 'single' | 'replicated' | 'sharded';
  readonly cluster?: string;
}

/** `spanwarden clickhouse ddl | migrate`: the tables, to look at and to make. */
export function clickhouseCommand(): Command {
  return new Command('clickhouse')
    .description('print the tables that ClickHouse gets, or make them')
    .addCommand(
      new Command('ddl')
        .description('print every statement, with database, retention and cluster of the config')
        .addOption(new Option('--mode <mode>', 'for').choices(['single', 'replicated', 'sharded']))
        .option('--cluster <name>', 'name of the cluster in remote_servers', parseCluster)
        .option('--json', 'print one JSON object')
        .action((_, command: Command) => printDdl(command)),
    )
    .addCommand(
      new Command('migrate')
        .description('make the tables, or bring them up to this version, as spanwarden serve does at its start')
        .option('--json', 'print one JSON object')
        .action((_, command: Command) => runMigrations(command)),
    );
}

function parseCluster(name: string): string {
  if (/^[A-Za-z0-9_.-]{1,64}$/.test(name)) return name;
  throw new InvalidArgumentError('takes letters, digits, _ . and -, at most 64.');
}

function printDdl(command: Command): void {
  const options = command.optsWithGlobals<Options>();
  const config = loadConfig({ file: options.config, env: process.env });
  const schema = schemaOptions(config.clickhouse);
  const ddl = ddlScript({ ...schema, layout: chosenLayout(command, options, schema.layout) });
  createTerminal(process.stdout).write(options.json ? jsonLine({ ddl }) : ddl);
}

function chosenLayout(command: Command, { mode, cluster }: Options, configured?: Layout): Layout | undefined {
  if (mode === 'single') return undefined;
  const name = cluster ?? configured?.cluster;
  const chosen = mode ?? configured?.mode;
  if (chosen === undefined && cluster === undefined) return undefined;
  if (chosen === undefined) command.error('error: --cluster goes with --mode replicated or --mode sharded');
  if (name === undefined) command.error(`error: --mode ${chosen} needs --cluster <name>, or clickhouse.cluster`);
  return { cluster: name, mode: chosen };
}

async function runMigrations(command: Command): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const config = loadConfig({ file: options.config, env: process.env });
  const { database } = config.clickhouse;
  await answered(config, () => migrate(clientOptions(config), schemaOptions(config.clickhouse)));
  const version = migrations.length;
  const terminal = createTerminal(process.stdout);
  terminal.write(
    options.json ? jsonLine({ database, version }) : `The tables in ${database} stand at version ${version}.\n`,
  );
}
