import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Correlation } from '../detect/correlate/correlation.ts';
import { excerpt } from '../detect/evidence.ts';
import {
  type CorrelationExplanation,
  explainCorrelation,
  type GroupExplanation,
} from '../detect/explain-correlation.ts';
import type { Rule } from '../detect/load.ts';
import { Report } from '../detect/report.ts';
import { readTestCases } from '../detect/rule-tests.ts';
import { SpanwardenError } from '../model/errors.ts';
import { createFieldTable, type FieldTable } from '../model/fields.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { readSpans } from './explain-span.ts';
import { createTestEvents } from './rule-test-events.ts';
import { createTerminal, escapeControl, jsonLine, type Terminal } from './terminal.ts';

/** How many spans of a group are shown from its start and from its end. */
const stepsShown = 6;

/**
 * Explains correlations on the cases of a test file, `file#case` for one, or on all spans of a file with OTLP/JSON. Throws a
 * SpanwardenError when there is nothing to explain.
 */
export function explainCorrelations(
  { rules, correlations }: { readonly rules: readonly Rule[]; readonly correlations: readonly Correlation[] },
  argument: string,
  json: boolean,
): void {
  const terminal = createTerminal(process.stdout);
  const fields = createFieldTable();
  const results = correlations.flatMap((correlation) =>
    casesOf(correlation, rules, argument, fields).map(({ name, events }) => {
      const explanation = explainCorrelation(correlation, events(), fields);
      const { id, name: ruleName, title } = correlation.meta;
      return { rule: { id, name: ruleName, title, file: correlation.file }, case: name, ...explanation };
    }),
  );
  if (json) terminal.write(jsonLine({ explanations: results }, 2));
  else for (const result of results) terminal.writeLine(text(result, terminal));
}

interface Case {
  readonly name: string;
  readonly events: () => SpanEvents;
}

function casesOf(correlation: Correlation, rules: readonly Rule[], argument: string, fields: FieldTable): Case[] {
  const hash = existsSync(argument) ? -1 : argument.lastIndexOf('#');
  const path = hash < 0 ? argument : argument.slice(0, hash);
  const isTestFile = /\.test\.ya?ml$/.test(path) && existsSync(path) && statSync(path).isFile();
  if (!isTestFile) return [{ name: '', events: () => readSpans(argument, fields).events }];
  const report = new Report();
  // The test file may stand elsewhere than beside the rule.
  const beside = { ...correlation, file: path.replace(/\.test\.ya?ml$/, '.yml') };
  const test = { path, text: readFileSync(path, 'utf8') };
  const { cases } = readTestCases({ rules, correlations: [beside], tests: [test] }, report);
  // Documents for other rules of the file are none of ours, so errors only count when nothing is left.
  if (cases.length === 0 && report.errors.length > 0) throw new SpanwardenError(report.errors);
  const wanted = cases.filter(({ name }) => hash < 0 || name === argument.slice(hash + 1));
  if (wanted.length === 0) {
    const advice = `Cases: ${cases.map(({ name }) => name).join('; ') || 'none'}.`;
    throw new SpanwardenError({ code: 'SW_RULE_VALUE', message: `${path} has no such case`, advice });
  }
  const eventsFrom = createTestEvents(fields);
  return wanted.map(({ name, spans }) => ({ name, events: () => eventsFrom(spans) }));
}

type Result = CorrelationExplanation & { readonly rule: { readonly title: string }; readonly case: string };

function text(result: Result, terminal: Terminal): string {
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
  for (const group of result.groups) lines.push(...groupLines(group, terminal));
  return `${lines.join('\n')}\n`;
}

function groupLines({ key, steps, findings, missing }: GroupExplanation, terminal: Terminal): string[] {
  const mark = findings > 0 ? terminal.green('✓') : terminal.red('✗');
  const name = key === '' ? 'everything' : escapeControl(excerpt(key, { start: 0, end: 0 }));
  const count = findings === 0 ? 'no finding' : findings === 1 ? '1 finding' : `${findings} findings`;
  const rows = steps.map(({ span, sinceMs, members, values, window, measured, holds }) => {
    const held = holds ? terminal.green('✓') : ' ';
    const value = values.length > 0 ? ` ${values.slice(0, 3).map(escapeControl).join(', ')}` : '';
    const measures = `: ${measured === '' ? '' : `${escapeControl(measured)} in `}the window of ${spanNumbers(window)}`;
    return `    ${held} span ${span} at ${sinceMs / 1000} s, ${members.map(escapeControl).join(' and ')}${value}${measures}`;
  });
  const hidden = rows.length - 2 * stepsShown;
  const shown =
    hidden > 0
      ? [...rows.slice(0, stepsShown), terminal.dim(`      and ${hidden} more`), ...rows.slice(-stepsShown)]
      : rows;
  return [
    `  ${mark} group ${name}: ${count}`,
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
