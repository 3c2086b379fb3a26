import { Command } from 'commander';
import { versions } from '../../version.ts';
import { createTerminal, jsonLine } from '../terminal.ts';

/** `spanwarden version`: versions of spanwarden and of what it runs on. */
export function versionCommand(): Command {
  return new Command('version')
    .description('print the versions of spanwarden, Node and the embedded ClickHouse')
    .option('--json', 'print one JSON object')
    .action((options: { json?: boolean }) => {
      const found = versions();
      const terminal = createTerminal(process.stdout);
      if (options.json) {
        terminal.write(jsonLine(found));
        return;
      }
      const rows = Object.entries(found).map(([name, version]) => [name, version ?? terminal.dim('not installed')]);
      terminal.write(terminal.table(rows));
    });
}
