import { type TimePart, timePartRanges } from './modifiers/time-part.ts';
import type { Report } from './report.ts';
import type { DetectionSyntax, ItemSyntax, SearchSyntax } from './rule.ts';
import { possibleOf } from './satisfiable.ts';

/**
 * Conditions that no span can make true, or none false, and times that there are not.
 *
 * @param isList whether a field has several values by its nature
 */
export function checkConditions(detection: DetectionSyntax, isList: (field: string) => boolean, report: Report): void {
  for (const search of detection.identifiers.values()) checkTimes(search, report);
  for (const { root, at, text } of detection.conditions) {
    const { canBeTrue, canBeFalse, needsLists } = possibleOf(root, detection, isList);
    if (!canBeTrue) {
      const advice = 'Look for a selection that it asks for and excludes, or a field that must be there and absent.';
      report.error('SW_RULE_CONDITION', at, `the condition \`${text}\` can never be true`, advice);
    } else if (!canBeFalse) {
      const advice = 'Ask for something: it matches every span of its logsource.';
      report.warn('SW_RULE_CONDITION', at, `the condition \`${text}\` is always true`, advice);
    }
    for (const field of needsLists) {
      const message = `one value of \`${field}\` cannot be all that the condition asks for at once`;
      report.warn(
        'SW_RULE_CONDITION',
        at,
        message,
        'Fine for a list; otherwise write alternatives as a list of values.',
      );
    }
  }
}

function checkTimes(search: SearchSyntax, report: Report): void {
  if (search.kind === 'item') checkTime(search.item, report);
  else for (const part of search.parts) checkTimes(part, report);
}

function checkTime({ modifiers, values }: ItemSyntax, report: Report): void {
  const part = modifiers.find((modifier): modifier is TimePart => Object.hasOwn(timePartRanges, modifier));
  const range = part && timePartRanges[part];
  if (!range) return;
  const [low, high] = range;
  for (const { value, at } of values) {
    if (typeof value !== 'number') continue;
    const isOut =
      (modifiers.includes('gt') && value >= high) ||
      (modifiers.includes('lt') && value <= low) ||
      (modifiers.includes('gte') && value > high) ||
      (modifiers.includes('lte') && value < low) ||
      (!modifiers.some((modifier) => /^[gl]te?$/.test(modifier)) && (value < low || value > high));
    if (isOut) report.error('SW_RULE_VALUE', at, `no ${part} is that`, `It is a number from ${low} to ${high}.`);
  }
}
