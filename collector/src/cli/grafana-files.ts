import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { accountSql, accountXml, type ReaderAccount } from './grafana-account.ts';

export interface GrafanaWishes {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly user: string;
  readonly database: string;
  /** Where the dashboards stand on the machine of Grafana. */
  readonly dashboardsPath: string;
  /** The file that Grafana reads the password from, on its machine; from its environment where there is none. */
  readonly passwordFile?: string | undefined;
  /** Where docs/ of this version can be read, for links in alerts. */
  readonly docsUrl?: string | undefined;
  /** Copies for an import by hand or for grafana.com as well. */
  readonly isForImport: boolean;
  /** The account that has to be made; none where it is there already. */
  readonly account?: ReaderAccount | undefined;
}

/** Files for Grafana: path in the folder and content. */
export type GrafanaFiles = Readonly<Record<string, string>>;

/** The variable of Grafana's environment that the password comes from, unless it has a file. */
export const passwordVariable = 'SPANWARDEN_CLICKHOUSE_PASSWORD';

/**
 * What Grafana needs, made of what is shipped.
 *
 * @param shipped the folder `grafana` that comes with the program
 */
export function grafanaFiles(shipped: string, wishes: GrafanaWishes): GrafanaFiles {
  const dashboards = globSync('dashboards/*.json', { cwd: shipped })
    .map((path) => basename(path))
    .sort();
  const text = (path: string) => readFileSync(join(shipped, path), 'utf8');
  const each = (folder: string, made: (json: string) => string) =>
    Object.fromEntries(dashboards.map((file) => [`${folder}/${file}`, made(text(`dashboards/${file}`))]));
  return {
    'provisioning/datasources/spanwarden.yaml': dataSources(text('provisioning/datasources/spanwarden.yaml'), wishes),
    'provisioning/dashboards/spanwarden.yaml': provider(text('provisioning/dashboards/spanwarden.yaml'), wishes),
    'provisioning/alerting/spanwarden.yaml': alerts(text('provisioning/alerting/spanwarden.yaml'), wishes),
    ...each('dashboards', (json) => json),
    ...(wishes.isForImport && each('dashboards-import', importable)),
    'contact-points.example.yaml': text('contact-points.example.yaml'),
    ...(wishes.account && {
      'clickhouse-account.sql': accountSql(wishes.account),
      'clickhouse-account.xml': accountXml(wishes.account),
    }),
  };
}

interface DataSource {
  jsonData: Record<string, unknown> & { traces: Record<string, unknown>; logs: Record<string, unknown> };
  secureJsonData: { password: string };
}

function dataSources(yaml: string, wishes: GrafanaWishes): string {
  const { host, port, secure, user, database, passwordFile } = wishes;
  const file = parse(yaml) as { datasources: DataSource[] };
  for (const { jsonData, secureJsonData } of file.datasources) {
    Object.assign(jsonData, { host, port, secure, username: user, defaultDatabase: database });
    jsonData.traces['defaultDatabase'] = database;
    jsonData.logs['defaultDatabase'] = database;
    if (passwordFile !== undefined) secureJsonData.password = `$__file{${passwordFile}}`;
  }
  const from = passwordFile === undefined ? `Grafana's environment: ${passwordVariable}` : 'a file on its machine';
  return `# Written by spanwarden grafana init. The password comes from ${from}.\n${shown(file)}`;
}

function provider(yaml: string, { dashboardsPath }: GrafanaWishes): string {
  const file = parse(yaml) as { providers: { options: { path: string } }[] };
  // Grafana replaces variables of its environment here.
  for (const { options } of file.providers) options.path = dashboardsPath.replaceAll('$', '$$$$');
  return `# Written by spanwarden grafana init. The path is one on the machine of Grafana.\n${shown(file)}`;
}

/** With links to what to do, where it is known where that can be read. */
function alerts(yaml: string, { docsUrl }: GrafanaWishes): string {
  if (docsUrl === undefined) return yaml;
  const file = parse(yaml) as { groups: { rules: { annotations: Record<string, string> }[] }[] };
  for (const { annotations } of file.groups.flatMap(({ rules }) => rules)) {
    annotations['runbook_url'] = (annotations['runbook'] ?? '').replace(/^docs/, docsUrl.replace(/\/$/, ''));
  }
  return `# Written by spanwarden grafana init.\n${shown(file)}`;
}

const input = 'DS_SPANWARDEN';

/**
 * A dashboard as Grafana's import and grafana.com want it: it asks for the data source and says what it needs.
 * https://grafana.com/docs/grafana/latest/dashboards/share-dashboards-panels/#export-a-dashboard-as-json
 */
function importable(json: string): string {
  const dashboard = JSON.parse(json) as {
    panels: { type: string; title: string }[];
    templating: { list: { type: string; current?: unknown }[] };
  };
  const type = 'grafana-clickhouse-datasource';
  const panels = [...new Set(dashboard.panels.map((panel) => panel.type))].filter((panel) => panel !== 'row').sort();
  for (const variable of dashboard.templating.list) {
    if (variable.type === 'datasource')
      variable.current = { selected: true, text: `\${${input}}`, value: `\${${input}}` };
  }
  const inputs = { name: input, label: 'Spanwarden', description: 'ClickHouse with the tables of Spanwarden' };
  const requires = [
    { type: 'grafana', id: 'grafana', name: 'Grafana', version: '11.6.0' },
    { type: 'datasource', id: type, name: 'ClickHouse', version: '4.18.0' },
    ...panels.map((panel) => ({ type: 'panel', id: panel, name: panel, version: '' })),
  ];
  const made = {
    __inputs: [{ ...inputs, type: 'datasource', pluginId: type, pluginName: 'ClickHouse' }],
    __requires: requires,
    ...dashboard,
  };
  return `${JSON.stringify(made, null, 2)}\n`;
}

function shown(file: unknown): string {
  return stringify(file, { lineWidth: 0, aliasDuplicateObjects: false });
}
