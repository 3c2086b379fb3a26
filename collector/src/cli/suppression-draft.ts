import { randomUUID } from 'node:crypto';
import { stringify } from 'yaml';
import { compileRule, createShared } from '../detect/compile.ts';
import { type Correlation, isCorrelation } from '../detect/correlate/correlation.ts';
import { lintRules } from '../detect/lint.ts';
import { type Rule, type RuleSource, readRules } from '../detect/load.ts';
import type { Lists } from '../detect/modifiers/text.ts';
import { namesOf } from '../detect/names.ts';
import { runRuleTests } from '../detect/rule-tests.ts';
import type { FieldTable } from '../model/fields.ts';
import { createFieldTable } from '../model/fields.ts';
import { isList, type Value, valueText } from '../model/value.ts';
import { taxonomy } from '../normalise/taxonomy.ts';
import type { StoredFinding } from '../store/findings-reader.ts';
import { createTestRun } from './rule-test-events.ts';
import type { StoredSpan } from './stored-span.ts';
import { minimalCase, type Writable } from './suppression-test.ts';

export interface DraftOptions {
  readonly finding: StoredFinding;
  readonly span: StoredSpan;
  readonly fields: FieldTable;
  /** The rules that run, as their files are. */
  readonly sources: readonly RuleSource[];
  readonly lists: Lists;
  readonly owner: string;
  readonly reason: string;
  /** The last day on which it applies, YYYY-MM-DD. */
  readonly expires: string;
}

/** `none` says why there is nothing to offer. */
export type Draft =
  | {
      readonly status: 'drafted';
      /** Of both files, without `.yml`. */
      readonly name: string;
      readonly suppression: string;
      readonly test: string;
      /** What it takes as a sentence. */
      readonly hides: string;
      /** Rules below the one that made the finding, which is a correlation: filters act on these only. */
      readonly below: readonly string[];
    }
  | { readonly status: 'none'; readonly why: string };

/** Longer values are matched by the piece that the rule looked at. */
const exactCharsMax = 200;
/** Shorter pieces would hide more than what was meant. */
const pieceCharsMin = 8;

/**
 * The narrowest suppression that hides a finding: its agent, its tool and what the rule saw there; and its test, in which
 * the span is a near miss and the same span of another agent still matches. Both have been linted and run.
 */
export function draftSuppression(options: DraftOptions): Draft {
  const { finding, sources, lists, span } = options;
  const reading = readRules(sources, { lists });
  const found = [...reading.rules, ...reading.correlations].find((rule) => namesOf(rule).includes(finding.ruleId));
  if (!found) return { status: 'none', why: 'the rule that made it is not loaded any more' };
  const rules = matchingBases(found, options);
  const [rule] = rules;
  if (!rule) return { status: 'none', why: 'the rule does not match its span any more' };
  const scope = scopeOf(finding);
  if (!scope) return { status: 'none', why: 'its span names neither an agent nor a service' };
  const name = `${(rule.meta.name || rule.meta.id).replaceAll(/[^A-Za-z0-9-]+/g, '-')}-${finding.id.slice(0, 8)}`;
  for (const selection of selectionsOf(finding, rule, options)) {
    const suppression = suppressionText(options, rules, scope, selection);
    const path = `${name}.yml`;
    const all = [...sources, { path, text: suppression }];
    const lint = lintRules(all, { lists, knownFields: taxonomy });
    const problems = [...lint.errors, ...lint.warnings].filter(({ position }) => position?.file === path);
    const ready = lint.rules.find(({ meta }) => meta.id === rule.meta.id);
    if (problems.length > 0 || !ready) continue;
    const test = minimalCase({ rule: ready, bare: rule, span, fields: options.fields, byAgent: 'agent' in scope });
    const text = test && testText(rule, test);
    if (text === undefined || !passes(ready, path, text)) continue;
    return {
      status: 'drafted',
      name,
      suppression,
      test: text,
      hides: hidesText(scope, selection, rules),
      below: isCorrelation(found) ? rules.map(({ meta }) => meta.name || meta.title) : [],
    };
  }
  return { status: 'none', why: 'no suppression was found that hides this span and not the same span of others' };
}

type Selection = Readonly<Record<string, string | number | boolean>>;

/** The detection rules behind a finding that match its span, without their filters. */
function matchingBases(rule: Rule | Correlation, { span, fields }: DraftOptions): Rule[] {
  if (isCorrelation(rule)) {
    const bases = rule.members.flatMap(({ source }) => matchingBases(source, { span, fields } as DraftOptions));
    return [...new Set(bases)];
  }
  const bare = { ...rule, filters: [] };
  const node = compileRule(bare, createShared(fields));
  return node.test({ events: span.events, span: span.index, turn: 1 }) ? [bare] : [];
}

/** Candidates, the narrowest first. */
function selectionsOf(finding: StoredFinding, rule: Rule, options: DraftOptions): Selection[] {
  const { span, fields } = options;
  const tool: Selection = finding.toolName === '' ? {} : { 'gen_ai.tool.name': literal(finding.toolName) };
  const evidence = isOwnEvidence(finding, rule)
    ? finding.evidence
    : collected(rule, options).filter(({ field }) => field !== '');
  const narrow = evidence.flatMap(({ field, excerpt }): Selection[] => {
    if (field === '' || field === 'gen_ai.tool.name') return [];
    const value = span.events.value(span.index, fields.intern(field));
    const item = value === undefined ? undefined : itemFor(field, value, excerpt);
    return item ? [{ ...tool, ...item }] : [];
  });
  return Object.keys(tool).length > 0 ? [...narrow, tool] : narrow;
}

/** The evidence of a correlation is about its spans; the rule below it has its own. */
function isOwnEvidence(finding: StoredFinding, rule: Rule): boolean {
  return namesOf(rule).includes(finding.ruleId);
}

function collected(rule: Rule, { span, fields }: DraftOptions) {
  const evidence: { selection: string; field: string; wanted: string; excerpt: string }[] = [];
  compileRule(rule, createShared(fields)).collect({ events: span.events, span: span.index, turn: 1 }, evidence);
  return evidence;
}

/** The member of a field that the evidence shows, as an item: whole when it is short, else the piece that matched. */
function itemFor(field: string, value: Value, excerpt: string): Selection | undefined {
  const members = (isList(value) ? value : [value]).filter((member) => member !== null && typeof member !== 'object');
  const pieces = excerpt
    .split(/…|\*{4}|\\u\{[0-9a-f]+\}|\\[nrt]/)
    .map((piece) => piece.trim())
    .sort((a, b) => b.length - a.length);
  const piece = pieces[0] ?? '';
  const masked = excerpt.includes('****');
  const member = members.find((each) => valueText(each).includes(piece)) ?? members[0];
  if (member === undefined) return undefined;
  if (typeof member === 'number' || typeof member === 'boolean') return { [field]: member };
  const text = valueText(member);
  // A secret must not be copied into a file; what stands around it tells the place.
  const clean = !masked && text.length <= exactCharsMax && !/[\p{Cc}\p{Cf}]/u.test(text) && text !== '';
  if (clean) return { [field]: literal(text) };
  if (piece.length < pieceCharsMin || !text.includes(piece)) return undefined;
  return { [`${field}|contains`]: literal(piece.slice(0, exactCharsMax)) };
}

function scopeOf({ agentName, serviceName }: StoredFinding): Record<string, string> | undefined {
  if (agentName !== '') return { agent: literal(agentName) };
  return serviceName === '' ? undefined : { service: literal(serviceName) };
}

/** A text in which * and ? are characters. */
function literal(text: string): string {
  return text.replaceAll(/[\\*?]/g, '\\$&');
}

const yaml = { lineWidth: 0, compat: 'yaml-1.1' } as const;

function suppressionText(
  { finding, owner, reason, expires }: DraftOptions,
  rules: readonly Rule[],
  scope: Record<string, string>,
  selection: Selection,
): string {
  const who = finding.agentName || finding.serviceName;
  const { product = 'ai_agent', category } = rules[0]!.syntax.logsource;
  return stringify(
    {
      title: `${finding.ruleTitle}: harmless for ${who}`.slice(0, 256),
      id: randomUUID(),
      owner,
      reason,
      expires,
      scope,
      logsource: { product, ...(category !== undefined && rules.length === 1 && { category }) },
      filter: { rules: rules.map(({ meta }) => meta.id), harmless: selection, condition: 'not harmless' },
    },
    yaml,
  );
}

function testText(rule: Rule, { harmless, elsewhere }: { harmless: Writable; elsewhere: Writable }): string {
  const test = {
    rule: rule.meta.id,
    matches: [{ case: 'the same from somebody else', ...elsewhere }],
    near_misses: [{ case: 'what was marked as harmless', ...harmless }],
  };
  return stringify(test, yaml);
}

/** Runs the test as `rules test` will. */
function passes(rule: Rule, path: string, text: string): boolean {
  const fields = createFieldTable();
  const tests = [{ path: path.replace(/\.yml$/, '.test.yml'), text }];
  const run = runRuleTests({ rules: [rule], tests, ...createTestRun(fields) });
  return (
    run.problems.length === 0 && run.results.length === 2 && run.results.every(({ status }) => status === 'passed')
  );
}

function hidesText(scope: Record<string, string>, selection: Selection, rules: readonly Rule[]): string {
  const all = [...Object.entries(scope), ...Object.entries(selection)].map(([key, value]) => `${key} ${value}`);
  return `${rules.map(({ meta }) => meta.name || meta.title).join(', ')} where ${all.join(', ')}`;
}
