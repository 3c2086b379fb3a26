import { displayWidth, escapeControl, type Style, type Terminal, truncate } from '../cli/terminal.ts';
import type { Finding } from '../model/finding.ts';
import { type Level, severityId } from '../model/severity.ts';

/** A span as the demo shows it. `detail` says in a few words what happened in it. */
export interface ShownSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly detail: string;
  readonly startNanos: bigint;
  readonly durationMs: number;
  readonly failed: boolean;
}

const detailColumn = 44;
const columnsMax = 140;

/**
 * The spans of one run as a tree, one line each: name, duration, detail, and a mark where a finding points. Children
 * arrive before their parents; until a parent comes, a line of dots holds its place.
 */
export function treeLines(
  spans: readonly ShownSpan[],
  findings: readonly Finding[],
  terminal: Terminal,
): readonly string[] {
  // One span per id, or two with the same id could be each other's ancestors.
  const known = new Map(spans.map((span) => [span.spanId, span]));
  const children = new Map<string, ShownSpan[]>();
  for (const span of [...known.values()].sort(byStart)) {
    const parent = span.parentSpanId === span.spanId ? '' : span.parentSpanId;
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const worst = worstBySpan(findings);
  const lines: string[] = [];
  const addBelow = (spanId: string, below: string): void => {
    const its = children.get(spanId) ?? [];
    its.forEach((child, index) => {
      const last = index === its.length - 1;
      lines.push(spanLine(child, `${below}${last ? '└─ ' : '├─ '}`, worst.get(child.spanId), terminal));
      addBelow(child.spanId, `${below}${last ? '   ' : '│  '}`);
    });
  };
  for (const root of children.get('') ?? []) {
    lines.push(spanLine(root, '', worst.get(root.spanId), terminal));
    addBelow(root.spanId, '');
  }
  for (const parent of children.keys()) {
    if (parent === '' || known.has(parent)) continue;
    lines.push(terminal.dim('…'));
    addBelow(parent, '');
  }
  return lines;
}

/** One finding in full: level and title, why, what stood there, who and where. */
export function findingLines(finding: Finding, number: number, terminal: Terminal): readonly string[] {
  const style = levelStyle(finding.level, terminal);
  const title = terminal.bold(escapeControl(finding.ruleTitle));
  const where = [finding.agentName || finding.serviceName, finding.toolName, finding.spanName];
  const rows: [string, string][] = [
    ['why', finding.reason],
    ...evidenceTexts(finding).map((text): [string, string] => ['evidence', text]),
    ['where', [...new Set(where.filter((text) => text !== ''))].join(' · ')],
    ['trace', `${finding.traceId}  span ${finding.spanId}`],
    ['rule', [finding.ruleId, ...finding.tags].join(' · ')],
  ];
  const lines = [`${String(number).padStart(2)}  ${style(finding.level.toUpperCase())}  ${title}`];
  rows.forEach(([label, text], index) => {
    const shownLabel = rows[index - 1]?.[0] === label ? '' : label;
    for (const [row, part] of wrapped(escapeControl(text), textWidth(terminal) - 14).entries()) {
      lines.push(`    ${terminal.dim((row === 0 ? shownLabel : '').padEnd(8))}  ${part}`);
    }
  });
  return lines;
}

/** What stood in each field; `--json` also says what the rule wanted there, which for regular expressions is long. */
function evidenceTexts({ evidence }: Finding): readonly string[] {
  const byField = new Map<string, Set<string>>();
  for (const { field, excerpt } of evidence) {
    const shown = excerpt.replaceAll(/(?:\\[nrt])+/g, ' ⏎ ');
    byField.set(field, (byField.get(field) ?? new Set()).add(shown));
  }
  return [...byField].map(([field, excerpts]) => `${field || 'text'}: ${[...excerpts].join(', ')}`);
}

/** How many characters a line of running text may have. */
export function textWidth(terminal: Terminal): number {
  return Math.max(40, Math.min(terminal.columns, columnsMax));
}

/**
 * Shows a run while it happens. On a terminal the tree is drawn anew with every batch; elsewhere it is written once,
 * when the run has ended, so that a log holds every span once.
 */
export interface LiveTree {
  update(spans: readonly ShownSpan[], findings: readonly Finding[]): void;
  finish(): void;
}

export function createLiveTree(terminal: Terminal, rows: number): LiveTree {
  let drawn = 0;
  let lines: readonly string[] = [];
  const draw = (): void => {
    // Up to the tree's first line, then clear everything below.
    if (drawn > 0) terminal.write(`\u001b[${drawn}A\u001b[J`);
    terminal.write(lines.map((line) => `${line}\n`).join(''));
    drawn = lines.length;
  };
  return {
    update(spans, findings) {
      lines = treeLines(spans, findings, terminal).map((line) => `  ${line}`);
      // What has scrolled out of the window cannot be drawn over.
      if (terminal.isTty && lines.length < rows - 1) draw();
    },
    finish: draw,
  };
}

export function levelStyle(level: Level, terminal: Terminal): Style {
  if (level === 'critical' || level === 'high') return (text) => terminal.bold(terminal.red(text));
  if (level === 'medium') return terminal.yellow;
  return level === 'low' ? terminal.cyan : terminal.dim;
}

/** Strongest first, then in order of time. */
export function byLevelThenTime(a: Finding, b: Finding): number {
  return severityId(b.level) - severityId(a.level) || compare(a.timeNanos, b.timeNanos);
}

function spanLine(span: ShownSpan, prefix: string, worst: Level | undefined, terminal: Terminal): string {
  const columns = Math.min(terminal.columns, columnsMax) - 3;
  const duration = durationText(span.durationMs).padStart(7);
  const name = truncate(escapeControl(span.name), Math.max(8, detailColumn - prefix.length - duration.length - 2));
  const gap = ' '.repeat(Math.max(1, detailColumn - prefix.length - displayWidth(name) - duration.length));
  const mark = worst ? `▲ ${worst}` : span.failed ? '✗ error' : '';
  const room = columns - detailColumn - 2 - (mark === '' ? 0 : mark.length + 2);
  const detail = room > 4 ? truncate(escapeControl(span.detail), room) : '';
  const style = worst ? levelStyle(worst, terminal) : terminal.yellow;
  const tail = [mark === '' ? '' : `  ${style(mark)}`, detail === '' ? '' : `  ${detail}`].join('');
  return `${terminal.dim(prefix)}${worst ? terminal.bold(name) : name}${gap}${terminal.dim(duration)}${tail}`;
}

function durationText(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function worstBySpan(findings: readonly Finding[]): ReadonlyMap<string, Level> {
  const worst = new Map<string, Level>();
  for (const finding of findings) {
    const before = worst.get(finding.spanId);
    if (!before || severityId(finding.level) > severityId(before)) worst.set(finding.spanId, finding.level);
  }
  return worst;
}

/** Text in lines of at most `width` characters, broken at spaces where there are any. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width);
    const cut = space > width / 2 ? space : width;
    lines.push(rest.slice(0, cut));
    rest = rest.slice(cut).trimStart();
  }
  lines.push(rest);
  return lines;
}

function byStart(a: ShownSpan, b: ShownSpan): number {
  return compare(a.startNanos, b.startNanos) || b.durationMs - a.durationMs;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
