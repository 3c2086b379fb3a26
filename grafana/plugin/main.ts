// `npm run grafana:plugin -- <checkout>`: what the data source's own code makes of our settings and queries. See README.md.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createClient } from '@clickhouse/client';
import { clickhouseConfigSchema } from '../../collector/src/store/config.ts';
import { openStore } from '../../collector/src/store/index.ts';
import { repositoryRoot } from '../../scripts/repository.ts';
import { loadBoardData } from '../../test/support/grafana-boards-data.ts';
import { hostile } from '../../test/support/grafana-data.ts';
import { expandQuery, type MacroContext } from '../../test/support/grafana-macros.ts';
import { dashboards } from '../generate.ts';
import { queriesOf } from '../queries-of.ts';
import { filledCases, macroCases, typeCases } from './cases.ts';
import { type Plugin, pluginOn } from './datasource.ts';
import { generatedFor } from './explore.ts';
import { framesAreMade } from './frames.ts';
import { expandedByGo, framesByGo } from './go.ts';

const [checkout] = process.argv.slice(2);
if (checkout === undefined) {
  process.stderr.write('Usage: npm run grafana:plugin -- <checkout of grafana/clickhouse-datasource>\n');
  process.exitCode = 2;
} else {
  process.exitCode = (await drive(resolve(checkout))) ? 0 : 1;
}

/** Writes the fixtures; true when our model of the data source agrees with it on every query of every dashboard. */
async function drive(folder: string): Promise<boolean> {
  const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-plugin-'));
  const store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  await store.migrated();
  await loadBoardData(store);
  const { url, database, embedded } = store.endpoints;
  const client = createClient({ url, database, ...embedded!.grafana });
  try {
    const plugin = pluginOn(folder, client, database);
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    const generated = [];
    for (const uid of ['spanwarden-sql', 'spanwarden-traces', 'spanwarden-findings']) {
      generated.push(...(await generatedFor(plugin, uid, database)));
    }
    const filled = filledCases.map((each) => ({
      ...each,
      expected: filledIn(plugin, each.sql, each.variables, each.filters),
    }));
    const context = macroContext({});
    const answers = expandedByGo(folder, context, macroCases);
    write('generated.json', { version, database, queries: generated });
    write('filled.json', { version, cases: filled });
    write('macros.json', {
      version,
      context,
      cases: macroCases.map((sql, index) => ({ sql, expected: answers[index] })),
    });
    const types = framesByGo(
      folder,
      store,
      true,
      typeCases.map((type) => ({ sql: `SELECT defaultValueOfTypeName('${type.replaceAll("'", "''")}')`, format: 1 })),
    );
    write('types.json', { version, cases: typeCases.map((type, index) => ({ type, answer: types[index] })) });
    const isAgreed = agreesOnDashboards(plugin, folder);
    return framesAreMade(folder, store, generated) && isAgreed;
  } finally {
    await client.close();
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The data source's answer and our model's, on every query of every dashboard with every hostile value. */
function agreesOnDashboards(plugin: Plugin, folder: string): boolean {
  const queries = Object.values(dashboards).flatMap((make) => queriesOf(make()));
  let differences = 0;
  for (const value of ['$__all', '', ...Object.values(hostile)]) {
    const filters = value.length > 1_000 || value === '' ? [] : [{ key: 'AgentName', operator: '=', value } as const];
    const names = queries.flatMap(({ sql }) => [...sql.matchAll(/\$\{?(?!__)(\w+)/g)].map(([, name]) => name ?? ''));
    const variables = Object.fromEntries(names.map((name) => [name, value]));
    // Queries of variables get no filters, and have no macro for them.
    const filtersOf = (sql: string) => (sql.includes('$__adHocFilters') ? filters : []);
    const texts = queries.map(({ sql }) => filledIn(plugin, sql, variables, filtersOf(sql)));
    const theirs = expandedByGo(folder, macroContext(variables), texts);
    queries.forEach(({ name, sql }, index) => {
      const ours = expandQuery(sql, { ...macroContext(variables), adHocFilters: filtersOf(sql) });
      if (ours === theirs[index]?.sql) return;
      differences += 1;
      process.stdout.write(`${name} with ${value.slice(0, 40)}: our model differs\n${theirs[index]?.sql}\n${ours}\n`);
    });
  }
  process.stdout.write(`${queries.length} queries of dashboards compared, ${differences} differ\n`);
  return differences === 0;
}

function filledIn(
  plugin: Plugin,
  sql: string,
  variables: MacroContext['variables'],
  filters: readonly object[],
): string {
  plugin.variables = { ...variables };
  return plugin.datasource('spanwarden-sql').applyTemplateVariables({ rawSql: sql }, {}, filters).rawSql ?? '';
}

function macroContext(variables: MacroContext['variables']): MacroContext {
  const from = new Date('2026-01-02T03:04:05.678Z');
  return { from, to: new Date(from.getTime() + 3_600_000), intervalMs: 90_500, variables };
}

function write(name: string, content: object): void {
  const folder = join(repositoryRoot, 'test/fixtures/grafana-plugin');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
}
