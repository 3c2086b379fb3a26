import type { Command } from 'commander';
import { loadConfig } from '../config/load.ts';
import type { StoreClient } from '../store/client.ts';
import { withStore } from './open-store.ts';
import { createTerminal, jsonLine, type Terminal } from './terminal.ts';

/** What a command that asks ClickHouse has at hand. */
export interface StoreInput<Options> {
  readonly client: StoreClient;
  readonly options: Options;
  readonly terminal: Terminal;
}

/** Runs a command over the ClickHouse that its config names. */
export async function runOnStore<Options extends { readonly config?: string }>(
  command: Command,
  perform: (input: StoreInput<Options>) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const config = loadConfig({ file: options.config, env: process.env });
  const terminal = createTerminal(process.stdout);
  await withStore(config, (client) => perform({ client, options, terminal }));
}

/** Prints rows as JSON, as a table, or why there are none. */
export async function printList<Row>(
  rows: readonly Row[],
  { client, options, terminal }: StoreInput<{ readonly json?: boolean; readonly limit?: number }>,
  {
    table,
    whyEmpty,
  }: {
    readonly table: (rows: readonly Row[], terminal: Terminal) => string;
    readonly whyEmpty: (client: StoreClient) => Promise<string>;
  },
): Promise<void> {
  if (options.json) {
    terminal.write(jsonLine(rows));
    return;
  }
  if (rows.length === 0) {
    terminal.writeLine(await whyEmpty(client));
    return;
  }
  terminal.write(table(rows, terminal));
  if (rows.length === options.limit) {
    terminal.writeLine(terminal.dim(`The newest ${rows.length}; --limit shows more.`));
  }
}
