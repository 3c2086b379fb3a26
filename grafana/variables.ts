import { VariableHide, type VariableModel, VariableRefresh, VariableSort } from '@grafana/schema';
import { dataSource, sqlOf } from './query.ts';

/** The data source every query of a dashboard goes to. The default is the uid that `provisioning/` gives. */
export function dataSourceVariable(uid: string, name: string): VariableModel {
  return {
    type: 'datasource',
    name: 'datasource',
    label: 'Data source',
    description: 'The ClickHouse that Spanwarden writes to.',
    query: 'grafana-clickhouse-datasource',
    current: { selected: true, text: name, value: uid },
    hide: VariableHide.dontHide,
    includeAll: false,
    multi: false,
    options: [],
    refresh: VariableRefresh.onDashboardLoad,
    regex: '',
  };
}

interface NamedVariable {
  readonly name: string;
  readonly label: string;
  readonly description: string;
}

interface QueryVariable extends NamedVariable {
  /** File in `queries/`, without its ending. */
  readonly query: string;
  readonly includeAll?: boolean;
}

/**
 * One value out of those a query finds, or All where that is a choice; else the first is chosen. One and not several, because `percentencode`, the only format of
 * Grafana's that ClickHouse's strings cannot be broken out of, keeps several values apart by a comma alone.
 */
export function queryVariable({ query, includeAll = true, ...named }: QueryVariable): VariableModel {
  const current = includeAll ? { text: 'All', value: '$__all' } : { text: '', value: '' };
  return {
    ...named,
    type: 'query',
    datasource: dataSource,
    query: { refId: `variable-${named.name}`, queryType: 'sql', rawSql: sqlOf(query) },
    current: { selected: true, ...current },
    hide: VariableHide.dontHide,
    includeAll,
    multi: false,
    options: [],
    refresh: VariableRefresh.onTimeRangeChanged,
    regex: '',
    sort: VariableSort.disabled,
  };
}

/** One of a few fixed values, as text and value; the first is the default. */
export function customVariable(
  named: NamedVariable,
  choices: readonly (readonly [text: string, value: string])[],
): VariableModel {
  const options = choices.map(([text, value], index) => ({ text, value, selected: index === 0 }));
  return {
    ...named,
    type: 'custom',
    query: choices.map(([text, value]) => `${text} : ${value}`).join(','),
    options,
    ...(options[0] && { current: options[0] }),
    hide: VariableHide.dontHide,
    includeAll: false,
    multi: false,
  };
}

export function textVariable(named: NamedVariable): VariableModel {
  const empty = { selected: true, text: '', value: '' };
  return { ...named, type: 'textbox', query: '', current: empty, options: [empty], hide: VariableHide.dontHide };
}

/**
 * Filters by any column. The hidden constant is the data source's own convention for which columns and values to offer.
 * https://grafana.com/docs/plugins/grafana-clickhouse-datasource/latest/template-variables/
 */
export function adHocVariables(query: string, what = 'findings'): VariableModel[] {
  const sql = sqlOf(query);
  return [
    {
      type: 'constant',
      name: 'clickhouse_adhoc_query',
      query: sql,
      current: { selected: true, text: sql, value: sql },
      hide: VariableHide.hideVariable,
      skipUrlSync: true,
    },
    {
      type: 'adhoc',
      name: 'filters',
      label: 'Filters',
      description: `Only ${what} whose columns hold these values.`,
      datasource: dataSource,
      hide: VariableHide.dontHide,
    },
  ];
}
