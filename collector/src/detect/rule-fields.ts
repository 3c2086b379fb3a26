import { ancestryField } from './ancestry/fields.ts';
import type { Correlation } from './correlate/correlation.ts';
import { isCorrelation } from './correlate/correlation.ts';
import { satisfyingCounts } from './correlate/thresholds.ts';
import type { Rule } from './load.ts';
import type { Detection, ItemTest, Search } from './resolve.ts';
import type { Condition } from './rule.ts';

/** Every field that a rule names, outside of its filters; '' for keywords. */
export function fieldsOf({ detection }: Rule): string[] {
  const names = [...detection.searches.values()]
    .flatMap(itemsOf)
    .flatMap(({ field, test }) => (test.kind === 'fieldref' ? [field, test.other] : [field]));
  return [...new Set(names.map((name) => ancestryField(name)?.base ?? name))];
}

/**
 * The fields without which a rule cannot match, out of those that never arrive; empty when it can match all the same.
 * `arrives` says whether a field has been seen in any span of these categories.
 */
export function missingFields(
  rule: Rule | Correlation,
  arrives: (field: string, categories: number) => boolean,
): readonly string[] {
  if (isCorrelation(rule)) return missingOfCorrelation(rule, arrives);
  // Spans above may be of any category, or of none.
  const seen = (field: string): boolean =>
    field === '' || ancestryField(field) !== undefined || arrives(field, rule.categories);
  const missing = rule.detection.conditions.map(({ root }) => missingIn(root, rule.detection, seen));
  return missing.some((fields) => fields.length === 0) ? [] : [...new Set(missing.flat())];
}

function missingOfCorrelation(
  { syntax, members }: Correlation,
  arrives: (field: string, categories: number) => boolean,
): readonly string[] {
  const missing = members.map(({ source }) => missingFields(source, arrives));
  const able = missing.filter((fields) => fields.length === 0).length;
  const temporal = (syntax.type === 'temporal' || syntax.type === 'temporal_ordered') && syntax.thresholds.length > 0;
  // How many of its rules match is what a temporal correlation measures; of the others any one may be enough.
  const reachable = temporal ? satisfyingCounts(syntax.thresholds, able).some((count) => count > 0) : able > 0;
  return !reachable ? [...new Set(missing.flat())] : [];
}

type Seen = (field: string) => boolean;

function missingIn(condition: Condition, detection: Detection, seen: Seen): string[] {
  if (condition.kind === 'identifier') return missingInSearch(detection.searches.get(condition.name)!, seen);
  // What must not be there need not arrive.
  if (condition.kind === 'not') return [];
  if (condition.kind === 'and') return condition.parts.flatMap((part) => missingIn(part, detection, seen));
  const parts =
    condition.kind === 'of'
      ? condition.names.map((name) => missingInSearch(detection.searches.get(name)!, seen))
      : condition.parts.map((part) => missingIn(part, detection, seen));
  return enough(parts, condition.kind === 'of' ? condition.count : 1);
}

function missingInSearch(search: Search, seen: Seen): string[] {
  if (search.kind === 'item') return missingInItem(search.item, seen);
  const parts = search.parts.map((part) => missingInSearch(part, seen));
  return search.kind === 'all' ? parts.flat() : enough(parts, 1);
}

function enough(parts: readonly string[][], count: number): string[] {
  return parts.filter((part) => part.length === 0).length >= count ? [] : parts.flat();
}

function missingInItem({ field, test }: ItemTest, seen: Seen): string[] {
  if (test.kind === 'exists' && !test.wanted) return [];
  if (test.kind === 'null' && !test.negate) return [];
  const needed = test.kind === 'fieldref' ? [field, test.other] : [field];
  return needed.filter((name) => !seen(name));
}

function itemsOf(search: Search): ItemTest[] {
  return search.kind === 'item' ? [search.item] : search.parts.flatMap(itemsOf);
}
