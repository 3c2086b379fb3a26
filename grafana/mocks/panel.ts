import { barChartPanel, timeSeriesPanel } from './charts.ts';
import { barGaugePanel, gaugePanel, piePanel, statPanel } from './figures.ts';
import { nodeGraphPanel } from './graph.ts';
import { type Html, html } from './html.ts';
import { interpolateTitle } from './links.ts';
import { tablePanel } from './table.ts';
import { logsPanel, textPanel } from './texts.ts';
import { stateTimelinePanel } from './timeline.ts';
import { tracePanel } from './trace.ts';
import type { PanelView } from './view.ts';

/** Draws what a panel shows; undefined when it is empty. */
type Draw = (view: PanelView) => Html | undefined;

const kinds: Readonly<Record<string, Draw>> = {
  barchart: barChartPanel,
  bargauge: barGaugePanel,
  gauge: gaugePanel,
  logs: logsPanel,
  nodeGraph: nodeGraphPanel,
  piechart: piePanel,
  stat: statPanel,
  'state-timeline': stateTimelinePanel,
  'status-history': stateTimelinePanel,
  table: tablePanel,
  text: textPanel,
  timeseries: timeSeriesPanel,
  traces: tracePanel,
};

/** A panel in its place in the grid: title, description, content or the text for when it is empty. */
export function drawPanel(view: PanelView, failure: string | undefined, place: string): Html {
  const { panel, page } = view;
  const title = interpolateTitle(panel.title ?? '', page);
  return html`<section data-panel="${panel.id}" class="panel" style="${place}"><h2>${title} <small>${panel.type}</small></h2><details class="about"><summary>i</summary><p>${panel.description}</p></details><div class="content">${failure === undefined ? contentOf(view) : html`<p class="failure">${failure}</p>`}</div></section>`;
}

function contentOf(view: PanelView): Html {
  const { panel } = view;
  const draw = kinds[panel.type];
  if (draw === undefined) {
    view.problem(`the mock does not draw panels of type ${panel.type}`);
    return html`<p class="empty">not drawn</p>`;
  }
  return draw(view) ?? html`<p class="empty">${panel.fieldConfig?.defaults.noValue ?? 'No data'}</p>`;
}
