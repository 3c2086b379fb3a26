import type { RuleTestResult, RuleTestRun } from '../detect/rule-tests.ts';
import { problemText } from '../model/errors.ts';

/**
 * A run of rule tests as JUnit XML, the form that CI servers read: a suite for each rule, a case for each of its tests, and
 * a suite for problems that belong to no case.
 */
export function junitXml({ results, problems }: RuleTestRun): string {
  const suites = new Map<string, RuleTestResult[]>();
  for (const result of results) suites.set(result.ruleId, [...(suites.get(result.ruleId) ?? []), result]);
  const failed = results.filter(({ status }) => status === 'failed').length;
  const totals = { tests: results.length + problems.length, failures: failed, errors: problems.length };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: 'spanwarden rules test', ...totals })}>`,
    ...[...suites.values()].flatMap(suite),
    ...(problems.length > 0 ? problemSuite(problems.map(problemText)) : []),
    '</testsuites>',
    '',
  ].join('\n');
}

function suite(results: readonly RuleTestResult[]): string[] {
  const { ruleTitle, ruleId } = results[0]!;
  const failures = results.filter(({ status }) => status === 'failed').length;
  return [
    `  <testsuite${attributes({ name: ruleTitle, id: ruleId, tests: results.length, failures, errors: 0 })}>`,
    ...results.flatMap(({ name, kind, detail, problem }) => {
      const head = `    <testcase${attributes({ name, classname: `${ruleTitle}.${kind}` })}`;
      if (!problem) return [`${head}/>`];
      const failure = `<failure${attributes({ message: detail })}>${escapeXml(problemText(problem))}</failure>`;
      return [`${head}>`, `      ${failure}`, '    </testcase>'];
    }),
    '  </testsuite>',
  ];
}

function problemSuite(texts: readonly string[]): string[] {
  const head = { name: 'problems', tests: texts.length, failures: 0, errors: texts.length };
  return [
    `  <testsuite${attributes(head)}>`,
    ...texts.flatMap((text) => [
      `    <testcase${attributes({ name: text.split('\n', 1)[0]!, classname: 'problems' })}>`,
      `      <error${attributes({ message: text.split('\n', 1)[0]! })}>${escapeXml(text)}</error>`,
      '    </testcase>',
    ]),
    '  </testsuite>',
  ];
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`)
    .join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** XML 1.0 has no way to write most control characters and lone surrogates: they become visible escapes. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, (char) => {
      return `\\u{${char.codePointAt(0)!.toString(16)}}`;
    })
    .replace(/[&<>"']/g, (char) => entities[char]!);
}
