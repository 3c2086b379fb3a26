import { Argument, Command, Option } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { type Disposition, dispositions, markFinding } from '../../store/finding-marks.ts';
import { getFinding, type StoredFinding } from '../../store/findings-reader.ts';
import {
  currentUser,
  draftFor,
  expiryDefault,
  fileText,
  historyDays,
  isRead,
  type Offer,
  parseExpiry,
  writeDraft,
} from '../draft-files.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { parseIdPrefix } from '../findings-filter.ts';
import { withStore } from '../open-store.ts';
import { count } from '../rule-problems.ts';
import type { Preview } from '../suppression-preview.ts';
import { createTerminal, escapeControl, jsonLine, type Terminal } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly reason: string;
  readonly by: string;
  readonly expires: string;
  readonly writeSuppression?: string;
  readonly writeTest?: string;
}

/**
 * `spanwarden findings mark <id> <disposition> --reason …`: keeps what somebody found out about a finding; of a false
 * positive it shows, or writes, the narrowest suppression and its test. Ends with 1 when no or several findings have the id.
 */
export function findingsMarkCommand(): Command {
  const now = Date.now();
  return new Command('mark')
    .description('say what a finding turned out to be; a false positive comes with a suppression and its test')
    .argument('<id>', 'its id, or the first characters of it', parseIdPrefix)
    .addArgument(new Argument('<disposition>', 'what it is').choices([...dispositions]))
    .requiredOption('--reason <text>', 'why, for those who ask later')
    .addOption(new Option('--by <name>', 'who says so').default(currentUser(), 'your user name'))
    .option(
      '--expires <when>',
      'last day of the suppression: 90d, or 2027-01-31',
      (text) => parseExpiry(text, now),
      expiryDefault(now),
    )
    .option('--write-suppression <folder>', 'write the suppression into this folder')
    .option('--write-test <folder>', 'write its test into this folder')
    .option('--json', 'print one JSON object')
    .action((id: string, disposition: Disposition, _, command: Command) =>
      mark(id, disposition, command.optsWithGlobals<Options>()),
    );
}

async function mark(id: string, disposition: Disposition, options: Options): Promise<void> {
  const config = loadConfig({ file: options.config, env: process.env });
  const { reason, by, expires } = options;
  const terminal = createTerminal(process.stdout);
  await withStore(config, async (client) => {
    const found = await getFinding(client, id);
    if (found.status !== 'found') throw notFound(found.status, id);
    const { finding } = found;
    await markFinding(client, finding, { disposition, reason: reason.slice(0, 4096), by: by.slice(0, 256) });
    const wanted =
      disposition === 'false-positive' || options.writeSuppression !== undefined || options.writeTest !== undefined;
    const draft = wanted ? await draftFor(config, client, finding, { owner: by, reason, expires }) : undefined;
    const written = draft?.status === 'drafted' ? writeFiles(draft, options) : [];
    if (options.json) {
      terminal.write(jsonLine({ id: finding.id, disposition, reason, by, ...(draft && { draft }), written }, 2));
      return;
    }
    terminal.writeLine(`${finding.id.slice(0, 12)} ${escapeControl(finding.ruleTitle)}: ${disposition}`);
    if (draft) showDraft(draft, written, finding, terminal);
    const folder = options.writeSuppression;
    if (folder !== undefined && written.length > 0 && !isRead(config, folder)) {
      terminal.writeLine(`The collector does not read it yet: add ${escapeControl(folder)} to detect.rules.`);
    }
  });
}

/** Nothing or too much has an id that starts so. */
export function notFound(status: 'none' | 'ambiguous', id: string): CommandExit {
  const what = status === 'none' ? 'No finding has' : 'Several findings have';
  const next = status === 'none' ? 'spanwarden findings list shows the ids.' : 'Write more of it.';
  process.stderr.write(`${what} an id that starts with ${id}. ${next}\n`);
  return new CommandExit(exitCodes.failure);
}

function writeFiles(draft: Offer & { status: 'drafted' }, { writeSuppression, writeTest }: Options): string[] {
  const { name, suppression, test } = draft;
  return [
    ...(writeSuppression === undefined ? [] : [writeDraft(writeSuppression, `${name}.yml`, suppression)]),
    ...(writeTest === undefined ? [] : [writeDraft(writeTest, `${name}.test.yml`, test)]),
  ];
}

/** The files, or where they were written. */
export function showDraft(draft: Offer, written: readonly string[], finding: StoredFinding, terminal: Terminal): void {
  if (draft.status === 'none') {
    terminal.writeLine(terminal.yellow(`No suppression to offer: ${draft.why}.`));
    return;
  }
  terminal.writeLine(`A suppression that hides it, and its test, both run: ${escapeControl(draft.hides)}`);
  if (draft.below.length > 0) {
    const names = escapeControl(draft.below.join(', '));
    terminal.writeLine(`It acts on ${names}, which the rule is built on, and so on all rules built on it.`);
  }
  terminal.writeLine(radiusText(draft.preview, terminal));
  if (written.length > 0) {
    for (const path of written) terminal.writeLine(`wrote ${escapeControl(path)}`);
    terminal.writeLine(terminal.dim('The test holds content of the span: read it before you share it.'));
    return;
  }
  terminal.write(`\n${fileText(`${draft.name}.yml`, plain(draft.suppression), terminal)}`);
  terminal.write(fileText(`${draft.name}.test.yml`, plain(draft.test), terminal));
  const id = finding.id.slice(0, 12);
  terminal.writeLine(terminal.dim(`spanwarden suppressions add ${id} --write <folder> writes both.`));
}

function radiusText({ hidden, confirmed }: Preview, terminal: Terminal): string {
  const many = `${confirmed} of them confirmed`;
  const days = `In the last ${historyDays} days it would have hidden ${count(hidden, 'finding')}`;
  return `${days}, ${confirmed > 0 ? terminal.red(many) : many}.`;
}

/** Content of spans must not reach the terminal as it is. */
function plain(text: string): string {
  return text.split('\n').map(escapeControl).join('\n');
}
