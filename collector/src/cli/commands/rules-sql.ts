import { Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { isCorrelation } from '../../detect/correlate/correlation.ts';
import { type HuntQuery, huntQuery } from '../../hunt/query.ts';
import { chooseRules } from '../chosen-rules.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { collect } from '../rule-lists.ts';
import { sinceOption } from '../since-option.ts';
import { createTerminal, escapeControl, jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly list?: readonly string[];
  readonly since: number;
  readonly limit: number;
  readonly widen?: true;
}

/**
 * `spanwarden rules sql <rule>`: the ClickHouse query of a rule, to paste. Ends with 1 when a rule cannot be said in SQL, with
 * 2 when it cannot be loaded.
 */
export function rulesSqlCommand(): Command {
  const now = Date.now();
  return new Command('sql')
    .description('print the ClickHouse query of a rule, for hunting in stored spans')
    .argument('<rule>', 'a rule file or folder, or the id or name of a rule of the config')
    .addOption(sinceOption(now, 7, 'spans that started since'))
    .option('--limit <n>', 'rows at most', rows, 1000)
    .option('--widen', 'where a rule cannot be said in SQL, print a query that finds more than it')
    .option('--list <name=value,…>', 'values for a %name% placeholder; may be repeated', collect)
    .option('--json', 'print one JSON object')
    .action((rule: string, _, command: Command) => print(rule, command.optsWithGlobals<Options>(), now));
}

function print(argument: string, options: Options, nowMs: number): void {
  const { detect } = loadConfig({ file: options.config, env: process.env });
  const { rules, correlations } = chooseRules(argument, detect, options.list).rules;
  const used = new Set(correlations.flatMap(({ members }) => members.map(({ source }) => source)));
  const asked = [...rules, ...correlations].filter((rule) => !used.has(rule) || rule.meta.id === argument);
  const lastSeconds = Math.max(1, Math.round((nowMs - options.since) / 1000));
  const queries = asked.map((rule) => ({
    rule: { id: rule.meta.id, title: rule.meta.title, kind: isCorrelation(rule) ? rule.syntax.type : 'rule' },
    ...huntQuery(rule, { lastSeconds, rowsMax: options.limit, widen: options.widen === true }),
  }));
  const terminal = createTerminal(process.stdout);
  if (options.json) terminal.write(jsonLine({ queries }, 2));
  else terminal.write(queries.flatMap((query) => ('sql' in query ? [query.sql.replace(/\n$/, ';\n')] : [])).join('\n'));
  for (const query of queries) if (!options.json) complain(query.rule.title, query);
  if (queries.some(({ status }) => status === 'refused')) throw new CommandExit(exitCodes.failure);
}

/** On stderr, so that the queries can be piped on. */
function complain(title: string, query: HuntQuery): void {
  if (query.status !== 'refused') return;
  const reasons = query.reasons.map((reason) => `  ${escapeControl(reason)}\n`).join('');
  process.stderr.write(`no query for ${escapeControl(title)}:\n${reasons}`);
  process.stderr.write('  spanwarden rules backtest runs the rule itself; --widen prints a query that finds more.\n');
}

function rows(text: string): number {
  const number = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (number < 1) throw new InvalidArgumentError('Write a number from 1 to 9999999.');
  return number;
}
