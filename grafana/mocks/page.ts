import type { AnnotationQuery, Dashboard, VariableModel } from '@grafana/schema';
import { colourOf } from './colours.ts';
import { type Answer, frameOf } from './frames.ts';
import { type Html, html } from './html.ts';
import { type Asking, drawSections, type Target } from './sections.ts';
import { style } from './style.ts';
import type { PageContext } from './view.ts';

/** Runs a query of the dashboard with these variables and, for panels, this many milliseconds a bar. */
export type Ask = (rawSql: string, variables: Readonly<Record<string, string>>, intervalMs: number) => Promise<Answer>;

export interface Page {
  readonly html: string;
  /** What cannot be meant so, each with its panel; shown on the page too. */
  readonly problems: readonly string[];
}

export interface PageOptions {
  readonly ask: Ask;
  readonly nowMs: number;
  readonly fromMs: number;
  readonly uids: ReadonlySet<string>;
  /** Values of variables in place of the dashboard's own; names it does not have are passed over. */
  readonly chosen: Readonly<Record<string, string>>;
}

/** A dashboard with what its queries find, as one page without a script. */
export async function renderPage(dashboard: Dashboard, options: PageOptions): Promise<Page> {
  const list = dashboard.templating?.list ?? [];
  const variables = Object.fromEntries(
    list.filter(({ type }) => type !== 'adhoc').map((each) => [each.name, currentValue(each, options.chosen)]),
  );
  const problems: string[] = [];
  const ask = (sql: string, intervalMs = 60_000) => options.ask(sql, variables, intervalMs);
  const shownVariables = [];
  for (const variable of list.filter(({ hide }) => hide !== 2)) {
    shownVariables.push(await drawVariable(variable, variables[variable.name] ?? '', ask, problems));
  }
  const { nowMs, fromMs, uids } = options;
  const marks = await marksOf(dashboard.annotations?.list ?? [], ask, problems);
  const variableTexts = Object.fromEntries(list.map((each) => [each.name, shownAs(each, variables[each.name] ?? '')]));
  const page: PageContext = { fromMs, toMs: nowMs, nowMs, variables, variableTexts, uids, marks };
  const sections = await drawSections(dashboard.panels ?? [], page, ask, problems);
  const { title = '', description } = dashboard;
  const body = html`<div class="mock">Mock, not Grafana: drawn by Spanwarden from the results of the dashboard's queries at ${new Date(nowMs).toISOString()}.</div><h1>${title}</h1><p>${description}</p>${linksOf(dashboard, page)}${problems.length === 0 ? undefined : html`<ul class="problems">${problems.map((text) => html`<li>${text}</li>`)}</ul>`}<div class="variables">${shownVariables}</div>${sections}`;
  const whole = html`<html lang="en"><head><meta charset="utf-8"/><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/><title>Mock: ${title}</title><style>${style}</style></head><body>${body}</body></html>`;
  return { html: `<!DOCTYPE html>\n${whole.markup}\n`, problems };
}

function currentValue({ name, type, current, query }: VariableModel, chosen: PageOptions['chosen']): string {
  const own = chosen[name];
  if (own !== undefined && type !== 'datasource') return own;
  if (type === 'constant') return String(query ?? '');
  return String(current?.value ?? '');
}

function shownAs({ current }: VariableModel, value: string): string {
  if (value === '$__all') return 'All';
  return value === String(current?.value) ? String(current?.text ?? value) : value;
}

async function drawVariable(variable: VariableModel, value: string, ask: Asking, problems: string[]): Promise<Html> {
  const { name, label, type, query } = variable;
  const shown = shownAs(variable, value);
  if (type !== 'query') return html`<div><b>${label ?? name}</b> ${shown}</div>`;
  try {
    const { data } = await ask((query as unknown as { rawSql: string }).rawSql);
    const options = data.slice(0, 20).map((row) => html`<li>${row.map(String).join(' — ')}</li>`);
    return html`<div><b>${label ?? name}</b> ${shown}<details><summary>${data.length} to choose from</summary><ul>${options}</ul></details></div>`;
  } catch (error) {
    problems.push(`variable ${name}: the query failed: ${error instanceof Error ? error.message : error}`);
    return html`<div><b>${label ?? name}</b> ${shown}</div>`;
  }
}

async function marksOf(
  list: readonly AnnotationQuery[],
  ask: Asking,
  problems: string[],
): Promise<PageContext['marks']> {
  const marks: { ms: number; title: string; colour: string }[] = [];
  for (const { name, enable, iconColor, target } of list) {
    const { rawSql } = (target ?? {}) as Target;
    if (!enable || rawSql === undefined) continue;
    try {
      const { columns } = frameOf('annotation', await ask(rawSql));
      const at = (column: string) => columns.find((each) => each.name === column)?.values ?? [];
      if (!columns.some((each) => each.name === 'time')) problems.push(`annotation ${name}: has no column time`);
      at('time').forEach((ms, row) => {
        marks.push({
          ms: Number(ms),
          title: String(at('title')[row] ?? at('text')[row] ?? ''),
          colour: colourOf(iconColor),
        });
      });
    } catch (error) {
      problems.push(`annotation ${name}: the query failed: ${error instanceof Error ? error.message : error}`);
    }
  }
  return marks;
}

function linksOf({ links = [] }: Dashboard, page: PageContext): Html | undefined {
  if (links.length === 0) return undefined;
  const items = links.map(({ title, url, type, tags }) => {
    const uid = /^\/d\/([\w-]+)/.exec(url ?? '')?.[1];
    const href = uid !== undefined && page.uids.has(uid) ? `${uid}.html` : '#';
    return html`<a href="${href}">${title}</a> ${type === 'dashboards' ? `(dashboards tagged ${tags.join(', ')})` : ''} `;
  });
  return html`<p>${items}</p>`;
}
