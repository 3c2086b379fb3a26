import type { Position } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import { didYouMean, type Report } from '../report.ts';
import { entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import type { CorrelationSyntax, CorrelationType, Named } from './correlation.ts';
import { canCount, isContradiction, operators, satisfyingCounts, type Threshold } from './thresholds.ts';

type Measure = Pick<CorrelationSyntax, 'thresholds' | 'fields' | 'percentile'>;

const example = 'For example: condition: {gte: 5}.';

/** Reads the condition map: what is measured, and what it must be. */
export function parseMeasure(map: YamlMap, type: CorrelationType, rules: number, report: Report): Measure | undefined {
  const entry = entryOf(map, 'condition');
  const temporal = type === 'temporal' || type === 'temporal_ordered';
  if (!entry) {
    if (temporal) return { thresholds: [{ operator: 'gte', value: rules }], fields: [], percentile: 0 };
    report.error('SW_RULE_CONDITION', map.at, `${type} needs a condition`, example);
    return undefined;
  }
  const condition = entry.value;
  if (condition.kind !== 'map') {
    const text = condition.kind === 'scalar' && typeof condition.value === 'string';
    const message = text && temporal ? 'conditions with words are not read' : '`condition` takes a map';
    const advice = temporal ? `Write how many of the rules must match: condition: {gte: ${rules}}.` : example;
    report.error('SW_RULE_CONDITION', condition.at, message, advice);
    return undefined;
  }
  checkKeys(condition, type, report);
  const thresholds = thresholdsOf(condition, report);
  const fields = fieldsOf(condition, type, report);
  const percentile = percentileOf(condition, type, report);
  if (thresholds.length === 0) {
    report.error('SW_RULE_CONDITION', condition.at, 'the condition compares with nothing', example);
  } else if (isContradiction(thresholds)) {
    report.error('SW_RULE_CONDITION', condition.at, 'no number satisfies the condition', 'Remove one of the bounds.');
  } else checkCounts(type, thresholds, rules, condition.at, report);
  return { thresholds, fields, percentile };
}

function checkKeys(condition: YamlMap, type: CorrelationType, report: Report): void {
  const known: string[] = [...operators];
  if (type.startsWith('value_')) known.push('field');
  if (type === 'value_percentile') known.push('percentile');
  for (const { key, keyAt } of condition.entries) {
    if (known.includes(key)) continue;
    const near = didYouMean(key, known);
    const advice = near ? `Write \`${near}\`.` : `Known: ${known.join(', ')}.`;
    report.error('SW_RULE_CONDITION', keyAt, `\`${key}\` means nothing in a condition of ${type}`, advice);
  }
}

function thresholdsOf(condition: YamlMap, report: Report): Threshold[] {
  return operators.flatMap((operator): Threshold[] => {
    const entry = entryOf(condition, operator);
    if (!entry) return [];
    const value = numberOf(entry.value);
    if (value !== undefined) return [{ operator, value }];
    report.error('SW_RULE_CONDITION', entry.value.at, `\`${operator}\` takes a number`, example);
    return [];
  });
}

function fieldsOf(condition: YamlMap, type: CorrelationType, report: Report): CorrelationSyntax['fields'] {
  if (!type.startsWith('value_')) return [];
  const entry = entryOf(condition, 'field');
  const fields = entry ? namesOf(entry, 'the name of a field', report) : [];
  const at = entry?.value.at ?? condition.at;
  if (fields.length === 0) {
    report.error('SW_RULE_CONDITION', at, `${type} needs a field`, 'Write `field: <name>` into the condition.');
  } else if (fields.length > 1 && type !== 'value_count') {
    report.error('SW_RULE_CONDITION', at, `${type} takes one field`, 'Only value_count takes a list.');
  } else if (fields.length > limits.correlationKeysMax) {
    report.error('SW_RULE_CONDITION', at, `\`field\` takes at most ${limits.correlationKeysMax} fields`);
  }
  return fields;
}

function percentileOf(condition: YamlMap, type: CorrelationType, report: Report): number {
  if (type !== 'value_percentile') return 50;
  const entry: YamlEntry | undefined = entryOf(condition, 'percentile');
  const value = entry && numberOf(entry.value);
  if (value !== undefined && value > 0 && value <= 100) return value;
  report.error(
    'SW_RULE_CONDITION',
    entry?.value.at ?? condition.at,
    entry ? '`percentile` takes a number above 0, at most 100' : 'value_percentile needs a percentile',
    'For example: condition: {field: span.duration_ms, percentile: 95, gt: 2000}.',
  );
  return 50;
}

/** Counts are whole numbers from 1 on, and of rules there are only so many. */
function checkCounts(
  type: CorrelationType,
  thresholds: readonly Threshold[],
  rules: number,
  at: Position,
  report: Report,
): void {
  const never = (message: string, advice: string): void => report.error('SW_RULE_CONDITION', at, message, advice);
  if (type === 'temporal' || type === 'temporal_ordered') {
    const counts = satisfyingCounts(thresholds, rules).filter((count) => count > 0);
    if (counts.length === 0) never(`no number of rules from 1 to ${rules} satisfies the condition`, example);
    else if (type === 'temporal_ordered' && (counts.length > 1 || counts[0] !== rules)) {
      never('temporal_ordered takes all of its rules', `Remove the condition, or write {gte: ${rules}}.`);
    }
    return;
  }
  if (type !== 'event_count' && type !== 'value_count') return;
  const lowest = thresholds.map(({ operator, value }) =>
    operator === 'gte' || operator === 'eq' ? value : operator === 'gt' ? value + 1 : 0,
  );
  if (Math.max(...lowest) > limits.correlationEventsPerGroupMax) {
    never(`a group counts up to ${limits.correlationEventsPerGroupMax}, and the condition asks for more`, example);
  } else if (!canCount(thresholds)) {
    never('no whole number from 1 on satisfies the condition', 'What did not happen is found by the type `absence`.');
  } else if (
    satisfyingCounts(thresholds, 1).length === 2 &&
    thresholds.every(({ operator }) => /^gte?$/.test(operator))
  ) {
    never('the condition holds for every number of events', 'Write at least `gte: 1`.');
  }
}

/** The texts of a list, or of a single scalar. */
export function namesOf({ key, value }: YamlEntry, what: string, report: Report): readonly Named[] {
  const items = value.kind === 'list' ? value.items : [value];
  return items.flatMap((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'string' && item.value !== '') {
      return [{ name: item.value, at: item.at }];
    }
    report.error('SW_RULE_VALUE', item.at, `\`${key}\` takes ${what}`);
    return [];
  });
}

function numberOf(node: YamlNode): number | undefined {
  if (node.kind !== 'scalar') return undefined;
  const value = typeof node.value === 'bigint' ? Number(node.value) : node.value;
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
