import { reachProblem } from './ancestry/fields.ts';
import type { Matcher } from './matcher.ts';
import { chainProblem, foreignModifiers, modifierKinds } from './modifiers/chain.ts';
import type { Lists } from './modifiers/text.ts';
import { fieldValueMatchers } from './modifiers/values.ts';
import { didYouMean, type Report } from './report.ts';
import type { Condition, DetectionSyntax, ItemSyntax, SearchSyntax } from './rule.ts';
import type { YamlScalar } from './yaml.ts';

/** A detection whose values are compiled; only the ids of its fields are still to be known. */
export interface Detection {
  readonly searches: ReadonlyMap<string, Search>;
  readonly conditions: readonly { readonly root: Condition; readonly text: string }[];
}

export type Search =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Search[] }
  | { readonly kind: 'item'; readonly item: ItemTest };

/** One `field|modifiers: values` as a test of the field. */
export interface ItemTest {
  /** The search identifier it stands in. */
  readonly selection: string;
  /** '' is a keyword: every text of the span. */
  readonly field: string;
  readonly test: FieldTest;
}

export type FieldTest =
  | { readonly kind: 'exists'; readonly wanted: boolean }
  | { readonly kind: 'null'; readonly negate: boolean }
  | { readonly kind: 'fieldref'; readonly other: string; readonly mode: FieldRefMode; readonly negate: boolean }
  /** Every group must hold, a group holds when any of its matchers does; then `neq` turns the result round. */
  | { readonly kind: 'values'; readonly groups: readonly (readonly Matcher[])[]; readonly negate: boolean };

export type FieldRefMode = 'equals' | 'contains' | 'startswith' | 'endswith';

export interface ResolveOptions {
  readonly lists: Lists;
  readonly report: Report;
}

/** Compiles the values of a detection part; everything wrong with them goes to the report. */
export function resolveDetection(syntax: DetectionSyntax, options: ResolveOptions): Detection {
  const searches = new Map<string, Search>();
  for (const [name, search] of syntax.identifiers) searches.set(name, resolveSearch(name, search, options));
  return { searches, conditions: syntax.conditions.map(({ root, text }) => ({ root, text })) };
}

/** The same of one search identifier. */
export function resolveSearch(selection: string, syntax: SearchSyntax, options: ResolveOptions): Search {
  if (syntax.kind === 'item') {
    const test = resolveItem(syntax.item, options);
    const never: FieldTest = { kind: 'values', groups: [[]], negate: false };
    return { kind: 'item', item: { selection, field: syntax.item.field, test: test ?? never } };
  }
  return { kind: syntax.kind, parts: syntax.parts.map((part) => resolveSearch(selection, part, options)) };
}

function resolveItem(item: ItemSyntax, options: ResolveOptions): FieldTest | undefined {
  if (!checkModifiers(item, options.report)) return undefined;
  const { modifiers, values, at } = item;
  const { report } = options;
  for (const name of [
    item.field,
    ...(modifiers.includes('fieldref') ? values.map(({ value }) => String(value)) : []),
  ]) {
    const reach = reachProblem(name);
    if (reach) report.error('SW_RULE_FIELD', at, reach.message, reach.advice);
  }
  const negate = modifiers.includes('neq');
  if (
    item.field === '' &&
    modifiers.some((modifier) => ['exists', 'neq', 'fieldref', 'cidr', 'lt', 'lte', 'gt', 'gte'].includes(modifier))
  ) {
    report.error('SW_RULE_MODIFIER', at, 'keywords take text modifiers only', 'Name a field in front of the modifier.');
    return undefined;
  }
  if (modifiers.includes('all') && values.length < 2) {
    report.warn('SW_RULE_MODIFIER', at, '`all` has no effect on one value', 'Remove it.');
  }
  if (modifiers.includes('exists')) return resolveExists(item, report);
  if (modifiers.includes('fieldref')) return resolveFieldRef(item, negate, report);
  if (values.some((value) => value.value === null)) return resolveNull(item, negate, report);
  const matchers = values.map((value) => fieldValueMatchers(value, item, options));
  if (matchers.some((each) => each === undefined)) return undefined;
  const known = matchers as Matcher[][];
  return { kind: 'values', groups: modifiers.includes('all') ? known : [known.flat()], negate };
}

function checkModifiers(item: ItemSyntax, report: Report): boolean {
  for (const modifier of item.modifiers) {
    if (modifierKinds.has(modifier)) continue;
    const foreign = Object.hasOwn(foreignModifiers, modifier) ? foreignModifiers[modifier] : undefined;
    const near = foreign ?? didYouMean(modifier, modifierKinds.keys());
    const all = `Modifiers: ${[...modifierKinds.keys()].join(', ')}.`;
    const advice = near === undefined ? all : `Write ${near.includes(' ') ? near : `\`${near}\``}. ${all}`;
    report.error('SW_RULE_MODIFIER', item.at, `unknown modifier \`${modifier}\``, advice);
    return false;
  }
  const problem = chainProblem(item.modifiers);
  if (problem !== undefined) report.error('SW_RULE_MODIFIER', item.at, problem);
  return problem === undefined;
}

function resolveExists(item: ItemSyntax, report: Report): FieldTest | undefined {
  const [value] = item.values;
  if (item.values.length !== 1 || typeof value?.value !== 'boolean') {
    report.error('SW_RULE_VALUE', item.at, '`exists` takes one boolean', 'Write true or false.');
    return undefined;
  }
  return { kind: 'exists', wanted: value.value };
}

function resolveNull(item: ItemSyntax, negate: boolean, report: Report): FieldTest | undefined {
  if (item.values.length > 1) {
    report.error('SW_RULE_VALUE', item.at, 'null may not stand in a list', 'Put it into a selection of its own.');
    return undefined;
  }
  if (item.modifiers.some((modifier) => modifier !== 'neq' && modifier !== 'all')) {
    report.error(
      'SW_RULE_VALUE',
      item.at,
      `null does not go with \`${item.modifiers.join('|')}\``,
      "Write '' for an empty text.",
    );
    return undefined;
  }
  if (item.field === '') {
    report.error('SW_RULE_VALUE', item.at, 'null is no keyword', 'Remove it, or quote it to search for the word.');
    return undefined;
  }
  return { kind: 'null', negate };
}

function resolveFieldRef(item: ItemSyntax, negate: boolean, report: Report): FieldTest | undefined {
  const modes = item.modifiers.filter((modifier) => modifierKinds.get(modifier) === 'shape');
  const [value] = item.values;
  if (modes.length > 1 || item.modifiers[0] !== 'fieldref') {
    report.error(
      'SW_RULE_MODIFIER',
      item.at,
      '`fieldref` stands first and takes one of contains, startswith, endswith',
    );
    return undefined;
  }
  if (item.values.length !== 1 || !isFieldName(value)) {
    report.error(
      'SW_RULE_VALUE',
      item.at,
      '`fieldref` takes the name of one other field',
      'Wildcards are not possible here.',
    );
    return undefined;
  }
  return { kind: 'fieldref', other: value.value, mode: (modes[0] ?? 'equals') as FieldRefMode, negate };
}

function isFieldName(value: YamlScalar | undefined): value is YamlScalar & { readonly value: string } {
  return typeof value?.value === 'string' && value.value !== '' && !/[*?[\]]/.test(value.value);
}
