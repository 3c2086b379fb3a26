import { hash } from 'node:crypto';
import type { Position } from '../../model/errors.ts';
import type { RuleResponse } from '../../model/finding.ts';
import { type Level, levels } from '../../model/severity.ts';
import { didYouMean, type Report } from '../report.ts';
import type { Logsource, RuleMeta } from '../rule.ts';
import { canonicalText, entryOf, type YamlMap, type YamlNode } from '../yaml.ts';
import { parseFoldBy } from './fold-by.ts';

export const responses: readonly RuleResponse[] = ['alert', 'approve', 'block'];
export const statuses = ['stable', 'test', 'experimental', 'deprecated', 'unsupported'];

/** The keys of rules and filters that mean something to Sigma or to this engine. */
export const ruleKeys: ReadonlySet<string> = new Set([
  ...['title', 'id', 'name', 'related', 'status', 'level', 'logsource', 'detection', 'description', 'author'],
  ...['references', 'license', 'date', 'modified', 'fields', 'falsepositives', 'scope', 'taxonomy', 'tags', 'response'],
  ...['action', 'filter', 'correlation', 'owner', 'reason', 'expires', 'fold-by'],
]);

/** Reads what stands around the detection part of a rule or filter. Other keys than Sigma's are kept and mean nothing. */
export function parseMeta(map: YamlMap, report: Report): RuleMeta {
  checkKeys(map, report);
  const title = textOf(map, 'title', report, 256);
  if (title === '') report.error('SW_RULE_KEY', map.at, 'the rule has no title', 'Say in a few words what it finds.');
  const name = textOf(map, 'name', report, 256);
  const id = textOf(map, 'id', report, 256);
  if (id === '') {
    report.warn('SW_RULE_KEY', map.at, 'the rule has no id', 'Give it a UUID: findings and suppressions refer to it.');
  } else if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
    report.warn('SW_RULE_VALUE', entryOf(map, 'id')?.value.at, 'the id is no UUID', 'Write a UUID, version 4.');
  }
  checkDates(map, report);
  const foldBy = parseFoldBy(map, report);
  return {
    id: id || name || title,
    name,
    title,
    level: choice<Level>(map, 'level', levels, 'medium', report),
    response: choice<RuleResponse>(map, 'response', responses, 'alert', report),
    status: choice(map, 'status', statuses, 'stable', report),
    ...parseTags(map, report),
    description: textOf(map, 'description', report, 65_535),
    version: hash('sha256', canonicalText(map), 'hex').slice(0, 12),
    formerIds: parseFormerIds(map, report),
    ...(foldBy && { foldBy }),
  };
}

const logsourceKeys = ['product', 'category', 'service', 'definition'];

export function parseLogsource(map: YamlMap, report: Report): Logsource | undefined {
  const node = entryOf(map, 'logsource')?.value;
  if (node?.kind !== 'map' || node.entries.length === 0) {
    report.error(
      'SW_RULE_KEY',
      node?.at ?? map.at,
      'the rule has no logsource',
      'Write product: ai_agent and a category: llm, tool, agent, mcp, retrieval, http, db, file or any.',
    );
    return undefined;
  }
  for (const entry of node.entries) {
    if (logsourceKeys.includes(entry.key)) continue;
    const near = didYouMean(entry.key, logsourceKeys);
    const message = `the logsource key \`${entry.key}\` routes nothing`;
    if (near) report.error('SW_RULE_KEY', entry.keyAt, message, `Write \`${near}\`.`);
    else report.warn('SW_RULE_KEY', entry.keyAt, message, 'Remove it.');
  }
  const part = (key: string): string | undefined => {
    const text = textOf(node, key, report, 256);
    if (text !== '' && !/^[a-z0-9_.-]+$/.test(text)) {
      report.error(
        'SW_RULE_VALUE',
        entryOf(node, key)?.value.at,
        `\`${text}\`: logsource values are lower case, with _ for spaces`,
      );
    }
    return text === '' ? undefined : text;
  };
  return { product: part('product'), category: part('category'), service: part('service'), at: node.at };
}

/** The text under a key, '' when it is absent. */
export function textOf(map: YamlMap, key: string, report: Report, charsMax: number): string {
  const node = entryOf(map, key)?.value;
  if (!node || (node.kind === 'scalar' && node.value === null)) return '';
  if (node.kind !== 'scalar') {
    report.error('SW_RULE_VALUE', node.at, `\`${key}\` takes text`);
    return '';
  }
  const text = String(node.value);
  if (text.length > charsMax)
    report.error('SW_RULE_VALUE', node.at, `\`${key}\` is longer than ${charsMax} characters`);
  return text;
}

function choice<T extends string>(map: YamlMap, key: string, values: readonly T[], fallback: T, report: Report): T {
  const node = entryOf(map, key)?.value;
  if (!node) return fallback;
  const value = node.kind === 'scalar' ? values.find((each) => each === node.value) : undefined;
  if (value === undefined) {
    report.error('SW_RULE_VALUE', node.at, `unknown \`${key}\`: ${scalarText(node)}`, `Write ${values.join(', ')}.`);
  }
  return value ?? fallback;
}

function parseTags(map: YamlMap, report: Report): Pick<RuleMeta, 'tags' | 'tagsAt'> {
  const node = entryOf(map, 'tags')?.value;
  const tags: string[] = [];
  const tagsAt: Position[] = [];
  if (!node) return { tags, tagsAt };
  if (node.kind !== 'list') {
    report.error('SW_RULE_VALUE', node.at, '`tags` takes a list', 'For example: - owasp.llm01.');
    return { tags, tagsAt };
  }
  for (const item of node.items) {
    const tag = item.kind === 'scalar' ? String(item.value) : '';
    if (/^[a-z0-9_-]+\.[a-z0-9._-]+$/.test(tag)) {
      tags.push(tag);
      tagsAt.push(item.at);
    } else
      report.error(
        'SW_RULE_VALUE',
        item.at,
        `\`${tag}\` is no tag`,
        'Write name space, dot, name in lower case: owasp.llm01.',
      );
  }
  return { tags, tagsAt };
}

export const relations = ['derived', 'obsolete', 'merged', 'renamed', 'similar', 'correlation'];

/** Ids under `related` of the type `renamed`; the other types tell people something and the engine nothing. */
function parseFormerIds(map: YamlMap, report: Report): string[] {
  const node = entryOf(map, 'related')?.value;
  if (!node) return [];
  if (node.kind !== 'list') {
    report.error('SW_RULE_VALUE', node.at, '`related` takes a list', 'For example: - {id: <old id>, type: renamed}.');
    return [];
  }
  return node.items.flatMap((item) => {
    const id = item.kind === 'map' ? textOf(item, 'id', report, 256) : '';
    const type = item.kind === 'map' ? textOf(item, 'type', report, 64) : '';
    if (id === '' || !relations.includes(type)) {
      const advice = `Write {id: <id>, type: ${relations.join(' | ')}}.`;
      report.error('SW_RULE_VALUE', item.at, 'an entry of `related` takes an id and a type', advice);
    }
    return type === 'renamed' && id !== '' ? [id] : [];
  });
}

function checkDates(map: YamlMap, report: Report): void {
  for (const key of ['date', 'modified']) {
    const node = entryOf(map, key)?.value;
    if (!node || (node.kind === 'scalar' && /^\d{4}-\d\d-\d\d$/.test(String(node.value)))) continue;
    report.warn('SW_RULE_VALUE', node.at, `\`${key}\` is no date`, 'Write it as YYYY-MM-DD.');
  }
}

function checkKeys(map: YamlMap, report: Report): void {
  for (const { key, keyAt } of map.entries) {
    if (ruleKeys.has(key)) continue;
    const near = didYouMean(key, ruleKeys);
    if (near) report.error('SW_RULE_KEY', keyAt, `unknown key \`${key}\``, `Write \`${near}\`.`);
  }
  const taxonomy = entryOf(map, 'taxonomy')?.value;
  if (taxonomy && !(taxonomy.kind === 'scalar' && taxonomy.value === 'sigma')) {
    report.error(
      'SW_RULE_VALUE',
      taxonomy.at,
      'rules of another taxonomy need a mapping, which this version has not',
      'Remove `taxonomy`.',
    );
  }
}

function scalarText(node: YamlNode): string {
  return node.kind === 'scalar' ? String(node.value) : `a ${node.kind}`;
}
