import { excerpt } from '../detect/evidence.ts';
import type { CorrelationExplanation, GroupExplanation } from '../detect/explain-correlation.ts';
import { escapeControl, type Terminal } from './terminal.ts';

/** How many spans of a group are shown from its start and from its end. */
const stepsShown = 6;

/** An explanation with what it is about. */
export interface ShownCorrelation extends CorrelationExplanation {
  readonly rule: { readonly id: string; readonly name: string; readonly title: string; readonly file: string };
  /** The case of the test, '' where it is none. */
  readonly case: string;
  /** Names of spans by their numbers, where numbers alone say nothing. */
  readonly names?: Readonly<Record<number, string>>;
}

/** An explanation for people. */
export function correlationText(result: ShownCorrelation, terminal: Terminal): string {
  const mark = (good: boolean): string => (good ? terminal.green('✓') : terminal.red('✗'));
  const verdict = result.matched ? terminal.green('matches') : terminal.red('does not match');
  const lines = [`${mark(result.matched)} ${terminal.bold(escapeControl(result.rule.title))} ${verdict}`];
  if (result.case !== '') lines.push(`  case: ${escapeControl(result.case)}`);
  lines.push(`  ${result.type} ${escapeControl(result.wanted)}`);
  for (const { name, spans, isCorrelation } of result.members) {
    const found = spans.length > 0 ? `matches ${spanNumbers(spans)}` : 'matches no span';
    const words = isCorrelation ? 'is a correlation: explain it by itself' : found;
    lines.push(`  ${isCorrelation ? '·' : mark(spans.length > 0)} ${escapeControl(name)} ${words}`);
  }
  if (result.withoutKey.length > 0) {
    lines.push(`  ${terminal.yellow(`${spanNumbers(result.withoutKey)}: a group-by field or the value is absent`)}`);
  }
  for (const group of result.groups) lines.push(...groupLines(group, result.names ?? {}, terminal));
  return `${lines.join('\n')}\n`;
}

function groupLines(
  { key, steps, findings, missing, left }: GroupExplanation,
  names: Readonly<Record<number, string>>,
  terminal: Terminal,
): string[] {
  const mark = findings > 0 ? terminal.green('✓') : terminal.red('✗');
  const name = key === '' ? 'everything' : escapeControl(excerpt(key, { start: 0, end: 0 }));
  const count = findings === 0 ? 'no finding' : findings === 1 ? '1 finding' : `${findings} findings`;
  const rows = steps.map(({ span, sinceMs, members, values, window, measured, holds }) => {
    const held = holds ? terminal.green('✓') : ' ';
    const value = values.length > 0 ? ` ${values.slice(0, 3).map(escapeControl).join(', ')}` : '';
    const measures = `: ${measured === '' ? '' : `${escapeControl(measured)} in `}the window of ${spanNumbers(window)}`;
    const called = names[span] === undefined ? `${span}` : `${span} ${escapeControl(names[span])}`;
    return `    ${held} span ${called} at ${sinceMs / 1000} s, ${members.map(escapeControl).join(' and ')}${value}${measures}`;
  });
  const hidden = rows.length - 2 * stepsShown;
  const shown =
    hidden > 0
      ? [...rows.slice(0, stepsShown), terminal.dim(`      and ${hidden} more`), ...rows.slice(-stepsShown)]
      : rows;
  return [
    `  ${mark} group ${name}: ${count}`,
    ...(left === undefined ? [] : [`    ${terminal.yellow(`${left} earlier spans of the group are not looked at`)}`]),
    ...shown,
    ...missing.map((why) => `    ${terminal.yellow(escapeControl(why))}`),
  ];
}

/** `spans 1–19, 25`. */
function spanNumbers(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  const shown = runs.slice(0, 8).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  const more = runs.length > 8 ? ', …' : '';
  return `${numbers.length === 1 ? 'span' : 'spans'} ${shown.join(', ')}${more}`;
}
