import { escapeControl, type Terminal } from '../cli/terminal.ts';
import type { Finding } from '../model/finding.ts';
import { severityId } from '../model/severity.ts';
import { tickets } from './data.ts';
import { byLevelThenTime, findingLines, levelStyle, textWidth, wrapped } from './render.ts';
import type { RunName, StoryRun } from './story.ts';

/** What stands in ClickHouse after the story, read back from it. */
export interface Stored {
  readonly version: string;
  readonly rows: Readonly<Record<string, number>>;
}

const titles: Readonly<Record<RunName, string>> = {
  A: 'a normal ticket',
  B: 'a ticket with instructions hidden in it',
};

/** The one JSON object of `--json`; docs/demo.md names its keys. */
export function demoJson(runs: readonly StoryRun[], stored: Stored, missing: readonly string[], durationMs: number) {
  return {
    ok: missing.length === 0,
    missing,
    spans: runs.flatMap(({ run, spans }) =>
      spans.map(({ traceId, spanId, parentSpanId, name, durationMs: spanMs }) => ({
        run,
        traceId,
        spanId,
        parentSpanId,
        name,
        durationMs: spanMs,
      })),
    ),
    findings: runs.flatMap(({ run, findings }) =>
      findings.toSorted(byLevelThenTime).map((item) => findingJson(item, run)),
    ),
    clickhouse: stored,
    cases: runs.flatMap(({ run, cases }) =>
      cases.map(({ id, level, headline, raisedBy, findings: count }) => ({
        ...{ run, id, level, headline, raisedBy },
        findings: count,
      })),
    ),
    runs: runs.map(({ run, ticketId, answer, exitCode, spans, deliveries }) => ({
      run,
      title: titles[run],
      ticketId,
      answer,
      exitCode,
      traceIds: [...new Set(spans.map((span) => span.traceId))],
      posts: deliveries.map(({ url, body }) => ({ url, bytes: Buffer.byteLength(body) })),
    })),
    durationMs: Math.round(durationMs),
  };
}

function findingJson(finding: Finding, run: RunName) {
  return {
    run,
    id: finding.id,
    ruleId: finding.ruleId,
    level: finding.level,
    title: finding.ruleTitle,
    reason: finding.reason,
    agent: finding.agentName || finding.serviceName,
    tool: finding.toolName,
    traceId: finding.traceId,
    spanId: finding.spanId,
    spanName: finding.spanName,
    tags: finding.tags,
    evidence: finding.evidence,
  };
}

/** What is said before a run's tree: its title and, for the injected one, what the ticket says to the model. */
export function runHeader(run: RunName, ticketId: string, terminal: Terminal): string {
  const ticket = tickets.find((candidate) => candidate.ticket_id === ticketId);
  const lines = ['', `${terminal.bold(`Run ${run}`)}  ${titles[run]}`];
  for (const line of ticket?.body.split('\n') ?? []) {
    for (const part of wrapped(line, textWidth(terminal) - 4)) lines.push(terminal.dim(`  │ ${part}`.trimEnd()));
  }
  return `${lines.join('\n')}\n\n`;
}

/** What is said after a run's tree: the answer, what the agent did to the world, how many findings. */
export function runFooter(run: StoryRun, terminal: Terminal): string {
  const rows: [string, string][] = [['answered', `“${escapeControl(run.answer)}”`]];
  for (const span of run.spans) {
    const paid = span.name.startsWith('tools/call') && span.tools.includes('payments_refund') && !span.failed;
    if (paid) rows.push(['paid', escapeControl(span.detail)]);
  }
  for (const delivery of run.deliveries) {
    const people = new Set(delivery.body.match(/[\w.]+@example\.\w+/g)).size;
    const bytes = Buffer.byteLength(delivery.body);
    rows.push(['sent out', `records of ${people} customers, ${bytes} bytes, to ${new URL(delivery.url).host}`]);
  }
  rows.push(['found', countText(run.findings, terminal)]);
  const lines = rows.flatMap(([label, text]) =>
    wrapped(text, textWidth(terminal) - 13).map(
      (part, index) => `  ${terminal.dim((index === 0 ? label : '').padEnd(8))}  ${part}`,
    ),
  );
  return `\n${lines.join('\n')}\n`;
}

/** Findings of at least medium in full, the rest as one line each. */
export function findingsText(runs: readonly StoryRun[], terminal: Terminal): string {
  const all = runs.flatMap((run) => run.findings).toSorted(byLevelThenTime);
  const full = all.filter((finding) => severityId(finding.level) >= severityId('medium'));
  const brief = all.filter((finding) => !full.includes(finding));
  const blocks = full.map((finding, index) => `${findingLines(finding, index + 1, terminal).join('\n')}\n`);
  const rest = brief.map((finding) => [
    levelStyle(finding.level, terminal)(finding.level),
    escapeControl(finding.ruleTitle),
  ]);
  const head = `\n${terminal.bold('Findings')}\n\n`;
  return `${head}${blocks.join('\n')}${rest.length > 0 ? `\n${terminal.table(rest, { indent: '    ' })}` : ''}`;
}

/** What the findings are together: one case, its sentence, and how to see it whole. */
export function casesText(
  runs: readonly StoryRun[],
  commands: CommandNames,
  keeps: boolean,
  terminal: Terminal,
): string {
  const blocks = runs
    .flatMap(({ cases }) => cases)
    .map(({ id, level, headline, raisedBy, findings, votes }) => {
      const rows = [
        `case ${id.slice(0, 12)}: ${findings} findings of ${votes.length} rules`,
        ...(raisedBy === '' ? [] : [`${level} because: ${raisedBy}`]),
        ...(keeps ? [`${commands.spanwarden}cases show ${id.slice(0, 12)}`] : []),
      ];
      const title = wrapped(escapeControl(headline), textWidth(terminal) - 12);
      const style = levelStyle(level, terminal);
      const head = title.map(
        (line, index) =>
          `${index === 0 ? style(level.toUpperCase().padEnd(10)) : ' '.repeat(10)}${terminal.bold(line)}`,
      );
      const rest = rows
        .flatMap((text) => wrapped(escapeControl(text), textWidth(terminal) - 12))
        .map((line) => `${' '.repeat(10)}${line}`);
      return [...head, ...rest].map((line) => `  ${line}\n`).join('');
    });
  return blocks.length === 0
    ? ''
    : `\n${terminal.bold(blocks.length === 1 ? 'The case' : 'Cases')}\n\n${blocks.join('\n')}`;
}

export function storedText(stored: Stored, terminal: Terminal): string {
  const rows = Object.entries(stored.rows).map(([table, count]) => `${table} ${count}`);
  return `\n${terminal.bold(`ClickHouse ${stored.version}`)}  rows read back: ${rows.join(', ')}\n`;
}

/** How the commands are called here: in a clone through npm, elsewhere through npx. */
export interface CommandNames {
  readonly demo: string;
  readonly spanwarden: string;
}

/** The last lines: whether the story held and what to do next; `keeps` when the collector goes on. */
export function endText(
  missing: readonly string[],
  durationMs: number,
  commands: CommandNames,
  keeps: boolean,
  terminal: Terminal,
): string {
  const took = `${(durationMs / 1000).toFixed(1)} s`;
  if (missing.length > 0) {
    const list = missing.map((text) => `  ${terminal.red('✗')} ${escapeControl(text)}\n`).join('');
    return `\n${terminal.red(`The story did not come out as it should (${took}):`)}\n${list}`;
  }
  const steps = [
    ...(keeps ? [] : [['look around in ClickHouse and Grafana', `${commands.demo}--keep`]]),
    ['see the rules', `${commands.spanwarden}rules list`],
    ...(keeps ? [] : [['run the collector', `${commands.spanwarden}serve`]]),
    ['instrument an agent of yours', 'node --import @spanwarden/instrumentation/register app.mjs'],
  ];
  return (
    `\n${terminal.green('✓')} Quiet on the normal ticket, loud on the injected one (${took}).\n` +
    `\n${terminal.bold('next:')}\n${terminal.table(
      steps.map(([why, what]) => [why!, terminal.cyan(what!)]),
      { indent: '  ' },
    )}`
  );
}

/** Said with --keep: the addresses, and how to look at the data. */
export function connectText(
  urls: { readonly otlp: string; readonly api: string },
  clickhouse: Connection,
  commands: CommandNames,
  terminal: Terminal,
): string {
  const table = (rows: readonly (readonly [string, string])[]) =>
    terminal.table(
      rows.map(([name, value]) => [terminal.dim(name), value]),
      { indent: '  ' },
    );
  return [
    `\n${terminal.bold('Still running')}\n`,
    table([
      ['OTLP/HTTP', `${urls.otlp}/v1/traces`],
      ['health', `${urls.api}/readyz`],
      ['metrics', `${urls.api}/metrics`],
      ['data', clickhouse.dataDir],
    ]),
    `\n${terminal.bold('Grafana')}  add the data source "ClickHouse" (grafana-clickhouse-datasource) with\n`,
    table([
      ['server', clickhouse.host],
      ['port', `${clickhouse.nativePort} for protocol Native, ${clickhouse.httpPort} for HTTP; no TLS`],
      ['username', `${clickhouse.username}, which may only read`],
      ['password', `stands in ${clickhouse.passwordFile}`],
      ['database', `${clickhouse.database}; traces: table otel_traces, OpenTelemetry on`],
    ]),
    `\n${terminal.bold('Findings')}  in another terminal: ${terminal.cyan(`${commands.spanwarden}findings list`)}\n`,
    `\n${terminal.dim('Ctrl-C stops it.')}\n`,
  ].join('');
}

/** How to reach the embedded ClickHouse with the account that may only read. */
export interface Connection {
  readonly dataDir: string;
  readonly host: string;
  readonly httpPort: number;
  readonly nativePort: number;
  readonly username: string;
  readonly passwordFile: string;
  readonly database: string;
}

function countText(findings: readonly Finding[], terminal: Terminal): string {
  if (findings.length === 0) return terminal.green('nothing');
  const counts = new Map<Finding['level'], number>();
  for (const { level } of findings.toSorted(byLevelThenTime)) counts.set(level, (counts.get(level) ?? 0) + 1);
  return [...counts].map(([level, count]) => levelStyle(level, terminal)(`${count} ${level}`)).join(', ');
}
