import { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import type { Check, CheckResult } from '../../doctor/check.ts';
import { examine } from '../../doctor/run.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { withStore } from '../open-store.ts';
import { createTerminal, escapeControl, jsonLine, type Terminal } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly token?: string;
}

/** `spanwarden doctor`: ends with 1 when something failed. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('look at ports, token, clocks, disks and ClickHouse, send one span through it all, and say what to do')
    .option('--token <token>', 'one that the collector takes; better in SPANWARDEN_TOKEN, which others do not see')
    .option('--json', 'print one JSON object')
    .action((_, command: Command) => doctor(command.optsWithGlobals<Options>()));
}

async function doctor({ config: file, json, token }: Options): Promise<void> {
  const config = loadConfig({ file, env: process.env });
  const terminal = createTerminal(process.stdout);
  const checks = await examine({
    config,
    token: token ?? (process.env.SPANWARDEN_TOKEN || undefined),
    withStore: (ask) => withStore(config, ask),
    tell: (check) => {
      if (!json) terminal.write(lines(check, terminal));
    },
  });
  const healthy = checks.every(({ result }) => result !== 'failed');
  if (json) terminal.write(jsonLine({ healthy, checks }));
  if (!healthy) throw new CommandExit(exitCodes.failure);
}

const nameWidth = 22;

function lines({ name, result, seen, advice }: Check, terminal: Terminal): string {
  const marks: Readonly<Record<CheckResult, string>> = {
    ok: terminal.green('ok     '),
    warning: terminal.yellow('warning'),
    failed: terminal.red('failed '),
    skipped: terminal.dim('skipped'),
  };
  const advised = advice === undefined ? '' : `         ${terminal.dim(advice)}\n`;
  return `${marks[result]}  ${name.padEnd(nameWidth)}${escapeControl(seen)}\n${advised}`;
}
