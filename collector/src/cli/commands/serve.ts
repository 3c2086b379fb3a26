import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Logger } from 'pino';
import type { Collector } from '../../collector.ts';
import { defaultConfigFile, loadConfig } from '../../config/load.ts';
import { createLogger } from '../../logger.ts';
import { memoryBytes } from '../../memory-limit/config.ts';
import { memoryPlan } from '../../memory-limit/plan.ts';
import { boundHeap } from '../../memory-limit/restart.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { watchSignals } from '../signals.ts';
import { createTerminal, jsonLine, type Terminal } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
}

/** A stop that has not ended by then is cut short, so that it is over within ten seconds; what was acknowledged is on disk in any case. */
const stopDeadlineMs = 9_000;

/** `spanwarden serve`: runs the collector until SIGINT or SIGTERM; SIGHUP reads rules, tokens and certificate again. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run the collector: receive spans, detect, store')
    .option('--json', 'print the URLs as one JSON object when ready')
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const readConfig = () => loadConfig({ file: options.config, env: process.env });
      const config = readConfig();
      const isBounded = boundHeap(memoryPlan(memoryBytes(config.limits.memory)));
      const ruleSources = { config: readConfig, file: options.config ?? defaultConfigFile };
      const logger = createLogger(config.log.level);
      if (!isBounded) logger.warn('the heap is not bounded here: start Node with --max-old-space-size');
      const terminal = createTerminal(process.stdout);
      // Loaded here, so that the other commands do not wait for servers and rule engines.
      const { startCollector } = await import('../../collector.ts');
      await serve(
        () => startCollector(config, { logger, ruleSources }),
        logger,
        (collector) => {
          logger.info({ urls: collector.urls }, 'ready');
          if (options.json) terminal.write(jsonLine({ urls: collector.urls }));
          else if (terminal.isTty) terminal.write(welcome(terminal, collector, config.receive.http.paths.traces));
        },
      );
    });
}

async function serve(start: () => Promise<Collector>, logger: Logger, ready: (it: Collector) => void): Promise<void> {
  let running: Collector | undefined;
  // In a terminal a hang-up means that it was closed; a service is told to read its rules again.
  const onHangup = (): void => void running?.reload();
  const signals = watchSignals(process.stdout.isTTY ? {} : { onHangup });
  const timer = new AbortController();
  try {
    const starting = start();
    const interrupted = once(signals.interrupted);
    const started = await Promise.race([starting, interrupted]);
    if (started !== undefined) {
      running = started;
      ready(started);
      await interrupted;
    }
    logger.info({ signal: signals.interrupted.reason }, 'stopping; a second signal ends at once');
    const stopped = starting.then((collector) => collector.stop());
    await Promise.race([stopped, signals.forced, deadline(timer.signal)]);
  } finally {
    signals.unwatch();
    timer.abort();
  }
}

/** Resolves when the signal aborts. */
function once(signal: AbortSignal): Promise<undefined> {
  return new Promise((done) => signal.addEventListener('abort', () => done(undefined), { once: true }));
}

/** Rejects after the deadline; never when the signal is aborted before, so that nothing keeps the process alive. */
async function deadline(signal: AbortSignal): Promise<never> {
  await sleep(stopDeadlineMs, undefined, { signal }).catch(() => new Promise(() => {}));
  throw new CommandExit(exitCodes.failure, { immediately: true });
}

function welcome(terminal: Terminal, collector: Collector, tracesPath: string): string {
  const { otlp, grpc, api } = collector.urls;
  return [
    terminal.bold('Spanwarden is ready.'),
    '',
    terminal.table(
      [
        ['OTLP/HTTP', terminal.cyan(`${otlp}${tracesPath}`)],
        ...(grpc === undefined ? [] : [['OTLP/gRPC', terminal.cyan(grpc)]]),
        ['health', terminal.cyan(`${api}/readyz`)],
        ['metrics', terminal.cyan(`${api}/metrics`)],
      ],
      { indent: '  ' },
    ),
    'Next, in another terminal:',
    `  ${terminal.bold('node --import @spanwarden/instrumentation/register app.mjs')}   instrument an agent`,
    `  ${terminal.bold('spanwarden findings tail')}                                     watch what is found`,
    '',
    terminal.dim('Ctrl-C stops it.'),
    '',
  ].join('\n');
}
