import {
  type AnnotationQuery,
  type Dashboard,
  DashboardCursorSync,
  type DashboardLink,
  type Panel,
  type RowPanel,
  type VariableModel,
} from '@grafana/schema';
import { type ClickHouseQuery, clickHouseQuery, dataSource } from './query.ts';
import { dataSourceVariable } from './variables.ts';

export interface DashboardSpec {
  /** Its address, which never changes. */
  readonly uid: string;
  readonly title: string;
  /** The one question the board answers. */
  readonly description: string;
  readonly variables: readonly VariableModel[];
  readonly links: readonly DashboardLink[];
  readonly annotations?: readonly AnnotationQuery<ClickHouseQuery>[];
  readonly panels: readonly (Panel | RowPanel)[];
}

/** A board as Grafana 11.6 reads it and every newer one migrates it; the data source is its first variable. */
export function dashboardOf({
  uid,
  title,
  description,
  variables,
  links,
  annotations = [],
  panels,
}: DashboardSpec): Dashboard {
  return {
    uid,
    title: `Spanwarden: ${title}`,
    description,
    tags: ['spanwarden'],
    schemaVersion: 39,
    id: null,
    editable: true,
    graphTooltip: DashboardCursorSync.Crosshair,
    refresh: '1m',
    time: { from: 'now-24h', to: 'now' },
    timepicker: {},
    timezone: '',
    links: [...links],
    annotations: { list: [...annotations] },
    templating: { list: [dataSourceVariable('spanwarden-sql', 'Spanwarden'), ...variables] },
    panels: [...panels],
  };
}

/** Findings as marks over the panels with a time axis. */
export function findingMarks(name: string, query: string): AnnotationQuery<ClickHouseQuery> {
  return {
    name,
    datasource: dataSource,
    enable: true,
    hide: false,
    iconColor: 'red',
    target: clickHouseQuery(query, 'table', 'annotation'),
  };
}
