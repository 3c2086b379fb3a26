import { Command, InvalidArgumentError } from 'commander';
import { type DeadLetter, DeadLetters, deadLetterFile, parseDeadLetters } from '../../export/delivery/dead-letters.ts';
import { filesIn } from '../../export/delivery/files.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { directoryOf, type ExportInput, runOnExport, withDestination } from '../export-command.ts';
import { sendEvents } from '../export-sending.ts';
import { storedEventsById } from '../export-stored.ts';
import { deadLetterPage, deadLetterTable } from '../export-view.ts';
import { withStore } from '../open-store.ts';
import { count } from '../rule-problems.ts';
import { jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
}

type Input = ExportInput<Options>;

/** `spanwarden export dead-letter list | show | retry`: events that a receiver refused for good. */
export function deadLetterCommand(): Command {
  return new Command('dead-letter')
    .description('events that a receiver refused: which, why, and once more')
    .addCommand(
      named(new Command('list').description('all of a destination, oldest first')).action(
        (name: string, _, command: Command) => runOnExport<Options>(command, name, (input) => list(input, name), true),
      ),
    )
    .addCommand(
      withIds(new Command('show').description('some of them, or all, in full')).action(
        (name: string, ids: string[], _, command: Command) =>
          runOnExport<Options>(command, name, (input) => show(input, name, ids), true),
      ),
    )
    .addCommand(
      withIds(
        new Command('retry').description('send some of them, or all, as they stand now in ClickHouse; taken ones go'),
      ).action((name: string, ids: string[], _, command: Command) =>
        runOnExport<Options>(command, name, (input) => retry(input, name, ids)),
      ),
    );
}

function named(command: Command): Command {
  return command.argument('<name>', 'the destination').option('--json', 'print JSON');
}

function withIds(command: Command): Command {
  return named(command).argument(
    '[ids...]',
    'ids of findings or cases, or the first characters of them',
    (text: string, before: string[] | undefined) => {
      if (!/^[0-9a-f-]{4,64}$/i.test(text)) throw new InvalidArgumentError('Write 4 characters or more of an id.');
      return [...(before ?? []), text.toLowerCase()];
    },
  );
}

async function list(input: Input, name: string): Promise<void> {
  const { options, terminal } = input;
  const { letters, unreadable } = await read(input, name);
  if (options.json) terminal.write(jsonLine(letters));
  else if (letters.length === 0) terminal.writeLine(`No dead letters: ${name} has taken every event.`);
  else terminal.write(deadLetterTable(letters, terminal));
  if (unreadable > 0)
    process.stderr.write(`${count(unreadable, 'line')} of the file cannot be read as a dead letter\n`);
}

async function show(input: Input, name: string, ids: readonly string[]): Promise<void> {
  const { options, terminal } = input;
  const letters = chosen((await read(input, name)).letters, ids);
  if (options.json) terminal.write(jsonLine(letters));
  else terminal.write(letters.map((letter) => deadLetterPage(letter, terminal)).join('\n'));
}

async function retry(input: Input, name: string, ids: readonly string[]): Promise<void> {
  const { config, options, terminal } = input;
  const letters = chosen((await read(input, name)).letters, ids);
  const found = new Set<string>();
  const delivered = new Set<string>();
  const refusedAgain = new Map<string, DeadLetter>();
  const sent = await withDestination(input, name, (opened) =>
    withStore(config, (client) =>
      sendEvents({
        opened: {
          ...opened,
          prepare: (event) => {
            found.add(event.kind === 'finding' ? event.finding.id : event.case.id);
            return opened.prepare(event);
          },
        },
        directory: directoryOf(input, name),
        pages: storedEventsById(client, {
          findings: idsOf(letters, 'finding'),
          cases: idsOf(letters, 'case'),
        }),
        total: letters.length,
        delivered: (event) => delivered.add(event.kind === 'finding' ? event.finding.id : event.case.id),
        refused: (letter) => refusedAgain.set(letter.of, letter),
      }),
    ),
  );
  const gone = sent.isWhole ? letters.filter(({ of }) => !found.has(of)) : [];
  const settled = letters.filter((letter) => isSettled(letter, { found, delivered, refusedAgain }, sent.isWhole));
  const file = await DeadLetters.open(filesIn(directoryOf(input, name)));
  await file.settle(
    settled.map(({ id }) => id),
    new Date().toISOString(),
  );
  const { refused, filtered } = sent;
  if (options.json)
    terminal.write(jsonLine({ destination: name, delivered: sent.delivered, refused, filtered, gone: gone.length }));
  else {
    terminal.writeLine(`${count(sent.delivered, 'event')} delivered to ${name}, ${refused} refused again.`);
    if (gone.length > 0) terminal.writeLine(`${gone.length} no longer in ClickHouse, and let go.`);
    if (filtered > 0) terminal.writeLine(`${filtered} no longer wanted by the filter, and let go.`);
  }
  if (refused > 0 || !sent.isWhole) throw new CommandExit(exitCodes.failure);
}

interface Outcomes {
  readonly found: ReadonlySet<string>;
  readonly delivered: ReadonlySet<string>;
  readonly refusedAgain: ReadonlyMap<string, DeadLetter>;
}

/** One that was refused again stays, or has been followed by that of a newer state; one that is gone or unwanted will never be sent. */
function isSettled({ id, of }: DeadLetter, { delivered, refusedAgain }: Outcomes, isWhole: boolean): boolean {
  const again = refusedAgain.get(of);
  if (again !== undefined) return again.id !== id;
  return delivered.has(of) || isWhole;
}

function idsOf(letters: readonly DeadLetter[], kind: DeadLetter['kind']): string[] {
  return [...new Set(letters.filter((letter) => letter.kind === kind).map(({ of }) => of))];
}

async function read(input: Input, name: string) {
  const content = await filesIn(directoryOf(input, name)).read(deadLetterFile);
  return parseDeadLetters(content ?? Buffer.alloc(0));
}

/** Those whose ids begin so, or all; a beginning that fits none ends the command. */
function chosen(letters: readonly DeadLetter[], ids: readonly string[]): readonly DeadLetter[] {
  if (ids.length === 0) return letters;
  const fits = ({ id, of }: DeadLetter, wanted: string): boolean => of.startsWith(wanted) || id.startsWith(wanted);
  const unknown = ids.filter((wanted) => !letters.some((letter) => fits(letter, wanted)));
  if (unknown.length > 0) {
    process.stderr.write(`No dead letter has an id that starts with ${unknown.join(', ')}.\n`);
    throw new CommandExit(exitCodes.failure);
  }
  return letters.filter((letter) => ids.some((wanted) => fits(letter, wanted)));
}
