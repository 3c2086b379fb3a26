import process from 'node:process';
import { Command, CommanderError } from 'commander';
import { SpanwardenError } from '../model/errors.ts';
import { spanwardenVersion } from '../version.ts';
import { casesCommand } from './commands/cases.ts';
import { clickhouseCommand } from './commands/clickhouse.ts';
import { configCommand } from './commands/config.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { findingsCommand } from './commands/findings.ts';
import { otlpCommand } from './commands/otlp.ts';
import { rulesCommand } from './commands/rules.ts';
import { serveCommand } from './commands/serve.ts';
import { spoolCommand } from './commands/spool.ts';
import { suppressionsCommand } from './commands/suppressions.ts';
import { tokenCommand } from './commands/token.ts';
import { versionCommand } from './commands/version.ts';
import { CommandExit, exitCodeOf, exitCodes } from './exit.ts';
import { createTerminal } from './terminal.ts';

export interface CommandLineResult {
  readonly code: number;
  /** End the process without waiting for what is still open. */
  readonly immediately: boolean;
}

/** Runs one command line (without node and script) and says what the process shall end with. Never rejects. */
export async function runCommandLine(args: readonly string[]): Promise<CommandLineResult> {
  // A reader that has seen enough, such as `| head`, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return { code: Number(process.exitCode ?? exitCodes.ok), immediately: false };
  } catch (error) {
    report(error);
    return { code: exitCodeOf(error), immediately: error instanceof CommandExit && error.immediately };
  }
}

/** All commands. Options that every command understands stand before or after the command's name. */
export function createProgram(): Command {
  const program = new Command('spanwarden')
    .description('Security observability for AI agents, on OpenTelemetry.')
    .option('-c, --config <file>', 'the config file; spanwarden.yaml in the working directory when there is one')
    .version(spanwardenVersion(), '-V, --version', 'print the version of spanwarden')
    .showHelpAfterError('(spanwarden --help lists the commands)')
    .addCommand(serveCommand())
    .addCommand(demoCommand())
    .addCommand(findingsCommand())
    .addCommand(casesCommand())
    .addCommand(rulesCommand())
    .addCommand(suppressionsCommand())
    .addCommand(spoolCommand())
    .addCommand(tokenCommand())
    .addCommand(clickhouseCommand())
    .addCommand(doctorCommand())
    .addCommand(otlpCommand())
    .addCommand(configCommand())
    .addCommand(versionCommand())
    .addHelpText('after', '\nExit codes: 0 ok, 1 failure, 2 wrong usage, config or rules, 3 no ClickHouse.');
  for (const command of allCommands(program)) command.exitOverride();
  return program;
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

function report(error: unknown): void {
  // Commander has said what is wrong itself, and so has a command that ends with a code.
  if (error instanceof CommanderError || error instanceof CommandExit) return;
  const terminal = createTerminal(process.stderr);
  if (error instanceof SpanwardenError) {
    const single = error.problems.length === 1;
    const head = single ? `${terminal.red('error')}: ` : `${terminal.red(`${error.problems.length} errors`)}:\n`;
    terminal.writeLine(head + error.message);
    return;
  }
  terminal.writeLine(
    `${terminal.red('error')}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
}
