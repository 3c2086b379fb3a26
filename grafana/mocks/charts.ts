import { type Field, fieldsOf, seriesColour, shown } from './fields.ts';
import { type Html, html, type Part } from './html.ts';
import { reduced } from './reduce.ts';
import { formatNumber } from './units.ts';
import { optionsOf, type PanelView } from './view.ts';

const pointsMax = 20_000;

/** Lines or bars over time, stacked where the panel says so; undefined without a point. */
export function timeSeriesPanel(view: PanelView): Html | undefined {
  const series = view.frames.flatMap((frame) => {
    const fields = fieldsOf(frame, view);
    const time = fields.find(({ kind }) => kind === 'time');
    if (time === undefined && fields.length > 0) view.problem('a time series has no column of a time');
    return fields
      .filter(({ kind, hidden }) => kind === 'number' && !hidden)
      .map((field) => ({ field, times: (time?.values ?? []) as number[] }));
  });
  if (!series.some(({ field }) => field.values.some((value) => value !== null))) return undefined;
  const { fromMs, toMs, marks } = view.page;
  const x = (ms: number) => ((ms - fromMs) / (toMs - fromMs)) * 100;
  const drawn = stackedSeries(series);
  const axis = axisOf(
    drawn.flatMap(({ points }) => points.map(({ top }) => top)),
    series[0]?.field,
  );
  const shapes = drawn.map(({ field, points }, index) => shapeOf(field, points, seriesColour(field, index), x, axis.y));
  const lines = marks
    .filter(({ ms }) => ms >= fromMs && ms <= toMs)
    .map(
      ({ ms, title, colour }) =>
        html`<line x1="${x(ms)}" x2="${x(ms)}" y1="0" y2="100" stroke="${colour}" class="mark"><title>${title}</title></line>`,
    );
  const labels = [0, 0.25, 0.5, 0.75, 1].map((at) =>
    new Date(fromMs + at * (toMs - fromMs)).toISOString().slice(5, 16),
  );
  return chart(
    view,
    axis,
    [shapes, lines],
    labels.map((text) => text.replace('T', ' ')),
    series.map(({ field }) => field),
  );
}

/** Bars beside each other for each row, named by its first text or time. */
export function barChartPanel(view: PanelView): Html | undefined {
  const [frame] = view.frames;
  if (frame === undefined) return undefined;
  const { xField, stacking } = optionsOf(view);
  const all = fieldsOf(frame, view);
  const named =
    typeof xField === 'string' ? all.find(({ name, label }) => name === xField || label === xField) : undefined;
  if (typeof xField === 'string' && named === undefined)
    view.problem(`the bars are named by ${xField}, which is no column`);
  const names = named ?? all.find(({ kind }) => kind === 'text' || kind === 'time');
  const fields = all.filter((field) => field.kind === 'number' && !field.hidden && field !== names);
  const rows = names?.values.length ?? 0;
  if (rows === 0 || fields.length === 0) return undefined;
  const isStacked = stacking === 'normal' || stacking === 'percent';
  const valueAt = (field: Field | undefined, row: number) => Number(field?.values[row] ?? 0);
  const tops = Array.from({ length: rows }, (_, row) => fields.map((field) => valueAt(field, row)));
  const axis = axisOf(isStacked ? tops.map((each) => each.reduce((a, b) => a + b, 0)) : tops.flat(), fields[0]);
  const slot = 100 / rows;
  const bars = tops.flatMap((values, row) => {
    let below = 0;
    return values.map((value, index) => {
      const from = isStacked ? below : 0;
      below += value;
      const width = (slot * 0.8) / (isStacked ? 1 : values.length);
      const left = row * slot + slot * 0.1 + (isStacked ? 0 : index * width);
      return html`<rect x="${left}" width="${width}" y="${axis.y(from + value)}" height="${axis.y(from) - axis.y(from + value)}" fill="${seriesColour(fields[index] as Field, index)}"/>`;
    });
  });
  const labels = names === undefined ? [] : names.values.map((value) => shown(names, value, view.page.nowMs).text);
  return chart(view, axis, bars, labels, fields);
}

interface Point {
  readonly ms: number;
  readonly bottom: number;
  readonly top: number;
}

interface Axis {
  readonly y: (value: number) => number;
  readonly ticks: readonly string[];
}

function stackedSeries(series: readonly { field: Field; times: readonly number[] }[]) {
  const below = new Map<number, number>();
  return series.map(({ field, times }) => {
    const isStacked = (field.custom.stacking as { mode?: string } | undefined)?.mode === 'normal';
    const points: Point[] = [];
    field.values.slice(0, pointsMax).forEach((value, index) => {
      const ms = times[index] ?? 0;
      if (typeof value !== 'number') return;
      const bottom = isStacked ? (below.get(ms) ?? 0) : 0;
      below.set(ms, bottom + value);
      points.push({ ms, bottom, top: bottom + value });
    });
    return { field, points };
  });
}

function shapeOf(
  field: Field,
  points: readonly Point[],
  colour: string,
  x: (ms: number) => number,
  y: Axis['y'],
): Html {
  if (field.custom.drawStyle === 'bars') {
    const gaps = points.map(({ ms }, index) => ms - (points[index - 1]?.ms ?? -Infinity));
    const width = Math.max(0.4, Math.min(4, x(gaps.reduce((a, b) => Math.min(a, b), Infinity)) - x(0)) * 0.9);
    const bars = points
      .filter(({ top, bottom }) => top !== bottom)
      .map(
        ({ ms, top, bottom }) =>
          html`<rect x="${x(ms)}" width="${width}" y="${y(top)}" height="${y(bottom) - y(top)}" fill="${colour}"/>`,
      );
    return html`${bars}`;
  }
  const line = points.map(({ ms, top }) => `${x(ms)},${y(top)}`).join(' ');
  if (points.length === 1)
    return html`<rect x="${x(points[0]?.ms ?? 0)}" y="${y(points[0]?.top ?? 0) - 1}" width="0.6" height="2" fill="${colour}"/>`;
  return html`<polyline points="${line}" fill="none" stroke="${colour}" class="series"/>`;
}

function axisOf(values: readonly number[], field: Field | undefined): Axis {
  const { min: least, max: most, unit, decimals } = field?.config ?? {};
  const max = most ?? values.reduce((a, b) => Math.max(a, b), 0);
  const min = least ?? values.reduce((a, b) => Math.min(a, b), 0);
  const range = max - min || 1;
  const y = (value: number) => 100 - ((value - min) / range) * 96;
  const ticks = [1, 0.5, 0].map((at) => formatNumber(min + at * range, unit, range < 3 ? undefined : decimals));
  return { y, ticks };
}

function chart(
  view: PanelView,
  { ticks }: Axis,
  shapes: Part,
  labels: readonly string[],
  fields: readonly Field[],
): Html {
  const legendOptions = (optionsOf(view).legend ?? {}) as { showLegend?: boolean; calcs?: readonly string[] };
  const legend = fields.slice(0, 40).map((field, index) => {
    const sums = (legendOptions.calcs ?? []).map(
      (calculation) => ` ${calculation}: ${shown(field, reduced(field.values, calculation), view.page.nowMs).text}`,
    );
    return html`<span><i style="background:${seriesColour(field, index)}"></i>${field.label}${sums}</span>`;
  });
  const height = Math.max(40, view.height - 62);
  return html`<div class="chart"><div class="ticks" style="height:${height}px">${ticks.map((text) => html`<span>${text}</span>`)}</div><svg viewBox="0 0 100 100" preserveAspectRatio="none" style="height:${height}px">${shapes}</svg></div><div class="names">${labels.map((text) => html`<span>${text}</span>`)}</div>${legendOptions.showLegend === false ? undefined : html`<div class="legend">${legend}</div>`}`;
}
