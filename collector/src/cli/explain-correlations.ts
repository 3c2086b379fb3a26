import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Correlation } from '../detect/correlate/correlation.ts';
import { explainCorrelation } from '../detect/explain-correlation.ts';
import type { Rule } from '../detect/load.ts';
import { Report } from '../detect/report.ts';
import { type RuleTestOptions, readTestCases } from '../detect/rule-tests.ts';
import { SpanwardenError } from '../model/errors.ts';
import { createFieldTable, type FieldTable } from '../model/fields.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { correlationText } from './correlation-view.ts';
import { readSpans } from './explain-span.ts';
import { createTestRun } from './rule-test-events.ts';
import { createTerminal, jsonLine } from './terminal.ts';

interface Set {
  readonly rules: readonly Rule[];
  readonly correlations: readonly Correlation[];
}

/**
 * Explains correlations on the cases of a test file, `file#case` for one, or on all spans of a file with OTLP/JSON. Throws a
 * SpanwardenError when there is nothing to explain.
 */
export function explainCorrelations(set: Set, argument: string, json: boolean): void {
  const terminal = createTerminal(process.stdout);
  const fields = createFieldTable();
  const { eventsFrom, shownBy } = createTestRun(fields);
  const results = casesOf(set, argument, { fields, eventsFrom }).map(({ correlation, name, events }) => {
    const explanation = explainCorrelation(correlation, events(), fields, shownBy);
    const { id, name: ruleName, title } = correlation.meta;
    return { rule: { id, name: ruleName, title, file: correlation.file }, case: name, ...explanation };
  });
  if (json) terminal.write(jsonLine({ explanations: results }, 2));
  else for (const result of results) terminal.writeLine(correlationText(result, terminal));
}

interface Case {
  readonly correlation: Correlation;
  readonly name: string;
  readonly events: () => SpanEvents;
}

function casesOf(
  { rules, correlations }: Set,
  argument: string,
  { fields, eventsFrom }: { readonly fields: FieldTable; readonly eventsFrom: RuleTestOptions['eventsFrom'] },
): Case[] {
  const hash = existsSync(argument) ? -1 : argument.lastIndexOf('#');
  const path = hash < 0 ? argument : argument.slice(0, hash);
  const isTestFile = /\.test\.ya?ml$/.test(path) && existsSync(path) && statSync(path).isFile();
  if (!isTestFile) {
    return correlations.map((correlation) => ({
      ...{ correlation, name: '' },
      events: () => readSpans(argument, fields).events,
    }));
  }
  const report = new Report();
  const test = { path, text: readFileSync(path, 'utf8') };
  const all = correlations.flatMap((correlation) => {
    // The test file may stand elsewhere than beside the rule.
    const beside = { ...correlation, file: path.replace(/\.test\.ya?ml$/, '.yml') };
    const { cases } = readTestCases({ rules, correlations: [beside], tests: [test] }, report);
    return cases.map(({ name, spans }): Case => ({ correlation, name, events: () => eventsFrom(spans) }));
  });
  // Documents for other rules of the file are none of ours, so errors only count when nothing is left.
  if (all.length === 0 && report.errors.length > 0) throw new SpanwardenError(report.errors);
  const wanted = all.filter(({ name }) => hash < 0 || name === argument.slice(hash + 1));
  if (wanted.length > 0) return wanted;
  const advice = `Cases: ${all.map(({ name }) => name).join('; ') || 'none'}.`;
  throw new SpanwardenError({ code: 'SW_RULE_VALUE', message: `${path} has no such case`, advice });
}
