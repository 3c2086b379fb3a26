import type { Position } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import { timespanNanosOf } from '../correlate/timespan.ts';
import type { Report } from '../report.ts';
import { entryOf, type YamlEntry, type YamlMap, type YamlNode } from '../yaml.ts';

/** A finding that a test of a correlation expects. What it leaves out may be anything. */
export interface ExpectedFinding {
  /** Numbers of the spans in its evidence, from 1 on, in the order of their ends. */
  readonly spans: readonly number[] | undefined;
  readonly group: ReadonlyMap<string, string> | undefined;
  readonly count: number | undefined;
  readonly at: Position;
}

export const findingKeys: readonly string[] = ['spans', 'group', 'count'];

/** The spans of a case with `repeat` written out: in its texts `{n}` is the number of the repetition. */
export function repeated(nodes: readonly YamlNode[], report: Report): readonly YamlNode[] {
  return nodes.flatMap((node): readonly YamlNode[] => {
    const entry = node.kind === 'map' ? entryOf(node, 'repeat') : undefined;
    if (node.kind !== 'map' || !entry) return [node];
    const times = entry.value.kind === 'scalar' ? entry.value.value : undefined;
    if (typeof times !== 'number' || !Number.isInteger(times) || times < 1 || times > limits.ruleTestSpansMax) {
      const message = `\`repeat\` takes a whole number from 1 to ${limits.ruleTestSpansMax}`;
      report.error('SW_RULE_TEST', entry.value.at, message);
      return [];
    }
    const entries = node.entries.filter((each) => each !== entry);
    return Array.from({ length: times }, (_, index) => {
      const first = index === 0 ? entries : entries.filter(({ key }) => key !== 'at');
      return numbered(
        { ...node, entries: index === 0 ? first.filter(({ key }) => key !== 'every') : first },
        index + 1,
      );
    });
  });
}

function numbered<T extends YamlNode>(node: T, number: number): T {
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => numbered(item, number)) };
  if (node.kind === 'map') {
    return { ...node, entries: node.entries.map((entry) => ({ ...entry, value: numbered(entry.value, number) })) };
  }
  return typeof node.value === 'string' ? { ...node, value: node.value.replaceAll('{n}', String(number)) } : node;
}

const secondNanos = 1_000_000_000n;

/**
 * When each span ended, in nanoseconds since the test began: `at: 90s` says it, `at: +30s` and `every: 30s` count from the
 * span before. Without any of them a second passes from span to span.
 */
export function timesOf(nodes: readonly YamlNode[], report: Report): readonly bigint[] {
  let now = -secondNanos;
  return nodes.map((node) => {
    const at = node.kind === 'map' ? entryOf(node, 'at') : undefined;
    const every = node.kind === 'map' ? entryOf(node, 'every') : undefined;
    const written = at ?? every;
    const text = written?.value.kind === 'scalar' ? String(written.value.value) : '1s';
    const [, plus, rest = ''] = /^(\+?)(.*)$/s.exec(text) ?? [];
    const nanos = /^0[smhdw]?$/.test(rest) ? 0n : (timespanNanosOf(rest) ?? millisOf(rest));
    if (nanos === undefined) {
      report.error('SW_RULE_TEST', written?.value.at, `\`${text}\` is no time`, 'Write 0s, 90s, 10m or +30s.');
      return now;
    }
    now = at && plus === '' ? nanos : now + nanos;
    return now;
  });
}

function millisOf(text: string): bigint | undefined {
  const [, digits] = /^(\d{1,9})ms$/.exec(text) ?? [];
  return digits === undefined ? undefined : BigInt(digits) * 1_000_000n;
}

/** The `findings` of a case; undefined when it has none, which asks for at least one finding. */
export function expectedOf(
  entry: YamlEntry | undefined,
  checkKeys: (map: YamlMap, known: readonly string[]) => void,
  report: Report,
): readonly ExpectedFinding[] | undefined {
  if (!entry) return undefined;
  if (entry.value.kind !== 'list' || entry.value.items.length === 0) {
    report.error('SW_RULE_TEST', entry.value.at, '`findings` takes a list', 'For example: - spans: [1, 2].');
    return undefined;
  }
  return entry.value.items.flatMap((item) => {
    if (item.kind === 'map') {
      checkKeys(item, findingKeys);
      return [expectation(item, report)];
    }
    report.error('SW_RULE_TEST', item.at, 'a finding is a map', `Known: ${findingKeys.join(', ')}.`);
    return [];
  });
}

function expectation(map: YamlMap, report: Report): ExpectedFinding {
  const count = entryOf(map, 'count')?.value;
  const spans = entryOf(map, 'spans')?.value;
  const group = entryOf(map, 'group')?.value;
  const numbers = (spans?.kind === 'list' ? spans.items : []).map((item) =>
    item.kind === 'scalar' ? item.value : null,
  );
  if (spans && (spans.kind !== 'list' || !numbers.every(Number.isInteger))) {
    report.error('SW_RULE_TEST', spans.at, '`spans` takes a list of the numbers of spans', 'The first span is 1.');
  }
  if (count && !(count.kind === 'scalar' && Number.isInteger(count.value))) {
    report.error('SW_RULE_TEST', count.at, '`count` takes a whole number');
  }
  if (group && group.kind !== 'map') {
    report.error('SW_RULE_TEST', group.at, '`group` takes a map', 'Write the fields of group-by and their values.');
  }
  const texts = (group?.kind === 'map' ? group.entries : []).map(({ key, value }): [string, string] => [
    key,
    value.kind === 'scalar' ? String(value.value) : '',
  ]);
  return {
    spans: spans && (numbers as number[]),
    group: group && new Map(texts),
    count: count?.kind === 'scalar' ? Number(count.value) : undefined,
    at: map.at,
  };
}
