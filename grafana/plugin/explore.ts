import type { Field, Plugin, PluginDatasource, Query } from './datasource.ts';

/** A query that the data source generated: from which of our sources, for what, and its SQL before macros. */
export interface Generated {
  readonly source: string;
  readonly what: string;
  readonly sql: string;
}

type BuilderOptions = Readonly<Record<string, unknown>> & { readonly database: string; readonly table: string };
type Defaults = (
  datasource: PluginDatasource,
  signal: string,
  table: string,
  columns: readonly unknown[],
) => BuilderOptions;
type Link = (datasource: PluginDatasource, request: object, response: object) => Promise<unknown>;

/** Values that a person may click on in Explore. */
const clicked = { text: 'support-agent', level: 'critical', hostile: "it's (odd) $x" };

/** Everything that the data source asks in Explore, on dashboards' trace ids, and about the schema, for one of our sources. */
export async function generatedFor(plugin: Plugin, uid: string, database: string): Promise<Generated[]> {
  const datasource = plugin.datasource(uid);
  const out: Generated[] = [];
  const add = (what: string, sql: string | undefined) => {
    if (sql !== undefined && sql !== '') out.push({ source: uid, what, sql });
  };
  const compact = plugin.load('components/queryBuilder/compactQueryDefaults.ts');
  const defaults = compact.buildCompactQueryDefaults as Defaults;
  const logs = await builderQuery(plugin, datasource, 'logs', defaults, database);
  const traces = await builderQuery(plugin, datasource, 'traces', defaults, database);
  add('trace search', traces.rawSql);
  add('logs', logs.rawSql);
  for (const type of ['LogsVolume', 'LogsSample']) {
    const request = datasource.getSupplementaryRequest(type, { targets: [logs], scopedVars: intervalOf(60_000) });
    for (const target of request?.targets ?? []) add(type, target.rawSql);
  }
  for (const [what, query] of filtered(datasource, logs)) add(what, query.rawSql);
  for (const direction of ['FORWARD', 'BACKWARD'])
    add(`log context ${direction}`, await contextOf(plugin, datasource, logs, direction));
  for (const [what, query, app] of [
    ['a dashboard', { refId: 'A', editorType: 'sql', rawSql: '' }, 'dashboard'],
    ['trace search', traces, 'dashboard'],
    ['logs', logs, 'dashboard'],
  ] as const) {
    for (const link of await linksOf(plugin, datasource, query, app))
      add(`${link.title} from ${what}`, link.internal.query.rawSql);
  }
  await askSchema(plugin, datasource, database, add);
  return out;
}

async function builderQuery(
  plugin: Plugin,
  datasource: PluginDatasource,
  signal: 'logs' | 'traces',
  defaults: Defaults,
  database: string,
): Promise<Query> {
  const { generateSql } = plugin.load('data/sqlGenerator.ts') as { generateSql: (options: BuilderOptions) => string };
  const { table } = defaults(datasource, signal, '', []);
  const builderOptions = defaults(datasource, signal, '', await datasource.fetchColumns(database, table));
  return { refId: 'A', editorType: 'builder', builderOptions, rawSql: generateSql(builderOptions) };
}

/** What "filter for value" and "find in text" make of the query. */
function filtered(datasource: PluginDatasource, logs: Query): [string, Query][] {
  const filter = (value: string) =>
    datasource.modifyQuery(logs, { type: 'ADD_FILTER', options: { key: 'level', value } });
  return [
    ['logs of a level', filter(clicked.level)],
    ['logs of a level with a quote', filter(clicked.hostile)],
    ['logs with a text', datasource.modifyQuery(logs, { type: 'ADD_STRING_FILTER', options: { value: clicked.text } })],
  ];
}

/** The lines around one line; empty when the data source cannot ask for them. */
async function contextOf(
  plugin: Plugin,
  datasource: PluginDatasource,
  logs: Query,
  direction: string,
): Promise<string> {
  const names = (datasource.settings.jsonData.logs as { contextColumns?: readonly string[] }).contextColumns ?? [];
  const fields = names.map((name) => ({ name, type: 'string', values: ['support'], config: {} }));
  const row = { timeEpochNs: '1767323045678000000', rowIndex: 0, dataFrame: { fields } };
  plugin.sent.length = 0;
  try {
    await datasource.getLogRowContext(row, { direction, limit: 100 }, logs);
  } catch (error) {
    if (error instanceof Error && error.message.includes('context columns')) return '';
    throw error;
  }
  return plugin.sent.at(-1) ?? '';
}

async function linksOf(plugin: Plugin, datasource: PluginDatasource, query: Query, app: string) {
  const { transformQueryResponseWithTraceAndLogLinks: link } = plugin.load('data/utils.ts') as Record<string, Link>;
  const field: Field = { name: 'TraceId', type: 'string', values: [], config: {} };
  await link?.(datasource, { app, targets: [query] }, { data: [{ refId: query.refId, fields: [field] }] });
  return field.config.links ?? [];
}

async function askSchema(
  plugin: Plugin,
  datasource: PluginDatasource,
  database: string,
  add: (what: string, sql: string) => void,
): Promise<void> {
  plugin.sent.length = 0;
  await datasource.fetchDatabases();
  await datasource.fetchTables(database);
  await datasource.fetchColumns(database, 'findings');
  await datasource.fetchUniqueMapKeys('SpanAttributes', database, 'otel_traces');
  await datasource.fetchSqlFunctions();
  for (const sql of plugin.sent) add('schema', sql.trim());
}

function intervalOf(ms: number) {
  return { __interval: { value: `${ms / 1_000}s`, text: '' }, __interval_ms: { value: ms, text: '' } };
}
