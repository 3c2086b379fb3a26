import type { Position, Problem } from '../model/errors.ts';
import { type AncestryField, ancestryField, reaches, reachProblem } from './ancestry/fields.ts';
import { type Correlation, isCorrelation } from './correlate/correlation.ts';
import type { RuleFilter } from './filters.ts';
import { checkConditions } from './lint-conditions.ts';
import { type LoadedRules, type LoadOptions, type Rule, type RuleSource, readRules } from './load.ts';
import { didYouMean, Report } from './report.ts';
import type { SearchSyntax } from './rule.ts';
import { tagProblem } from './tags.ts';

/** A field of the taxonomy; `open` ones have members behind a dot. */
export interface KnownField {
  readonly name: string;
  /** `text[]` has several values by its nature. */
  readonly type?: string;
  readonly open?: true;
}

export interface LintOptions extends LoadOptions {
  readonly knownFields: readonly KnownField[];
  /** Filters that have expired by then are told; in milliseconds since the epoch. */
  readonly nowMs?: number;
}

export interface LintReport extends LoadedRules {
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Everything there is to say about rules without running them: load errors, and what is likely a mistake. */
export function lintRules(sources: readonly RuleSource[], options: LintOptions): LintReport {
  const reading = readRules(sources, options);
  const report = new Report();
  for (const rule of reading.rules) {
    for (const search of rule.syntax.detection.identifiers.values()) checkFields(search, options.knownFields, report);
    checkConditions(rule.syntax.detection, (field) => isListed(field, options.knownFields), report);
    for (const { name, at } of rule.meta.foldBy ?? []) checkField(name, at, options.knownFields, report);
    checkTexts(rule, report);
  }
  for (const { detection } of reading.broken) {
    for (const search of detection.identifiers.values()) checkFields(search, options.knownFields, report);
  }
  for (const correlation of reading.correlations) {
    checkCorrelation(correlation, options.knownFields, report);
    checkTexts(correlation, report);
  }
  for (const filter of reading.filters) checkFilter(filter, options, report);
  return {
    rules: reading.rules,
    filters: reading.filters,
    correlations: reading.correlations,
    errors: [...reading.errors, ...report.errors].sort(byPlace),
    warnings: [...reading.warnings, ...report.warnings].sort(byPlace),
  };
}

function checkFilter({ meta, syntax }: RuleFilter, { knownFields, nowMs }: LintOptions, report: Report): void {
  for (const search of syntax.detection.identifiers.values()) checkFields(search, knownFields, report);
  checkConditions(syntax.detection, (field) => isListed(field, knownFields), report);
  if (syntax.scope) checkFields(syntax.scope, knownFields, report);
  if (nowMs === undefined || meta.expiresNanos === undefined) return;
  if (BigInt(nowMs) * 1_000_000n < meta.expiresNanos) return;
  const message = `the suppression expired on ${meta.expires}: what it hid is found again`;
  report.warn('SW_RULE_EXPIRED', syntax.at, message, 'Remove it, or give it a new date when its reason still holds.');
}

/** Names that only we define must exist; OTel's grow, so an unknown one is a warning. */
function checkFields(search: SearchSyntax, known: readonly KnownField[], report: Report): void {
  if (search.kind !== 'item') {
    for (const part of search.parts) checkFields(part, known, report);
    return;
  }
  const { item } = search;
  const names = [item.field];
  if (item.modifiers.includes('fieldref')) names.push(...item.values.map(({ value }) => String(value)));
  for (const name of names) checkField(name, item.at, known, report);
}

function checkField(name: string, at: Position, known: readonly KnownField[], report: Report): void {
  const reached = ancestryField(name);
  const base = reached?.base ?? name;
  if (reached) checkReach(reached, at, report);
  if (name === '' || isKnown(base, known) || reachProblem(name)) return;
  const [, head, rest] = /^(\w+)\.(\w+\..+)$/s.exec(base) ?? [];
  if (rest !== undefined && isKnown(rest, known)) {
    const reach = didYouMean(head!, reaches) ?? 'ancestor';
    report.warn('SW_RULE_FIELD', at, `\`${name}\` is no field`, `Write \`${reach}.${rest}\`.`);
    return;
  }
  const word = didYouMean(
    base,
    known.map((field) => field.name),
  );
  const near = word && reached ? `${reached.reach}.${word}` : word;
  const advice = near === undefined ? 'The fields are listed in docs/taxonomy.md.' : `Write \`${near}\`.`;
  if (/^(?:spanwarden|span|message)\./.test(base))
    report.error('SW_RULE_FIELD', at, `there is no field \`${name}\``, advice);
  else if (near !== undefined || /^(?:gen_ai|mcp)\./.test(base)) {
    report.warn('SW_RULE_FIELD', at, `\`${name}\` is no field of the taxonomy`, advice);
  }
}

/** The root of a trace is a request or the run of an agent: what only tool calls have is looked for there in vain. */
function checkReach({ reach, base }: AncestryField, at: Position, report: Report): void {
  if (reach !== 'root' || !/^(?:gen_ai\.tool|spanwarden\.(?:effect|argument|outgoing)|mcp)\./.test(base)) return;
  const message = `\`root.${base}\` is a field of tool calls, and the root of a trace is seldom one`;
  report.warn('SW_RULE_FIELD', at, message, `Write \`ancestor.${base}\` or \`parent.${base}\`.`);
}

/** Fields of correlations that belong to no alias and to no correlation below, and names that could be mistaken for fields. */
function checkCorrelation({ syntax, members }: Correlation, known: readonly KnownField[], report: Report): void {
  const { aliases, groupBy, fields } = syntax;
  const direct = members.some(({ source }) => !isCorrelation(source));
  for (const { name, at } of [...groupBy, ...fields]) {
    if (direct && !aliases.has(name)) checkField(name, at, known, report);
  }
  for (const [alias, { fields: targets, at }] of aliases) {
    if (isKnown(alias, known)) {
      report.warn('SW_RULE_FIELD', at, `the alias \`${alias}\` is also the name of a field`, 'Choose another name.');
    }
    if (direct) for (const target of targets.values()) checkField(target.name, target.at, known, report);
  }
}

function isKnown(name: string, known: readonly KnownField[]): boolean {
  return known.some((field) => field.name === name || (field.open && name.startsWith(`${field.name}.`)));
}

/** Also where it is known of no field that it has one value only: arguments may be lists, and there are several ancestors. */
function isListed(name: string, known: readonly KnownField[]): boolean {
  const reached = ancestryField(name);
  const field = known.find((each) => each.name === (reached?.base ?? name));
  return reached?.reach === 'ancestor' || !/^(?:text|number|boolean)$/.test(field?.type ?? '');
}

function checkTexts({ meta, syntax }: Rule | Correlation, report: Report): void {
  if (meta.description === '') {
    const advice = 'Its first sentence is the reason in findings.';
    report.warn('SW_RULE_KEY', syntax.at, 'the rule has no description', advice);
  }
  if (meta.tags.length === 0)
    report.warn('SW_RULE_KEY', syntax.at, 'the rule has no tags', 'For example: - owasp.asi01.');
  for (const [index, tag] of meta.tags.entries()) {
    const problem = tagProblem(tag);
    if (problem !== undefined) report.warn('SW_RULE_VALUE', meta.tagsAt[index], problem);
  }
}

function byPlace(a: Problem, b: Problem): number {
  const [x, y] = [a.position, b.position];
  if (!x || !y) return Number(!!y) - Number(!!x);
  return x.file < y.file ? -1 : x.file > y.file ? 1 : x.line - y.line || x.column - y.column;
}
