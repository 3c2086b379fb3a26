import { levelStyle } from '../demo/render.ts';
import { timeText } from './findings-view.ts';
import { count } from './rule-problems.ts';
import type { RuleStatus } from './rule-status.ts';
import { escapeControl, type Style, type Terminal, truncate } from './terminal.ts';

/** One line per rule; what is in order stays pale. */
export function statusTable(rules: readonly RuleStatus[], terminal: Terminal): string {
  const headings = [
    'rule',
    'level',
    'spans',
    'candidates',
    'matches',
    'findings',
    'hidden',
    'µs',
    'false/true',
    'last fired',
    '',
  ];
  return terminal.table([headings.map(terminal.dim), ...rules.map((rule) => cells(rule, terminal))]);
}

/** Everything about a few rules. */
export function statusPages(rules: readonly RuleStatus[], since: string, terminal: Terminal): string {
  return rules.map((rule) => page(rule, since, terminal)).join('\n');
}

/** `12 rules: 1 disabled, 3 cannot fire, 8 quiet`. */
export function statusSummary(rules: readonly RuleStatus[]): string {
  const words: Readonly<Record<RuleStatus['verdict'], string>> = {
    disabled: 'disabled',
    failing: 'failing',
    'mostly-false': 'mostly wrong',
    'cannot-fire': 'cannot fire',
    'no-spans': 'without spans',
    'not-running': 'not running',
    fires: 'firing',
    quiet: 'quiet',
  };
  const parts = Object.entries(words)
    .map(([verdict, word]) => [rules.filter((rule) => rule.verdict === verdict).length, word] as const)
    .filter(([number]) => number > 0)
    .map(([number, word]) => `${number} ${word}`);
  return `${count(rules.length, 'rule')}: ${parts.join(', ')}`;
}

function cells(rule: RuleStatus, terminal: Terminal): string[] {
  const number = (value: number | undefined): string => (value === undefined ? '–' : compact(value));
  const marks = rule.falsePositives + rule.truePositives + rule.benign;
  return [
    truncate(escapeControl(rule.name || rule.title), 36),
    levelStyle(rule.level, terminal)(rule.level),
    number(rule.spans),
    number(rule.candidates),
    number(rule.matches),
    number(rule.findings),
    number(rule.suppressed),
    rule.costMicros === undefined ? '–' : micros(rule.costMicros),
    marks === 0 ? '–' : `${rule.falsePositives}/${rule.truePositives + rule.benign}`,
    rule.lastFired === '' ? terminal.dim('never') : timeText(rule.lastFired).slice(0, 16),
    styleOf(rule, terminal)(truncate(escapeControl(rule.says), 90)),
  ];
}

function page(rule: RuleStatus, since: string, terminal: Terminal): string {
  const rows: [string, string][] = [
    ['says', styleOf(rule, terminal)(escapeControl(rule.says))],
    ['id', escapeControl(rule.id)],
    ['kind', rule.kind],
    ['spans', rule.spans === undefined ? '' : `${rule.spans} of its logsource ${since}, ${rule.candidates} looked at`],
    ['matches', rule.matches === undefined ? '' : String(rule.matches)],
    ['findings', String(rule.findings)],
    ['suppressed', String(rule.suppressed)],
    ['last fired', rule.lastFired === '' ? 'never' : `${timeText(rule.lastFired)} UTC`],
    ['cost', rule.costMicros === undefined ? '' : `${micros(rule.costMicros)} µs each time it is asked`],
    ['marked', `${rule.falsePositives} false positive, ${rule.truePositives} true positive, ${rule.benign} benign`],
    [
      'agents',
      rule.agents.map(({ agent, findings }) => `${escapeControl(agent) || '(no name)'} ${findings}`).join(', '),
    ],
  ];
  const shown = rows.filter(([, text]) => text !== '').map(([label, text]) => [terminal.dim(label), text]);
  const title = `${levelStyle(rule.level, terminal)(rule.level.toUpperCase())}  ${terminal.bold(escapeControl(rule.title))}`;
  return `${title}\n${terminal.table(shown, { indent: '  ' })}`;
}

function styleOf({ verdict }: RuleStatus, terminal: Terminal): Style {
  if (verdict === 'disabled' || verdict === 'failing') return terminal.red;
  if (verdict === 'fires') return terminal.green;
  return verdict === 'quiet' ? terminal.dim : terminal.yellow;
}

/** `950`, `12.3k`, `4.1M`. */
function compact(value: number): string {
  if (value < 10_000) return String(value);
  return value < 1e6 ? `${(value / 1e3).toFixed(1)}k` : `${(value / 1e6).toFixed(1)}M`;
}

function micros(value: number): string {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}
