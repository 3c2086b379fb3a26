import { type Column, type Frame, rowsOf } from './frames.ts';
import { type Html, html } from './html.ts';
import type { PanelView } from './view.ts';

const nodesMax = 60;
const titleCharactersMax = 24;

/**
 * Nodes in columns by their distance from those that nothing leads to, with the edges between them.
 * https://grafana.com/docs/grafana/latest/panels-visualizations/visualizations/node-graph/
 */
export function nodeGraphPanel(view: PanelView): Html | undefined {
  const edgesFrame = view.frames.find(({ columns }) => columns.some(({ name }) => name.toLowerCase() === 'source'));
  const nodesFrame = view.frames.find((frame) => frame !== edgesFrame);
  if (nodesFrame === undefined) {
    if (edgesFrame !== undefined) view.problem('a node graph has edges and no nodes');
    return undefined;
  }
  if (rowsOf(nodesFrame) === 0) return undefined;
  const nodes = Array.from({ length: Math.min(nodesMax, rowsOf(nodesFrame)) }, (_, row) => ({
    id: textAt(nodesFrame, 'id', row, view),
    title: textAt(nodesFrame, 'title', row),
    stat: textAt(nodesFrame, 'mainstat', row),
  }));
  const known = new Set(nodes.map(({ id }) => id));
  const edges =
    edgesFrame === undefined
      ? []
      : Array.from({ length: rowsOf(edgesFrame) }, (_, row) => edgeAt(edgesFrame, row, view));
  const drawn = edges.filter(({ source, target }) => known.has(source) && known.has(target));
  if (drawn.length < edges.length)
    view.problem(`${edges.length - drawn.length} edges lead to nodes that are not there`);
  const places = placed([...known], drawn, view);
  const lines = drawn.map(({ source, target }) => {
    const [from, to] = [places.get(source), places.get(target)];
    return html`<line x1="${from?.x}" y1="${from?.y}" x2="${to?.x}" y2="${to?.y}" stroke="#8e8e9e"/>`;
  });
  const circles = nodes.map(({ id, title, stat }) => {
    const at = places.get(id);
    return html`<g transform="translate(${at?.x} ${at?.y})"><circle r="14" fill="#22252b" stroke="#73bf69" stroke-width="2"/><text y="4" text-anchor="middle">${stat}</text><text y="28" text-anchor="middle">${(title === '' ? id : title).slice(0, titleCharactersMax)}<title>${title}</title></text></g>`;
  });
  return html`<svg width="${view.width}" height="${view.height}">${lines}${circles}</svg>`;
}

interface Edge {
  readonly source: string;
  readonly target: string;
}

function edgeAt(frame: Frame, row: number, view: PanelView): Edge {
  return { source: textAt(frame, 'source', row, view), target: textAt(frame, 'target', row, view) };
}

/** @param required who is told when the column is not there. */
function textAt({ columns }: Frame, name: string, row: number, required?: PanelView): string {
  const column: Column | undefined = columns.find((each) => each.name.toLowerCase() === name);
  if (column === undefined && row === 0) required?.problem(`a node graph needs the column ${name}`);
  return String(column?.values[row] ?? '');
}

function placed(ids: readonly string[], edges: readonly Edge[], { width, height }: PanelView) {
  const depth = new Map(ids.map((id) => [id, 0]));
  // As many rounds as there are nodes at most: a circle of edges stops there.
  for (let round = 0, moved = true; moved && round < Math.min(ids.length, 8); round += 1) {
    moved = false;
    for (const { source, target } of edges) {
      const wanted = (depth.get(source) ?? 0) + 1;
      if (source === target || wanted <= (depth.get(target) ?? 0) || wanted >= ids.length) continue;
      depth.set(target, wanted);
      moved = true;
    }
  }
  const layers = Map.groupBy(ids, (id) => depth.get(id) ?? 0);
  const columns = [...layers.keys()].sort((a, b) => a - b);
  const places = new Map<string, { x: number; y: number }>();
  columns.forEach((layer, column) => {
    const members = layers.get(layer) ?? [];
    members.forEach((id, index) => {
      const x = ((column + 0.5) / columns.length) * width;
      places.set(id, { x, y: ((index + 0.5) / members.length) * (height - 30) });
    });
  });
  return places;
}
