import { existsSync, statSync } from 'node:fs';
import { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import type { Correlation } from '../../detect/correlate/correlation.ts';
import { createExplainer } from '../../detect/explain.ts';
import { type Rule, readRules } from '../../detect/load.ts';
import { SpanwardenError } from '../../model/errors.ts';
import { createFieldTable } from '../../model/fields.ts';
import { correlationText } from '../correlation-view.ts';
import { explainCorrelations } from '../explain-correlations.ts';
import { isStoredSpan, readSpans, readStoredSpan } from '../explain-span.ts';
import { explainStored, type StoredExplanation } from '../explain-stored-correlation.ts';
import { explanationText } from '../explain-view.ts';
import { readRuleInput, shippedRulesPath } from '../load-rules.ts';
import { withStore } from '../open-store.ts';
import { collect } from '../rule-lists.ts';
import { createTerminal, escapeControl, jsonLine, type Terminal } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly list?: readonly string[];
}

/**
 * `spanwarden rules explain <rule> <span>`: why a rule matches a span or not, or a correlation the spans of a case. Ends with 0 whichever it is, with 2 when the
 * rule or the span cannot be read.
 */
export function rulesExplainCommand(): Command {
  return new Command('explain')
    .description('say why a rule matches a span or not, leaf by leaf')
    .argument('<rule>', 'id or name of a rule, shipped or of the config, or a rule file')
    .argument(
      '<span>',
      '<trace id>/<span id> of a stored span, or a file with OTLP/JSON or spans of a rule test, - for stdin; file#<span id, number or case>',
    )
    .option('--json', 'print one JSON object')
    .option('--list <name=value,…>', 'values for a %name% placeholder; may be repeated', collect)
    .action(async (rule: string, span: string, _, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const named = rulesNamed(rule, options);
      const json = options.json === true;
      if (named.correlations.length > 0 && isStoredSpan(span))
        await explainStoredSpan(named.correlations, span, options);
      else if (named.correlations.length > 0) explainCorrelations(named, span, json);
      else await explain(named.rules, span, options);
    });
}

async function explainStoredSpan(
  correlations: readonly Correlation[],
  argument: string,
  options: Options,
): Promise<void> {
  const config = loadConfig({ file: options.config, env: process.env });
  const explanations = await withStore(config, async (client) => {
    const all: StoredExplanation[] = [];
    for (const correlation of correlations) all.push(await explainStored(client, correlation, argument));
    return all;
  });
  const terminal = createTerminal(process.stdout);
  if (options.json) terminal.write(jsonLine({ explanations }, 2));
  else for (const each of explanations) terminal.writeLine(storedText(each, terminal));
}

function storedText(explanation: StoredExplanation, terminal: Terminal): string {
  const { span, isListed, isUnfound, redacted } = explanation;
  const about = `  span ${span.traceId}/${span.spanId} ${escapeControl(span.name)}\n`;
  const listed = isListed
    ? ''
    : terminal.yellow('  the span matches none of these rules; spanwarden rules explain <rule> <span> says why\n');
  const unfound = isUnfound ? terminal.yellow(`  ${unfoundNote}\n`) : '';
  return `${redacted ? `${terminal.dim(redactedNote)}\n` : ''}${correlationText(explanation, terminal)}${about}${listed}${unfound}`;
}

async function explain(rules: readonly Rule[], argument: string, options: Options): Promise<void> {
  const json = options.json === true;
  const terminal = createTerminal(process.stdout);
  const fields = createFieldTable();
  const explainers = rules.map((rule) => ({ rule, explainOne: createExplainer(rule, fields) }));
  const {
    events,
    spans,
    redacted = false,
  } = isStoredSpan(argument)
    ? await withStore(loadConfig({ file: options.config, env: process.env }), (client) =>
        readStoredSpan(client, argument, fields),
      )
    : readSpans(argument, fields);
  const results = explainers.flatMap(({ rule, explainOne }) =>
    spans.map((span) => ({ rule, span, explanation: explainOne(events, span.index) })),
  );
  if (!json) {
    if (redacted) terminal.writeLine(terminal.dim(redactedNote));
    for (const { span, explanation } of results) terminal.writeLine(explanationText(span, explanation, terminal));
    return;
  }
  const explanations = results.map(({ rule, span, explanation }) => {
    const { id, name, title } = rule.meta;
    const { index: _, ...shown } = span;
    return { rule: { id, name, title, file: rule.file }, span: shown, matched: explanation.matched, explanation };
  });
  terminal.write(jsonLine({ explanations, ...(redacted && { redacted }) }, 2));
}

const unfoundNote =
  'no finding of it is stored: its spans came later than detect.allowed_lateness_ms, the rule is newer than they are, or only other correlations see it';

const redactedNote =
  'Something of this trace was redacted before storage: where a placeholder stands, the stream saw the value.';

interface Named {
  readonly rules: readonly Rule[];
  readonly correlations: readonly Correlation[];
}

/** The rules of a file, or the one rule with an id or name. Correlations come alone: their rules are parts of them. */
function rulesNamed(rule: string, options: Options): Named {
  const { detect } = loadConfig({ file: options.config, env: process.env });
  const isFile = existsSync(rule) && statSync(rule).isFile();
  const paths = isFile ? [rule] : [...(detect.shipped_rules ? [shippedRulesPath()] : []), ...detect.rules];
  const input = readRuleInput(paths, detect, options.list);
  const { rules, correlations, errors } = readRules(input.rules, input);
  const isNamed = ({ meta }: Rule | Correlation): boolean => isFile || meta.id === rule || meta.name === rule;
  const named = { rules: rules.filter(isNamed), correlations: correlations.filter(isNamed) };
  const found = named.rules.length + named.correlations.length > 0;
  if (found && (!isFile || errors.length === 0)) return named;
  if (errors.length > 0) throw new SpanwardenError(errors);
  throw new SpanwardenError({
    code: 'SW_RULE_VALUE',
    message: isFile ? `${rule} holds no rule` : `no rule has the id or name ${rule}`,
    advice: 'spanwarden rules list shows them.',
  });
}
