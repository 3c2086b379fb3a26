import { extname, resolve } from 'node:path';
import { createTerminal, jsonLine, type Terminal } from '../cli/terminal.ts';
import { SpanwardenError } from '../model/errors.ts';
import { type Backend, startBackend } from './backend.ts';
import { createLiveTree, type LiveTree } from './render.ts';
import {
  type CommandNames,
  casesText,
  connectText,
  demoJson,
  endText,
  findingsText,
  runFooter,
  runHeader,
  storedText,
} from './report.ts';
import { createRecorder, playStory, type Recorder, type RunName, type StoryRun } from './story.ts';
import { missingFrom } from './verdict.ts';

const freePort = '127.0.0.1:0';

export interface DemoOptions {
  /** One JSON object on stdout instead of text. */
  readonly json?: boolean;
  /** Leave the collector running until the signal aborts. */
  readonly keep?: boolean;
  /** Where data is kept. */
  readonly dataDir?: string;
  /** `host:port` to receive spans at. */
  readonly listen?: string;
}

/**
 * Starts the collector, plays the story, tells it on stdout and stops everything, also when it fails. True when the story
 * came out as it should. Rejects when the signal aborts before the end.
 */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<boolean> {
  const startedAt = performance.now();
  const terminal = createTerminal(process.stdout);
  const recorder = createRecorder();
  process.stderr.write('Starting ClickHouse and the collector …\n');
  const backend = await start(options, recorder);
  let held = false;
  try {
    signal.throwIfAborted();
    const runs = await play(backend, recorder, options.json ? undefined : terminal, signal);
    const stored = await backend.stored.read();
    const missing = missingFrom(runs);
    held = missing.length === 0;
    const durationMs = performance.now() - startedAt;
    if (options.json) terminal.write(jsonLine(demoJson(runs, stored, missing, durationMs)));
    else {
      const keeps = options.keep === true;
      terminal.write(findingsText(runs, terminal) + casesText(runs, commandNames(), keeps, terminal));
      terminal.write(storedText(stored, terminal));
      terminal.write(endText(missing, durationMs, commandNames(), options.keep === true, terminal));
    }
    if (options.keep) await keep(backend, signal);
  } finally {
    await backend.stop();
  }
  return held;
}

/** With --keep other agents shall find the collector at OTLP's own port, if nobody else has it. */
async function start(options: DemoOptions, recorder: Recorder): Promise<Backend> {
  const folder = options.dataDir ?? (options.keep ? './spanwarden-data' : undefined);
  const dataDir = folder === undefined ? undefined : resolve(folder);
  const listen = options.listen ?? (options.keep ? '127.0.0.1:4318' : freePort);
  try {
    return await startBackend({ recorder, dataDir, listen });
  } catch (error) {
    const taken = error instanceof SpanwardenError && error.problems.every((problem) => problem.code === 'SW_LISTEN');
    if (!taken || options.listen !== undefined) throw error;
    process.stderr.write('Port 4318 is in use; taking another one.\n');
    return startBackend({ recorder, dataDir, listen: freePort });
  }
}

/** Plays both runs; draws them when there is a terminal to draw on. */
function play(
  backend: Backend,
  recorder: Recorder,
  terminal: Terminal | undefined,
  signal: AbortSignal,
): Promise<readonly StoryRun[]> {
  let tree: LiveTree | undefined;
  let shown: RunName | undefined;
  recorder.onChange = (run) => {
    if (run === shown) tree?.update(recorder.spansOf(run), recorder.findingsOf(run));
  };
  return playStory({
    otlpUrl: backend.urls.otlp,
    recorder,
    signal,
    countStored: backend.stored.count,
    casesOf: backend.stored.cases,
    onRunStart(run, ticketId) {
      if (!terminal) return void process.stderr.write(`Run ${run} …\n`);
      terminal.write(runHeader(run, ticketId, terminal));
      shown = run;
      tree = createLiveTree(terminal, process.stdout.rows ?? 24);
    },
    onRunEnd(run) {
      shown = undefined;
      tree?.finish();
      if (terminal) terminal.write(runFooter(run, terminal));
    },
  });
}

async function keep(backend: Backend, signal: AbortSignal): Promise<void> {
  const terminal = createTerminal(process.stderr);
  terminal.write(connectText(backend.urls, backend.stored.connection, commandNames(), terminal));
  // A pending promise alone does not keep a process; the collector's server does.
  await new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
  terminal.writeLine('Stopping …');
}

/** How the commands are called here: in a clone through npm, elsewhere through npx. */
function commandNames(): CommandNames {
  return extname(import.meta.filename) === '.ts'
    ? { demo: 'npm run demo -- ', spanwarden: 'npm run -s spanwarden -- ' }
    : { demo: 'npx spanwarden demo ', spanwarden: 'npx spanwarden ' };
}
