import type { Dashboard } from '@grafana/schema';

/** A query of a dashboard as it is written there, with what it takes to run it. */
export interface DashboardQuery {
  /** `<uid>: panel <id>`, `<uid>: panel <id> <refId>`, `<uid>: variable <name>` or `<uid>: annotation <name>`. */
  readonly name: string;
  readonly sql: string;
  /** What the data source makes of the rows: 0 a time series, 1 a table, 3 a trace. */
  readonly format: number;
  /** Variables of the dashboard as they are when it is opened. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whether the dashboard lets people filter by further columns. */
  readonly isFiltered: boolean;
}

/** Every query of a dashboard: panels, those in rows too, variables, the source of ad hoc filters and annotations. */
export function queriesOf({ uid, panels = [], templating, annotations }: Dashboard): DashboardQuery[] {
  const all = panels.flatMap((panel) => ('panels' in panel ? panel.panels : [panel]));
  const list = templating?.list ?? [];
  const variables = Object.fromEntries(list.map(({ name, current }) => [name, String(current?.value ?? '')]));
  const isFiltered = list.some(({ type }) => type === 'adhoc');
  const of = (name: string, query: unknown): DashboardQuery => {
    const { rawSql, format = 1 } = query as { readonly rawSql: string; readonly format?: number };
    return { name: `${uid}: ${name}`, sql: rawSql, format, variables, isFiltered };
  };
  return [
    ...all.flatMap(({ id, targets = [] }) =>
      targets.map((target) => of(targets.length > 1 ? `panel ${id} ${target.refId}` : `panel ${id}`, target)),
    ),
    ...list.filter(({ type }) => type === 'query').map(({ name, query }) => of(`variable ${name}`, query)),
    ...list.filter(({ type }) => type === 'constant').map(({ name, query }) => of(name, { rawSql: query })),
    ...(annotations?.list ?? []).map(({ name, target }) => of(`annotation ${name}`, target)),
  ];
}
