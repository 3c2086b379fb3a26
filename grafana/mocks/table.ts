import { type Field, fieldsOf, shown } from './fields.ts';
import { rowsOf } from './frames.ts';
import { type Html, html } from './html.ts';
import { type DataLink, interpolate, pageOf } from './links.ts';
import { optionsOf, type PanelView } from './view.ts';

const rowsMax = 200;
/** Width that Grafana gives a column at least when it has none of its own. */
const columnWidthMin = 150;

/** Rows of the chosen frame, with the widths, colours and links of its columns; undefined when there is no row. */
export function tablePanel(view: PanelView): Html | undefined {
  const { frameIndex, sortBy } = optionsOf(view);
  const frame = view.frames[typeof frameIndex === 'number' ? frameIndex : 0];
  if (frame === undefined || rowsOf(frame) === 0) return undefined;
  const fields = fieldsOf(frame, view);
  const columns = fields.filter(({ hidden }) => !hidden);
  const order = sortedRows(fields, rowsOf(frame), sortBy as readonly SortBy[] | undefined, view.problem);
  const widths = columns.map(({ custom }) => (typeof custom.width === 'number' ? custom.width : undefined));
  const missing = new Set<string>();
  const body = order.slice(0, rowsMax).map((row) => {
    const cells = columns.map((field) => cell(field, row, fields, view, missing));
    return html`<tr>${cells}</tr>`;
  });
  for (const name of missing) view.problem(`a link reads the field ${name}, which the result does not have`);
  const head = columns.map(({ label, kind }) => html`<th class="${kind}">${label}</th>`);
  const cols = widths.map((width) => html`<col style="${width === undefined ? '' : `width:${width}px`}"/>`);
  const sum = widths.reduce<number>((total, width) => total + (width ?? columnWidthMin), 0);
  const more = order.length > rowsMax ? html`<p class="note">${order.length - rowsMax} more rows</p>` : undefined;
  return html`<table style="min-width:${sum}px"><colgroup>${cols}</colgroup><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>${more}`;
}

interface SortBy {
  readonly displayName: string;
  readonly desc?: boolean;
}

function cell(field: Field, row: number, fields: readonly Field[], view: PanelView, missing: Set<string>): Html {
  const value = field.values[row] ?? null;
  const { text, colour } = shown(field, value, view.page.nowMs);
  const { type = 'auto', wrapText = false } = (field.custom.cellOptions ?? {}) as { type?: string; wrapText?: boolean };
  const painted = type === 'color-text' ? `color:${colour ?? 'inherit'}` : '';
  const filled = type === 'color-background' && colour !== undefined ? `background:${colour};color:#fff` : painted;
  const wraps = wrapText || field.custom.wrapText === true;
  // Grafana shows the text once and lists the links when it is clicked; here the others stand behind it by number.
  const links = field.links.map((link, index) =>
    linkOf(link, index === 0 ? text : ` [${index + 1}]`, row, field, fields, view, missing),
  );
  return html`<td class="${field.kind}${wraps ? ' wraps' : ''}" style="${filled}"><div>${links.length > 0 ? links : text}</div></td>`;
}

function linkOf(
  { title, url }: DataLink,
  text: string,
  row: number,
  field: Field,
  fields: readonly Field[],
  { page }: PanelView,
  missing: Set<string>,
): Html {
  const read = (name: string) => {
    if (name === '') return field.values[row] ?? '';
    const found = fields.find((each) => each.name === name || each.label === name);
    return found === undefined ? undefined : (found.values[row] ?? '');
  };
  const address = interpolate(url, page, read, (name) => missing.add(name));
  return html`<a href="${pageOf(address, page) ?? '#'}" title="${title}: ${address}">${text}</a>`;
}

function sortedRows(
  fields: readonly Field[],
  rows: number,
  sortBy: readonly SortBy[] = [],
  problem: (text: string) => void = () => {},
): number[] {
  const order = Array.from({ length: rows }, (_, row) => row);
  const [first] = sortBy;
  if (first === undefined) return order;
  const field = fields.find(({ label, name }) => label === first.displayName || name === first.displayName);
  if (field === undefined) problem(`sorted by ${first.displayName}, which is no column`);
  const { values = [] } = field ?? {};
  const sign = first.desc === true ? -1 : 1;
  return order.sort((a, b) => sign * compare(values[a], values[b]));
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a ?? '').localeCompare(String(b ?? ''));
}
