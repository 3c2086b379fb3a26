import { levelStyle, wrapped } from '../demo/render.ts';
import type { CaseEvent, StoredCase, StoredStep } from '../store/cases-reader.ts';
import { timeText } from './findings-view.ts';
import { escapeControl, type Terminal, truncate } from './terminal.ts';

/** Cases as a table, one line each, under a line of headings. */
export function caseTable(cases: readonly StoredCase[], terminal: Terminal): string {
  const headings = ['last seen (UTC)', 'level', 'status', 'findings', 'headline', 'id'].map(terminal.dim);
  const room = terminal.isTty ? Math.max(30, Math.min(terminal.columns, 200) - 70) : 160;
  return terminal.table([
    headings,
    ...cases.map((each) => [
      terminal.dim(timeText(each.lastSeen)),
      levelStyle(each.level, terminal)(each.level),
      each.status === 'open' ? each.status : terminal.dim(each.status),
      countText(each),
      truncate(escapeControl(each.headline), room),
      terminal.dim(each.id.slice(0, 12)),
    ]),
  ]);
}

/** A case in full: headline, what happened in order, what each rule says, and what people did about it. */
export function casePage(found: StoredCase, events: readonly CaseEvent[], terminal: Terminal): string {
  const { level, status, headline, findings, timeline } = found;
  const width = Math.max(40, Math.min(terminal.columns, 140));
  const head = `${levelStyle(level, terminal)(level.toUpperCase())}  ${terminal.dim(status)}`;
  const title = wrapped(escapeControl(headline), width).map((line) => terminal.bold(line));
  const left = findings - timeline.length;
  const more = left > 0 ? terminal.dim(`  and ${left} more: spanwarden findings list shows them\n`) : '';
  return [
    `${head}\n${title.join('\n')}\n\n`,
    terminal.table(factsOf(found, terminal), { indent: '  ' }),
    `\n${terminal.bold('What happened')} ${terminal.dim('(UTC)')}\n`,
    stepTable(timeline, terminal, width),
    more,
    `\n${terminal.bold('Votes')}\n`,
    voteTable(found, terminal),
    historyText(events, found.id, terminal),
    status === 'open'
      ? terminal.dim(`\nspanwarden cases close ${found.id.slice(0, 12)} --disposition … --reason …\n`)
      : '',
  ].join('');
}

/** The lines of a timeline: when, how bad, what, where, what stood there. */
export function stepTable(timeline: readonly StoredStep[], terminal: Terminal, width: number): string {
  const days = new Set(timeline.map(({ time }) => time.slice(0, 10)));
  const rows = timeline.map((step) => [
    terminal.dim(days.size > 1 ? timeText(step.time) : step.time.slice(11, 19)),
    levelStyle(step.level, terminal)(step.level),
    truncate(escapeControl(step.ruleTitle), 48),
    truncate(escapeControl(step.toolName || step.spanName), 28),
    step.count > 1 ? `×${step.count}` : '',
    terminal.dim(truncate(escapeControl(step.shown), Math.max(16, width - 104))),
  ]);
  return terminal.table(rows, { indent: '  ' });
}

/** `closed as benign by ann: a drill`. */
export function eventText({ action, disposition, by, reason }: CaseEvent): string {
  const what = action === 'close' ? `closed as ${disposition}` : 'reopened';
  return `${what} by ${by}${reason === '' ? '' : `: ${reason}`}`;
}

function factsOf(found: StoredCase, terminal: Terminal): string[][] {
  const { id, firstSeen, lastSeen, raisedBy, agents, users, conversations, traceIds } = found;
  const until = firstSeen.slice(0, 19) === lastSeen.slice(0, 19) ? '' : ` to ${timeText(lastSeen)}`;
  const facts: readonly (readonly [string, string])[] = [
    ['case', id],
    ['seen', `${timeText(firstSeen)}${until} UTC`],
    ['findings', countText(found)],
    ['level', raisedBy === '' ? '' : `raised: ${raisedBy}`],
    ['agents', listText(agents)],
    ['users', listText(users)],
    ['sessions', listText(conversations)],
    ['traces', listText(traceIds)],
  ];
  return facts.filter(([, text]) => text !== '').map(([label, text]) => [terminal.dim(label), escapeControl(text)]);
}

function voteTable({ votes }: StoredCase, terminal: Terminal): string {
  const rows = votes.map(({ level, ruleTitle, findings, count, ruleId }) => [
    levelStyle(level, terminal)(level),
    truncate(escapeControl(ruleTitle), 60),
    countText({ findings, count }),
    terminal.dim(truncate(escapeControl(ruleId), 40)),
  ]);
  return terminal.table(rows, { indent: '  ' });
}

function historyText(events: readonly CaseEvent[], id: string, terminal: Terminal): string {
  if (events.length === 0) return '';
  const rows = events.map((event) => [
    terminal.dim(timeText(event.time)),
    escapeControl(eventText(event) + (event.caseId === id ? '' : ` (case ${event.caseId.slice(0, 12)})`)),
  ]);
  return `\n${terminal.bold('What was done')} ${terminal.dim('(UTC)')}\n${terminal.table(rows, { indent: '  ' })}`;
}

/** `3`, or `3 (17 times)` with repeats. */
export function countText({ findings, count }: { readonly findings: number; readonly count: number }): string {
  return count > findings ? `${findings} (${count} times)` : String(findings);
}

function listText(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => truncate(name, 64));
  return [...shown, ...(names.length > shown.length ? [`${names.length - shown.length} more`] : [])].join(', ');
}
