import type { Panel, RowPanel } from '@grafana/schema';
import { unmetOverrides } from './fields.ts';
import { type Answer, type Frame, frameOf, timeSeriesOf } from './frames.ts';
import { type Html, html } from './html.ts';
import { interpolateTitle } from './links.ts';
import { drawPanel } from './panel.ts';
import type { PageContext, PanelView } from './view.ts';

/** Runs a query with the values that the dashboard's variables have. */
export type Asking = (sql: string, intervalMs?: number) => Promise<Answer>;

/** All rows and panels, with what their queries find. What contradicts a result is added to `problems`. */
export async function drawSections(
  panels: readonly (Panel | RowPanel)[],
  page: PageContext,
  ask: Asking,
  problems: string[],
): Promise<Html[]> {
  const sections: Html[] = [];
  for (const section of sectionsOf(panels)) sections.push(await drawSection(section, page, ask, problems));
  return sections;
}

interface Section {
  readonly row: RowPanel | undefined;
  readonly panels: readonly Panel[];
}

/** Panels under the row that they stand below; rows that are closed lie open here. */
function sectionsOf(panels: readonly (Panel | RowPanel)[]): Section[] {
  const sections: { row: RowPanel | undefined; panels: Panel[] }[] = [{ row: undefined, panels: [] }];
  const inOrder = [...panels].sort((a, b) => (a.gridPos?.y ?? 0) - (b.gridPos?.y ?? 0));
  for (const panel of inOrder) {
    if (panel.type === 'row')
      sections.push({ row: panel as RowPanel, panels: [...(panel as RowPanel).panels] as Panel[] });
    else sections.at(-1)?.panels.push(panel as Panel);
  }
  return sections.filter(({ row, panels: inside }) => row !== undefined || inside.length > 0);
}

async function drawSection(
  { row, panels }: Section,
  page: PageContext,
  ask: Asking,
  problems: string[],
): Promise<Html> {
  const top = panels.reduce((least, { gridPos }) => Math.min(least, gridPos?.y ?? 0), Infinity);
  const drawn = [];
  for (const panel of panels) drawn.push(await askAndDraw(panel, top, page, ask, problems));
  const head =
    row === undefined
      ? undefined
      : html`<div class="row" data-panel="${row.id}">${interpolateTitle(row.title ?? '', page)}</div>`;
  return html`${head}<div class="grid">${drawn}</div>`;
}

async function askAndDraw(
  panel: Panel,
  top: number,
  page: PageContext,
  ask: Asking,
  problems: string[],
): Promise<Html> {
  const { x, y, w, h } = panel.gridPos ?? { x: 0, y: 0, w: 12, h: 8 };
  const problem = (text: string) => {
    problems.push(`${panel.id} ${panel.title}: ${text}`);
  };
  const width = (w * 1_600) / 24 - 24;
  const { frames, failure } = await framesOf(panel, intervalOf(panel, page, width), ask);
  if (failure !== undefined) problem(failure);
  const view: PanelView = { panel, frames: frames.map(asPanelWants(panel)), page, width, height: h * 38 - 48, problem };
  const isNamedByData =
    frames.some(({ columns }) => columns.some(({ kind }) => kind === 'text')) && isTimeSeries(panel);
  if (!isNamedByData) unmetOverrides({ ...view, frames }).forEach(problem);
  return drawPanel(view, failure, `grid-column:${x + 1} / span ${w};grid-row:${y - top + 1} / span ${h}`);
}

export interface Target {
  readonly refId?: string;
  readonly rawSql?: string;
  readonly format?: number;
  readonly hide?: boolean;
}

async function framesOf(panel: Panel, intervalMs: number, ask: Asking): Promise<{ frames: Frame[]; failure?: string }> {
  const frames: Frame[] = [];
  for (const { refId = 'A', rawSql, hide } of (panel.targets ?? []) as Target[]) {
    if (rawSql === undefined || hide === true) continue;
    try {
      frames.push(frameOf(refId, await ask(rawSql, intervalMs)));
    } catch (error) {
      return { frames, failure: `the query failed: ${error instanceof Error ? error.message : error}` };
    }
  }
  return { frames };
}

function isTimeSeries(panel: Panel): boolean {
  return ((panel.targets ?? []) as Target[]).some(({ format }) => format === 0);
}

function asPanelWants(panel: Panel): (frame: Frame) => Frame {
  return isTimeSeries(panel) ? timeSeriesOf : (frame) => frame;
}

/** Width of a bar as Grafana chooses it: what fits the panel, not below its own least interval, rounded to a whole unit. */
function intervalOf({ interval, maxDataPoints }: Panel, { fromMs, toMs }: PageContext, width: number): number {
  const wanted = (toMs - fromMs) / (maxDataPoints ?? width);
  const [, count = '0', unit = 's'] = /^>?(\d+)([smhd])$/.exec(interval ?? '') ?? [];
  const least = Number(count) * ({ s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 1_000);
  const steps = [
    1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800,
  ];
  const rounded = steps.map((step) => step * 1_000).find((step) => step >= wanted) ?? 604_800_000;
  return Math.max(least, rounded);
}
