import { Command } from 'commander';
import { eventsOf } from '../../export/config.ts';
import type { SendOutcome } from '../../export/contract.ts';
import { sampleEvent } from '../../export/sample.ts';
import { limits } from '../../model/limits.ts';
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
          runOnExport<Options>(command, name, (input) => status(input, name)),
        ),
    )
    .addCommand(
      new Command('test')
        .description('send an event that is marked as a test, and show what the receiver answers')
        .argument('<name>', 'the destination')
        .option('--json', 'print one JSON object')
        .action((name: string, _, command: Command) =>
          runOnExport<Options>(command, name, (input) => sendSample(input, name)),
        ),
    )
    .addCommand(replayCommand())
    .addCommand(deadLetterCommand())
    .addCommand(explainCommand());
}

async function status(input: ExportInput<Options>, name: string | undefined): Promise<void> {
  const all = await shownStatuses(input, Date.now());
  const shown = name === undefined ? all : all.filter((each) => each.name === name);
  const { options, terminal } = input;
  if (options.json) terminal.write(jsonLine(shown));
  else if (shown.length === 0) terminal.writeLine('No destinations: export.destinations in the config names them.');
  else terminal.write(statusTable(shown, terminal));
  if (shown.some(({ advice }) => advice.length > 0)) throw new CommandExit(exitCodes.failure);
}

async function sendSample(input: ExportInput<Options>, name: string): Promise<void> {
  const { options, terminal } = input;
  await withDestination(input, name, async ({ config, destination, prepare }) => {
    const event = prepare(sampleEvent(eventsOf(config).includes('findings') ? 'finding' : 'case', Date.now()))!;
    const body = destination.encode(event);
    const began = performance.now();
    const outcome = await destination.send([{ event, body }], AbortSignal.timeout(limits.exportCallMsMax));
    const latencyMs = Math.round(performance.now() - began);
    const isDelivered = wasTaken(outcome);
    const said = saidBy(outcome);
    if (options.json) {
      terminal.write(jsonLine({ destination: name, delivered: isDelivered, latencyMs, event: event.id, ...outcome }));
    } else {
      const word = isDelivered
        ? terminal.green('delivered')
        : terminal.red(isTried(outcome) ? 'not taken' : outcome.status);
      terminal.writeLine(`${word}  ${name}  ${latencyMs} ms  ${body.length} bytes`);
      terminal.writeLine(`  ${terminal.dim('event')}   ${event.id}`);
      terminal.writeLine(`  ${terminal.dim('answer')}  ${escapeControl(said)}`);
    }
    if (!isDelivered) throw new CommandExit(exitCodes.failure);
  });
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
