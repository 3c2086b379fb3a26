import { coveredOf, type RuleCoverage } from '../detect/coverage.ts';
import { type EvasionResult, evasions } from '../detect/evasions.ts';
import { escapeControl, type Terminal } from './terminal.ts';

/** How much of what selections and fields can be is seen by a test, in percent with one decimal; 100 without rules. */
export function coveragePercent(rules: readonly RuleCoverage[]): number {
  const { seen, all } = coveredOf(rules);
  return all === 0 ? 100 : Math.floor((seen / all) * 1000) / 10;
}

/** The gaps of each rule and the total. */
export function writeCoverage(rules: readonly RuleCoverage[], terminal: Terminal): void {
  for (const rule of rules) {
    const gaps = rule.points.filter(({ everTrue, everFalse }) => !everTrue || !everFalse);
    if (gaps.length === 0 && rule.points.length > 0) continue;
    const title = escapeControl(rule.ruleName || rule.ruleTitle);
    terminal.writeLine(`${terminal.bold(title)}: ${coveragePercent([rule])} % covered`);
    if (rule.points.length === 0) terminal.writeLine('  no test runs it');
    for (const gap of gaps) {
      const never = gap.everTrue ? 'never false' : gap.everFalse ? 'never true' : 'never asked';
      terminal.writeLine(`  ${terminal.yellow(never)}: ${escapeControl(gap.name)}`);
    }
  }
  terminal.writeLine(`coverage: ${coveragePercent(rules)} %`);
}

/** One row a rule: of its matches, how many are still found with each evasion. */
export function writeEvasions(results: readonly EvasionResult[], terminal: Terminal): void {
  const byRule = new Map<string, EvasionResult[]>();
  for (const each of results) byRule.set(each.ruleId, [...(byRule.get(each.ruleId) ?? []), each]);
  const names = Object.keys(evasions);
  const rows = [...byRule.values()].map((rule) => {
    const { ruleName, ruleTitle } = rule[0]!;
    const cells = names.map((name) => {
      const variants = rule.filter(({ evasion }) => evasion === name);
      const found = variants.filter(({ status }) => status === 'found').length;
      if (variants.length === 0) return '–';
      const text = `${found} of ${variants.length}`;
      return found === variants.length ? terminal.green(text) : terminal.yellow(text);
    });
    return [escapeControl(ruleName || ruleTitle), ...cells];
  });
  terminal.write(
    terminal.table([['STILL FOUND', ...names.map((name) => name.toUpperCase())].map(terminal.bold), ...rows]),
  );
  terminal.writeLine(terminal.dim('For information: not every variant of an attack still works.'));
}
