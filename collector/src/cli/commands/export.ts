import { Command } from 'commander';
import { eventsOf } from '../../export/config.ts';
import type { SendOutcome } from '../../export/contract.ts';
import { sampleEvent } from '../../export/sample.ts';
import { emptyRequest } from '../../export/tee/destination.ts';
import { openTee } from '../../export/tee/tees.ts';
import { limits } from '../../model/limits.ts';
import { teeEnvironment } from '../../teeing.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { type ExportInput, runOnExport, withDestination } from '../export-command.ts';
import { shownStatuses } from '../export-status.ts';
import { statusTable } from '../export-view.ts';
import { escapeControl, jsonLine } from '../terminal.ts';
import { deadLetterCommand } from './export-dead-letter.ts';
import { explainCommand } from './export-explain.ts';
import { replayCommand } from './export-replay.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
}

type Input = ExportInput<Options>;

/** `spanwarden export status | test | replay | dead-letter | explain`: the destinations of findings and cases. */
export function exportCommand(): Command {
  return new Command('export')
    .description('how findings and cases reach other systems: status, tests, sending again')
    .addCommand(
      new Command('status')
        .description('how each destination stands; exit code 1 when something needs a person')
        .argument('[name]', 'one destination')
        .option('--json', 'print a JSON array')
        .action((name: string | undefined, _, command: Command) =>
          runOnExport<Options>(command, name, (input) => status(input, name), true),
        ),
    )
    .addCommand(
      new Command('test')
        .description(
          'send an event that is marked as a test, or to a tee empty requests, and show what the receiver answers',
        )
        .argument('<name>', 'the destination')
        .option('--json', 'print one JSON object')
        .action((name: string, _, command: Command) =>
          runOnExport<Options>(
            command,
            name,
            (input) => (name in input.config.tee.destinations ? testTee(input, name) : sendSample(input, name)),
            true,
          ),
        ),
    )
    .addCommand(replayCommand())
    .addCommand(deadLetterCommand())
    .addCommand(explainCommand());
}

async function status(input: Input, name: string | undefined): Promise<void> {
  const all = await shownStatuses(input, Date.now());
  const shown = name === undefined ? all : all.filter((each) => each.name === name);
  const { options, terminal } = input;
  if (options.json) terminal.write(jsonLine(shown));
  else if (shown.length === 0) terminal.writeLine('No destinations: export.destinations in the config names them.');
  else terminal.write(statusTable(shown, terminal));
  if (shown.some(({ advice }) => advice.length > 0)) throw new CommandExit(exitCodes.failure);
}

async function sendSample(input: Input, name: string): Promise<void> {
  await withDestination(input, name, async ({ config, destination, prepare }) => {
    const event = prepare(sampleEvent(eventsOf(config).includes('findings') ? 'finding' : 'case', Date.now()))!;
    const body = destination.encode(event);
    const began = performance.now();
    const outcome = await destination.send([{ event, body }], AbortSignal.timeout(limits.exportCallMsMax));
    const latencyMs = Math.round(performance.now() - began);
    show(input, { destination: name, event: event.id, latencyMs, bytes: body.length }, outcome);
    if (!wasTaken(outcome)) throw new CommandExit(exitCodes.failure);
  });
}

/** A request without records for each signal: whoever takes it has stored nothing. */
async function testTee(input: Input, name: string): Promise<void> {
  const config = input.config.tee.destinations[name]!;
  const { destination } = openTee(config, teeEnvironment(input.config));
  let isTaken = true;
  for (const signal of config.signals) {
    const began = performance.now();
    const outcome = await destination.send([emptyRequest(signal)], AbortSignal.timeout(limits.exportCallMsMax));
    const latencyMs = Math.round(performance.now() - began);
    show(input, { destination: name, event: signal, latencyMs, bytes: 0 }, outcome);
    isTaken &&= wasTaken(outcome);
  }
  await destination.close();
  if (!isTaken) throw new CommandExit(exitCodes.failure);
}

interface Tried {
  readonly destination: string;
  readonly event: string;
  readonly latencyMs: number;
  readonly bytes: number;
}

function show({ options, terminal }: Input, { bytes, ...tried }: Tried, outcome: SendOutcome): void {
  const { destination, event, latencyMs } = tried;
  const isDelivered = wasTaken(outcome);
  if (options.json) {
    terminal.write(jsonLine({ ...tried, delivered: isDelivered, ...outcome }));
    return;
  }
  const word = isDelivered
    ? terminal.green('delivered')
    : terminal.red(isTried(outcome) ? 'not taken' : outcome.status);
  terminal.writeLine(`${word}  ${destination}  ${latencyMs} ms  ${bytes} bytes`);
  terminal.writeLine(`  ${terminal.dim('event')}   ${event}`);
  terminal.writeLine(`  ${terminal.dim('answer')}  ${escapeControl(saidBy(outcome))}`);
}

function isTried({ status }: SendOutcome): boolean {
  return status === 'delivered';
}

/** Whether the one event that was sent is there. */
function wasTaken(outcome: SendOutcome): boolean {
  if (outcome.status !== 'delivered') return false;
  return (outcome.refused ?? []).length === 0 && (outcome.again ?? []).length === 0;
}

function saidBy(outcome: SendOutcome): string {
  if (outcome.status !== 'delivered') return outcome.reason;
  return outcome.refused?.[0]?.reason ?? outcome.answer;
}
