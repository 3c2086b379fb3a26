import { Command, InvalidArgumentError } from 'commander';
import { acquireLock } from '../../spool/lock.ts';
import { inspectSegment, type SegmentFile } from '../../spool/survey.ts';
import { type Shipping, shipSegment } from '../../store/shipment.ts';
import { backoffMs, pause } from '../../store/shipper.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { withStore } from '../open-store.ts';
import { count } from '../rule-problems.ts';
import { watchSignals } from '../signals.ts';
import { runOnSpool, type SpoolInput, theOnly } from '../spool-command.ts';
import { segmentPage, segmentTable, spoolStatus, statusPage } from '../spool-view.ts';
import { escapeControl, jsonLine } from '../terminal.ts';
import { deadLetterCommand } from './spool-dead-letter.ts';

/** `spanwarden spool status | inspect | replay | dead-letter`: the disk buffer, also while no collector runs. */
export function spoolCommand(): Command {
  return new Command('spool')
    .description('look into the disk buffer, send it again, and handle rows that ClickHouse refused')
    .addCommand(
      new Command('status')
        .description('what waits, what is kept, what was set aside; exit code 1 when something needs a person')
        .option('--json', 'print one JSON object')
        .action((_, command: Command) => runOnSpool(command, status)),
    )
    .addCommand(
      new Command('inspect')
        .description('the segments, or the records of one with their checksums checked')
        .argument('[segment]', 'id of a segment, or its last characters', parseSegment)
        .option('--json', 'print JSON')
        .action((id: string | undefined, _, command: Command) => runOnSpool(command, (input) => inspect(input, id))),
    )
    .addCommand(
      new Command('replay')
        .description(
          'send what was not sent, without a collector; rows that ClickHouse has from it are not added again',
        )
        .option('--sent', 'those of the last minutes that were sent, for a ClickHouse that lost rows')
        .option('--json', 'print one JSON object')
        .action((_, command: Command) => runOnSpool(command, replay)),
    )
    .addCommand(deadLetterCommand());
}

async function status({ config, options, terminal, place, survey }: SpoolInput): Promise<void> {
  const found = spoolStatus(survey, place.directory, config.spool.bytes_max, Date.now());
  terminal.write(options.json ? jsonLine(found) : statusPage(found, terminal));
  if (found.advice.length > 0) throw new CommandExit(exitCodes.failure);
}

async function inspect({ options, terminal, place, survey }: SpoolInput, id: string | undefined): Promise<void> {
  if (id === undefined) {
    if (options.json) terminal.write(jsonLine(survey.segments));
    else if (survey.segments.length === 0) terminal.writeLine('No segments: nothing was taken in yet.');
    else terminal.write(segmentTable(survey.segments, terminal));
    return;
  }
  const { read, ...segment } = await inspectSegment(place, theOnly(survey.segments, id, segmentIds));
  terminal.write(options.json ? jsonLine(segment) : segmentPage({ ...segment, read }, terminal));
  if (segment.damage.length > 0) throw new CommandExit(exitCodes.failure);
}

/**
 * What a running collector has not sent yet is its own: half a segment sent under the segment's token would keep the other
 * half out. So the lock is taken for them, while sent ones never change.
 */
async function replay(input: SpoolInput): Promise<void> {
  const { options, terminal, place, survey } = input;
  const lock = options.sent ? undefined : await acquireLock(place.directory);
  const kind = options.sent ? 'sent' : 'seg';
  try {
    const chosen = survey.segments.filter((segment) => segment.kind === kind);
    const { rows, refused } = await sendAll(input, chosen);
    const segments = chosen.length;
    if (options.json) terminal.write(jsonLine({ segments, rows, refused }));
    else
      terminal.writeLine(
        `${count(segments, 'segment')}: ClickHouse has their rows, ${rows} sent and ${refused} refused.`,
      );
    if (refused > 0) throw new CommandExit(exitCodes.failure);
  } finally {
    await lock?.release();
  }
}

async function sendAll({ config, place }: SpoolInput, files: readonly SegmentFile[]) {
  const signals = watchSignals();
  const sum = { rows: 0, refused: 0 };
  await withStore(config, async (client) => {
    const shipping: Shipping = {
      client,
      cut: signals.interrupted,
      retry: (failure, attempt) => {
        process.stderr.write(`ClickHouse took no rows (${escapeControl(failure.reason)}); trying again\n`);
        return pause(backoffMs(attempt, failure.kind), signals.interrupted);
      },
      sinceMs: Date.now(),
      inserted: (_, rows) => {
        sum.rows += rows;
      },
      restored: () => undefined,
    };
    for (const file of files) {
      const refused = await shipSegment(await inspectSegment(place, file), shipping);
      if (refused === 'aborted') throw new CommandExit(exitCodes.failure);
      sum.refused += refused.reduce((total, { rows }) => total + rows, 0);
    }
  }).finally(() => signals.unwatch());
  return sum;
}

const segmentIds = { idOf: ({ id }: SegmentFile) => id, noun: 'segment', list: 'spanwarden spool inspect' };

function parseSegment(text: string): string {
  if (!/^[0-9a-f-]{1,42}$/.test(text)) throw new InvalidArgumentError('An id has the characters 0-9, a-f and -.');
  return text;
}
