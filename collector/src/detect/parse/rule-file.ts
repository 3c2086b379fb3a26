import type { CorrelationSyntax } from '../correlate/correlation.ts';
import { parseCorrelation } from '../correlate/parse.ts';
import type { Report } from '../report.ts';
import type { DetectionSyntax, FilterSyntax, Logsource, RuleSyntax } from '../rule.ts';
import { entryOf, readYaml, type YamlMap } from '../yaml.ts';
import { resolveCollections } from './collections.ts';
import { parseDetection } from './detection.ts';
import { parseFilter } from './filter.ts';
import { parseLogsource, parseMeta } from './meta.ts';

export interface RuleFile {
  readonly rules: readonly RuleSyntax[];
  readonly correlations: readonly CorrelationSyntax[];
  readonly filters: readonly FilterSyntax[];
  /** What could be read of detection rules with an error: never run, but checked further, to name all errors at once. */
  readonly broken: readonly BrokenRule[];
  /** Ids and names of all that has an error: whoever refers to them is not mistaken. */
  readonly brokenNames: readonly string[];
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
  const brokenNames: string[] = [];
  for (const document of resolveCollections(readYaml(file, text, report), report)) {
    if (entryOf(document, 'correlation')) {
      const correlation = parseCorrelation(document, report);
      if (correlation && !document.isBroken) correlations.push(correlation);
      else brokenNames.push(...namesIn(document));
    } else if (entryOf(document, 'filter')) {
      const filter = parseFilter(document, report);
      if (filter && !document.isBroken) filters.push(filter);
    } else {
      const rule = parseRule(document, report, broken);
      if (rule) rules.push(rule);
      else brokenNames.push(...namesIn(document));
    }
  }
  return { rules, correlations, filters, broken, brokenNames };
}

function namesIn(document: YamlMap): string[] {
  return ['id', 'name'].flatMap((key) => {
    const node = entryOf(document, key)?.value;
    return node?.kind === 'scalar' ? [String(node.value)] : [];
  });
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
  const isWhole = report.errors.length === before && !document.isBroken;
  if (logsource && isWhole) return { meta, logsource, detection, at: document.at };
  broken.push({ logsource, detection });
  return undefined;
}
