import { isUtf8 } from 'node:buffer';
import { Command } from 'commander';
import type { ExportEvent } from '../../model/export-event.ts';
import type { StoreClient } from '../../store/client.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { type ExportInput, runOnExport, withDestination } from '../export-command.ts';
import { storedEventsById } from '../export-stored.ts';
import { parseIdPrefix } from '../findings-filter.ts';
import { withStore } from '../open-store.ts';
import { escapeControl, jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly destination: string;
}

/** `spanwarden export explain`: a finding or case as a destination gets it. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('print what a destination gets of a finding or case')
    .argument('<id>', 'its id, or the first characters of it', parseIdPrefix)
    .requiredOption('--destination <name>', 'the destination')
    .option('--json', 'print one JSON object')
    .action((id: string, options: Options, command: Command) =>
      runOnExport<Options>(command, options.destination, (input) => explain(input, id)),
    );
}

async function explain(input: ExportInput<Options>, id: string): Promise<void> {
  const { config, options, terminal } = input;
  await withDestination(input, options.destination, async ({ destination, prepare }) => {
    const event = await withStore(config, (client) => theEvent(client, id));
    const prepared = prepare(event);
    if (prepared === undefined) {
      if (options.json) terminal.write(jsonLine({ destination: options.destination, event: event.id, sent: false }));
      else terminal.writeLine(`${options.destination} does not get it: its filter or events let it be.`);
      return;
    }
    const body = destination.encode(prepared);
    const [text, encoding] = isUtf8(body) ? [body.toString('utf8'), 'utf8'] : [body.toString('base64'), 'base64'];
    if (options.json) {
      const payload = { payload: text, encoding, bytes: body.length };
      terminal.write(jsonLine({ destination: options.destination, event: event.id, sent: true, ...payload }));
      return;
    }
    // Whoever reads it with a program wants the bytes; a terminal must not obey them.
    terminal.writeLine((terminal.isTty ? text.split('\n').map(escapeControl).join('\n') : text).replace(/\n$/, ''));
  });
}

async function theEvent(client: StoreClient, id: string): Promise<ExportEvent> {
  const found: ExportEvent[] = [];
  for await (const page of storedEventsById(client, { findings: [id], cases: [id] })) found.push(...page);
  // A case has the id of its chain, and a finding never that of a case.
  if (found.length === 1) return found[0]!;
  const what = found.length === 0 ? 'No finding or case has' : 'Several findings or cases have';
  process.stderr.write(`${what} an id that starts with ${id}.${found.length > 1 ? ' Write more of it.' : ''}\n`);
  throw new CommandExit(exitCodes.failure);
}
