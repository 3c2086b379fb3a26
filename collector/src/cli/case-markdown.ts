import type { CaseEvent, StoredCase } from '../store/cases-reader.ts';
import { countText, eventText } from './cases-view.ts';
import { timeText } from './findings-view.ts';
import { escapeControl } from './terminal.ts';

/** A case as a Markdown page for a ticket or a wiki. Nothing out of telemetry becomes markup, a link or an image. */
export function caseMarkdown(found: StoredCase, events: readonly CaseEvent[]): string {
  const { headline, level, status, id, firstSeen, lastSeen, raisedBy, timeline, votes, findings } = found;
  const lists = [
    ['Agents', found.agents],
    ['Users', found.users],
    ['Sessions', found.conversations],
    ['Traces', found.traceIds],
  ] as const;
  const left = findings - timeline.length;
  return [
    `# ${plain(headline)}`,
    '',
    `- Level: **${level}**${raisedBy === '' ? '' : ` (${plain(raisedBy)})`}`,
    `- Status: ${status}`,
    `- Case: ${code(id)}`,
    `- Seen: ${timeText(firstSeen)} to ${timeText(lastSeen)} UTC`,
    `- Findings: ${countText(found)}`,
    ...lists
      .filter(([, names]) => names.length > 0)
      .map(([label, names]) => `- ${label}: ${names.map(code).join(', ')}`),
    '',
    '## What happened',
    '',
    '| Time (UTC) | Level | Finding | Where | Times | What matched |',
    '|---|---|---|---|---|---|',
    ...timeline.map(({ time, level: own, ruleTitle, toolName, spanName, count, shown }) =>
      row([timeText(time), own, plain(ruleTitle), code(toolName || spanName), String(count), code(shown)]),
    ),
    ...(left > 0 ? ['', `And ${left} more findings.`] : []),
    '',
    '## Votes',
    '',
    '| Level | Rule | Findings | Id |',
    '|---|---|---|---|',
    ...votes.map((vote) => row([vote.level, plain(vote.ruleTitle), countText(vote), code(vote.ruleId)])),
    ...(events.length > 0 ? ['', '## What was done', ''] : []),
    ...events.map((event) => `- ${timeText(event.time)} UTC: ${plain(eventText(event))}`),
    '',
  ].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Text that stays text: https://spec.commonmark.org/0.31.2/#backslash-escapes, and what GitHub would make a link. */
function plain(text: string): string {
  return escapeControl(text)
    .replaceAll(/[\\`*_{}[\]()#+!|<>~&]/g, (mark) => (mark === '<' ? '&lt;' : mark === '&' ? '&amp;' : `\\${mark}`))
    .replaceAll('://', '&#58;//')
    .replaceAll(/www\./gi, (start) => `${start.slice(0, 3)}&#46;`)
    .replaceAll('@', '&#64;');
}

/** A code span. In a table a bar ends the cell even there, so it is written as another character that looks like it. */
function code(text: string): string {
  const shown = escapeControl(text).replaceAll('|', '\u2223');
  if (shown.trim() === '') return '';
  const fence = '`'.repeat(1 + Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length)));
  const pad = fence.length > 1 || /^ | $/.test(shown) ? ' ' : '';
  return fence + pad + shown + pad + fence;
}
