import { Command, Option } from 'commander';
import { countStates, type Stretch } from '../../store/export-reader.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { directoryOf, type ExportInput, runOnExport, withDestination } from '../export-command.ts';
import { sendEvents } from '../export-sending.ts';
import { storedEvents } from '../export-stored.ts';
import { parseSince } from '../findings-filter.ts';
import { withStore } from '../open-store.ts';
import { count } from '../rule-problems.ts';
import { sinceOption } from '../since-option.ts';
import { jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly dryRun?: true;
  readonly since: number;
  readonly until?: number;
}

/** `spanwarden export replay`: what ClickHouse has, once more to one destination. */
export function replayCommand(): Command {
  const now = Date.now();
  return new Command('replay')
    .description('send findings and cases that are stored to a destination, also while the collector runs')
    .argument('<name>', 'the destination')
    .addOption(sinceOption(now).makeOptionMandatory())
    .addOption(
      new Option('--until <when>', 'the same forms; now when left out').argParser((text) => parseSince(text, now)),
    )
    .option('--dry-run', 'count what would be sent, and send nothing')
    .option('--json', 'print one JSON object')
    .action((name: string, _, command: Command) => runOnExport<Options>(command, name, (input) => replay(input, name)));
}

async function replay(input: ExportInput<Options>, name: string): Promise<void> {
  const { config, options, terminal } = input;
  const stretch: Stretch = { sinceMs: options.since, untilMs: options.until ?? Date.now() };
  await withDestination(input, name, (opened) =>
    withStore(config, async (client) => {
      const counts = await countStates(client, stretch);
      const total = counts.findings + counts.cases;
      const pages = storedEvents(client, stretch);
      if (options.dryRun) {
        const wanted = { finding: 0, case: 0 };
        for await (const page of pages) for (const event of page) if (opened.prepare(event)) wanted[event.kind]++;
        const found = { findings: wanted.finding, cases: wanted.case, filtered: total - wanted.finding - wanted.case };
        if (options.json) terminal.write(jsonLine({ destination: name, dryRun: true, ...found }));
        else
          terminal.writeLine(
            `${count(found.findings, 'finding')} and ${count(found.cases, 'case')} would be sent to ${name}.`,
          );
        return;
      }
      const sent = await sendEvents({ opened, directory: directoryOf(input, name), pages, total });
      if (options.json) terminal.write(jsonLine({ destination: name, ...sent }));
      else {
        terminal.writeLine(
          `${count(sent.delivered, 'event')} delivered to ${name}, ${sent.refused} refused` +
            `${sent.isWhole ? '' : '; it ended before all were sent, send them again with a later --since'}.`,
        );
      }
      if (sent.refused > 0 || !sent.isWhole) throw new CommandExit(exitCodes.failure);
    }),
  );
}
