import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { lintRules } from '../../detect/lint.ts';
import type { LoadedRules } from '../../detect/load.ts';
import { SpanwardenError } from '../../model/errors.ts';
import { taxonomy } from '../../normalise/taxonomy.ts';
import { getFinding } from '../../store/findings-reader.ts';
import { suppressedByFilter } from '../../store/rule-health-reader.ts';
import { currentUser, draftFor, expiryDefault, isRead, parseExpiry, writeDraft } from '../draft-files.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { parseIdPrefix } from '../findings-filter.ts';
import { loadRules, readRuleFiles, rulePaths } from '../load-rules.ts';
import { withStore } from '../open-store.ts';
import { placeholderLists } from '../rule-lists.ts';
import { writeProblem } from '../rule-problems.ts';
import { sinceOption } from '../since-option.ts';
import { type Preview, previewFilter } from '../suppression-preview.ts';
import { listedSuppression, previewText, suppressionTable } from '../suppression-view.ts';
import { createTerminal, escapeControl, jsonLine } from '../terminal.ts';
import { notFound, showDraft } from './findings-mark.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly since: number;
  readonly owner: string;
  readonly reason: string;
  readonly expires: string;
  readonly write?: string;
}

/** `spanwarden suppressions list | preview | add`: what is kept quiet, for whom, how long, and at what price. */
export function suppressionsCommand(): Command {
  const now = Date.now();
  const since = (command: Command): Command => command.addOption(sinceOption(now, 30));
  const run = (perform: (config: Config, options: Options) => Promise<void>) => (command: Command) => {
    const options = command.optsWithGlobals<Options>();
    return perform(loadConfig({ file: options.config, env: process.env }), options);
  };
  return new Command('suppressions')
    .description('list, try and add suppressions: filters that keep findings quiet')
    .addCommand(
      since(new Command('list').description('all filters among the rules, with owner, expiry and what they took'))
        .option('--json', 'print one JSON object')
        .action((_, command: Command) => run(list)(command)),
    )
    .addCommand(
      since(new Command('preview').description('what the filters of a file would have hidden, from stored findings'))
        .argument('<file>', 'a file with filters, in use or not')
        .option('--json', 'print one JSON object')
        .action((file: string, _, command: Command) => run((...args) => preview(file, ...args))(command)),
    )
    .addCommand(
      since(new Command('add').description('the narrowest suppression for a finding, and its test'))
        .argument('<finding>', 'id of a finding, or the first characters of it', parseIdPrefix)
        .requiredOption('--reason <text>', 'why what it hides is harmless')
        .addOption(new Option('--owner <name>', 'whom to ask about it').default(currentUser(), 'your user name'))
        .option(
          '--expires <when>',
          'its last day: 90d, or 2027-01-31',
          (text) => parseExpiry(text, now),
          expiryDefault(now),
        )
        .option('--write <folder>', 'write both files into this folder')
        .action((id: string, _, command: Command) => run((...args) => add(id, ...args))(command)),
    );
}

async function list(config: Config, { json, since }: Options): Promise<void> {
  const { rules, filters } = loadRules(config.detect);
  const taken = await withStore(config, (client) => suppressedByFilter(client, new Date(since)));
  const now = BigInt(Date.now()) * 1_000_000n;
  const listed = filters.map((filter) => listedSuppression(filter, rules, taken, now));
  const terminal = createTerminal(process.stdout);
  if (json) terminal.write(jsonLine({ since: new Date(since).toISOString(), suppressions: listed }, 2));
  else if (listed.length === 0) terminal.writeLine('No filters among the rules. docs/tuning.md says how to write one.');
  else terminal.write(suppressionTable(listed, terminal));
}

async function preview(file: string, config: Config, { json, since }: Options): Promise<void> {
  const terminal = createTerminal(process.stdout);
  const { filters, ...set } = readWith(file, config);
  const previews = await withStore(config, async (client) => {
    const all: Preview[] = [];
    for (const filter of filters) all.push(await previewFilter(client, filter, set, new Date(since)));
    return all;
  });
  if (json) terminal.write(jsonLine({ since: new Date(since).toISOString(), previews }, 2));
  else for (const each of previews) terminal.write(previewText(each, new Date(since), terminal));
}

/** The rules of the config and the filters of the file. Throws with everything that is wrong in the file. */
function readWith(file: string, config: Config): LoadedRules {
  const own = readRuleFiles([file]).rules;
  const files = readRuleFiles(rulePaths(config.detect).filter(existsSync));
  const names = new Set(own.map(({ path }) => path));
  const sources = [...files.rules.filter(({ path }) => !names.has(path)), ...own];
  const lists = placeholderLists(files.lists, config.detect);
  const { errors, warnings, ...set } = lintRules(sources, { lists, knownFields: taxonomy, nowMs: Date.now() });
  const inFile = errors.filter(({ position }) => position === undefined || names.has(position.file));
  if (inFile.length > 0) throw new SpanwardenError(inFile);
  const stderr = createTerminal(process.stderr);
  for (const problem of warnings) {
    if (problem.position && names.has(problem.position.file)) writeProblem(stderr, problem, stderr.yellow('warning'));
  }
  const wanted = set.filters.filter((filter) => names.has(filter.file));
  if (wanted.length > 0) return { ...set, filters: wanted };
  throw new SpanwardenError({
    code: 'SW_RULE_FILE',
    message: `${file} holds no filter`,
    advice: 'docs/tuning.md shows one.',
  });
}

async function add(id: string, config: Config, { owner, reason, expires, write }: Options): Promise<void> {
  const terminal = createTerminal(process.stdout);
  await withStore(config, async (client) => {
    const found = await getFinding(client, id);
    if (found.status !== 'found') throw notFound(found.status, id);
    const draft = await draftFor(config, client, found.finding, { owner, reason, expires });
    if (draft.status === 'none' || write === undefined) {
      showDraft(draft, [], found.finding, terminal);
      if (draft.status === 'none') throw new CommandExit(exitCodes.failure);
      return;
    }
    const path = writeDraft(write, `${draft.name}.yml`, draft.suppression);
    const written = [path, writeDraft(write, `${draft.name}.test.yml`, draft.test)];
    showDraft(draft, written, found.finding, terminal);
    if (!isRead(config, write)) {
      terminal.writeLine(`The collector does not read it yet: add ${escapeControl(write)} to detect.rules.`);
    }
  });
}
