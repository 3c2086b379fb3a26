import type { Position } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import { parseMeta } from '../parse/meta.ts';
import { didYouMean, type Report } from '../report.ts';
import { entryOf, type YamlMap, type YamlNode } from '../yaml.ts';
import {
  type Alias,
  type CorrelationSyntax,
  type CorrelationType,
  correlationTypes,
  type Named,
  type SigmaType,
} from './correlation.ts';
import { type ExtensionType, extensionTypes } from './extension.ts';
import { namesOf, parseMeasure } from './parse-condition.ts';
import { isInWords, parseExtended } from './parse-extended.ts';
import { extensionKeys, parseExtension } from './parse-extension.ts';
import { timespanNanosOf, unitNanos } from './timespan.ts';
import { valueRuleName } from './value-rules.ts';

const commonKeys = ['type', 'rules', 'group-by', 'aliases', 'generate'];
const sigmaKeys = ['timespan', 'condition'];

/**
 * Reads a document with a `correlation:` part. Undefined after an error went to the report.
 * https://sigmahq.io/sigma-specification/specification/sigma-correlation-rules-specification.html
 */
export function parseCorrelation(document: YamlMap, report: Report): CorrelationSyntax | undefined {
  const before = report.errors.length;
  const meta = parseMeta(document, report);
  for (const key of ['logsource', 'detection', 'filter']) {
    const entry = entryOf(document, key);
    if (!entry) continue;
    const advice = 'Put the detection rule into a document of its own and name it under `rules`.';
    report.error('SW_RULE_KEY', entry.keyAt, `a correlation rule has no \`${key}\``, advice);
  }
  const part = entryOf(document, 'correlation')!;
  const map = part.value;
  if (map.kind !== 'map') {
    report.error(
      'SW_RULE_KEY',
      map.at,
      '`correlation` takes a map',
      'Write type, rules, group-by, timespan, condition.',
    );
    return undefined;
  }
  const type = parseType(map, report);
  checkKeys(map, type, report);
  const rules = parseRules(map, type, report);
  const groupBy = parseGroupBy(map, type, report);
  const aliases = parseAliases(map, report);
  const generate = parseGenerate(map, report);
  const body =
    type && (isExtension(type) ? extensionBody(map, type, rules, report) : sigmaBody(map, type, rules, report));
  if (report.errors.length > before || !body) return undefined;
  const { keys = [], ...rest } = body;
  const all = members(rules, rest, map.at);
  return { meta, type, rules: all, groupBy: together(keys, groupBy), aliases, ...rest, generate, at: document.at };
}

type Body = Omit<CorrelationSyntax, 'meta' | 'type' | 'rules' | 'groupBy' | 'aliases' | 'generate' | 'at'> & {
  /** What is grouped by beside `group-by`. */
  readonly keys?: readonly Named[];
};

function extensionBody(map: YamlMap, type: ExtensionType, rules: readonly Named[], report: Report): Body | undefined {
  const parsed = parseExtension(map, type, rules, report);
  return parsed && { ...parsed, thresholds: [], percentile: 50 };
}

/** A flow sees every span that has values; the rules it lists narrow down the calls that are sinks. */
function members(rules: readonly Named[], { extension, fields }: Body, at: Position): readonly Named[] {
  return extension?.kind === 'flow' ? [{ name: valueRuleName(fields), at }, ...rules] : rules;
}

function sigmaBody(map: YamlMap, type: SigmaType, rules: readonly Named[], report: Report): Body | undefined {
  const timespan = parseTimespan(map, report);
  const condition = entryOf(map, 'condition')?.value;
  if (condition && isInWords(condition, type)) {
    const extended = parseExtended(condition, rules, report);
    return extended && timespan && { ...timespan, thresholds: [], fields: [], percentile: 50, extended };
  }
  const measure = parseMeasure(map, type, rules.length, report);
  return measure && timespan && { ...timespan, ...measure };
}

function isExtension(type: CorrelationType): type is ExtensionType {
  return extensionTypes.some((each) => each === type);
}

function together(keys: readonly Named[], more: readonly Named[]): readonly Named[] {
  return [...keys, ...more.filter(({ name }) => !keys.some((key) => key.name === name))];
}

function checkKeys(map: YamlMap, type: CorrelationType | undefined, report: Report): void {
  const own = type === undefined ? undefined : isExtension(type) ? Object.keys(extensionKeys[type]) : sigmaKeys;
  const every = [...commonKeys, ...sigmaKeys, ...Object.values(extensionKeys).flatMap((each) => Object.keys(each))];
  const keys = own ? [...commonKeys, ...own] : every;
  for (const { key, keyAt } of map.entries) {
    if (keys.includes(key)) continue;
    const near = didYouMean(key.replaceAll('_', '-'), keys) ?? didYouMean(key.replaceAll('-', '_'), keys);
    const advice = near ? `Write \`${near}\`.` : `Known: ${keys.join(', ')}.`;
    const message = every.includes(key) ? `\`${key}\` means nothing for ${type}` : `unknown key \`${key}\``;
    report.error('SW_RULE_KEY', keyAt, message, advice);
  }
}

function parseType(map: YamlMap, report: Report): CorrelationType | undefined {
  const entry = entryOf(map, 'type');
  const written = entry?.value.kind === 'scalar' ? entry.value.value : undefined;
  const type = correlationTypes.find((each) => each === written);
  if (type) return type;
  const near = typeof written === 'string' ? didYouMean(written, correlationTypes) : undefined;
  report.error(
    'SW_RULE_VALUE',
    entry?.value.at ?? map.at,
    entry ? `unknown correlation type \`${written ?? entry.value.kind}\`` : 'the correlation has no type',
    `Write ${near ? `\`${near}\`` : correlationTypes.join(', ')}.`,
  );
  return undefined;
}

function parseRules(map: YamlMap, type: CorrelationType | undefined, report: Report): readonly Named[] {
  const entry = entryOf(map, 'rules');
  const rules = entry ? namesOf(entry, 'ids or names of rules', report) : [];
  if (!entry && type === 'flow') return [];
  if (!entry || (rules.length === 0 && isEmptyList(entry.value))) {
    report.error('SW_RULE_KEY', entry?.value.at ?? map.at, 'the correlation names no rules', 'List ids or names.');
  }
  if (rules.length > limits.correlationRulesMax) {
    const message = `the correlation names more than ${limits.correlationRulesMax} rules`;
    report.error('SW_RULE_VALUE', entry?.value.at, message, 'Join some of them into one detection rule.');
  }
  if (type === 'temporal_ordered') return rules;
  for (const [index, { name, at }] of rules.entries()) {
    if (rules.findIndex((other) => other.name === name) === index) continue;
    const advice = 'Remove it; steps that repeat are for temporal_ordered, counting is for event_count.';
    report.error('SW_RULE_VALUE', at, `\`${name}\` is listed twice`, advice);
  }
  return rules;
}

function parseGroupBy(map: YamlMap, type: CorrelationType | undefined, report: Report): readonly Named[] {
  const entry = entryOf(map, 'group-by');
  if (!entry && type === 'flow') return [{ name: 'spanwarden.session', at: map.at }];
  if (!entry && type === 'absence' && (entryOf(map, 'match-on') ?? entryOf(map, 'scope'))) return [];
  if (!entry) {
    const advice = 'Write `group-by: [gen_ai.conversation.id]`, or `group-by: []` for one group of everything.';
    report.error('SW_RULE_KEY', map.at, 'the correlation has no `group-by`', advice);
    return [];
  }
  const names = namesOf(entry, 'names of fields', report);
  if (names.length > limits.correlationKeysMax) {
    report.error('SW_RULE_VALUE', entry.value.at, `\`group-by\` takes at most ${limits.correlationKeysMax} fields`);
  }
  for (const [index, { name, at }] of names.entries()) {
    if (names.findIndex((other) => other.name === name) !== index) {
      report.error('SW_RULE_VALUE', at, `\`${name}\` is listed twice`, 'Remove it.');
    }
  }
  return names;
}

function parseTimespan(
  map: YamlMap,
  report: Report,
): Pick<CorrelationSyntax, 'timespan' | 'timespanNanos'> | undefined {
  const entry = entryOf(map, 'timespan');
  const text = entry?.value.kind === 'scalar' ? String(entry.value.value) : '';
  const nanos = timespanNanosOf(text);
  const at = entry?.value.at ?? map.at;
  const advice = 'Write a number and one of s, m, h, d, w: `timespan: 10m`.';
  if (!entry) report.error('SW_RULE_KEY', at, 'the correlation has no `timespan`', advice);
  else if (/^\d+[My]$/.test(text)) report.error('SW_RULE_VALUE', at, 'months and years differ in length', advice);
  else if (nanos === undefined) report.error('SW_RULE_VALUE', at, `\`${text}\` is no timespan`, advice);
  else if (nanos > BigInt(limits.correlationTimespanDaysMax) * unitNanos.d!) {
    report.error('SW_RULE_VALUE', at, `the timespan is longer than ${limits.correlationTimespanDaysMax} days`);
  } else return { timespan: text, timespanNanos: nanos };
  return undefined;
}

function parseAliases(map: YamlMap, report: Report): ReadonlyMap<string, Alias> {
  const aliases = new Map<string, Alias>();
  const node = entryOf(map, 'aliases')?.value;
  if (!node) return aliases;
  const advice = 'For example: conversation: {rule_a: gen_ai.conversation.id, rule_b: mcp.session.id}.';
  if (node.kind !== 'map') {
    report.error('SW_RULE_VALUE', node.at, '`aliases` takes a map of maps', advice);
    return aliases;
  }
  for (const { key, keyAt, value } of node.entries) {
    const fields = new Map<string, Named>();
    for (const entry of value.kind === 'map' ? value.entries : []) {
      const field = entry.value;
      if (field.kind === 'scalar' && typeof field.value === 'string' && field.value !== '') {
        fields.set(entry.key, { name: field.value, at: entry.keyAt });
      } else report.error('SW_RULE_VALUE', field.at, `\`${entry.key}\` takes the name of a field`, advice);
    }
    if (value.kind !== 'map') report.error('SW_RULE_VALUE', value.at, `the alias \`${key}\` takes a map`, advice);
    aliases.set(key, { fields, at: keyAt });
  }
  return aliases;
}

function parseGenerate(map: YamlMap, report: Report): boolean {
  const node = entryOf(map, 'generate')?.value;
  if (!node) return false;
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
  report.error('SW_RULE_VALUE', node.at, '`generate` takes a boolean', 'Write true or false.');
  return false;
}

function isEmptyList(node: YamlNode): boolean {
  return node.kind === 'list' && node.items.length === 0;
}
