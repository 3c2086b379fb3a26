import type { BacktestExample, BacktestRule } from '../backtest/backtest.ts';
import { levelStyle } from '../demo/render.ts';
import type { AgentSpans } from '../store/history/agents.ts';
import type { HistoryLosses } from '../store/history/decoder.ts';
import { count } from './rule-problems.ts';
import { escapeControl, type Terminal, truncate } from './terminal.ts';

/** Everything that a backtest tells; what `--json` prints. */
export interface BacktestReport {
  readonly since: string;
  readonly until: string;
  readonly days: number;
  readonly spans: number;
  /** Read before, to fill windows. */
  readonly warmUpSpans: number;
  readonly seconds: number;
  readonly rules: readonly BacktestRule[];
  readonly agents: readonly AgentSpans[];
  readonly losses: HistoryLosses;
  /** Gates that were gone over, as sentences. */
  readonly exceeded: readonly string[];
}

const agentsShown = 8;

export function backtestText(report: BacktestReport, terminal: Terminal): string {
  const { spans, days, since, until, warmUpSpans, losses } = report;
  const traces = report.agents.reduce((sum, agent) => sum + agent.traces, 0);
  const head = `${count(spans, 'span')} in ${count(traces, 'trace')}, ${since.slice(0, 16)} to ${until.slice(0, 16)} UTC`;
  const notes = [
    ...(warmUpSpans > 0 ? [`${count(warmUpSpans, 'span')} before it filled windows and baselines`] : []),
    ...(losses.untyped > 0
      ? [`${count(losses.untyped, 'span')} stored without the types of values: numbers and lists there are text`]
      : []),
    ...(losses.redacted > 0
      ? [
          `${count(losses.redacted, 'span')} redacted before storage: rules saw placeholders where the stream saw values`,
        ]
      : []),
    ...(losses.missingMessages > 0
      ? [`${count(losses.missingMessages, 'message')} no longer stored: rules saw nothing in their place`]
      : []),
    ...(losses.cutValues > 0 ? [`${count(losses.cutValues, 'value')} stored cut: rules did not see their ends`] : []),
  ];
  const rules = [...report.rules].sort((a, b) => b.fires - a.fires || (a.title < b.title ? -1 : 1));
  return [
    terminal.bold(head),
    ...notes.map((note) => terminal.dim(`  ${note}`)),
    '',
    ...rules.flatMap((rule) => [...ruleLines(rule, report, Math.max(days, 1 / 24), terminal), '']),
    ...report.exceeded.map((sentence) => terminal.red(escapeControl(sentence))),
  ]
    .join('\n')
    .concat(report.exceeded.length > 0 ? '\n' : '');
}

function ruleLines(rule: BacktestRule, report: BacktestReport, days: number, terminal: Terminal): string[] {
  const level = levelStyle(rule.level, terminal)(rule.level.toUpperCase());
  const lines = [`${level}  ${terminal.bold(escapeControl(rule.title))}  ${terminal.dim(escapeControl(rule.id))}`];
  const groups = rule.fires === 0 ? '' : ` in ${count(rule.groups, 'group')}`;
  lines.push(`  ${count(rule.fires, 'finding')}${groups}, ${count(rule.spans, 'span')} of its logsource`);
  if (rule.disabled !== undefined)
    lines.push(terminal.red(`  switched off on the way: ${escapeControl(rule.disabled)}`));
  if (rule.missing.length > 0) {
    lines.push(terminal.yellow(`  cannot fire: no span has ${rule.missing.map(escapeControl).join(', ')}`));
  } else if (rule.spans === 0) lines.push(terminal.yellow('  no span belongs to its logsource'));
  if (rule.agents.length > 0) lines.push(agentTable(rule, report, days, terminal).trimEnd());
  for (const example of rule.examples) lines.push(...exampleLines(example, terminal));
  const { difference } = rule;
  if (difference) {
    const { version, fires, fresh, gone } = difference;
    lines.push(`  installed version ${version.slice(0, 12)}: ${count(fires, 'finding')}; ${fresh} new, ${gone} gone`);
    for (const each of difference.freshExamples) lines.push(terminal.green(`    + ${spanText(each)}`));
    for (const each of difference.goneExamples) lines.push(terminal.red(`    − ${spanText(each)}`));
  }
  return lines;
}

function agentTable(rule: BacktestRule, { agents }: BacktestReport, days: number, terminal: Terminal): string {
  const shown = rule.agents.slice(0, agentsShown).map(({ agent, findings }) => {
    const traces = agents.find((each) => each.agent === agent)?.traces ?? 0;
    return [
      truncate(escapeControl(agent || '(no name)'), 40),
      String(findings),
      traces === 0 ? '–' : decimal((findings * 1000) / traces),
      decimal(findings / days),
    ];
  });
  const more = rule.agents.length - shown.length;
  const header = ['agent', 'findings', 'per 1,000 traces', 'per day'].map(terminal.dim);
  const rest = more > 0 ? `  ${terminal.dim(`and ${count(more, 'agent')} more`)}\n` : '';
  return terminal.table([header, ...shown], { indent: '  ' }) + rest;
}

function exampleLines(example: BacktestExample, terminal: Terminal): string[] {
  const [first] = example.evidence;
  const line = `  ${terminal.dim(example.time.slice(0, 19))} ${spanText(example)}`;
  if (first === undefined) return [line];
  const why = `${first.field || 'any text'} ${first.wanted}: ${first.excerpt}`;
  return [line, `    ${terminal.dim(truncate(escapeControl(why), 160))}`];
}

function spanText({ traceId, spanId, spanName }: BacktestExample): string {
  return `${traceId}/${spanId} ${truncate(escapeControl(spanName), 60)}`;
}

function decimal(number: number): string {
  return number >= 100 ? number.toFixed(0) : number.toFixed(number >= 1 ? 1 : 3);
}
