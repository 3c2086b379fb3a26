import type { CorrelationSyntax } from '../correlate/correlation.ts';
import { parseCorrelation } from '../correlate/parse.ts';
import type { Report } from '../report.ts';
import type { Condition, DetectionSyntax, FilterSyntax, Logsource, RuleSyntax } from '../rule.ts';
import { entryOf, readYaml, type YamlMap } from '../yaml.ts';
import { resolveCollections } from './collections.ts';
import { parseDetection } from './detection.ts';
import { parseLogsource, parseMeta } from './meta.ts';

export interface RuleFile {
  readonly rules: readonly RuleSyntax[];
  readonly correlations: readonly CorrelationSyntax[];
  readonly filters: readonly FilterSyntax[];
  /** What could be read of detection rules with an error: never run, but checked further, to name all errors at once. */
  readonly broken: readonly BrokenRule[];
}

export interface BrokenRule {
  readonly logsource: Logsource | undefined;
  readonly detection: DetectionSyntax;
}

/** Reads one rule file. What is wrong goes to the report with its place. */
export function parseRuleFile(file: string, text: string, report: Report): RuleFile {
  const rules: RuleSyntax[] = [];
  const correlations: CorrelationSyntax[] = [];
  const filters: FilterSyntax[] = [];
  const broken: BrokenRule[] = [];
  for (const document of resolveCollections(readYaml(file, text, report), report)) {
    if (entryOf(document, 'correlation')) {
      const correlation = parseCorrelation(document, report);
      if (correlation) correlations.push(correlation);
    } else if (entryOf(document, 'filter')) {
      const filter = parseFilter(document, report);
      if (filter) filters.push(filter);
    } else {
      const rule = parseRule(document, report, broken);
      if (rule) rules.push(rule);
    }
  }
  return { rules, correlations, filters, broken };
}

function parseRule(document: YamlMap, report: Report, broken: BrokenRule[]): RuleSyntax | undefined {
  const before = report.errors.length;
  const meta = parseMeta(document, report);
  const logsource = parseLogsource(document, report);
  const part = entryOf(document, 'detection')?.value;
  if (part?.kind !== 'map') {
    report.error(
      'SW_RULE_KEY',
      part?.at ?? document.at,
      'the rule has no detection part',
      'Write detection: with a selection and a condition.',
    );
    return undefined;
  }
  const detection = parseDetection(part, new Set(), report);
  if (logsource && report.errors.length === before) return { meta, logsource, detection, at: document.at };
  broken.push({ logsource, detection });
  return undefined;
}

const filterKeys = new Set(['rules', 'keep_only']);

function parseFilter(document: YamlMap, report: Report): FilterSyntax | undefined {
  const before = report.errors.length;
  const meta = parseMeta(document, report);
  const expires = entryOf(document, 'expires');
  if (expires) {
    report.error('SW_RULE_KEY', expires.keyAt, 'filters do not expire in this version', 'Remove `expires`.');
  }
  const logsource = parseLogsource(document, report);
  const part = entryOf(document, 'filter')?.value;
  if (part?.kind !== 'map') {
    report.error(
      'SW_RULE_KEY',
      part?.at ?? document.at,
      '`filter` takes a map',
      'Write rules, a selection and a condition.',
    );
    return undefined;
  }
  const rules = parseTargets(part, report);
  const detection = parseDetection(part, filterKeys, report);
  if (!logsource) return undefined;
  const keepOnly = entryOf(part, 'keep_only')?.value;
  const inverted = keepOnly?.kind === 'scalar' && keepOnly.value === true;
  for (const condition of detection.conditions) {
    if (inverted || hasNot(condition.root)) continue;
    report.error(
      'SW_RULE_CONDITION',
      condition.at,
      'the condition of a filter is ANDed to the rule, and this one has no `not`',
      `\`not (${condition.text})\` suppresses what it matches; add \`keep_only: true\` to keep nothing but what it matches.`,
    );
  }
  if (report.errors.length > before) return undefined;
  return {
    id: meta.id,
    name: meta.name,
    title: meta.title,
    logsource,
    rules: rules.targets,
    detection,
    at: document.at,
  };
}

function parseTargets(part: YamlMap, report: Report): { readonly targets: FilterSyntax['rules'] } {
  const entry = entryOf(part, 'rules');
  const node = entry?.value;
  if (!node || (node.kind === 'list' && node.items.length === 0)) {
    report.error(
      'SW_RULE_KEY',
      node?.at ?? part.at,
      'the filter names no rules',
      'List ids or names, or write `rules: any`.',
    );
    return { targets: [] };
  }
  if (node.kind === 'scalar' && node.value === 'any') return { targets: undefined };
  const items = node.kind === 'list' ? node.items : [node];
  const targets = items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? [{ name: item.value, at: item.at }] : [],
  );
  if (targets.length !== items.length) report.error('SW_RULE_VALUE', node.at, '`rules` takes ids or names of rules');
  return { targets };
}

function hasNot(condition: Condition): boolean {
  if (condition.kind === 'not') return true;
  return (condition.kind === 'and' || condition.kind === 'or') && condition.parts.some(hasNot);
}
