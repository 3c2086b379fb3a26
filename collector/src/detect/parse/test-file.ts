import type { Position } from '../../model/errors.ts';
import type { Value } from '../../model/value.ts';
import type { Correlation } from '../correlate/correlation.ts';
import type { Rule } from '../load.ts';
import { namesOf } from '../names.ts';
import type { Report } from '../report.ts';
import { entryOf, plainOf, readYaml, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';
import { parentsOf } from './test-parents.ts';
import { chatAttributes, toolAttributes } from './test-sugar.ts';
import { type ExpectedFinding, expectedOf, repeated, timesOf } from './test-timing.ts';

/** A span as a rule test writes it. Attributes are canonical OTel attributes as a sender would set them. */
export interface TestSpan {
  /** Its number in the case, from 1, where spans do not come in the order written. */
  readonly number?: number;
  /** The number of its parent in the case, from 1; left out on a root. */
  readonly parent?: number;
  readonly name: string;
  /** OTLP's number: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  /** OTLP's number: 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
  readonly durationMs: number;
  /** When it ended, since the test began. */
  readonly endNanos: bigint;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly resource: Readonly<Record<string, Value>>;
}

export interface TestCase {
  readonly rule: Rule | Correlation;
  readonly kind: 'match' | 'near_miss';
  readonly name: string;
  readonly spans: readonly TestSpan[];
  /** For correlations: all findings, in the order of their times. Undefined asks for at least one. */
  readonly findings: readonly ExpectedFinding[] | undefined;
  readonly at: Position;
}

/** Reads a rule test file; `owners` are the rules of the file it stands beside, or those of which it `mustName` one. */
export function parseTestFile(
  file: string,
  text: string,
  owners: readonly (Rule | Correlation)[],
  report: Report,
  mustName = false,
): TestCase[] {
  const cases: TestCase[] = [];
  for (const document of readYaml(file, text, report, 'SW_RULE_TEST')) {
    if (document.kind !== 'map') {
      report.error('SW_RULE_TEST', document.at, 'a rule test is a map', 'Write matches: and near_misses:.');
      continue;
    }
    checkKeys(document, ['rule', 'matches', 'near_misses'], report);
    const rule = ruleOf(document, owners, report, mustName);
    if (!rule) continue;
    for (const [key, kind] of [
      ['matches', 'match'],
      ['near_misses', 'near_miss'],
    ] as const) {
      const list = entryOf(document, key)?.value;
      if (!list) continue;
      if (list.kind !== 'list') report.error('SW_RULE_TEST', list.at, `\`${key}\` takes a list of cases`);
      else cases.push(...list.items.flatMap((item) => parseCase(item, rule, kind, report)));
    }
  }
  return cases;
}

function ruleOf(
  document: YamlMap,
  owners: readonly (Rule | Correlation)[],
  report: Report,
  mustName: boolean,
): Rule | Correlation | undefined {
  const entry = entryOf(document, 'rule');
  const wanted = entry?.value.kind === 'scalar' ? String(entry.value.value) : undefined;
  const first = mustName ? undefined : owners[0];
  const rule = wanted === undefined ? first : owners.find((owner) => namesOf(owner).includes(wanted));
  const ambiguous = wanted === undefined && !mustName && owners.length > 1;
  if (rule && !ambiguous) return rule;
  const unknown =
    wanted === undefined ? 'no loaded rule belongs to this test' : `no loaded rule is called \`${wanted}\``;
  const message = ambiguous ? 'there are several rules that it may be about' : unknown;
  const advice =
    wanted === undefined
      ? 'Name the rule beside it: `rule: <id or name>`.'
      : 'Name its file or folder, too, or add --shipped when it ships with spanwarden.';
  report.error('SW_RULE_TEST', entry?.keyAt ?? document.at, message, advice);
  return undefined;
}

function parseCase(node: YamlNode, rule: Rule | Correlation, kind: TestCase['kind'], report: Report): TestCase[] {
  if (node.kind !== 'map') {
    report.error('SW_RULE_TEST', node.at, 'a case is a map', 'Write - case: what it shows, and a span.');
    return [];
  }
  const name = entryOf(node, 'case')?.value;
  if (name?.kind !== 'scalar') {
    report.error('SW_RULE_TEST', node.at, 'the case has no name', 'Write - case: what it shows.');
    return [];
  }
  const list = entryOf(node, 'spans')?.value;
  const findings = entryOf(node, 'findings');
  if (findings && (!('members' in rule) || kind === 'near_miss')) {
    const message = '`findings` stands in matches of correlations only';
    report.error('SW_RULE_TEST', findings.keyAt, message, 'Remove it.');
  }
  const own = node.entries.filter(({ key }) => key !== 'case' && key !== 'findings');
  const nodes = repeated(list?.kind === 'list' ? list.items : [{ ...node, entries: own }], report);
  if (list) checkKeys(node, ['case', 'spans', 'findings'], report);
  const times = timesOf(nodes, report);
  const parents = parentsOf(nodes, report);
  const spans = nodes
    .map((each, index) => parseSpan(each, times[index]!, report, parents[index]))
    .filter((span) => span !== undefined);
  const expected = expectedOf(findings, (map, known) => checkKeys(map, known, report), report);
  if (spans.length === 0) return [];
  return [{ rule, kind, name: String(name.value), spans, findings: expected, at: node.at }];
}

/** The words a test writes for OTLP's span kinds. */
export const kindNumbers: Readonly<Record<string, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
export const statusNumbers: Readonly<Record<string, number>> = { unset: 0, ok: 1, error: 2 };
/** The keys of a span in a test. */
export const spanKeys: readonly string[] = [
  'span',
  'chat',
  'tool',
  'arguments',
  'result',
  'kind',
  'status',
  'duration_ms',
  'at',
  'every',
  'repeat',
  'id',
  'parent',
  'attributes',
  'resource',
];

function parseSpan(node: YamlNode, endNanos: bigint, report: Report, parent?: number): TestSpan | undefined {
  if (node.kind !== 'map') {
    report.error('SW_RULE_TEST', node.at, 'a span is a map', 'Write tool:, chat: or span: with its name.');
    return undefined;
  }
  checkKeys(node, spanKeys, report);
  const tool = entryOf(node, 'tool');
  const chat = entryOf(node, 'chat');
  const named = entryOf(node, 'span');
  if ([tool, chat, named].filter(Boolean).length !== 1) {
    report.error(
      'SW_RULE_TEST',
      node.at,
      'a span is one of tool:, chat: and span:',
      'For example: tool: payments.refund.',
    );
    return undefined;
  }
  const sugar = tool
    ? toolAttributes(plainOf(node) as Record<string, Value>)
    : chat
      ? chatAttributes(chat, report)
      : {};
  const attributes = { ...sugar, ...attributesOf(entryOf(node, 'attributes'), report) };
  const name = tool ? `execute_tool ${text(tool)}` : chat ? 'chat' : text(named);
  return {
    ...(parent !== undefined && { parent }),
    name,
    kind: number(node, 'kind', kindNumbers, chat ? 3 : 1, report),
    statusCode: number(node, 'status', statusNumbers, 0, report),
    endNanos,
    durationMs: Number(text(entryOf(node, 'duration_ms')) || 1),
    attributes,
    resource: { 'service.name': 'rule-test', ...attributesOf(entryOf(node, 'resource'), report) },
  };
}

/** A span outside of any case: `tool:`, `chat:` or `span:` with what goes with it. */
export function parseLoneSpan(node: YamlNode, report: Report, parent?: number): TestSpan | undefined {
  return parseSpan(node, 0n, report, parent);
}

/** Maps and lists of maps become JSON text, as instrumentations send them; everything else is sent as it is. */
function attributesOf(entry: YamlEntry | undefined, report: Report): Record<string, Value> {
  const attributes: Record<string, Value> = Object.create(null);
  if (!entry) return attributes;
  if (entry.value.kind !== 'map') {
    report.error('SW_RULE_TEST', entry.value.at, `\`${entry.key}\` takes a map of attributes`);
    return attributes;
  }
  for (const { key, value } of entry.value.entries) {
    const structured =
      value.kind === 'map' || (value.kind === 'list' && value.items.some((item) => item.kind !== 'scalar'));
    attributes[key] = structured ? JSON.stringify(plainOf(value), jsonNumber) : plainOf(value);
  }
  return attributes;
}

function number(
  node: YamlMap,
  key: string,
  numbers: Readonly<Record<string, number>>,
  fallback: number,
  report: Report,
): number {
  const entry = entryOf(node, key);
  if (!entry) return fallback;
  const word = text(entry).toLowerCase();
  if (Object.hasOwn(numbers, word)) return numbers[word]!;
  report.error('SW_RULE_TEST', entry.keyAt, `unknown \`${key}\``, `Write ${Object.keys(numbers).join(', ')}.`);
  return fallback;
}

function checkKeys(map: YamlMap, known: readonly string[], report: Report): void {
  for (const { key, keyAt } of map.entries) {
    if (!known.includes(key))
      report.error('SW_RULE_TEST', keyAt, `unknown key \`${key}\``, `Known: ${known.join(', ')}.`);
  }
}

function text(entry: YamlEntry | undefined): string {
  return entry?.value.kind === 'scalar' && entry.value.value !== null ? String(entry.value.value) : '';
}

function jsonNumber(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
