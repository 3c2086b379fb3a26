import { Command } from 'commander';
import { type Correlation, isCorrelation } from '../../detect/correlate/correlation.ts';
import { lintRules } from '../../detect/lint.ts';
import { type Rule, type RuleSet, readRules } from '../../detect/load.ts';
import { type RuleTestRun, runRuleTests } from '../../detect/rule-tests.ts';
import { SpanwardenError } from '../../model/errors.ts';
import { createFieldTable } from '../../model/fields.ts';
import type { Level } from '../../model/severity.ts';
import { Category } from '../../model/span-events.ts';
import { taxonomy } from '../../normalise/taxonomy.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { type RuleInput, readRuleInput, requirePaths, testedPaths } from '../load-rules.ts';
import { collect } from '../rule-lists.ts';
import { count, writeProblem } from '../rule-problems.ts';
import { createTestRun } from '../rule-test-events.ts';
import { createTerminal, escapeControl, jsonLine, type Style, type Terminal } from '../terminal.ts';
import { rulesBacktestCommand } from './rules-backtest.ts';
import { rulesExplainCommand } from './rules-explain.ts';
import { rulesNewCommand } from './rules-new.ts';
import { rulesSqlCommand } from './rules-sql.ts';
import { rulesStatusCommand } from './rules-status.ts';
import { rulesTestCommand } from './rules-test.ts';

interface RulesOptions {
  readonly json?: true;
  readonly shipped?: true;
  /** `name=value,value`, repeated, for placeholders. */
  readonly list?: readonly string[];
}

/**
 * `spanwarden rules lint|list [paths…]`, without paths the rules that ship with spanwarden, and what has a file of its own.
 * Ends with 1 when lint found errors, with 2 when rule files cannot be read or, for list, cannot be loaded.
 */
export function rulesCommand(): Command {
  const command = new Command('rules').description('check, test and list detection rules');
  const actions = [
    ['lint', 'report everything that is wrong or doubtful in rule files', lint],
    ['list', 'list rules with level, logsource and tags', list],
  ] as const;
  for (const [name, description, action] of actions) {
    command
      .command(name)
      .description(description)
      .argument('[paths...]', 'rule files and folders (default: the shipped rules)')
      .option('--shipped', 'the shipped rules, too: for filters and correlations that name them')
      .option('--json', 'print one JSON object')
      .option('--list <name=value,…>', 'values for a %name% placeholder; may be repeated', collect)
      .action((paths: string[], options: RulesOptions) => run(action, paths, options));
  }
  return command
    .addCommand(rulesTestCommand())
    .addCommand(rulesBacktestCommand())
    .addCommand(rulesSqlCommand())
    .addCommand(rulesExplainCommand())
    .addCommand(rulesNewCommand())
    .addCommand(rulesStatusCommand());
}

interface Input {
  readonly input: RuleInput;
  readonly json: boolean;
  readonly terminal: Terminal;
}

function run(action: (input: Input) => boolean, paths: readonly string[], options: RulesOptions): void {
  const terminal = createTerminal(process.stdout);
  const json = options.json === true;
  try {
    requirePaths(paths);
    const input = readRuleInput(testedPaths(paths, options.shipped), undefined, options.list);
    if (!action({ input, json, terminal })) throw new CommandExit(exitCodes.failure);
  } catch (error) {
    if (!json || !(error instanceof SpanwardenError)) throw error;
    terminal.write(jsonLine({ errors: error.problems }, 2));
    throw new CommandExit(exitCodes.usage);
  }
}

function lint({ input, json, terminal }: Input): boolean {
  const { rules, correlations, errors, warnings } = lintRules(input.rules, {
    ...input,
    knownFields: taxonomy,
    nowMs: Date.now(),
  });
  const untested = testRun(input, { rules, correlations }).problems;
  const loaded = rules.length + correlations.length;
  const all = [...errors, ...untested];
  if (json) {
    terminal.write(jsonLine({ rules: loaded, errors: all, warnings }, 2));
    return all.length === 0;
  }
  for (const problem of all) writeProblem(terminal, problem, terminal.red('error'));
  for (const problem of warnings) writeProblem(terminal, problem, terminal.yellow('warning'));
  terminal.writeLine(`${count(loaded, 'rule')}, ${count(all.length, 'error')}, ${count(warnings.length, 'warning')}`);
  return all.length === 0;
}

function list({ input, json, terminal }: Input): boolean {
  const { rules, correlations, errors } = readRules(input.rules, input);
  if (errors.length > 0) throw new SpanwardenError(errors);
  if (json) {
    terminal.write(jsonLine({ rules: [...rules, ...correlations].map(listed) }, 2));
    return true;
  }
  const style: Readonly<Record<Level, Style>> = {
    informational: terminal.dim,
    low: terminal.dim,
    medium: terminal.yellow,
    high: terminal.red,
    critical: terminal.red,
  };
  const rows = [...rules, ...correlations].map((rule) => [
    style[rule.meta.level](rule.meta.level),
    escapeControl(rule.meta.name || rule.meta.id),
    isCorrelation(rule) ? rule.syntax.type : categoryNames(rule.categories).join(' '),
    escapeControl(rule.meta.title),
  ]);
  const header = ['LEVEL', 'NAME', 'LOGSOURCE', 'TITLE'].map(terminal.bold);
  terminal.write(terminal.table([header, ...rows]));
  return true;
}

function testRun({ tests }: RuleInput, set: RuleSet): RuleTestRun {
  return runRuleTests({ ...set, tests, ...createTestRun(createFieldTable()) });
}

function listed(rule: Rule | Correlation): object {
  const { id, name, title, level, response, status, tags, version } = rule.meta;
  const reads = isCorrelation(rule)
    ? { correlation: rule.syntax.type, rules: rule.members.map(({ source }) => source.meta.id) }
    : { categories: categoryNames(rule.categories) };
  return { id, name, title, level, response, status, tags, version, ...reads, file: rule.file };
}

function categoryNames(bits: number): string[] {
  const names = Object.entries(Category).filter(([, bit]) => (bits & bit) !== 0);
  if (names.length === Object.keys(Category).length) return ['any'];
  return names.length === 0 ? ['none'] : names.map(([name]) => name);
}
