import type { Problem } from '../model/errors.ts';
import type { FieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { usesAncestry } from './ancestry/fields.ts';
import { type Correlation, isCorrelation, silentSources } from './correlate/correlation.ts';
import { evidenceSpanIds } from './correlate/findings.ts';
import { createDetector, type Detector } from './engine.ts';
import type { Rule, RuleSet, RuleSource } from './load.ts';
import { parseTestFile, type TestCase, type TestSpan } from './parse/test-file.ts';
import { isAbove } from './parse/test-parents.ts';
import type { ExpectedFinding } from './parse/test-timing.ts';
import { Report } from './report.ts';
import { type ShuffleOptions, shuffledDifference } from './shuffle.ts';

export type { TestSpan } from './parse/test-file.ts';

export interface RuleTestOptions {
  readonly rules: readonly Rule[];
  readonly correlations?: readonly Correlation[];
  readonly tests: readonly RuleSource[];
  readonly fields: FieldTable;
  /** Sends the spans of one case through decode and normalise; asked for one case at a time. */
  readonly eventsFrom: (spans: readonly TestSpan[]) => SpanEvents;
  /** What stands between spans and rules in the stream; without it rules see the spans as they are. */
  readonly shownBy?: (rules: Showable) => Shown;
  /** Cases of correlations in other orders of arrival must give the same findings; default none are tried. */
  readonly shuffle?: ShuffleOptions;
  /** Asked after each case, with the rules it runs, while its events are still there. */
  readonly onCase?: (rules: readonly Rule[], events: SpanEvents) => void;
}

/** Rules that are shown spans. */
export type Shown = Pick<Detector, 'detect' | 'flush'>;

/** Rules that can be shown spans by something that watches event time. */
export type Showable = Pick<Detector, 'detect' | 'advance' | 'flush' | 'newestNanos'>;

export interface RuleTestResult {
  readonly ruleId: string;
  readonly ruleTitle: string;
  readonly kind: 'match' | 'near_miss';
  readonly name: string;
  readonly status: 'passed' | 'failed';
  /** What went wrong, '' when nothing did. */
  readonly detail: string;
  readonly problem?: Problem;
}

export interface RuleTestRun {
  readonly results: readonly RuleTestResult[];
  /** Test files that could not be read, and rules without a match or a near miss. */
  readonly problems: readonly Problem[];
}

/**
 * Runs `<rule>.test.yml` files: every span of a match must give a finding of the rule, no span of a near miss may. Of a
 * correlation the spans of a match together must give the findings that the case names. A test file belongs to the rule
 * file beside it: `x.test.yml` to `x.yml`.
 */
export function runRuleTests(options: RuleTestOptions): RuleTestRun {
  const report = new Report();
  const tested = new Map<string, Set<string>>();
  const run = createCaseRunner(options);
  const { audible, cases } = readTestCases(options, report);
  const results = cases.map((each): RuleTestResult => {
    const kinds = tested.get(each.rule.meta.id) ?? new Set();
    tested.set(each.rule.meta.id, kinds.add(each.kind));
    const own = run(each.rule, each.spans);
    const { rule } = each;
    const result = isCorrelation(rule) ? correlationResult(each, newestOf(own)) : ruleResult(each, own);
    const remembers = isCorrelation(rule) || usesAncestry(rule);
    const shuffles = remembers && result.status === 'passed' && options.shuffle;
    return shuffles ? shuffledResult(each, options, shuffles) : result;
  });
  for (const rule of audible) {
    for (const [kind, key] of [
      ['match', 'matches'],
      ['near_miss', 'near_misses'],
    ] as const) {
      if (tested.get(rule.meta.id)?.has(kind)) continue;
      const message = `\`${rule.meta.title}\` has no ${kind === 'match' ? 'match' : 'near miss'} in its tests`;
      const file = rule.file.replace(/\.ya?ml$/, '.test.yml');
      report.error('SW_RULE_TEST', rule.syntax.at, message, `Add one under \`${key}:\` in ${file}.`);
    }
  }
  return { results, problems: report.errors };
}

/** All cases of all test files; and the rules that must have some: what only correlations see is tested by theirs. */
export function readTestCases(
  { rules, correlations = [], tests }: Pick<RuleTestOptions, 'rules' | 'correlations' | 'tests'>,
  report: Report,
): { readonly cases: readonly TestCase[]; readonly audible: readonly (Rule | Correlation)[] } {
  const silent = silentSources(correlations);
  const audible = [...rules, ...correlations].filter((rule) => !silent.has(rule));
  const cases = tests.flatMap((test) => {
    const file = test.path.replace(/\.test\.ya?ml$/, '.yml');
    const same = [...rules, ...correlations].filter((rule) => rule.file === file);
    // Beside a file of filters alone, a test says which rule it is about.
    const beside = same.length > 0 ? same : [...rules, ...correlations];
    const heard = beside.filter((rule) => audible.includes(rule));
    return parseTestFile(test.path, test.text, heard.length === 1 ? heard : beside, report, same.length === 0);
  });
  return { cases, audible };
}

/** Runs the spans of a case against a rule alone, or a correlation with its parts, and gives the findings of that rule. */
export function createCaseRunner({
  fields,
  eventsFrom,
  onCase,
  shownBy = (detector) => detector,
}: Pick<RuleTestOptions, 'fields' | 'eventsFrom' | 'onCase' | 'shownBy'>): (
  rule: Rule | Correlation,
  spans: readonly TestSpan[],
) => readonly Finding[] {
  const detectors = new Map<Rule | Correlation, Shown>();
  return (rule, spans) => {
    const parts = partsOf(rule);
    const detector = detectors.get(rule) ?? shownBy(createDetector({ ...parts, fields }));
    detectors.set(rule, detector);
    const events = eventsFrom(spans);
    const found = [...detector.detect(events), ...detector.flush()];
    onCase?.(parts.rules, events);
    return found.filter(({ ruleId }) => ruleId === rule.meta.id);
  };
}

function shuffledResult(
  test: TestCase,
  { fields, eventsFrom }: RuleTestOptions,
  shuffle: ShuffleOptions,
): RuleTestResult {
  return resultOf(test, shuffledDifference(test.spans, { rules: partsOf(test.rule), fields, eventsFrom }, shuffle));
}

/** The rule alone, or the correlation with all that it is made of. */
export function partsOf(rule: Rule | Correlation): RuleSet {
  if (!isCorrelation(rule)) return { rules: [rule], correlations: [] };
  const parts = rule.members.map(({ source }) => partsOf(source));
  return {
    rules: [...new Set(parts.flatMap(({ rules }) => rules))],
    correlations: [...new Set([...parts.flatMap(({ correlations }) => correlations), rule])],
  };
}

/** Span ids in tests are the span's number, so a finding tells which span made it. */
export function testSpanId(index: number): string {
  return (index + 1).toString(16).padStart(16, '0');
}

function ruleResult(test: TestCase, findings: readonly Finding[]): RuleTestResult {
  const found = findings.map(({ spanId }) => spanId);
  const wrong: string[] = [];
  for (const index of test.spans.keys()) {
    const matched = found.includes(testSpanId(index));
    const wanted = test.kind === 'match';
    if (matched === wanted || (wanted && isAbove(test.spans, index))) continue;
    const which = test.spans.length > 1 ? `span ${index + 1}` : 'the span';
    wrong.push(matched ? `${which} matched but must not` : `${which} did not match`);
  }
  return resultOf(test, wrong.join('; '));
}

function resultOf(test: TestCase, detail: string): RuleTestResult {
  const { rule, kind, name, at } = test;
  const message = `${rule.meta.title}: ${name}: ${detail}`;
  return {
    ruleId: rule.meta.id,
    ruleTitle: rule.meta.title,
    kind,
    name,
    status: detail === '' ? 'passed' : 'failed',
    detail,
    ...(detail !== '' && { problem: { code: 'SW_RULE_TEST', message, position: at } as const }),
  };
}

function correlationResult(test: TestCase, findings: readonly Finding[]): RuleTestResult {
  const { kind, findings: expected } = test;
  const shown = findings.map(({ groupKey, count }) => `${groupKey || 'everything'} (${count} events)`).join(', ');
  if (kind === 'near_miss') return resultOf(test, findings.length === 0 ? '' : `matched but must not: ${shown}`);
  if (!expected) return resultOf(test, findings.length > 0 ? '' : 'did not match');
  if (findings.length !== expected.length) {
    const gave = findings.length === 0 ? '' : `: ${shown}`;
    return resultOf(test, `gave ${findings.length} findings, not ${expected.length}${gave}`);
  }
  return resultOf(test, expected.flatMap((wanted, index) => differences(wanted, findings[index]!, index)).join('; '));
}

function differences(wanted: ExpectedFinding, finding: Finding, index: number): string[] {
  const wrong: string[] = [];
  const differs = (what: string, expected: unknown, found: unknown): void => {
    if (String(expected) !== String(found)) wrong.push(`finding ${index + 1} has ${what} ${found}, not ${expected}`);
  };
  if (wanted.count !== undefined) differs('count', wanted.count, finding.count);
  if (wanted.spans) differs('spans', wanted.spans.join(', '), spanNumbers(finding).join(', '));
  if (wanted.group) {
    const group: Record<string, string> = finding.groupKey === '' ? {} : JSON.parse(finding.groupKey);
    for (const [field, value] of wanted.group) differs(field, value, Object.hasOwn(group, field) ? group[field] : '');
  }
  return wrong;
}

/** Which spans of the test stand in the evidence. */
function spanNumbers(finding: Finding): number[] {
  return evidenceSpanIds(finding).map((id) => Number.parseInt(id, 16));
}

/** A finding that changed comes again under its id. */
function newestOf(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((finding) => [finding.id, finding])).values()];
}
