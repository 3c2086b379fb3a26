import type { RuleFilter } from '../detect/filters.ts';
import type { Rule } from '../detect/load.ts';
import { count } from './rule-problems.ts';
import type { Preview } from './suppression-preview.ts';
import { escapeControl, type Terminal, truncate } from './terminal.ts';

export interface ListedSuppression {
  readonly id: string;
  readonly title: string;
  readonly owner: string;
  readonly reason: string;
  readonly expires?: string;
  readonly expired: boolean;
  /** Names of the rules it is for. */
  readonly rules: readonly string[];
  /** Spans it took in the time asked for. */
  readonly suppressed: number;
  readonly file: string;
}

export function listedSuppression(
  { meta, ruleIds, file }: RuleFilter,
  rules: readonly Rule[],
  taken: readonly { readonly filterId: string; readonly suppressed: number }[],
  nowNanos: bigint,
): ListedSuppression {
  const { id, title, owner, reason, expires, expiresNanos } = meta;
  const names = rules.filter((rule) => ruleIds.includes(rule.meta.id)).map((rule) => rule.meta.name || rule.meta.title);
  const suppressed = taken.filter(({ filterId }) => filterId === id).reduce((sum, row) => sum + row.suppressed, 0);
  const expired = expiresNanos !== undefined && expiresNanos <= nowNanos;
  return {
    id,
    title,
    owner,
    reason,
    ...(expires !== undefined && { expires }),
    expired,
    rules: names,
    suppressed,
    file,
  };
}

/** Expired ones first, then those that took most. */
export function suppressionTable(listed: readonly ListedSuppression[], terminal: Terminal): string {
  const sorted = listed.toSorted((a, b) => Number(b.expired) - Number(a.expired) || b.suppressed - a.suppressed);
  const rows = sorted.map((each) => {
    const names = each.rules.length > 3 ? `${each.rules.slice(0, 3).join(', ')}, …` : each.rules.join(', ');
    return [
      truncate(escapeControl(each.title), 60),
      truncate(escapeControl(each.owner), 24) || '–',
      each.expired ? terminal.red(`expired ${each.expires}`) : (each.expires ?? terminal.yellow('never')),
      String(each.suppressed),
      escapeControl(names) || terminal.yellow('no rule'),
      terminal.dim(escapeControl(each.file)),
    ];
  });
  return terminal.table([['suppression', 'owner', 'expires', 'took', 'rules', 'file'].map(terminal.dim), ...rows]);
}

export function previewText(preview: Preview, since: Date, terminal: Terminal): string {
  const { title, rules, findings, examined, hidden, confirmed, dismissed, unmarked, byAgent, examples, cut } = preview;
  const days = Math.max(1, Math.round((Date.now() - since.getTime()) / 86_400_000));
  const confirmedText = `${confirmed} of them confirmed`;
  const lines = [
    terminal.bold(escapeControl(title)),
    `  Would have hidden ${count(hidden, 'finding')} of the last ${count(days, 'day')}, ${confirmed > 0 ? terminal.red(confirmedText) : confirmedText}.`,
    `  ${terminal.dim('marked')}    ${confirmed} true positive, ${dismissed} false positive or benign, ${unmarked} not at all`,
    `  ${terminal.dim('of')}        ${count(findings, 'finding')} of ${escapeControl(rules.join(', ')) || 'no rule'}${cut ? ' (the newest; there are more)' : ''}`,
  ];
  if (examined < findings)
    lines.push(`  ${terminal.yellow(`${findings - examined} of them could not be examined: their spans are gone.`)}`);
  if (byAgent.length > 0) {
    const agents = byAgent.slice(0, 10).map((each) => `${escapeControl(each.agent) || '(no name)'} ${each.hidden}`);
    lines.push(`  ${terminal.dim('agents')}    ${agents.join(', ')}`);
  }
  if (examples.length > 0)
    lines.push(`  ${terminal.dim('such as')}   ${examples.map((id) => id.slice(0, 12)).join(' ')}`);
  return `${lines.join('\n')}\n`;
}
