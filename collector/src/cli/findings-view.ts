import { levelStyle } from '../demo/render.ts';
import type { FindingMark } from '../store/finding-marks.ts';
import type { StoredFinding } from '../store/findings-reader.ts';
import { escapeControl, type Terminal, truncate } from './terminal.ts';

/** Findings as a table, one line each, under a line of headings. */
export function findingTable(findings: readonly StoredFinding[], terminal: Terminal): string {
  const headings = ['time (UTC)', 'level', 'title', 'agent', 'tool', 'id', ''].map(terminal.dim);
  return terminal.table([headings, ...findings.map((finding) => cells(finding, terminal))]);
}

/** One finding as a line of its own, with columns wide enough that lines printed one by one stand in line. */
export function findingLine(finding: StoredFinding, terminal: Terminal): string {
  const padding = ['', ' '.repeat('informational'.length), ' '.repeat(48)];
  // The first row only spreads the columns.
  return terminal.table([padding, cells(finding, terminal)]).split('\n')[1] ?? '';
}

/** Everything about one finding: why, where, and the evidence with what the rule wanted there. */
export function findingPage(finding: StoredFinding, terminal: Terminal, marks: readonly FindingMark[] = []): string {
  const plain = (label: string, text: string): [string, string] => [label, escapeControl(text)];
  const who = finding.agentName === finding.serviceName ? '' : finding.serviceName;
  const isStitched = ![finding.conversationId, finding.traceId].includes(finding.sessionId);
  const rows: [string, string][] = [
    plain('why', finding.reason),
    plain('time', `${timeText(finding.time)} UTC`),
    plain('seen', finding.count > 1 ? `${finding.count} times, last at ${timeText(finding.lastSeen)} UTC` : ''),
    plain('agent', finding.agentName),
    plain('service', who),
    plain('tool', finding.toolName),
    plain('span', `${finding.spanName}  ${finding.spanId}`),
    plain('trace', finding.traceId),
    plain('conversation', finding.conversationId),
    plain('session', isStitched ? `${finding.sessionId}  by ${finding.sessionSource}` : ''),
    plain('user', finding.userId),
    plain('rule', `${finding.ruleId}  version ${finding.ruleVersion.slice(0, 12)}`),
    plain('tags', finding.tags.join(' ')),
    plain('id', finding.id),
    ...marks.map(({ disposition, reason, by, at }) =>
      plain('marked', `${disposition} by ${by}, ${timeText(at)} UTC: ${reason}`),
    ),
  ];
  const facts = rows.filter(([, text]) => text !== '').map(([label, text]) => [terminal.dim(label), text]);
  const title = terminal.bold(escapeControl(finding.ruleTitle));
  return [
    `${levelStyle(finding.level, terminal)(finding.level.toUpperCase())}  ${title}\n\n`,
    terminal.table(facts, { indent: '  ' }),
    ...finding.evidence.flatMap(({ field, wanted, excerpt, selection }) => [
      `\n  ${terminal.dim('evidence')}  ${escapeControl(field || 'any text')} ${terminal.dim(escapeControl(`${wanted}  (${selection})`))}\n`,
      `    ${escapeControl(excerpt)}\n`,
    ]),
  ].join('');
}

/** `2026-11-22 10:00:00` out of an ISO time with nanoseconds. */
export function timeText(isoTime: string): string {
  return isoTime.slice(0, 19).replace('T', ' ');
}

function cells(finding: StoredFinding, terminal: Terminal): string[] {
  const plain = (text: string, charsMax: number): string => truncate(escapeControl(text), charsMax);
  return [
    terminal.dim(timeText(finding.time)),
    levelStyle(finding.level, terminal)(finding.level),
    plain(finding.ruleTitle, 60),
    plain(finding.agentName || finding.serviceName, 24),
    plain(finding.toolName, 24),
    terminal.dim(finding.id.slice(0, 12)),
    finding.mark?.disposition ?? '',
  ];
}
