import { rowsOf } from './frames.ts';
import { type Html, html } from './html.ts';
import { formatNumber } from './units.ts';
import type { PanelView } from './view.ts';

interface Span {
  readonly id: string;
  readonly parent: string;
  readonly service: string;
  readonly name: string;
  readonly start: number;
  readonly duration: number;
  readonly failed: boolean;
  readonly tags: unknown;
}

/** What Grafana's trace panel cannot do without. */
const wantedColumns = [
  'traceID',
  'spanID',
  'parentSpanID',
  'serviceName',
  'operationName',
  'startTime',
  'duration',
  'tags',
  'serviceTags',
  'statusCode',
];

/** The spans of a trace as a tree with a bar for each; undefined without a span. */
export function tracePanel(view: PanelView): Html | undefined {
  const [frame] = view.frames;
  if (frame === undefined) return undefined;
  const columns = new Map(frame.columns.map(({ name, values }) => [name, values]));
  for (const name of wantedColumns) if (!columns.has(name)) view.problem(`a trace has no column ${name}`);
  const spans = Array.from({ length: rowsOf(frame) }, (_, row): Span => {
    const at = (name: string) => columns.get(name)?.[row];
    return {
      id: String(at('spanID') ?? ''),
      parent: String(at('parentSpanID') ?? ''),
      service: String(at('serviceName') ?? ''),
      name: String(at('operationName') ?? ''),
      start: Number(at('startTime') ?? 0),
      duration: Number(at('duration') ?? 0),
      failed: at('statusCode') === 2,
      tags: at('tags'),
    };
  });
  if (spans.length === 0) return undefined;
  const from = spans.reduce((least, { start }) => Math.min(least, start), Infinity);
  const until = spans.reduce((most, { start, duration }) => Math.max(most, start + duration), from + 0.001);
  const rows = depthFirst(spans).map(({ span, depth }) => {
    const left = ((span.start - from) / (until - from)) * 100;
    const width = Math.max(0.3, (span.duration / (until - from)) * 100);
    const colour = span.failed ? '#f2495c' : '#5794f2';
    return html`<div class="span"><div class="span-name" style="padding-left:${depth * 16}px"><b>${span.service}</b> ${span.name}<details><summary>attributes</summary><pre>${JSON.stringify(span.tags, null, 1)}</pre></details></div><div class="span-track"><div class="bar" style="margin-left:${left}%;width:${width}%;background:${colour}"></div></div><div class="bar-value">${formatNumber(span.duration, 'ms')}</div></div>`;
  });
  return html`<div class="spans">${rows}</div>`;
}

/** Children below their parents; spans whose parent is not there stand at the root. A circle of parents ends at once. */
function depthFirst(spans: readonly Span[]): { span: Span; depth: number }[] {
  const ids = new Set(spans.map(({ id }) => id));
  const children = Map.groupBy(spans, ({ parent }) => (ids.has(parent) ? parent : ''));
  const out: { span: Span; depth: number }[] = [];
  const seen = new Set<Span>();
  const open = [...(children.get('') ?? [])].reverse().map((span) => ({ span, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next.span)) continue;
    seen.add(next.span);
    out.push(next);
    const depth = next.depth + 1;
    for (const span of [...(children.get(next.span.id) ?? [])].reverse()) open.push({ span, depth });
  }
  return [...out, ...spans.filter((span) => !seen.has(span)).map((span) => ({ span, depth: 0 }))];
}
