import type { Report } from '../report.ts';
import type { DetectionSyntax, ItemSyntax, SearchSyntax } from '../rule.ts';
import { entryOf, type YamlEntry, type YamlMap, type YamlNode, type YamlScalar } from '../yaml.ts';
import { namesIn, parseConditions } from './condition.ts';

/** Keys beside the search identifiers that are none themselves. */
export type ReservedKeys = ReadonlySet<string>;

/**
 * Reads a detection part: search identifiers and their condition. After an error went to the report, what could be read is
 * returned all the same, so that its values are checked too.
 */
export function parseDetection(map: YamlMap, reserved: ReservedKeys, report: Report): DetectionSyntax {
  const before = report.errors.length;
  const identifiers = new Map<string, SearchSyntax>();
  const places = new Map<string, YamlEntry>();
  for (const entry of map.entries) {
    if (entry.key === 'condition' || reserved.has(entry.key)) continue;
    if (!checkName(entry, report)) continue;
    const search = parseSearch(entry.value, report);
    if (search) identifiers.set(entry.key, search);
    places.set(entry.key, entry);
  }
  const condition = entryOf(map, 'condition');
  if (!condition) {
    report.error(
      'SW_RULE_CONDITION',
      map.at,
      'the detection part has no condition',
      'For example: condition: selection.',
    );
    return { identifiers, conditions: [] };
  }
  if (places.size === 0) report.error('SW_RULE_KEY', map.at, 'the detection part has no search identifier');
  const conditions = parseConditions(condition.value, [...places.keys()], report);
  if (report.errors.length > before) return { identifiers, conditions };
  const used = new Set(conditions.flatMap(({ root }) => namesIn(root)));
  for (const [name, entry] of places) {
    if (used.has(name)) continue;
    report.warn(
      'SW_RULE_CONDITION',
      entry.keyAt,
      `no condition uses the identifier \`${name}\``,
      'Use it or remove it.',
    );
  }
  return { identifiers, conditions };
}

function checkName(entry: YamlEntry, report: Report): boolean {
  if (entry.key === 'timeframe') {
    report.error(
      'SW_RULE_KEY',
      entry.keyAt,
      '`timeframe` is not part of Sigma any more',
      'Write a correlation rule with `timespan`.',
    );
    return false;
  }
  if (!/^[A-Za-z0-9_-]+$/.test(entry.key)) {
    report.error(
      'SW_RULE_KEY',
      entry.keyAt,
      `\`${entry.key}\` is no name for an identifier`,
      'Use letters, digits, `_` and `-`.',
    );
    return false;
  }
  if (['and', 'or', 'not', 'of', 'them'].includes(entry.key)) {
    report.error(
      'SW_RULE_KEY',
      entry.keyAt,
      `\`${entry.key}\` is a word of the condition language`,
      'Choose another name.',
    );
    return false;
  }
  return true;
}

/** The body of a search identifier: a map is the AND of its items, a list the OR of its members, a scalar is a keyword. */
export function parseSearch(node: YamlNode, report: Report): SearchSyntax | undefined {
  if (node.kind === 'scalar') {
    warnKeywords(node, report);
    return keyword(node);
  }
  if (node.kind === 'map') {
    if (node.entries.length === 0) return refuse(node, 'the map is empty', report);
    const parts = node.entries.map((entry) => parseItem(entry, report)).filter((part) => part !== undefined);
    return parts.length === 1 ? parts[0] : { kind: 'all', parts, at: node.at };
  }
  if (node.items.length === 0) return refuse(node, 'the list is empty', report);
  const parts: SearchSyntax[] = [];
  for (const item of node.items) {
    const part = parseMember(item, report);
    if (part) parts.push(part);
  }
  if (node.items.some((item) => item.kind === 'scalar')) warnKeywords(node, report);
  return parts.length === 1 ? parts[0] : { kind: 'any', parts, at: node.at };
}

function parseMember(item: YamlNode, report: Report): SearchSyntax | undefined {
  if (item.kind === 'scalar') return keyword(item);
  return item.kind === 'list' ? refuse(item, 'a list may not stand in a list', report) : parseSearch(item, report);
}

function parseItem(entry: YamlEntry, report: Report): SearchSyntax | undefined {
  const [field = '', ...modifiers] = entry.key.split('|');
  const { keyAt, value } = entry;
  if (/[[\]]/.test(field)) {
    report.error(
      'SW_RULE_FIELD',
      keyAt,
      `\`${field}\`: brackets in field names are reserved`,
      'Lists match when any member does.',
    );
    return undefined;
  }
  if (field === '' && modifiers.length === 0) {
    report.error('SW_RULE_FIELD', keyAt, 'the field has no name', 'Write keywords as a list, or name a field.');
    return undefined;
  }
  if (value.kind === 'map') {
    report.error('SW_RULE_VALUE', value.at, `\`${entry.key}\` takes a value or a list of values, not a map`);
    return undefined;
  }
  const values = value.kind === 'list' ? value.items : [value];
  if (values.length === 0) return refuse(value, `\`${entry.key}\` has an empty list`, report);
  const scalars = values.filter((each): each is YamlScalar => each.kind === 'scalar');
  for (const each of values) {
    if (each.kind !== 'scalar') report.error('SW_RULE_VALUE', each.at, 'the list may only hold plain values');
  }
  if (field === '') warnKeywords(value, report);
  const item: ItemSyntax = { field, modifiers, values: scalars, at: keyAt };
  return { kind: 'item', item, at: keyAt };
}

function keyword(node: YamlScalar): SearchSyntax {
  return { kind: 'item', item: { field: '', modifiers: [], values: [node], at: node.at }, at: node.at };
}

function warnKeywords(node: YamlNode, report: Report): void {
  report.warn(
    'SW_RULE_FIELD',
    node.at,
    'keywords search every text of every span',
    'Name a field: it is cheaper and more exact.',
  );
}

function refuse(node: YamlNode, message: string, report: Report): undefined {
  report.error('SW_RULE_VALUE', node.at, message, "Write null for an absent field and '' for an empty text.");
  return undefined;
}
