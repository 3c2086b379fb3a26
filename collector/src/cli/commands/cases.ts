import { Command, InvalidArgumentError } from 'commander';
import type { Level } from '../../model/severity.ts';
import {
  addCaseEvent,
  type CaseFilter,
  type CaseStatus,
  caseCounts,
  type FoundCase,
  getCase,
  listCases,
} from '../../store/cases-reader.ts';
import type { StoreClient } from '../../store/client.ts';
import { type Disposition, dispositions } from '../../store/finding-marks.ts';
import { caseMarkdown } from '../case-markdown.ts';
import { casePage, caseTable, eventText } from '../cases-view.ts';
import { currentUser } from '../draft-files.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { parseIdPrefix, parseLevel, parseLimit, parseTraceId } from '../findings-filter.ts';
import { sinceOption } from '../since-option.ts';
import { printList, runOnStore, type StoreInput } from '../store-command.ts';
import { escapeControl, jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly status?: CaseStatus | 'all';
  readonly severity?: Level;
  readonly agent?: string;
  readonly trace?: string;
  readonly since?: number;
  readonly limit?: number;
  readonly disposition?: Disposition;
  readonly reason?: string;
  readonly by?: string;
}

const listLimit = 50;

/** `spanwarden cases list | show | close | reopen`: asks ClickHouse, and writes there what people decide. */
export function casesCommand(): Command {
  const now = Date.now();
  return new Command('cases')
    .description('list, show, close and reopen cases: findings that belong together')
    .addCommand(
      new Command('list')
        .description('open cases, the newest activity first')
        .option('--status <status>', 'open, closed or all', parseStatus, 'open')
        .option('--severity <level>', 'this level and above', parseLevel)
        .option('--agent <name>', 'the name of an agent in it')
        .option('--trace <id>', 'the id of a trace in it', parseTraceId)
        .addOption(sinceOption(now))
        .option('--limit <n>', 'how many at most', parseLimit, listLimit)
        .option('--json', 'print a JSON array')
        .action((_, command: Command) => run(command, list)),
    )
    .addCommand(
      withId(new Command('show').description('one case: headline, what happened in order, votes, what was done'))
        .option('--json', 'print one JSON object')
        .option('--markdown', 'print Markdown, for a ticket')
        .action((id: string, _, command: Command) => run(command, (input) => show(input, id))),
    )
    .addCommand(
      withId(new Command('close').description('close a case; what is new may open it again (docs/cases.md)'))
        .requiredOption('--disposition <disposition>', `what it was: ${dispositions.join(', ')}`, parseDisposition)
        .requiredOption('--reason <text>', 'why, for those who ask later', parseText)
        .option('--by <name>', 'who says so; your user name when left out', parseText)
        .option('--json', 'print one JSON object')
        .action((id: string, _, command: Command) => run(command, (input) => close(input, id))),
    )
    .addCommand(
      withId(new Command('reopen').description('open a closed case again'))
        .requiredOption('--reason <text>', 'why, for those who ask later', parseText)
        .option('--by <name>', 'who says so; your user name when left out', parseText)
        .option('--json', 'print one JSON object')
        .action((id: string, _, command: Command) => run(command, (input) => reopen(input, id))),
    );
}

function withId(command: Command): Command {
  return command.argument('<id>', 'its id, or the first characters of it', parseIdPrefix);
}

type Input = StoreInput<Options>;

async function run(command: Command, perform: (input: Input) => Promise<void>): Promise<void> {
  const { json, markdown } = command.optsWithGlobals<Options>();
  if (json && markdown) command.error('error: choose --json or --markdown');
  await runOnStore(command, perform);
}

async function list(input: Input): Promise<void> {
  const cases = await listCases(input.client, filterOf(input.options));
  await printList(cases, input, { table: caseTable, whyEmpty });
}

async function show({ client, options, terminal }: Input, id: string): Promise<void> {
  const { found, events } = await theCase(client, id);
  if (options.json) terminal.write(jsonLine({ ...found, events }, 2));
  else if (options.markdown) terminal.write(caseMarkdown(found, events));
  else {
    if (!found.id.startsWith(id)) terminal.writeLine(terminal.dim(`${id} has become part of this case.`));
    terminal.write(casePage(found, events, terminal));
  }
}

async function close(input: Input, id: string): Promise<void> {
  const { found } = await theCase(input.client, id);
  const { disposition, reason = '', by = currentUser() } = input.options;
  await record(input, found, { action: 'close', disposition: disposition!, reason, by });
}

async function reopen(input: Input, id: string): Promise<void> {
  const { found } = await theCase(input.client, id);
  if (found.status === 'open') fail(`The case ${found.id} is open.`);
  const { reason = '', by = currentUser() } = input.options;
  await record(input, found, { action: 'reopen', disposition: '', reason, by });
}

async function record(
  { client, options, terminal }: Input,
  found: Extract<FoundCase, { status: 'found' }>['found'],
  event: Parameters<typeof addCaseEvent>[2],
): Promise<void> {
  const at = new Date();
  await addCaseEvent(client, found, event, at);
  const done = { caseId: found.id, time: at.toISOString(), ...event };
  if (options.json) terminal.write(jsonLine(done));
  else terminal.writeLine(`Case ${found.id} ${escapeControl(eventText(done))}.`);
}

async function theCase(client: StoreClient, id: string): Promise<Extract<FoundCase, { status: 'found' }>> {
  const result = await getCase(client, id);
  if (result.status === 'found') return result;
  return result.status === 'none'
    ? fail(`No case has an id that starts with ${id}. spanwarden cases list shows the ids.`)
    : fail(`Several cases have an id that starts with ${id}. Write more of it.`);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  throw new CommandExit(exitCodes.failure);
}

function filterOf({ status, severity, agent, trace, since, limit }: Options): CaseFilter {
  return {
    ...(status !== undefined && status !== 'all' && { status }),
    ...(severity !== undefined && { level: severity }),
    ...(agent !== undefined && { agent }),
    ...(trace !== undefined && { traceIds: [trace] }),
    ...(since !== undefined && { since: new Date(since) }),
    ...(limit !== undefined && { limit }),
  };
}

async function whyEmpty(client: StoreClient): Promise<string> {
  const { cases, findings, spans } = await caseCounts(client);
  if (cases > 0) {
    const open = await listCases(client, { status: 'open', limit: 1 });
    return open.length > 0
      ? `No case matches; cases in all: ${cases}. Ask with fewer filters.`
      : `No case matches: ${cases === 1 ? 'the only one is' : `all ${cases} are`} closed. --status all shows more.`;
  }
  if (spans === 0) {
    return 'No cases, because no spans have arrived yet. Instrument an agent, or see what spanwarden demo shows.';
  }
  return findings === 0
    ? `No cases, because there are no findings in ${spans} spans. spanwarden rules list shows what is looked for.`
    : `No cases: none of the ${findings} findings is at least medium. spanwarden findings list shows them.`;
}

function parseStatus(text: string): CaseStatus | 'all' {
  const status = (['open', 'closed', 'all'] as const).find((each) => each === text.toLowerCase());
  if (status === undefined) throw new InvalidArgumentError('Write open, closed or all.');
  return status;
}

function parseDisposition(text: string): Disposition {
  const disposition = dispositions.find((each) => each === text.toLowerCase());
  if (disposition === undefined) throw new InvalidArgumentError(`Write one of ${dispositions.join(', ')}.`);
  return disposition;
}

function parseText(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > 1000) throw new InvalidArgumentError('Write 1 to 1000 characters.');
  return trimmed;
}
