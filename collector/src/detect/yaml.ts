import type { ErrorCode, Position } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import type { Value } from '../model/value.ts';
import type { Report } from './report.ts';
import { readDocuments } from './yaml-document.ts';
import { readEvents } from './yaml-events.ts';

export type YamlScalarValue = string | number | bigint | boolean | null;

export interface YamlScalar {
  readonly kind: 'scalar';
  readonly value: YamlScalarValue;
  /** Written without quotes and not as a block, so that YAML chose the type. */
  readonly plain: boolean;
  readonly at: Position;
}

export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
  readonly at: Position;
}

export interface YamlEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: YamlNode;
}

export interface YamlMap {
  readonly kind: 'map';
  readonly entries: readonly YamlEntry[];
  readonly at: Position;
  /** Something is wrong with it as YAML, which was told: it is read on to tell what else is wrong, and means nothing. */
  readonly isBroken?: true;
}

export type YamlNode = YamlScalar | YamlList | YamlMap;

/**
 * Reads a file of one or more YAML 1.2 documents into nodes that know their position. Duplicate keys, tags, a %YAML
 * directive for another version, alias bombs and files over `limits.ruleFileBytesMax` are errors in `report`; a
 * document with an error is left out, or marked when nothing but keys that stand twice is wrong with it. Scalars that YAML 1.1 would read as something else are warnings.
 */
export function readYaml(
  file: string,
  text: string,
  report: Report,
  code: ErrorCode = 'SW_RULE_YAML',
): readonly YamlNode[] {
  // No UTF-16 unit takes more than three bytes.
  if (text.length * 3 > limits.ruleFileBytesMax && Buffer.byteLength(text) > limits.ruleFileBytesMax) {
    report.error(
      code,
      { file, line: 1, column: 1 },
      `the file is larger than ${limits.ruleFileBytesMax} bytes`,
      'Split it into several files.',
    );
    return [];
  }
  return readEvents(file, text) ?? readDocuments(file, text, report, code);
}

/** The value under a key, or undefined. */
export function entryOf(map: YamlMap, key: string): YamlEntry | undefined {
  return map.entries.find((entry) => entry.key === key);
}

/** The node as plain JSON text with sorted keys: equal for two nodes that say the same. */
export function canonicalText(node: YamlNode): string {
  if (node.kind === 'list') return `[${node.items.map(canonicalText).join(',')}]`;
  if (node.kind === 'scalar') {
    return typeof node.value === 'bigint' ? String(node.value) : JSON.stringify(node.value);
  }
  const members = node.entries.map(({ key, value }) => ({
    key: `${JSON.stringify(key)}:`,
    value: canonicalText(value),
  }));
  // A key with its quotes is no beginning of another one, so that keys alone give the order, but for those that are equal.
  members.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.value < b.value ? -1 : 1));
  let text = '';
  for (const { key, value } of members) text += `${text === '' ? '' : ','}${key}${value}`;
  return `{${text}}`;
}

/** A YAML node as plain data. */
export function plainOf(node: YamlNode): Value {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(plainOf);
  const map: Record<string, Value> = Object.create(null);
  for (const { key, value } of node.entries) map[key] = plainOf(value);
  return map;
}
