import type { DashboardLink } from '@grafana/schema';
import { column } from './panels.ts';

/** A link out of a cell. */
export interface CellLink {
  readonly title: string;
  readonly url: string;
}

/**
 * A link out of a row to a board, with the time range and the data source.
 *
 * @param values variables of that board, and the column of the row that each is taken from.
 */
export function rowLink(title: string, uid: string, values: Readonly<Record<string, string>>): CellLink {
  const chosen = Object.entries(values).map(([variable, from]) => `var-${variable}=${fieldOf(from)}`);
  return { title, url: `/d/${uid}?${['${__url_time_range}', '${datasource:queryparam}', ...chosen].join('&')}` };
}

/** A link out of a row that sets one variable of its own board to the value in a column and keeps the others. */
export function filterLink(uid: string, variables: readonly string[], variable: string, from: string): CellLink {
  const { title, url } = rowLink(`Only this ${variable}`, uid, { [variable]: from });
  const kept = variables.filter((name) => name !== variable).map((name) => `\${${name}:queryparam}`);
  return { title, url: [url, ...kept].join('&') };
}

/** A column of the row that a link stands in, as it may stand in an address. */
export function fieldOf(column: string): string {
  return `\${__data.fields["${column}"]:percentencode}`;
}

export const sessionLink = (from = 'Session'): CellLink =>
  rowLink('Open its session', 'spanwarden-session', { session: from });
export const traceOnlyLink = (from = 'TraceId'): CellLink =>
  rowLink('Open its trace', 'spanwarden-session', { trace_id: from });
export const agentLink = (from = 'Agent'): CellLink => rowLink('Open its agent', 'spanwarden-agent', { agent: from });
export const caseLink = (from = 'Case'): CellLink => rowLink('Open the case', 'spanwarden-findings', { case_id: from });

/** The id of a trace, which leads to it. */
export const traceColumn = column('TraceId', {
  links: [rowLink('Open the trace', 'spanwarden-session', { trace_id: 'TraceId' })],
  'custom.width': 290,
});

/** A menu of all boards, for the top of each. */
export function boardsMenu(): DashboardLink {
  return {
    ...link,
    type: 'dashboards',
    title: 'Boards',
    tooltip: 'All boards of Spanwarden',
    tags: ['spanwarden'],
    asDropdown: true,
  };
}

/** A link to a board at the top of another, with the time range and these variables as they are chosen. */
export function boardLink(title: string, uid: string, tooltip: string, variables: readonly string[]): DashboardLink {
  const kept = ['datasource', ...variables].map((name) => `\${${name}:queryparam}`);
  return { ...link, type: 'link', tags: [], title, tooltip, url: `/d/${uid}?${kept.join('&')}` };
}

const link = { asDropdown: false, icon: 'external link', includeVars: false, keepTime: true, targetBlank: false };
