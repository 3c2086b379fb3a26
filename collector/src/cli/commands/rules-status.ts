import { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import type { LoadedRules } from '../../detect/load.ts';
import { namesOf } from '../../detect/names.ts';
import { didYouMean } from '../../detect/report.ts';
import { SpanwardenError } from '../../model/errors.ts';
import type { StoreClient } from '../../store/client.ts';
import {
  arrivedFields,
  dispositionsByRule,
  findingsByRule,
  ruleActivity,
  ruleStates,
  storedAttributes,
} from '../../store/rule-health-reader.ts';
import { readConfiguredRules } from '../load-rules.ts';
import { withStore } from '../open-store.ts';
import { writeProblem } from '../rule-problems.ts';
import { doubtedAttributes, type RuleStatus, refusalIn, statusOf } from '../rule-status.ts';
import { statusPages, statusSummary, statusTable } from '../rule-status-view.ts';
import { sinceOption } from '../since-option.ts';
import { createTerminal, escapeControl, jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly since: number;
}

/**
 * `spanwarden rules status [rules…]`: what each rule of the config has seen, matched and cost, and whether it can fire at all.
 * Ends with 2 for a name that no rule has.
 */
export function rulesStatusCommand(): Command {
  const now = Date.now();
  return new Command('status')
    .description('what each rule has seen, found and cost, and whether it can fire at all')
    .argument('[rules...]', 'ids or names of rules, for everything about them (default: a line for each rule)')
    .addOption(sinceOption(now, 7))
    .option('--json', 'print one JSON object')
    .action(async (names: string[], _, command: Command) => status(names, command.optsWithGlobals<Options>()));
}

async function status(names: readonly string[], options: Options): Promise<void> {
  const config = loadConfig({ file: options.config, env: process.env });
  const set = readConfiguredRules(config.detect);
  const ids = idsOf(names, [...set.rules, ...set.correlations]);
  const since = new Date(options.since);
  const { facts, spans } = await withStore(config, async (client) => readFacts(client, since, set));
  const all = statusOf(set, facts);
  const rules = ids.length === 0 ? all : all.filter(({ id }) => ids.includes(id));
  const refused = refusalIn(facts.states);
  const terminal = createTerminal(process.stdout);
  if (options.json) {
    terminal.write(
      jsonLine({ since: since.toISOString(), spans, ...(refused && { refused }), errors: set.errors, rules }, 2),
    );
    return;
  }
  if (!refused) for (const problem of set.errors) writeProblem(terminal, problem, terminal.red('error'));
  if (refused) {
    const head = terminal.red('The newest rules have errors; the collector goes on with the old ones:');
    terminal.writeLine(
      `${head}\n${refused.reason
        .split('\n')
        .map((line) => `  ${escapeControl(line)}`)
        .join('\n')}\n`,
    );
  }
  if (spans === 0) terminal.writeLine(terminal.yellow('No span has arrived in this time, so no rule could fire.\n'));
  terminal.write(
    ids.length > 0 ? statusPages(rules, `since ${since.toISOString().slice(0, 16)}Z`, terminal) : table(rules),
  );

  function table(shown: readonly RuleStatus[]): string {
    return `${statusTable(shown, terminal)}\n${statusSummary(shown)}\n`;
  }
}

async function readFacts(client: StoreClient, since: Date, set: LoadedRules) {
  const [activity, findings, dispositions, states, arrived] = await Promise.all([
    ruleActivity(client, since),
    findingsByRule(client, since),
    dispositionsByRule(client),
    ruleStates(client),
    arrivedFields(client, since),
  ]);
  // Whoever says “never” has looked twice: what the collector noted, and what is stored.
  const stored = await storedAttributes(client, doubtedAttributes(set, arrived.fields), since);
  const facts = { activity, findings, dispositions, states, arrived: arrived.fields, stored };
  return { facts, spans: arrived.spans };
}

type AnyRule = Parameters<typeof namesOf>[0];

function idsOf(names: readonly string[], rules: readonly AnyRule[]): string[] {
  return names.map((name) => {
    const rule = rules.find((each) => namesOf(each).includes(name));
    if (rule) return rule.meta.id;
    const near = didYouMean(name, rules.flatMap(namesOf));
    const advice = near ? `Write ${near}.` : 'spanwarden rules list shows the names.';
    throw new SpanwardenError({ code: 'SW_RULE_VALUE', message: `no rule is called ${name}`, advice });
  });
}
