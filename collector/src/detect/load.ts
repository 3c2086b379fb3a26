import { type Problem, SpanwardenError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import { Category, type CategoryName } from '../model/span-events.ts';
import type { Correlation, CorrelationSyntax } from './correlate/correlation.ts';
import { linkCorrelations } from './correlate/link.ts';
import { valueRules } from './correlate/value-rules.ts';
import { attachFilters, type RuleFilter } from './filters.ts';
import type { Lists } from './modifiers/text.ts';
import { namesOf } from './names.ts';
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
  /** What is wrong with files that are not among the sources: told together with what is wrong in these. */
  readonly problems?: readonly Problem[];
}

/** A rule ready for the detector: its values are compiled, its filters attached. */
export interface Rule {
  readonly meta: RuleMeta;
  readonly file: string;
  readonly syntax: RuleSyntax;
  /** The `Category` bits of spans it reads; 0 when its logsource is another product's, so that it never runs. */
  readonly categories: number;
  readonly detection: Detection;
  readonly filters: readonly RuleFilter[];
}

/** Everything a detector runs. */
export interface RuleSet {
  readonly rules: readonly Rule[];
  /** Each after those it uses. */
  readonly correlations: readonly Correlation[];
}

/** A rule set with the filters that are in it. */
export interface LoadedRules extends RuleSet {
  readonly filters: readonly RuleFilter[];
}

export interface RuleReading extends LoadedRules {
  readonly broken: readonly BrokenRule[];
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Loads rules, correlations and filters; throws one SpanwardenError with everything that is wrong in all files. */
export function loadRules(sources: readonly RuleSource[], options: LoadOptions = {}): LoadedRules {
  const { rules, correlations, filters, errors } = readRules(sources, options);
  if (errors.length > 0) throw new SpanwardenError(errors);
  return { rules, correlations, filters };
}

/** The same without throwing: the rules without an error, and all errors and warnings. */
export function readRules(sources: readonly RuleSource[], options: LoadOptions = {}): RuleReading {
  const report = new Report(options.problems);
  const rules: RuleSyntax[] = [];
  const syntaxes: CorrelationSyntax[] = [];
  const filters: FilterSyntax[] = [];
  const broken: BrokenRule[] = [];
  const brokenNames = new Set<string>();
  for (const { path, text } of sources) {
    const file = parseRuleFile(path, text, report);
    rules.push(...file.rules);
    syntaxes.push(...file.correlations);
    filters.push(...file.filters);
    broken.push(...file.broken);
    for (const name of file.brokenNames) brokenNames.add(name);
  }
  const count = rules.length + syntaxes.length;
  if (count > limits.rulesMax) {
    report.error(
      'SW_RULE_FILE',
      undefined,
      `there are ${count} rules, more than ${limits.rulesMax}`,
      'Load fewer folders.',
    );
    return { rules: [], correlations: [], filters: [], broken: [], errors: report.errors, warnings: report.warnings };
  }
  rules.push(...valueRules(syntaxes));
  checkUnique([...rules, ...syntaxes], report);
  const lists: Lists = options.lists ?? new Map();
  const attached = attachFilters(rules, filters, { lists, report }, { correlations: syntaxes, brokenNames });
  const loaded = rules.map((syntax, index): Rule => {
    const detection = resolveDetection(syntax.detection, { lists, report });
    const categories = categoriesOf(syntax.logsource, report);
    return {
      meta: syntax.meta,
      file: syntax.at.file,
      syntax,
      categories,
      detection,
      filters: attached.filtersOf[index]!,
    };
  });
  for (const { detection, logsource } of broken) {
    resolveDetection(detection, { lists, report });
    if (logsource) categoriesOf(logsource, report);
  }
  const correlations = linkCorrelations(syntaxes, loaded, report, brokenNames);
  const { errors, warnings } = report;
  return { rules: loaded, correlations, filters: attached.filters, broken, errors, warnings };
}

function checkUnique(rules: readonly (RuleSyntax | CorrelationSyntax)[], report: Report): void {
  const seen = new Map<string, RuleSyntax | CorrelationSyntax>();
  for (const rule of rules) {
    for (const key of namesOf(rule)) {
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
