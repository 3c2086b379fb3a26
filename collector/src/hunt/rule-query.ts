import type { Rule } from '../detect/load.ts';
import type { Detection, FieldRefMode, FieldTest, ItemTest, Search } from '../detect/resolve.ts';
import type { Condition } from '../detect/rule.ts';
import { categoryByPresence, operationsOf } from '../normalise/categories.ts';
import { type FieldSql, fieldSql } from './fields.ts';
import { matcherSql } from './matchers.ts';
import { allOf, anyOf, literal, not } from './sql-text.ts';

/** A rule as a condition on otel_traces; `reasons` say which items of it cannot be said in SQL. */
export interface RuleCondition {
  readonly where: string;
  readonly reasons: readonly string[];
}

/**
 * The condition under which a stored span matches. What cannot be said is taken as true where that widens the condition and
 * as false where it is negated, so that with reasons the condition finds every span of the rule and others besides.
 */
export function ruleCondition(rule: Rule): RuleCondition {
  const reasons = new Set<string>();
  const detections = [rule.detection, ...rule.filters].map((detection) => detectionSql(detection, reasons));
  return { where: allOf([logsourceSql(rule.categories), ...detections]), reasons: [...reasons] };
}

/** Which spans a rule looks at. */
function logsourceSql(categories: number): string {
  const operations = operationsOf(categories);
  const parts = categoryByPresence
    .filter(([, category]) => (categories & category) !== 0)
    .map(([attribute]) => `mapContains(SpanAttributes, ${literal(attribute)})`);
  if (operations.length > 0)
    parts.unshift(`SpanAttributes['gen_ai.operation.name'] IN (${operations.map(literal).join(', ')})`);
  return anyOf(parts);
}

function detectionSql(detection: Detection, reasons: Set<string>): string {
  return anyOf(detection.conditions.map(({ root }) => conditionSql(root, detection, true, reasons)));
}

function conditionSql(condition: Condition, detection: Detection, positive: boolean, reasons: Set<string>): string {
  const below = (part: Condition): string => conditionSql(part, detection, positive, reasons);
  const named = (name: string): string => searchSql(detection.searches.get(name)!, positive, reasons);
  if (condition.kind === 'identifier') return named(condition.name);
  if (condition.kind === 'not') return not(conditionSql(condition.part, detection, !positive, reasons));
  if (condition.kind === 'of') {
    const parts = condition.names.map(named);
    if (condition.count === parts.length) return allOf(parts);
    if (condition.count === 1) return anyOf(parts);
    return `(${parts.map((part) => `toUInt8(${part})`).join(' + ')} >= ${condition.count})`;
  }
  const parts = condition.parts.map(below);
  return condition.kind === 'and' ? allOf(parts) : anyOf(parts);
}

function searchSql(search: Search, positive: boolean, reasons: Set<string>): string {
  if (search.kind === 'item') return itemSql(search.item, positive, reasons);
  const parts = search.parts.map((part) => searchSql(part, positive, reasons));
  return search.kind === 'all' ? allOf(parts) : anyOf(parts);
}

function itemSql({ selection, field, test }: ItemTest, positive: boolean, reasons: Set<string>): string {
  const refuse = (reason: string): string => {
    reasons.add(`${selection}: ${reason}`);
    return positive ? '1' : '0';
  };
  const read = fieldSql(field);
  if ('reason' in read) return refuse(read.reason);
  const { sql } = read;
  if (test.kind === 'exists') return test.wanted ? sql.present : not(sql.present);
  if (test.kind === 'null')
    return test.negate ? allOf([sql.present, not(sql.isNull)]) : anyOf([not(sql.present), sql.isNull]);
  if (test.kind === 'fieldref') {
    const other = fieldSql(test.other);
    return 'reason' in other ? refuse(other.reason) : fieldRefSql(sql, other.sql, test.mode, test.negate);
  }
  return valuesSql(sql, test) ?? refuse(`\`${field}\`: ${untranslated(test)} cannot be said in SQL`);
}

/** Undefined when a matcher is only code. */
function valuesSql(sql: FieldSql, { groups, negate }: Extract<FieldTest, { kind: 'values' }>): string | undefined {
  const specs = groups.map((group) => group.map(({ spec }) => spec));
  if (specs.some((group) => group.includes(undefined))) return undefined;
  const held = specs.map(
    (group) => `arrayExists(m -> ${anyOf(group.map((spec) => matcherSql(spec!, 'm')))}, ${sql.members})`,
  );
  return negate ? allOf([sql.present, not(allOf(held))]) : allOf([sql.present, ...held]);
}

function untranslated({ groups }: Extract<FieldTest, { kind: 'values' }>): string {
  return groups.flat().find(({ spec }) => spec === undefined)?.wanted ?? '';
}

/** Folded comparison without RE2: the wanted text is no constant. */
function fieldRefSql(a: FieldSql, b: FieldSql, mode: FieldRefMode, negate: boolean): string {
  // The regex is built from the other field, quoted by RE2's own rules.
  const quoted = "replaceRegexpAll(b, '([!-/:-@\\\\[-`{-~])', '\\\\\\\\\\\\1')";
  const start = mode === 'equals' || mode === 'startswith' ? '\\\\A' : '';
  const end = mode === 'equals' || mode === 'endswith' ? '\\\\z' : '';
  const related = `match(a, concat('(?is)${start}', ${quoted}, '${end}'))`;
  const some = `arrayExists(a -> arrayExists(b -> ${related}, ${b.members}), ${a.members})`;
  return allOf([a.present, b.present, negate ? not(some) : some]);
}
