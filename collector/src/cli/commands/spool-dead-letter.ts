import { Command, InvalidArgumentError } from 'commander';
import { type DeadLetter, readDeadLetter, removeDeadLetter } from '../../spool/dead-letters.ts';
import { insertRows } from '../../store/inserter.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { withStore } from '../open-store.ts';
import { count } from '../rule-problems.ts';
import { runOnSpool, type SpoolInput, theOnly } from '../spool-command.ts';
import { deadLetterTable, refusedPage } from '../spool-view.ts';
import { escapeControl, jsonLine } from '../terminal.ts';

/** `spanwarden spool dead-letter list | show | retry`. */
export function deadLetterCommand(): Command {
  return new Command('dead-letter')
    .description('rows that ClickHouse refused: why, what they are, and once more')
    .addCommand(
      new Command('list')
        .description('all of them, oldest first')
        .option('--json', 'print a JSON array')
        .action((_, command: Command) => runOnSpool(command, list)),
    )
    .addCommand(
      withSegment(new Command('show').description('the rows of one segment that were refused, and why'))
        .option('--json', 'print one JSON object, rows as base64 of RowBinary')
        .action((id: string, _, command: Command) => runOnSpool(command, (input) => show(input, id))),
    )
    .addCommand(
      withSegment(new Command('retry').description('insert them again, for when the reason was mended; taken ones go'))
        .option('--json', 'print one JSON object')
        .action((id: string, _, command: Command) => runOnSpool(command, (input) => retry(input, id))),
    );
}

function withSegment(command: Command): Command {
  return command.argument('<segment>', 'id of a segment, its last characters, or all', (text) => {
    if (!/^([0-9a-f-]{1,42}|all)$/.test(text)) throw new InvalidArgumentError('Write an id that list shows, or all.');
    return text;
  });
}

async function list({ options, terminal, survey }: SpoolInput): Promise<void> {
  if (options.json) terminal.write(jsonLine(survey.deadLetters));
  else if (survey.deadLetters.length === 0) terminal.writeLine('No dead letters: ClickHouse took every row.');
  else terminal.write(deadLetterTable(survey.deadLetters, terminal));
  for (const name of survey.unreadable) process.stderr.write(`dead-letter/${name} cannot be read as a dead letter\n`);
}

async function show({ options, terminal, place, survey }: SpoolInput, id: string): Promise<void> {
  for (const letter of chosen(survey.deadLetters, id)) {
    const refused = await readDeadLetter(place, letter);
    if (options.json) {
      const rows = refused.map(({ bytes, ...rest }) => ({ ...rest, bytes: Buffer.from(bytes).toString('base64') }));
      terminal.write(jsonLine({ ...letter, refused: rows }));
      continue;
    }
    terminal.writeLine(`${terminal.bold(letter.segment)}  ${letter.time}`);
    for (const each of refused) terminal.write(refusedPage(each, each.bytes, terminal));
  }
}

async function retry({ config, options, terminal, place, survey }: SpoolInput, id: string): Promise<void> {
  let inserted = 0;
  let refused = 0;
  const letters = chosen(survey.deadLetters, id);
  await withStore(config, async (client) => {
    for (const letter of letters) {
      let left = 0;
      for (const { table, columns, rows, firstRow, bytes } of await readDeadLetter(place, letter)) {
        const token = `${letter.segment}:${table}:${firstRow}+${rows}`;
        const failure = await insertRows(client, { table, columns, token, buffers: [bytes] });
        if (failure === undefined) inserted += rows;
        else left += rows;
        if (failure)
          process.stderr.write(`${letter.segment} ${table} row ${firstRow}: ${escapeControl(failure.reason)}\n`);
      }
      refused += left;
      if (left === 0) await removeDeadLetter(place, letter.segment);
    }
  });
  if (options.json) terminal.write(jsonLine({ inserted, refused }));
  else terminal.writeLine(`${count(inserted, 'row')} inserted, ${refused} refused again.`);
  if (refused > 0) throw new CommandExit(exitCodes.failure);
}

function chosen(letters: readonly DeadLetter[], id: string): readonly DeadLetter[] {
  if (id === 'all') return letters;
  const idOf = ({ segment }: DeadLetter): string => segment;
  return [theOnly(letters, id, { idOf, noun: 'dead letter', list: 'spanwarden spool dead-letter list' })];
}
