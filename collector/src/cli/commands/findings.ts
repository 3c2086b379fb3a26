import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { findingLines, levelStyle } from '../../demo/render.ts';
import type { Finding } from '../../model/finding.ts';
import type { Level } from '../../model/severity.ts';
import type { FindingsFilter, FindingsReader } from '../../store/findings-reader.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { parseHex, parseLevel, parseLimit, parseSince } from '../findings-filter.ts';
import { createTerminal, escapeControl, jsonLine, type Terminal, truncate } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
  readonly level?: Level;
  readonly rule?: string;
  readonly agent?: string;
  readonly trace?: string;
  readonly since?: number;
  readonly limit?: number;
}

const listLimit = 50;
const tailPollMs = 1_000;
/** Findings carry the time of their span; those of a long span arrive late, so a tail looks back this far. */
const tailWindowMs = 3_600_000;
const tailPageMax = 10_000;

/** `spanwarden findings list | show | tail`: asks ClickHouse, the embedded one of a running collector or a user's own. */
export function findingsCommand(): Command {
  return new Command('findings')
    .description('list, show and follow findings')
    .addCommand(
      withFilters(new Command('list').description('the newest findings, one line each'))
        .option('--limit <n>', 'how many at most', parseLimit, listLimit)
        .action(action(list)),
    )
    .addCommand(
      new Command('show')
        .description('one finding in full, with its evidence')
        .argument('<id>', 'its id, or the first characters of it', parseHex)
        .option('--json', 'print one JSON object')
        .action((id: string, _: unknown, command: Command) => run(command, (input) => show(input, id))),
    )
    .addCommand(
      withFilters(new Command('tail').description('wait for findings and print them as they arrive')).action(
        action(tail),
      ),
    );
}

function withFilters(command: Command): Command {
  const now = Date.now();
  return command
    .option('--level <level>', 'this level and above', parseLevel)
    .option('--rule <rule>', 'the id of a rule, or a part of its title')
    .option('--agent <name>', 'the name of the agent, or of its service')
    .option('--trace <id>', 'the id of a trace, or the start of one', parseHex)
    .option('--since <when>', '30m, 24h, 7d, or a time such as 2026-11-22T10:00:00Z', (text) => parseSince(text, now))
    .option('--json', 'print JSON: an array, or with tail one object a line');
}

interface Input {
  readonly reader: FindingsReader;
  readonly options: Options;
  readonly terminal: Terminal;
}

type Action = (input: Input) => Promise<void>;

function action(perform: Action): (options: Options, command: Command) => Promise<void> {
  return (_, command) => run(command, perform);
}

async function run(command: Command, perform: Action): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const config = loadConfig({ file: options.config, env: process.env });
  const { openFindingsReader } = await import('../../store/findings-reader.ts');
  const reader = await openFindingsReader(config.clickhouse, { dataDir: config.data_dir });
  try {
    await perform({ reader, options, terminal: createTerminal(process.stdout) });
  } finally {
    await reader.close();
  }
}

async function list({ reader, options, terminal }: Input): Promise<void> {
  const findings = await reader.list({ ...filterOf(options), limit: options.limit ?? listLimit });
  if (options.json) {
    terminal.write(jsonLine(findings));
    return;
  }
  if (findings.length === 0) {
    terminal.writeLine(await whyEmpty(reader));
    return;
  }
  terminal.write(terminal.table([header.map(terminal.dim), ...findings.map((finding) => rowOf(finding, terminal))]));
  if (findings.length === options.limit) {
    terminal.writeLine(terminal.dim(`The newest ${findings.length}; --limit shows more.`));
  }
}

async function show({ reader, options, terminal }: Input, id: string): Promise<void> {
  const found = await reader.byId(id);
  const [finding] = found;
  if (finding === undefined || found.length > 1) {
    const complaint = createTerminal(process.stderr);
    complaint.writeLine(
      finding === undefined
        ? `No finding has an id that starts with ${id}. spanwarden findings list shows the ids.`
        : `${found.length} findings have ids that start with ${id}; write more of the id.`,
    );
    throw new CommandExit(exitCodes.failure);
  }
  if (options.json) {
    terminal.write(jsonLine(finding, 2));
    return;
  }
  for (const line of findingLines(finding, 1, terminal)) terminal.writeLine(line);
}

async function tail({ reader, options, terminal }: Input): Promise<void> {
  const filter = filterOf(options);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.on('SIGINT', end).on('SIGTERM', end);
  let shown = new Set<string>();
  // Without --since only what arrives from now on is shown.
  if (options.since === undefined) shown = new Set((await page(reader, filter)).map(({ id }) => id));
  if (!options.json && terminal.isTty) terminal.writeLine(terminal.dim('Waiting for findings; Ctrl-C ends it.'));
  try {
    while (!stop.signal.aborted) {
      const current = await page(reader, filter);
      for (const finding of current.filter(({ id }) => !shown.has(id)).reverse()) {
        terminal.write(options.json ? jsonLine(finding) : terminal.table([rowOf(finding, terminal)]));
      }
      shown = new Set(current.map(({ id }) => id));
      await sleep(tailPollMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
}

function page(reader: FindingsReader, filter: FindingsFilter): Promise<readonly Finding[]> {
  return reader.list({ sinceMs: Date.now() - tailWindowMs, ...filter, limit: tailPageMax });
}

function filterOf({ level, rule, agent, trace, since }: Options): FindingsFilter {
  return {
    ...(level !== undefined && { level }),
    ...(rule !== undefined && { rule }),
    ...(agent !== undefined && { agent }),
    ...(trace !== undefined && { trace }),
    ...(since !== undefined && { sinceMs: since }),
  };
}

async function whyEmpty(reader: FindingsReader): Promise<string> {
  const [newest] = await reader.list({ limit: 1 });
  if (newest !== undefined) {
    return `No finding matches these filters. The newest of all is from ${timeText(newest)}; leave out --since or --level to see it.`;
  }
  const spans = await reader.spanCount();
  return spans === 0
    ? 'No findings, because no spans have arrived yet. Instrument an agent, or see spanwarden demo.'
    : `No findings in ${spans} spans. spanwarden rules list shows what is looked for; spanwarden demo shows what a finding looks like.`;
}

const header = ['time', 'level', 'title', 'agent', 'tool', 'id'];

function rowOf(finding: Finding, terminal: Terminal): string[] {
  const plain = (text: string, charsMax: number): string => truncate(escapeControl(text), charsMax);
  return [
    terminal.dim(timeText(finding)),
    levelStyle(finding.level, terminal)(finding.level),
    plain(finding.ruleTitle, 60),
    plain(finding.agentName || finding.serviceName, 24),
    plain(finding.toolName, 24),
    terminal.dim(finding.id.slice(0, 12)),
  ];
}

/** Event time in UTC, to the second. */
function timeText({ timeNanos }: Finding): string {
  return new Date(Number(timeNanos / 1_000_000n)).toISOString().replace('T', ' ').slice(0, 19);
}
