import { fieldsOf, shown } from './fields.ts';
import { rowsOf } from './frames.ts';
import { type Html, html } from './html.ts';
import { interpolateTitle } from './links.ts';
import { optionsOf, type PanelView } from './view.ts';

const linesMax = 200;

/** The text of a text panel as it was written, Markdown and all. */
export function textPanel(view: PanelView): Html {
  return html`<div class="written">${interpolateTitle(String(optionsOf(view).content ?? ''), view.page)}</div>`;
}

/** Log lines: the first time, the first text that is no level, and what else there is as attributes. */
export function logsPanel(view: PanelView): Html | undefined {
  const [frame] = view.frames;
  if (frame === undefined || rowsOf(frame) === 0) return undefined;
  const fields = fieldsOf(frame, view);
  const time = fields.find(({ kind }) => kind === 'time');
  const level = fields.find(({ name }) => /^(level|severity|severitytext)$/i.test(name));
  const body =
    fields.find(({ name }) => /^(body|message)$/i.test(name)) ??
    fields.find((field) => field.kind === 'text' && field !== level);
  if (time === undefined || body === undefined) view.problem('log lines need a column of a time and one of a text');
  const lines = Array.from({ length: Math.min(linesMax, rowsOf(frame)) }, (_, row) => {
    const at = (field: typeof time) =>
      field === undefined || isEmpty(field.values[row]) ? '' : shown(field, field.values[row], view.page.nowMs).text;
    const rest = fields.filter((field) => ![time, level, body].includes(field));
    return html`<details class="line"><summary>${at(time)} <b>${at(level)}</b> ${at(body)}</summary><pre>${rest.map((field) => `${field.label}: ${at(field)}\n`)}</pre></details>`;
  });
  return html`<div class="lines">${lines}</div>`;
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}
