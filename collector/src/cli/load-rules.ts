import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { DetectConfig } from '../detect/config.ts';
import {
  type LoadedRules,
  type LoadOptions,
  loadRules as loadRuleSources,
  type RuleReading,
  type RuleSource,
  readRules as readRuleSources,
} from '../detect/load.ts';
import { type Problem, SpanwardenError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import { readLists } from './rule-lists.ts';
import { shippedPath } from './shipped-path.ts';

export interface RuleFiles {
  readonly rules: readonly RuleSource[];
  /** `<rule>.test.yml` files. */
  readonly tests: readonly RuleSource[];
  /** Files of folders called `lists`: values for placeholders. */
  readonly lists: readonly RuleSource[];
}

/** The part of the config that says which rules there are. */
type RulesConfig = Pick<DetectConfig, 'rules' | 'shipped_rules' | 'lists'>;

/** The rules that a config asks for. Throws one SpanwardenError with everything that is wrong in all of their files. */
export function loadRules(config: RulesConfig): LoadedRules {
  const input = readRuleInput(rulePaths(config), config);
  return loadRuleSources(input.rules, input);
}

/** The same without throwing for what stands in them: the rules without an error, and all errors. */
export function readConfiguredRules(config: RulesConfig): RuleReading {
  const input = readRuleInput(rulePaths(config), config);
  return readRuleSources(input.rules, input);
}

/** What rules are made of: texts, values of placeholders, and what is wrong with files that could not be read. */
export interface RuleInput extends Pick<RuleFiles, 'rules' | 'tests'>, Required<LoadOptions> {}

/**
 * Reads rule files and folders with their lists. What is wrong with some files keeps the others from nothing, so that one run tells
 * everything. Throws a SpanwardenError for lists that are `written` wrongly.
 */
export function readRuleInput(
  paths: readonly string[],
  config: Pick<DetectConfig, 'lists'> | undefined,
  written: readonly string[] = [],
): RuleInput {
  const problems: Problem[] = [];
  const { lists: listFiles, ...files } = findRuleFiles(paths, problems);
  const { lists, problems: inLists } = readLists(listFiles, config, written);
  return { ...files, lists, problems: [...problems, ...inLists] };
}

/** The files and folders that a config takes its rules from. */
export function rulePaths({ shipped_rules, rules }: RulesConfig): readonly string[] {
  return shipped_rules ? [shippedRulesPath(), ...rules] : rules;
}

/**
 * Reads rule files and folders, in the order of their names, so that the same files always load the same way. Links
 * to folders are not followed. Throws one SpanwardenError with every path that is missing, too large or not UTF-8.
 */
export function readRuleFiles(paths: readonly string[]): RuleFiles {
  const problems: Problem[] = [];
  const files = findRuleFiles(paths, problems);
  if (problems.length > 0) throw new SpanwardenError(problems);
  return files;
}

function findRuleFiles(paths: readonly string[], problems: Problem[]): RuleFiles {
  const files = new Set<string>();
  for (const path of paths) {
    if (!existsSync(path)) {
      problems.push(missing(path));
    } else if (statSync(path).isDirectory()) {
      walk(path, files);
    } else {
      files.add(path);
      const lists = join(dirname(path), 'lists');
      if (existsSync(lists) && statSync(lists).isDirectory()) walk(lists, files);
    }
  }
  if (files.size > limits.rulesMax * 2) {
    const message = `there are more than ${limits.rulesMax * 2} rule files`;
    throw new SpanwardenError({ code: 'SW_RULE_FILE', message, advice: 'Load fewer folders.' });
  }
  const sources = [...files].map((file) => readSource(file, problems)).filter((source) => source !== undefined);
  return {
    rules: sources.filter(({ path }) => !isTest(path) && !isListFile(path)),
    tests: sources.filter(({ path }) => isTest(path)),
    lists: sources.filter(({ path }) => isListFile(path)),
  };
}

/** Throws one SpanwardenError with all paths at which there is nothing: wrong usage, where somebody wrote them. */
export function requirePaths(paths: readonly string[]): void {
  const problems = paths.filter((path) => !existsSync(path)).map(missing);
  if (problems.length > 0) throw new SpanwardenError(problems);
}

function missing(path: string): Problem {
  return fileProblem(path, 'there is no such file or folder', 'Check the path.');
}

/** The folder of the rules that ship with spanwarden: inside the package, or at the root of the repository. */
export function shippedRulesPath(): string {
  return shippedPath('rules');
}

/** A file with values for a placeholder: any in a folder called `lists`. */
export function isListFile(path: string): boolean {
  return basename(dirname(path)) === 'lists' && !isTest(path);
}

/** The paths that somebody wrote, and the shipped rules when there are none or they are wanted, too. */
export function testedPaths(written: readonly string[], shipped: true | undefined): readonly string[] {
  return written.length === 0 || shipped ? [shippedRulesPath(), ...written] : written;
}

/** The test file that stands beside a rule file. */
export function isTest(path: string): boolean {
  return /\.test\.ya?ml$/.test(path);
}

function walk(folder: string, files: Set<string>): void {
  const entries = readdirSync(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    if (entry.isDirectory()) walk(path, files);
    // In a mounted ConfigMap each file is a link. Links to folders may lead back.
    else if (/\.ya?ml$/.test(name) && statSync(path, { throwIfNoEntry: false })?.isFile()) files.add(path);
  }
}

function readSource(file: string, problems: Problem[]): RuleSource | undefined {
  const bytesMax = isListFile(file) ? limits.listFileBytesMax : limits.ruleFileBytesMax;
  if (statSync(file).size > bytesMax) {
    problems.push(fileProblem(file, `the file is larger than ${bytesMax} bytes`, 'Split it into several files.'));
    return undefined;
  }
  try {
    return { path: shownPath(file), text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)) };
  } catch (error) {
    const message = error instanceof TypeError ? 'the file is not UTF-8' : 'the file cannot be read';
    problems.push(fileProblem(file, message, 'Save it as UTF-8 and make it readable.'));
    return undefined;
  }
}

/** Paths below the working directory are shown relative to it. */
function shownPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path === '' || path.startsWith('..') ? file : path;
}

function fileProblem(path: string, message: string, advice: string): Problem {
  return { code: 'SW_RULE_FILE', message, advice, position: { file: shownPath(path), line: 1, column: 1 } };
}
