import { type Problem, SpanwardenError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import { Category, type CategoryName } from '../model/span-events.ts';
import type { Correlation, CorrelationSyntax } from './correlate/correlation.ts';
import { linkCorrelations } from './correlate/link.ts';
import type { Lists } from './modifiers/text.ts';
import { type BrokenRule, parseRuleFile } from './parse/rule-file.ts';
import { Report } from './report.ts';
import { type Detection, resolveDetection } from './resolve.ts';
import type { FilterSyntax, Logsource, RuleMeta, RuleSyntax } from './rule.ts';

export interface RuleSource {
  /** The path as messages show it. */
  readonly path: string;
  readonly text: string;
}

export interface LoadOptions {
  /** Values of `%name%` placeholders by name. */
  readonly lists?: Lists;
}

/** A rule ready for the detector: its values are compiled, its filters attached. */
export interface Rule {
  readonly meta: RuleMeta;
  readonly file: string;
  readonly syntax: RuleSyntax;
  /** The `Category` bits of spans it reads; 0 when its logsource is another product's, so that it never runs. */
  readonly categories: number;
  readonly detection: Detection;
  readonly filters: readonly Detection[];
}

/** Everything a detector runs. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  /** Each after those it uses. */
  readonly correlations: readonly Correlation[];
}

export interface RuleReading extends RuleSet {
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Loads rules, correlations and filters; throws one SpanwardenError with everything that is wrong in all files. */
export function loadRules(sources: readonly RuleSource[], options: LoadOptions = {}): RuleSet {
  const { rules, correlations, errors } = readRules(sources, options);
  if (errors.length > 0) throw new SpanwardenError(errors);
  return { rules, correlations };
}

/** The same without throwing: the rules without an error, and all errors and warnings. */
export function readRules(sources: readonly RuleSource[], options: LoadOptions = {}): RuleReading {
  const report = new Report();
  const rules: RuleSyntax[] = [];
  const syntaxes: CorrelationSyntax[] = [];
  const filters: FilterSyntax[] = [];
  const broken: BrokenRule[] = [];
  for (const { path, text } of sources) {
    const file = parseRuleFile(path, text, report);
    rules.push(...file.rules);
    syntaxes.push(...file.correlations);
    filters.push(...file.filters);
    broken.push(...file.broken);
  }
  const count = rules.length + syntaxes.length;
  if (count > limits.rulesMax) {
    report.error(
      'SW_RULE_FILE',
      undefined,
      `there are ${count} rules, more than ${limits.rulesMax}`,
      'Load fewer folders.',
    );
    return { rules: [], correlations: [], errors: report.errors, warnings: report.warnings };
  }
  checkUnique([...rules, ...syntaxes], report);
  const lists: Lists = options.lists ?? new Map();
  const filtersOf = attachFilters(rules, filters, lists, report);
  const loaded = rules.map((syntax, index): Rule => {
    const detection = resolveDetection(syntax.detection, { lists, report });
    const categories = categoriesOf(syntax.logsource, report);
    return { meta: syntax.meta, file: syntax.at.file, syntax, categories, detection, filters: filtersOf[index]! };
  });
  for (const { detection, logsource } of broken) {
    resolveDetection(detection, { lists, report });
    if (logsource) categoriesOf(logsource, report);
  }
  const correlations = linkCorrelations(syntaxes, loaded, report);
  return { rules: loaded, correlations, errors: report.errors, warnings: report.warnings };
}

function checkUnique(rules: readonly (RuleSyntax | CorrelationSyntax)[], report: Report): void {
  const seen = new Map<string, RuleSyntax | CorrelationSyntax>();
  for (const rule of rules) {
    for (const key of new Set([rule.meta.id, rule.meta.name])) {
      if (key === '') continue;
      const first = seen.get(key);
      if (first) {
        const place = `${first.at.file}:${first.at.line}`;
        report.error(
          'SW_RULE_VALUE',
          rule.at,
          `the id or name \`${key}\` is already used in ${place}`,
          'Give each rule its own.',
        );
      } else {
        seen.set(key, rule);
      }
    }
  }
}

/** The bits of the categories a rule reads: `any` or none is all of them. */
function categoriesOf(logsource: Logsource, report: Report): number {
  const every = Object.values(Category).reduce((bits, bit) => bits | bit, 0);
  const { product, category, at } = logsource;
  if (product !== undefined && product !== 'ai_agent') {
    report.warn(
      'SW_RULE_VALUE',
      at,
      `the rule is for product ${product} and never runs here`,
      'Write product: ai_agent.',
    );
    return 0;
  }
  if (category === undefined || category === 'any') return every;
  if (Object.hasOwn(Category, category)) return Category[category as CategoryName];
  const known = [...Object.keys(Category), 'any'].join(', ');
  if (product === 'ai_agent') report.error('SW_RULE_VALUE', at, `unknown category \`${category}\``, `Write ${known}.`);
  else report.warn('SW_RULE_VALUE', at, `no span has the category ${category}: the rule never runs`, `Write ${known}.`);
  return 0;
}

/** The filters of each rule: those that name it and whose logsource keys it all sets to the same values. */
function attachFilters(
  rules: readonly RuleSyntax[],
  filters: readonly FilterSyntax[],
  lists: Lists,
  report: Report,
): Detection[][] {
  const attached: Detection[][] = rules.map(() => []);
  for (const filter of filters) {
    const detection = resolveDetection(filter.detection, { lists, report });
    for (const target of filter.rules ?? []) {
      if (rules.some(({ meta }) => meta.id === target.name || meta.name === target.name)) continue;
      report.warn('SW_RULE_VALUE', target.at, `the filter names \`${target.name}\`, which is no loaded rule`);
    }
    for (const [index, rule] of rules.entries()) {
      const named = filter.rules?.some(({ name }) => name === rule.meta.id || name === rule.meta.name) ?? true;
      if (named && contains(rule.logsource, filter.logsource)) attached[index]!.push(detection);
    }
  }
  return attached;
}

function contains(rule: Logsource, filter: Logsource): boolean {
  return (['product', 'category', 'service'] as const).every(
    (key) => filter[key] === undefined || (key === 'category' && filter[key] === 'any') || filter[key] === rule[key],
  );
}
