import { setTimeout as sleep } from 'node:timers/promises';
import { Command, Option } from 'commander';
import type { Level } from '../../model/severity.ts';
import type { StoreClient } from '../../store/client.ts';
import { type Disposition, dispositions, marksOf } from '../../store/finding-marks.ts';
import {
  type FindingFilter,
  findingsAfter,
  getFinding,
  listFindings,
  rowCounts,
  tailStart,
} from '../../store/findings-reader.ts';
import { parseIdPrefix, parseLevel, parseLimit, parseTraceId } from '../findings-filter.ts';
import { findingLine, findingPage, findingTable, timeText } from '../findings-view.ts';
import { watchSignals } from '../signals.ts';
import { sinceOption } from '../since-option.ts';
import { printList, runOnStore, type StoreInput } from '../store-command.ts';
import { jsonLine } from '../terminal.ts';
import { findingsMarkCommand, notFound } from './findings-mark.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
  readonly level?: Level;
  readonly rule?: string;
  readonly agent?: string;
  readonly trace?: string;
  readonly session?: string;
  readonly since?: number;
  readonly limit?: number;
  readonly disposition?: Disposition | 'unmarked';
}

const listLimit = 50;
const tailPollMs = 500;

/** `spanwarden findings list | show | tail | mark`: asks ClickHouse, the embedded one of a running collector or a user's own. */
export function findingsCommand(): Command {
  return new Command('findings')
    .description('list, show, follow and mark findings')
    .addCommand(
      withFilters(new Command('list').description('the newest findings, one line each'))
        .option('--limit <n>', 'how many at most', parseLimit, listLimit)
        .action((_, command: Command) => runOnStore(command, list)),
    )
    .addCommand(
      new Command('show')
        .description('one finding in full, with its evidence')
        .argument('<id>', 'its id, or the first characters of it', parseIdPrefix)
        .option('--json', 'print one JSON object')
        .action((id: string, _, command: Command) => runOnStore(command, (input) => show(input, id))),
    )
    .addCommand(
      withFilters(new Command('tail').description('wait for findings and print them as they arrive')).action(
        (_, command: Command) => runOnStore(command, tail),
      ),
    )
    .addCommand(findingsMarkCommand());
}

function withFilters(command: Command): Command {
  const now = Date.now();
  return command
    .option('--level <level>', 'this level and above', parseLevel)
    .option('--rule <rule>', 'the id or name of a rule, old ones too, or a part of its title')
    .option('--agent <name>', 'the name of the agent')
    .option('--trace <id>', 'the id of a trace', parseTraceId)
    .option('--session <id>', 'the id of a session, as `show` and `spanwarden.session` have it')
    .addOption(sinceOption(now))
    .addOption(
      new Option('--disposition <what>', 'only findings that stand marked so').choices([...dispositions, 'unmarked']),
    )
    .option('--json', 'print JSON: an array, or with tail one object a line');
}

type Input = StoreInput<Options>;

async function list(input: Input): Promise<void> {
  const findings = await listFindings(input.client, filterOf(input.options));
  await printList(findings, input, { table: findingTable, whyEmpty });
}

async function show({ client, options, terminal }: Input, id: string): Promise<void> {
  const found = await getFinding(client, id);
  if (found.status !== 'found') throw notFound(found.status, id);
  const marks = await marksOf(client, found.finding.id);
  terminal.write(options.json ? jsonLine({ ...found.finding, marks }, 2) : findingPage(found.finding, terminal, marks));
}

/** Without --since only what arrives from now on; with it also what is there since then, oldest first. */
async function tail({ client, options, terminal }: Input): Promise<void> {
  const signals = watchSignals();
  const filter = filterOf(options);
  let cursor = tailStart(options.since === undefined ? new Date() : new Date(0));
  if (terminal.isTty && !options.json) terminal.writeLine(terminal.dim('Waiting for findings; Ctrl-C ends it.'));
  try {
    while (!signals.interrupted.aborted) {
      const next = await findingsAfter(client, cursor, filter);
      cursor = next.cursor;
      for (const finding of next.findings) {
        terminal.write(options.json ? jsonLine(finding) : `${findingLine(finding, terminal)}\n`);
      }
      await sleep(tailPollMs, undefined, { signal: signals.interrupted }).catch(() => {});
    }
  } finally {
    signals.unwatch();
  }
}

function filterOf({ level, rule, agent, trace, session, since, limit, disposition }: Options): FindingFilter {
  return {
    ...(level !== undefined && { level }),
    ...(rule !== undefined && { rule }),
    ...(agent !== undefined && { agent }),
    ...(trace !== undefined && { traceId: trace }),
    ...(session !== undefined && { sessionId: session }),
    ...(since !== undefined && { since: new Date(since) }),
    ...(limit !== undefined && { limit }),
    ...(disposition !== undefined && { disposition }),
  };
}

async function whyEmpty(client: StoreClient): Promise<string> {
  const [newest] = await listFindings(client, { limit: 1 });
  if (newest !== undefined) return `No finding matches. The newest of all is from ${timeText(newest.time)} UTC.`;
  const { otel_traces: spans } = await rowCounts(client);
  return spans === 0
    ? 'No findings, because no spans have arrived yet. Instrument an agent, or see what spanwarden demo shows.'
    : `No findings in ${spans} spans. spanwarden rules list shows what is looked for, spanwarden demo what is found.`;
}
