import type { Dashboard, VariableModel } from '@grafana/schema';
import { dashboards } from '../../grafana/generate.ts';

/** A query as a dashboard holds it, before variables and macros. */
export interface DashboardQuery {
  /** Path of the dashboard's JSON. */
  readonly path: string;
  /** `panel <id>`, `variable <name>`, `annotation <name>`, or the name of the constant that holds it. */
  readonly name: string;
  readonly sql: string;
}

/** Every query of every dashboard: panels, those in closed rows too, variables, ad hoc values and annotations. */
export function dashboardQueries(): DashboardQuery[] {
  return Object.entries(dashboards).flatMap(([path, make]) => queriesOf(path, make()));
}

function queriesOf(path: string, dashboard: Dashboard): DashboardQuery[] {
  const of = (name: string, query: unknown) => ({ path, name, sql: (query as { rawSql: string }).rawSql });
  const variables: VariableModel[] = dashboard.templating?.list ?? [];
  const panels = (dashboard.panels ?? []).flatMap((panel) => ('panels' in panel ? panel.panels : [panel]));
  return [
    ...panels.flatMap((panel) => (panel.targets ?? []).map((target) => of(`panel ${panel.id}`, target))),
    ...variables.filter(({ type }) => type === 'query').map(({ name, query }) => of(`variable ${name}`, query)),
    ...variables.filter(({ type }) => type === 'constant').map(({ name, query }) => of(name, { rawSql: query })),
    ...(dashboard.annotations?.list ?? []).map(({ name, target }) => of(`annotation ${name}`, target)),
  ];
}
