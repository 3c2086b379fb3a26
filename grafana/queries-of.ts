import type { Dashboard } from '@grafana/schema';

/** A query of a dashboard as it is written there, and where it stands. */
export interface DashboardQuery {
  readonly name: string;
  readonly sql: string;
  /** What the data source makes of the rows: 0 a time series, 1 a table, 3 a trace. */
  readonly format: number;
}

/** Every query of a dashboard: panels, those in rows too, variables, the source of ad hoc filters and annotations. */
export function queriesOf({ panels = [], templating, annotations }: Dashboard): DashboardQuery[] {
  const all = panels.flatMap((panel) => ('panels' in panel ? panel.panels : [panel]));
  const variables = templating?.list ?? [];
  const of = (name: string, query: unknown): DashboardQuery[] => {
    const { rawSql, format = 1 } = (query ?? {}) as { readonly rawSql?: string; readonly format?: number };
    return rawSql === undefined ? [] : [{ name, sql: rawSql, format }];
  };
  return [
    ...all.flatMap((panel) => (panel.targets ?? []).flatMap((target) => of(`panel ${panel.id}`, target))),
    ...variables.filter(({ type }) => type === 'query').flatMap(({ name, query }) => of(`variable ${name}`, query)),
    ...variables
      .filter(({ name }) => name === 'clickhouse_adhoc_query')
      .flatMap(({ name, query }) => of(name, { rawSql: query })),
    ...(annotations?.list ?? []).flatMap(({ name, target }) => of(`annotation ${name}`, target)),
  ];
}
