import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { createCoverage, type RuleCoverage } from '../../detect/coverage.ts';
import { type EvasionResult, runEvasions } from '../../detect/evasions.ts';
import { loadRules } from '../../detect/load.ts';
import { type RuleTestRun, runRuleTests } from '../../detect/rule-tests.ts';
import { SpanwardenError } from '../../model/errors.ts';
import { createFieldTable } from '../../model/fields.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { junitXml } from '../junit.ts';
import { readRuleInput, requirePaths, testedPaths } from '../load-rules.ts';
import { collect } from '../rule-lists.ts';
import { count, writeProblem } from '../rule-problems.ts';
import { createTestRun } from '../rule-test-events.ts';
import { coveragePercent, writeCoverage, writeEvasions } from '../rule-test-view.ts';
import { createTerminal, jsonLine, type Terminal } from '../terminal.ts';
import { onChange } from '../watch-files.ts';

interface Options {
  readonly json?: true;
  readonly list?: readonly string[];
  readonly shipped?: true;
  readonly watch?: true;
  readonly junit?: string;
  readonly coverage?: true;
  readonly coverageMin?: number;
  readonly evasions?: true;
  readonly shuffle: number;
  readonly seed: number;
}

/**
 * `spanwarden rules test [paths…]`; without paths the rules that ship with spanwarden. Ends with 1 when a test does not hold
 * or the coverage is under `--coverage-min`, with 2 when rule files cannot be read or loaded; with `--watch` it goes on
 * until Ctrl-C and then ends with 0.
 */
export function rulesTestCommand(): Command {
  return new Command('test')
    .description('run the <rule>.test.yml files beside the rules')
    .argument('[paths...]', 'rule files and folders (default: the shipped rules)')
    .option('--json', 'print one JSON object')
    .option('--list <name=value,…>', 'values for a %name% placeholder; may be repeated', collect)
    .option('--shipped', 'the shipped rules, too: for filters, correlations and tests that name them')
    .option('--watch', 'run again whenever a rule or a test changes, until Ctrl-C')
    .option('--junit <file>', 'write the results as JUnit XML, too')
    .option('--coverage', 'tell which selections and fields no test makes true, or false')
    .option('--coverage-min <percent>', 'the same, and end with 1 when less is covered', percent)
    .option('--evasions', 'tell which matches are missed when their texts are written in other ways')
    .option('--shuffle <orders>', 'orders of arrival to try for each case of a correlation', whole, 3)
    .option('--seed <number>', 'which orders: the same number gives the same ones', whole, 1)
    .action((written: string[], options: Options) => {
      const paths = testedPaths(written, options.shipped);
      return options.watch ? watch(paths, options) : testOnce(paths, options);
    });
}

function testOnce(paths: readonly string[], options: Options): void {
  const terminal = createTerminal(process.stdout);
  try {
    if (!test(paths, options, terminal)) throw new CommandExit(exitCodes.failure);
  } catch (error) {
    if (options.json !== true || !(error instanceof SpanwardenError)) throw error;
    terminal.write(jsonLine({ errors: error.problems }, 2));
    throw new CommandExit(exitCodes.usage);
  }
}

/** While somebody edits, a file that cannot be read is one more thing to tell, not the end. */
async function watch(paths: readonly string[], options: Options): Promise<void> {
  const terminal = createTerminal(process.stdout);
  await onChange(paths, () => {
    try {
      test(paths, options, terminal);
    } catch (error) {
      if (!(error instanceof SpanwardenError)) throw error;
      if (options.json) terminal.write(jsonLine({ errors: error.problems }));
      else for (const problem of error.problems) writeProblem(terminal, problem, terminal.red('error'));
    }
  });
}

interface Outcome extends RuleTestRun {
  readonly coverage?: readonly RuleCoverage[];
  readonly evasions?: readonly EvasionResult[];
}

function test(paths: readonly string[], options: Options, terminal: Terminal): boolean {
  const outcome = runTests(paths, options);
  if (options.junit !== undefined) writeJunit(options.junit, outcome);
  const failed = outcome.results.filter((result) => result.status === 'failed').length;
  const covered = outcome.coverage && coveragePercent(outcome.coverage);
  const enough = covered === undefined || options.coverageMin === undefined || covered >= options.coverageMin;
  if (options.json) {
    const summary = { passed: outcome.results.length - failed, failed, ...(covered !== undefined && { covered }) };
    terminal.write(jsonLine({ ...summary, ...outcome }, options.watch ? undefined : 2));
  } else {
    write(outcome, failed, terminal);
    if (!enough) terminal.writeLine(terminal.red(`less than ${options.coverageMin} % is covered`));
  }
  return failed === 0 && outcome.problems.length === 0 && enough;
}

function runTests(paths: readonly string[], options: Options): Outcome {
  requirePaths(paths);
  const input = readRuleInput(paths, undefined, options.list);
  const set = loadRules(input.rules, input);
  const fields = createFieldTable();
  const shuffle = { orders: options.shuffle, seed: options.seed };
  const run = { ...set, tests: input.tests, ...createTestRun(fields), shuffle };
  const wanted = options.coverage === true || options.coverageMin !== undefined;
  const recorder = wanted ? createCoverage(fields) : undefined;
  const outcome = runRuleTests({ ...run, ...(recorder && { onCase: recorder.record }) });
  return {
    ...outcome,
    ...(recorder && { coverage: recorder.report(set.rules) }),
    ...(options.evasions && { evasions: runEvasions(run) }),
  };
}

function write({ results, problems, coverage, evasions }: Outcome, failed: number, terminal: Terminal): void {
  for (const { problem } of results) if (problem) writeProblem(terminal, problem, terminal.red('failed'));
  for (const problem of problems) writeProblem(terminal, problem, terminal.red('error'));
  if (coverage) writeCoverage(coverage, terminal);
  if (evasions) writeEvasions(evasions, terminal);
  const passed = `${results.length - failed} passed`;
  const shown = failed === 0 ? terminal.green(passed) : passed;
  terminal.writeLine(`${shown}, ${failed} failed, ${count(problems.length, 'error')}`);
}

function writeJunit(file: string, run: RuleTestRun): void {
  try {
    writeFileSync(file, junitXml(run));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    const advice = 'Name a file in a folder that exists and can be written to.';
    throw new SpanwardenError({ code: 'SW_RULE_FILE', message: `${file} cannot be written: ${reason}`, advice });
  }
}

function whole(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Write a whole number.');
}

function percent(text: string): number {
  const number = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && number <= 100) return number;
  throw new InvalidArgumentError('Write a number from 0 to 100.');
}
