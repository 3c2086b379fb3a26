import type { Problem } from '../model/errors.ts';
import type { FieldTable } from '../model/fields.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { createDetector } from './engine.ts';
import type { Rule, RuleSource } from './load.ts';
import { parseTestFile, type TestCase, type TestSpan } from './parse/test-file.ts';
import { Report } from './report.ts';

export type { TestSpan } from './parse/test-file.ts';

export interface RuleTestOptions {
  readonly rules: readonly Rule[];
  readonly tests: readonly RuleSource[];
  readonly fields: FieldTable;
  /** Sends the spans of one case through decode and normalise; asked for one case at a time. */
  readonly eventsFrom: (spans: readonly TestSpan[]) => SpanEvents;
}

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
 * Runs `<rule>.test.yml` files: every span of a match must give a finding of the rule, no span of a near miss may.
 * A test file belongs to the rule file beside it: `x.test.yml` to `x.yml`.
 */
export function runRuleTests({ rules, tests, fields, eventsFrom }: RuleTestOptions): RuleTestRun {
  const report = new Report();
  const results: RuleTestResult[] = [];
  const tested = new Map<string, Set<string>>();
  const detectors = new Map<Rule, ReturnType<typeof createDetector>>();
  for (const test of tests) {
    const owners = rules.filter((rule) => rule.file === test.path.replace(/\.test\.ya?ml$/, '.yml'));
    const file = parseTestFile(test.path, test.text, owners, report);
    for (const each of file) {
      const detector = detectors.get(each.rule) ?? createDetector({ rules: [each.rule], fields });
      detectors.set(each.rule, detector);
      const kinds = tested.get(each.rule.meta.id) ?? new Set();
      tested.set(each.rule.meta.id, kinds.add(each.kind));
      results.push(
        runCase(
          each,
          detector.detect(eventsFrom(each.spans)).map((finding) => finding.spanId),
        ),
      );
    }
  }
  for (const rule of rules) {
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

/** Span ids in tests are the span's number, so a finding tells which span made it. */
export function testSpanId(index: number): string {
  return (index + 1).toString(16).padStart(16, '0');
}

function runCase(test: TestCase, found: readonly string[]): RuleTestResult {
  const { rule, kind, name, at } = test;
  const wrong: string[] = [];
  for (const index of test.spans.keys()) {
    const matched = found.includes(testSpanId(index));
    if (matched === (kind === 'match')) continue;
    const which = test.spans.length > 1 ? `span ${index + 1}` : 'the span';
    wrong.push(matched ? `${which} matched but must not` : `${which} did not match`);
  }
  const detail = wrong.join('; ');
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
