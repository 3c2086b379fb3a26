import { Command } from 'commander';
import { CommandExit, exitCodes } from '../exit.ts';
import { watchSignals } from '../signals.ts';

interface Options {
  readonly json?: boolean;
  readonly keep?: boolean;
  readonly dataDir?: string;
  readonly listen?: string;
}

/** `spanwarden demo`: an example agent, attacked, watched by a real collector. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('watch an example agent being attacked, and what is found')
    .option('--json', 'print one JSON object instead (docs/demo.md)')
    .option('--keep', 'leave the collector running afterwards, until Ctrl-C, and say how to connect Grafana')
    .option('--data-dir <folder>', 'keep the data there; with --keep ./spanwarden-data, otherwise it is removed')
    .option(
      '--listen <host:port>',
      'where to receive spans; with --keep 127.0.0.1:4318 if it is free, otherwise any port',
    )
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const signals = watchSignals();
      try {
        // Loaded here, so that the other commands do not wait for servers and rule engines.
        const { runDemo } = await import('../../demo/run.ts');
        const held = await Promise.race([runDemo(options, signals.interrupted), signals.forced]);
        if (!held) throw new CommandExit(exitCodes.failure);
      } catch (error) {
        if (!signals.interrupted.aborted || error instanceof CommandExit) throw error;
        process.stderr.write('The demo was interrupted.\n');
        throw new CommandExit(exitCodes.failure);
      } finally {
        signals.unwatch();
      }
    });
}
