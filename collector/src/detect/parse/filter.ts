import type { Report } from '../report.ts';
import type { Condition, FilterMeta, FilterSyntax, SearchSyntax } from '../rule.ts';
import { entryOf, type YamlMap } from '../yaml.ts';
import { parseDetection, parseSearch } from './detection.ts';
import { parseLogsource, parseMeta, textOf } from './meta.ts';

const filterKeys = new Set(['rules', 'keep_only']);

/** Short names of `scope` for the fields that say who a span is of; every other key there is a field itself. */
export const scopeFields: Readonly<Record<string, string>> = {
  agent: 'gen_ai.agent.name',
  agent_version: 'gen_ai.agent.version',
  service: 'service.name',
  tool: 'gen_ai.tool.name',
  user: 'user.id',
  conversation: 'gen_ai.conversation.id',
  environment: 'resource.deployment.environment.name',
};

/** Reads a filter, and what makes it a suppression: scope, owner, reason and expiry. */
export function parseFilter(document: YamlMap, report: Report): FilterSyntax | undefined {
  const before = report.errors.length;
  const meta = parseFilterMeta(document, report);
  const logsource = parseLogsource(document, report);
  const scope = parseScope(document, report);
  const part = entryOf(document, 'filter')?.value;
  if (part?.kind !== 'map') {
    report.error(
      'SW_RULE_KEY',
      part?.at ?? document.at,
      '`filter` takes a map',
      'Write rules, a selection and a condition.',
    );
    return undefined;
  }
  const rules = parseTargets(part, report);
  const detection = parseDetection(part, filterKeys, report);
  if (!logsource) return undefined;
  const keepOnly = entryOf(part, 'keep_only')?.value;
  const inverted = keepOnly?.kind === 'scalar' && keepOnly.value === true;
  for (const condition of detection.conditions) {
    if (inverted || hasNot(condition.root)) continue;
    report.error(
      'SW_RULE_CONDITION',
      condition.at,
      'the condition of a filter is ANDed to the rule, and this one has no `not`',
      `\`not (${condition.text})\` suppresses what it matches; add \`keep_only: true\` to keep nothing but what it matches.`,
    );
  }
  if (report.errors.length > before) return undefined;
  return { meta, logsource, rules: rules.targets, ...(scope && { scope }), detection, at: document.at };
}

function parseFilterMeta(document: YamlMap, report: Report): FilterMeta {
  const { id, name, title, version } = parseMeta(document, report);
  const expires = parseExpiry(document, report);
  const owner = textOf(document, 'owner', report, 256);
  const reason = textOf(document, 'reason', report, 4096);
  const isSuppression = ['owner', 'reason', 'expires', 'scope'].some((key) => entryOf(document, key) !== undefined);
  const missing = ['owner', 'reason', 'expires'].filter((key) => isSuppression && !entryOf(document, key));
  if (missing.length > 0) {
    const advice = 'So that somebody can be asked, and it ends when its reason does.';
    report.warn('SW_RULE_KEY', document.at, `the suppression says no ${missing.join(' and no ')}`, advice);
  }
  return { id, name, title, version, owner, reason, isSuppression, ...(expires !== undefined && expires) };
}

/** A day counts to its end, in UTC; a time is the first moment at which the suppression does not apply any more. */
function parseExpiry(document: YamlMap, report: Report): Pick<FilterMeta, 'expires' | 'expiresNanos'> | undefined {
  const entry = entryOf(document, 'expires');
  if (!entry) return undefined;
  const text = entry.value.kind === 'scalar' ? String(entry.value.value) : '';
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const isTime = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text);
  const ms = isDay || isTime ? Date.parse(text) : Number.NaN;
  // A day that the month does not have would move into the next month.
  const exists = !isDay || (!Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text));
  if (!Number.isNaN(ms) && exists) {
    return { expires: text, expiresNanos: BigInt(ms + (isDay ? 86_400_000 : 0)) * 1_000_000n };
  }
  const advice = 'Write a day, 2027-01-31, or a time with its zone, 2027-01-31T18:00:00Z.';
  report.error('SW_RULE_VALUE', entry.value.at, `\`expires\` is no date: ${text}`, advice);
  return undefined;
}

/** `scope: {agent: …, service: …}`: the filter does nothing to spans that are not of it. */
function parseScope(document: YamlMap, report: Report): SearchSyntax | undefined {
  const entry = entryOf(document, 'scope');
  if (!entry) return undefined;
  if (entry.value.kind !== 'map') {
    const advice = `Write who it is for, such as {agent: backup-nightly}. Keys: ${Object.keys(scopeFields).join(', ')}, or a field.`;
    report.error('SW_RULE_VALUE', entry.value.at, 'the `scope` of a filter takes a map', advice);
    return undefined;
  }
  const entries = entry.value.entries.map((each) => {
    const [key = '', ...modifiers] = each.key.split('|');
    const field = Object.hasOwn(scopeFields, key) ? scopeFields[key]! : key;
    if (field === key && !key.includes('.')) {
      const advice = `Write ${Object.keys(scopeFields).join(', ')}, or a field such as resource.tenant.id.`;
      report.error('SW_RULE_KEY', each.keyAt, `\`scope\` knows no \`${key}\``, advice);
    }
    return { ...each, key: [field, ...modifiers].join('|') };
  });
  return parseSearch({ ...entry.value, entries }, report);
}

function parseTargets(part: YamlMap, report: Report): { readonly targets: FilterSyntax['rules'] } {
  const entry = entryOf(part, 'rules');
  const node = entry?.value;
  if (!node || (node.kind === 'list' && node.items.length === 0)) {
    report.error(
      'SW_RULE_KEY',
      node?.at ?? part.at,
      'the filter names no rules',
      'List ids or names, or write `rules: any`.',
    );
    return { targets: [] };
  }
  if (node.kind === 'scalar' && node.value === 'any') return { targets: undefined };
  const items = node.kind === 'list' ? node.items : [node];
  const targets = items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? [{ name: item.value, at: item.at }] : [],
  );
  if (targets.length !== items.length) report.error('SW_RULE_VALUE', node.at, '`rules` takes ids or names of rules');
  return { targets };
}

function hasNot(condition: Condition): boolean {
  if (condition.kind === 'not') return true;
  return (condition.kind === 'and' || condition.kind === 'or') && condition.parts.some(hasNot);
}
