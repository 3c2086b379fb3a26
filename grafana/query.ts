import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataQuery, DataSourceRef } from '@grafana/schema';

/** The data source that the dashboard's variable `datasource` names; no panel names one of its own. */
export const dataSource: DataSourceRef = { type: 'grafana-clickhouse-datasource', uid: '${datasource}' };

/** What the ClickHouse data source makes of the rows; the numbers are those of its query model. */
export const queryFormats = {
  timeseries: { format: 0, queryType: 'timeseries' },
  table: { format: 1, queryType: 'table' },
  logs: { format: 2, queryType: 'logs' },
  traces: { format: 3, queryType: 'traces' },
} as const;

export type QueryFormat = keyof typeof queryFormats;

/** A query of the ClickHouse data source, written in SQL. */
export interface ClickHouseQuery extends DataQuery {
  readonly datasource: DataSourceRef;
  readonly editorType: 'sql';
  readonly format: number;
  readonly rawSql: string;
}

const queriesFolder = join(import.meta.dirname, 'queries');

/** The query in `queries/<name>.sql`. Throws when there is no such file. */
export function clickHouseQuery(name: string, format: QueryFormat, refId = 'A'): ClickHouseQuery {
  return { refId, datasource: dataSource, editorType: 'sql', ...queryFormats[format], rawSql: sqlOf(name) };
}

/**
 * The SQL of a query file without its comments: older versions of the data source expand macros inside them too. In place of a line
 * `-- include <name>` stands what that file holds.
 */
export function sqlOf(name: string): string {
  const text = readFileSync(join(queriesFolder, `${name}.sql`), 'utf8');
  const whole = text.replace(/^-- include (\S+)\n/gm, (_, shared: string) => `${sqlOf(shared)}\n`);
  return whole.replace(/^--.*\n/gm, '').trim();
}
