import { type Field, fieldsOf, shown } from './fields.ts';
import { type Html, html } from './html.ts';
import type { PanelView } from './view.ts';

const segmentsMax = 500;

/** One band for each column, in the colour of the state it has from each moment to the next. */
export function stateTimelinePanel(view: PanelView): Html | undefined {
  const bands = view.frames.flatMap((frame) => {
    const fields = fieldsOf(frame, view);
    const time = fields.find(({ kind }) => kind === 'time');
    if (time === undefined && fields.length > 0) view.problem('a state timeline has no column of a time');
    return fields
      .filter((field) => field !== time && !field.hidden)
      .map((field) => band(field, (time?.values ?? []) as number[], view));
  });
  return bands.some((each) => each.segments > 0)
    ? html`<div class="bands">${bands.map(({ row }) => row)}</div>`
    : undefined;
}

function band(field: Field, times: readonly number[], { page }: PanelView): { segments: number; row: Html } {
  const { fromMs, toMs, nowMs } = page;
  const at = (ms: number) => Math.max(0, Math.min(100, ((ms - fromMs) / (toMs - fromMs)) * 100));
  const segments = changes(field.values).slice(0, segmentsMax);
  const parts = segments.map(([index, end]) => {
    const { text, colour } = shown(field, field.values[index], nowMs);
    const left = at(times[index] ?? fromMs);
    const width = Math.max(0.3, at(times[end] ?? toMs) - left);
    return html`<div class="segment" title="${text}" style="left:${left}%;width:${width}%;background:${colour ?? '#37415a'}">${text}</div>`;
  });
  return {
    segments: segments.length,
    row: html`<div class="band"><div class="bar-label">${field.label}</div><div class="band-track">${parts}</div></div>`,
  };
}

/** Where each stretch of one value begins, and the index after it. */
function changes(values: readonly unknown[]): [from: number, end: number][] {
  const found: [number, number][] = [];
  values.forEach((value, index) => {
    const open = found.at(-1);
    if (open !== undefined && values[open[0]] === value && open[1] === index) open[1] = index + 1;
    else if (value !== null) found.push([index, index + 1]);
  });
  return found;
}
