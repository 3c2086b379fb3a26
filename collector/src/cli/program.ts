import process from 'node:process';
import { Command, CommanderError } from 'commander';
import { SpanwardenError } from '../model/errors.ts';
import { spanwardenVersion } from '../version.ts';
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
    const program = await createProgram(args);
    await program.parseAsync(args, { from: 'user' });
    return { code: Number(process.exitCode ?? exitCodes.ok), immediately: false };
  } catch (error) {
    report(error);
    return { code: exitCodeOf(error), immediately: error instanceof CommandExit && error.immediately };
  }
}

/** The commands in the order of the help. Each is read when it is asked for: together they take longer to load than most of them to run. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand(),
  demo: async () => (await import('./commands/demo.ts')).demoCommand(),
  findings: async () => (await import('./commands/findings.ts')).findingsCommand(),
  cases: async () => (await import('./commands/cases.ts')).casesCommand(),
  rules: async () => (await import('./commands/rules.ts')).rulesCommand(),
  suppressions: async () => (await import('./commands/suppressions.ts')).suppressionsCommand(),
  spool: async () => (await import('./commands/spool.ts')).spoolCommand(),
  export: async () => (await import('./commands/export.ts')).exportCommand(),
  token: async () => (await import('./commands/token.ts')).tokenCommand(),
  clickhouse: async () => (await import('./commands/clickhouse.ts')).clickhouseCommand(),
  grafana: async () => (await import('./commands/grafana.ts')).grafanaCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  otlp: async () => (await import('./commands/otlp.ts')).otlpCommand(),
  config: async () => (await import('./commands/config.ts')).configCommand(),
  version: async () => (await import('./commands/version.ts')).versionCommand(),
};

/**
 * The commands that a command line names, or all where it names none, for the help. Options that every command understands
 * stand before or after the command's name.
 */
export async function createProgram(args: readonly string[] = []): Promise<Command> {
  const program = new Command('spanwarden')
    .description('Security observability for AI agents, on OpenTelemetry.')
    .option('-c, --config <file>', 'the config file; spanwarden.yaml in the working directory when there is one')
    .version(spanwardenVersion(), '-V, --version', 'print the version of spanwarden')
    .showHelpAfterError('(spanwarden --help lists the commands)')
    .addHelpText('after', '\nExit codes: 0 ok, 1 failure, 2 wrong usage, config or rules, 3 no ClickHouse.');
  const names = Object.keys(commands);
  const named = names.filter((name) => args.includes(name));
  const isBare = args.includes('--version') || args.includes('-V');
  for (const name of named.length > 0 || isBare ? named : names) program.addCommand(await commands[name]!());
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
