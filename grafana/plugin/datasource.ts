import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { parse } from 'yaml';
import { repositoryRoot } from '../../scripts/repository.ts';
import { expandQuery, formatVariable } from '../../test/support/grafana-macros.ts';
import { pluginLoader } from './loader.ts';

/** A column of a result as Grafana's frames have it. */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly values: readonly unknown[];
  readonly config: { links?: readonly { readonly title: string; readonly internal: { readonly query: Query } }[] };
}

export interface Query {
  readonly refId?: string;
  readonly rawSql?: string;
  readonly editorType?: string;
  readonly builderOptions?: unknown;
}

/** The part of the data source's class that is used here; what it does is its own. */
export interface PluginDatasource {
  readonly uid: string;
  readonly settings: { readonly jsonData: Readonly<Record<string, unknown>> };
  applyTemplateVariables(query: Query, scoped: object, filters: readonly object[]): Query;
  getSupplementaryRequest(type: string, request: object): { readonly targets: readonly Query[] } | undefined;
  getLogRowContext(row: object, options: object, query: Query): Promise<unknown>;
  modifyQuery(query: Query, action: object): Query;
  fetchDatabases(): Promise<unknown>;
  fetchTables(database: string): Promise<unknown>;
  fetchColumns(database: string, table: string): Promise<readonly unknown[]>;
  fetchUniqueMapKeys(column: string, database: string, table: string): Promise<unknown>;
  fetchSqlFunctions(): Promise<unknown>;
}

export interface Plugin {
  readonly load: (path: string) => Record<string, unknown>;
  /** Every query that it sent since this was emptied. */
  readonly sent: string[];
  /** Values of the dashboard's variables, as Grafana would hold them. */
  variables: Record<string, string | readonly string[]>;
  datasource(uid: string): PluginDatasource;
}

/** The data source of a checkout, with a ClickHouse that answers what it asks by itself, as schema and versions. */
export function pluginOn(checkout: string, client: ClickHouseClient, database: string): Plugin {
  const sent: string[] = [];
  const plugin: Plugin = { load: () => ({}), sent, variables: {}, datasource: () => ({}) as PluginDatasource };
  const run = async ({ targets }: { targets: readonly Query[] }) => {
    const data = [];
    for (const { refId = '', rawSql = '' } of targets) {
      sent.push(rawSql);
      data.push({ refId, fields: await fieldsOf(client, rawSql) });
    }
    return { data };
  };
  const load = pluginLoader(checkout, stubs(plugin, run));
  const { Datasource } = load('data/CHDatasource.ts') as { Datasource: new (settings: object) => PluginDatasource };
  return Object.assign(plugin, {
    load,
    datasource: (uid: string) => new Datasource(provisioned(uid, database)),
  });
}

/** One of our provisioned data sources, as Grafana hands it over. */
export function provisioned(uid: string, database: string): { uid: string; type: string; jsonData: object } {
  const text = readFileSync(join(repositoryRoot, 'grafana/provisioning/datasources/spanwarden.yaml'), 'utf8');
  const { datasources } = parse(text.replaceAll('$SPANWARDEN_CLICKHOUSE_DATABASE', database));
  const found = datasources.find((source: { uid: string }) => source.uid === uid);
  if (found === undefined) throw new Error(`no data source ${uid} in the provisioning`);
  return found;
}

function stubs(plugin: Plugin, run: (request: { targets: readonly Query[] }) => Promise<object>) {
  const templates = {
    getVariables: () => Object.entries(plugin.variables).map(([name, value]) => ({ name, current: { value } })),
    // Grafana's own, not the data source's; that our model of it is right is shown with Grafana's package.
    replace: (text: string) =>
      text.replace(
        /\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)/g,
        (whole, braced?: string, format?: string, bare?: string) => {
          const value = plugin.variables[braced ?? bare ?? ''];
          return value === undefined ? whole : formatVariable(value, format);
        },
      ),
  };
  class DataSourceWithBackend {
    readonly uid: string;
    readonly type: string;
    constructor({ uid, type }: { uid: string; type: string }) {
      this.uid = uid;
      this.type = type;
    }
    /** As an observable of one answer. */
    query(request: { targets: readonly Query[] }): unknown {
      return { subscribe: (next: unknown) => answer(run(request), next) };
    }
  }
  return {
    '@grafana/runtime': { DataSourceWithBackend, getTemplateSrv: () => templates },
    '@grafana/data': {
      CoreApp: { Explore: 'explore', Dashboard: 'dashboard' },
      SupplementaryQueryType: { LogsVolume: 'LogsVolume', LogsSample: 'LogsSample' },
      LogRowContextQueryDirection: { Backward: 'BACKWARD', Forward: 'FORWARD' },
      FieldType: { time: 'time', number: 'number', string: 'string', other: 'other' },
    },
    rxjs: {
      firstValueFrom: (source: { subscribe: (next: unknown) => void }) => new Promise((done) => source.subscribe(done)),
    },
  };
}

function answer(running: Promise<object>, next: unknown): void {
  const to = next as ((response: object) => void) | { next(response: object): void };
  void running.then((response) => (typeof to === 'function' ? to(response) : to.next(response)));
}

/** The query's result by columns, without the data source's types. */
async function fieldsOf(client: ClickHouseClient, rawSql: string): Promise<Field[]> {
  const context = { from: new Date(Date.now() - 3_600_000), to: new Date(), intervalMs: 60_000, variables: {} };
  const result = await client.query({ query: expandQuery(rawSql, context), format: 'JSONCompact' });
  const { meta = [], data } = await result.json<unknown[]>();
  return meta.map(({ name, type }, index) => ({ name, type, values: data.map((row) => row[index]), config: {} }));
}
