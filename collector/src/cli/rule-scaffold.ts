import { randomUUID } from 'node:crypto';
import { stringify } from 'yaml';
import { lintRules } from '../detect/lint.ts';
import { runRuleTests } from '../detect/rule-tests.ts';
import { type Problem, SpanwardenError } from '../model/errors.ts';
import { createFieldTable } from '../model/fields.ts';
import type { Level } from '../model/severity.ts';
import type { CategoryName } from '../model/span-events.ts';
import { taxonomy } from '../normalise/taxonomy.ts';
import { type ExampleSpan, exampleSpans, type Plain } from './rule-examples.ts';
import { createTestRun } from './rule-test-events.ts';

/** The least a rule needs; everything else has a value that one edits later. */
export interface RuleWishes {
  readonly name: string;
  readonly title: string;
  readonly category: CategoryName | 'any';
  /** With its modifiers: `spanwarden.argument.amount|gt`. */
  readonly field: string;
  readonly value: string;
  readonly level: Level;
  readonly tag: string;
  /** A value that the rule must match, where it does not follow from `value`: for regexes and wildcards. */
  readonly example: string | undefined;
}

/**
 * The texts of a rule and of its test. They have been linted and run: a field or value that makes no clean rule, or one that
 * no example span can be found for, is a SpanwardenError.
 */
export function scaffoldRule(wishes: RuleWishes, today: Date): { readonly rule: string; readonly test: string } {
  const rule = ruleText(wishes, today);
  const source = { path: `${wishes.name}.yml`, text: rule };
  const { rules, errors, warnings } = lintRules([source], { knownFields: taxonomy });
  const problems: Problem[] = [...errors, ...warnings];
  if (problems.length > 0) throw new SpanwardenError(problems.map(({ position: _, ...problem }) => problem));
  for (const test of testTexts(wishes)) {
    const fields = createFieldTable();
    const tests = [{ path: `${wishes.name}.test.yml`, text: test }];
    const run = runRuleTests({ rules, tests, ...createTestRun(fields) });
    if (run.problems.length === 0 && run.results.every(({ status }) => status === 'passed')) return { rule, test };
  }
  throw new SpanwardenError({
    code: 'SW_RULE_TEST',
    message: `no example span was found that ${wishes.field} matches`,
    advice: 'Give --example with a value that it must match, or write the rule by hand: docs/writing-rules.md.',
  });
}

/** Long lines stay whole, and what YAML 1.1 would read as a boolean is quoted. */
const yaml = { lineWidth: 0, compat: 'yaml-1.1' } as const;

function ruleText(wishes: RuleWishes, today: Date): string {
  const { name, title, category, level, tag } = wishes;
  return stringify(
    {
      title,
      id: randomUUID(),
      name: name.replaceAll('-', '_'),
      status: 'experimental',
      level,
      description: /[.!?]$/.test(title) ? title : `${title}.`,
      date: today.toISOString().slice(0, 10),
      tags: [tag],
      logsource: { product: 'ai_agent', category },
      detection: { selection: { [wishes.field]: plainValue(wishes, wishes.value) }, condition: 'selection' },
    },
    yaml,
  );
}

/** Candidates: each place a value may stand in, with each value that may be the near miss. */
function testTexts(wishes: RuleWishes): string[] {
  const [field = ''] = wishes.field.split('|');
  const examples = wishes.example === undefined ? examplesOf(wishes) : [plainValue(wishes, wishes.example)];
  return exampleSpans(field, wishes.category).flatMap((span) =>
    examples.flatMap((example) => nearMissesOf(wishes).map((other) => testText(span, example, other))),
  );
}

function testText(span: ExampleSpan, example: Plain | undefined, other: Plain | undefined): string {
  const test = {
    matches: [{ case: 'what it is for', ...span(example) }],
    near_misses: [{ case: 'the same with another value', ...span(other) }],
  };
  return stringify(test, yaml);
}

/** What may match, the likeliest first. */
function examplesOf(wishes: RuleWishes): (Plain | undefined)[] {
  const value = plainValue(wishes, wishes.value);
  const { modifiers } = partsOf(wishes);
  const has = (modifier: string): boolean => modifiers.includes(modifier);
  if (typeof value !== 'string') return [exampleOf(wishes)];
  if (has('cidr')) return [value.replace(/\/\d+$/, '')];
  if (has('base64') || has('base64offset')) return [Buffer.from(value).toString('base64')];
  // A path that ends with a slash is known without it.
  return [exampleOf(wishes), ...(has('startswith') ? [`${value}example`] : [])];
}

function exampleOf(wishes: RuleWishes): Plain | undefined {
  const value = plainValue(wishes, wishes.value);
  const { modifiers } = partsOf(wishes);
  if (modifiers.includes('exists')) return value === false ? undefined : 'anything';
  if (modifiers.includes('neq')) return typeof value === 'number' ? value + 1 : 'something else';
  if (typeof value !== 'number') return value;
  return value + (modifiers.includes('gt') ? 1 : modifiers.includes('lt') ? -1 : 0);
}

function nearMissesOf(wishes: RuleWishes): (Plain | undefined)[] {
  const value = plainValue(wishes, wishes.value);
  if (typeof value === 'number') return [value, value + 1, value - 1];
  return ['something else', value, undefined];
}

/** Numbers where the field or the modifier asks for some, else text as it was written. */
function plainValue(wishes: RuleWishes, text: string): string | number | boolean {
  const { field, modifiers } = partsOf(wishes);
  const type = taxonomy.find(({ name }) => name === field)?.type;
  const isNumber = /^-?\d{1,15}(?:\.\d{1,9})?$/.test(text);
  const compares = modifiers.some((modifier) => /^(?:[lg]te?|minute|hour|day|week|month|year)$/.test(modifier));
  if (isNumber && (compares || type === 'number' || (type === undefined && modifiers.length === 0)))
    return Number(text);
  if (/^(?:true|false)$/.test(text) && (modifiers.includes('exists') || type === 'boolean')) return text === 'true';
  return text;
}

function partsOf(wishes: RuleWishes): { readonly field: string; readonly modifiers: readonly string[] } {
  const [field = '', ...modifiers] = wishes.field.split('|');
  return { field, modifiers };
}
