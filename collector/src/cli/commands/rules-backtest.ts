import { Command, InvalidArgumentError } from 'commander';
import { Backtest } from '../../backtest/backtest.ts';
import { warmUpNanos, withSources } from '../../backtest/rule-choice.ts';
import { loadConfig } from '../../config/load.ts';
import { createFieldTable } from '../../model/fields.ts';
import { type Level, levels } from '../../model/severity.ts';
import { NormalisedEvents } from '../../normalise/span-events.ts';
import { Prices } from '../../prices/prices.ts';
import type { StoreClient } from '../../store/client.ts';
import { agentSpans } from '../../store/history/agents.ts';
import type { HistoryRange } from '../../store/history/query.ts';
import { planHistory, readHistory } from '../../store/history/read.ts';
import { type BacktestReport, backtestText } from '../backtest-view.ts';
import { type ChosenRules, chooseRules } from '../chosen-rules.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { parseLevel, parseSince } from '../findings-filter.ts';
import { whyNoHistory } from '../no-history.ts';
import { withStore } from '../open-store.ts';
import { createProgress } from '../progress.ts';
import { collect } from '../rule-lists.ts';
import { sinceOption } from '../since-option.ts';
import { createTerminal, jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly list?: readonly string[];
  readonly since: number;
  readonly until?: number;
  readonly agent?: string;
  readonly service?: string;
  readonly examples: number;
  readonly maxFindings?: number;
  readonly maxNew?: number;
  readonly maxGone?: number;
  readonly failOn?: Level;
}

const dayMs = 86_400_000;

/**
 * `spanwarden rules backtest <rule>`: what rules would have found in the spans that are stored. Ends with 1 when a gate is
 * gone over, with 2 when the rule cannot be loaded, with 3 when ClickHouse does not answer.
 */
export function rulesBacktestCommand(): Command {
  const now = Date.now();
  const when = (text: string): number => parseSince(text, now);
  return new Command('backtest')
    .description('what rules would have found in stored spans, and what they find other than the installed ones')
    .argument('<rule>', 'a rule file or folder, or the id or name of a rule of the config')
    .addOption(sinceOption(now, 30))
    .option('--until <when>', 'the same way (default: now)', when)
    .option('--agent <name>', 'only spans of this agent, or service')
    .option('--service <name>', 'only spans of this service')
    .option('--examples <n>', 'examples to show for each rule', number, 3)
    .option('--list <name=value,…>', 'values for a %name% placeholder; may be repeated', collect)
    .option('--max-findings <n>', 'end with 1 when a rule has more findings', number)
    .option('--max-new <n>', 'end with 1 when a rule has more findings that the installed version has not', number)
    .option('--max-gone <n>', 'end with 1 when more findings of the installed version are gone', number)
    .option('--fail-on <level>', 'end with 1 when a rule of this level or above fires', parseLevel)
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExit codes: 0 ok, 1 a gate was gone over, 2 wrong usage or rules, 3 no ClickHouse.')
    .action((rule: string, _, command: Command) => backtest(rule, command.optsWithGlobals<Options>(), now));
}

async function backtest(argument: string, options: Options, nowMs: number): Promise<void> {
  const config = loadConfig({ file: options.config, env: process.env });
  const chosen = chooseRules(argument, config.detect, options.list);
  const untilMs = options.until ?? nowMs;
  const terminal = createTerminal(process.stdout);
  const outcome = await withStore(config, async (client) => {
    const report = await run(client, chosen, options, untilMs);
    return report.spans === 0 ? { report, why: await whyNoHistory(client, rangeOf(options, untilMs)) } : { report };
  });
  const { report } = outcome;
  if (options.json) terminal.write(jsonLine({ ...report, ...('why' in outcome && { why: outcome.why }) }, 2));
  else if ('why' in outcome) terminal.writeLine(outcome.why);
  else terminal.write(backtestText(report, terminal));
  if (report.exceeded.length > 0) throw new CommandExit(exitCodes.failure);
}

async function run(
  client: StoreClient,
  { rules, installed }: ChosenRules,
  options: Options,
  untilMs: number,
): Promise<BacktestReport> {
  const range = rangeOf(options, untilMs);
  const fields = createFieldTable();
  const prices = new Prices();
  const events = new NormalisedEvents(fields, prices);
  const versions = new Map([...rules.rules, ...rules.correlations].map(({ meta }) => [meta.id, meta.version]));
  const others = withSources(installed, ({ meta }) => (versions.get(meta.id) ?? meta.version) !== meta.version);
  const test = new Backtest({
    rules,
    installed: others,
    fields,
    prices,
    fromNanos: range.fromNanos,
    examplesMax: options.examples,
  });
  const longest = [rules, others].map(warmUpNanos).reduce((a, b) => (a > b ? a : b));
  const warming = { ...range, fromNanos: range.fromNanos - longest, toNanos: range.fromNanos };
  const [before, plan, agents] = await Promise.all([
    longest > 0n ? planHistory(client, warming) : undefined,
    planHistory(client, range),
    agentSpans(client, range),
  ]);
  const started = performance.now();
  const total = (before?.spans ?? 0) + plan.spans;
  const progress = createProgress(total, process.stderr, started);
  const losses = { untyped: 0, cutValues: 0, redacted: 0, missingMessages: 0 };
  let done = 0;
  try {
    for (const part of before ? [before, plan] : [plan]) {
      const reading = readHistory(client, part, { fields });
      for await (const batch of reading.batches) {
        test.take(events.bind(batch), part === before);
        done += batch.spanCount;
        progress.advance(done, performance.now());
      }
      losses.untyped += reading.losses.untyped;
      losses.cutValues += reading.losses.cutValues;
      losses.redacted += reading.losses.redacted;
      losses.missingMessages += reading.losses.missingMessages;
    }
  } finally {
    progress.end();
  }
  const found = test.finish();
  return {
    since: new Date(options.since).toISOString(),
    until: new Date(untilMs).toISOString(),
    days: (untilMs - options.since) / dayMs,
    spans: test.spans,
    warmUpSpans: done - test.spans,
    seconds: (performance.now() - started) / 1000,
    rules: found,
    agents,
    losses,
    exceeded: gatesExceeded(found, options),
  };
}

function rangeOf({ since, agent, service }: Options, untilMs: number): HistoryRange {
  return {
    fromNanos: BigInt(since) * 1_000_000n,
    toNanos: BigInt(untilMs) * 1_000_000n,
    ...(agent !== undefined && { agent }),
    ...(service !== undefined && { service }),
  };
}

function gatesExceeded(rules: BacktestReport['rules'], gates: Options): string[] {
  const { maxFindings = Number.POSITIVE_INFINITY, maxNew, maxGone, failOn } = gates;
  return rules.flatMap(({ title, fires, level, difference }) => [
    ...(fires > maxFindings ? [`${title}: ${fires} findings, more than ${maxFindings}`] : []),
    ...(maxNew !== undefined && (difference?.fresh ?? 0) > maxNew
      ? [`${title}: ${difference!.fresh} new findings, more than ${maxNew}`]
      : []),
    ...(maxGone !== undefined && (difference?.gone ?? 0) > maxGone
      ? [`${title}: ${difference!.gone} findings gone, more than ${maxGone}`]
      : []),
    ...(failOn !== undefined && fires > 0 && levels.indexOf(level) >= levels.indexOf(failOn)
      ? [`${title}: fires, and is ${level}`]
      : []),
  ]);
}

function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}
