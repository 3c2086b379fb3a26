import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import type { Dashboard, Panel, RowPanel } from '@grafana/schema';
import { parse } from 'yaml';
import { repositoryRoot } from '../scripts/repository.ts';
import { alertGroups } from './alerts/provisioning.ts';
import { dashboards, grafanaFiles } from './generate.ts';
import { sqlOf } from './query.ts';

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');

/** Variables that the data source reads by their name, not by a reference in a query. */
const readByName = ['filters', 'clickhouse_adhoc_query'];

/** Views that read a table. */
const viewsOf: Readonly<Record<string, string>> = { cases: 'case_list' };

for (const [path, make] of Object.entries(dashboards)) {
  const dashboard = make();
  const text = JSON.stringify(dashboard);
  describe(path, () => {
    test('is what its source generates', () => {
      assert.ok(read(path) === grafanaFiles[path]?.(), 'run: npm run generate');
    });
    test('can be imported from Grafana 11.6 on and keeps its address', () => {
      assert.match(dashboard.uid ?? '', /^spanwarden-[a-z-]{1,29}$/);
      assert.equal(dashboard.id, null);
      assert.ok(dashboard.schemaVersion >= 39 && dashboard.schemaVersion <= 41);
    });
    test('panels have ids of their own', () => assert.deepEqual(repeatedIds(dashboard), []));
    test('panels lie beside each other and inside the 24 columns', () => assert.deepEqual(overlaps(dashboard), []));
    test('panels say what they show and why they may be empty', () => assert.deepEqual(unexplained(dashboard), []));
    test('every variable is used and every used one exists', () => {
      assert.deepEqual(variableProblems(text, dashboard), []);
    });
    test('data sources are chosen by the variable', () => assert.deepEqual(fixedDataSources(dashboard), []));
    test('links lead to dashboards that exist', () => {
      const uids = Object.values(dashboards).map((each) => each().uid);
      for (const [, uid] of text.matchAll(/\/d\/([\w-]+)/g)) assert.ok(uids.includes(uid ?? ''), `no dashboard ${uid}`);
    });
  });
}

test('variables enter SQL percent-encoded and in quotes, or as the second argument of $__conditionalAll', () => {
  for (const name of queryNames()) assert.deepEqual(unsafeVariables(sqlOf(name)), [], name);
});

test('every query of a dashboard says which table ad hoc filters are for', () => {
  for (const make of Object.values(dashboards)) {
    const dashboard = make();
    // A table that the query does not read is right where the board's filters are for it: they do not count for that panel.
    const filtered = adHocTableOf(dashboard) ?? 'findings';
    for (const { rawSql } of panelsOf(dashboard).flatMap(targetsOf)) {
      const [, table] = /\nSETTINGS \$__adHocFilters\('(\w+)'\)$/.exec(rawSql) ?? [];
      assert.ok(
        table === filtered || new RegExp(`FROM (${table}|${viewsOf[table ?? ''] ?? table})\\b`).test(rawSql),
        rawSql,
      );
    }
  }
});

test('every query file is used', () => {
  const used = Object.values(dashboards).map((make) => JSON.stringify(make()));
  const ofAlerts = new Set(alertGroups.flatMap(({ alerts }) => alerts.map(({ query }) => query.file)));
  const unused = queryNames().filter(
    (name) => !ofAlerts.has(name) && !used.some((text) => text.includes(JSON.stringify(sqlOf(name)).slice(1, -1))),
  );
  assert.deepEqual(unused, []);
});

test('findings are read with FINAL, except where duplicates do no harm', () => {
  const withoutFinal = queryNames().filter((name) => /\bFROM findings\b(?! FINAL)/.test(sqlOf(name)));
  assert.deepEqual(withoutFinal, [
    'agent/variable-agent',
    'findings/ad-hoc-values',
    'findings/case-timeline',
    'findings/marks',
    'findings/variable-agent',
    'findings/variable-rule',
    'findings/variable-tool',
    'injection/ad-hoc-values',
  ]);
});

test('dashboards read spans of one trace or session, never of a time range', () => {
  const readers = queryNames().filter(
    (name) => !name.startsWith('alerts/') && /\bFROM otel_traces\b/.test(sqlOf(name)),
  );
  assert.deepEqual(
    readers.filter((name) => !/TraceId (= trace_id|IN \(SELECT TraceId FROM trace_ids\))/.test(sqlOf(name))),
    [],
  );
});

test('provisioned data sources share one connection, and dashboards point at the first by default', () => {
  const { datasources } = parse(read('grafana/provisioning/datasources/spanwarden.yaml'));
  assert.deepEqual(
    datasources.map((source: { uid: string }) => source.uid),
    ['spanwarden-sql', 'spanwarden-traces', 'spanwarden-findings'],
  );
  for (const { type, jsonData, secureJsonData } of datasources) {
    const { host, port, protocol, username, defaultDatabase } = jsonData;
    assert.deepEqual([type, protocol], ['grafana-clickhouse-datasource', 'http']);
    for (const value of [host, port, username, defaultDatabase, secureJsonData.password]) {
      assert.match(value, /^\$SPANWARDEN_CLICKHOUSE_[A-Z]+$/);
    }
    assert.ok(jsonData.traces.otelEnabled && jsonData.logs.otelEnabled);
    assert.deepEqual(
      Object.keys(jsonData.traces)
        .concat(Object.keys(jsonData.logs))
        .filter((key) => /Column$/.test(key)),
      [],
    );
  }
  for (const make of Object.values(dashboards)) {
    const variable = make().templating?.list?.find(({ type }) => type === 'datasource');
    assert.equal(variable?.current?.value, 'spanwarden-sql');
  }
});

test('the checks can fail', () => {
  const panel = (id: number, x: number): Panel => ({ id, type: 'stat', gridPos: { x, y: 0, w: 13, h: 4 } });
  const wrong: Dashboard = { schemaVersion: 39, panels: [panel(1, 0), panel(1, 12)] };
  assert.deepEqual(repeatedIds(wrong), [1]);
  assert.equal(overlaps(wrong).length, 2);
  assert.equal(unexplained(wrong).length, 2);
  assert.equal(fixedDataSources(wrong).length, 2);
  assert.deepEqual(variableProblems('${a} $__timeFilter(x) ${__data.fields.b} $b', wrong), [
    'a is not defined',
    'b is not defined',
  ]);
  for (const sql of ["x = '$a'", "x = '${a}'", 'x = ${a:sqlstring}', "x = '${a:raw}'", 'x = ${a:percentencode}']) {
    assert.equal(unsafeVariables(sql).length, 1, sql);
  }
});

function panelsOf(dashboard: Dashboard): (Panel | RowPanel)[] {
  return (dashboard.panels ?? []).flatMap((panel) => ('panels' in panel ? [panel, ...panel.panels] : [panel]));
}

function targetsOf(panel: Panel | RowPanel): { rawSql: string }[] {
  return 'targets' in panel ? (panel.targets as unknown as { rawSql: string }[]) : [];
}

/** The table whose columns the dashboard's ad hoc filters offer. */
function adHocTableOf(dashboard: Dashboard): string | undefined {
  const variable = dashboard.templating?.list?.find(({ name }) => name === 'clickhouse_adhoc_query');
  return /\bFROM (\w+)/.exec(String(variable?.query))?.[1];
}

function repeatedIds(dashboard: Dashboard): (number | undefined)[] {
  const ids = panelsOf(dashboard).map(({ id }) => id);
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}

function overlaps(dashboard: Dashboard): string[] {
  const placed = panelsOf(dashboard).map(({ id, gridPos }) => ({ id, ...gridPos! }));
  const outside = placed.filter(({ x, w }) => x < 0 || w < 1 || x + w > 24).map(({ id }) => `${id} is outside`);
  const pairs = placed.flatMap((a, index) =>
    placed
      .slice(index + 1)
      .filter((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h)
      .map((b) => `${a.id} lies over ${b.id}`),
  );
  return [...outside, ...pairs];
}

function unexplained(dashboard: Dashboard): string[] {
  return panelsOf(dashboard)
    .filter((panel): panel is Panel => panel.type !== 'row')
    .filter(({ title, description, fieldConfig }) => {
      const texts = [title, description, fieldConfig?.defaults.noValue];
      return texts.some((text) => text === undefined || text.trim().length < 3);
    })
    .map(({ id }) => `${id} lacks a title, a description or a text for when it is empty`);
}

function variableProblems(text: string, dashboard: Dashboard): string[] {
  const defined = (dashboard.templating?.list ?? []).map(({ name }) => name);
  const used = [...text.matchAll(/\$\{(\w+)[^}]*\}|\$(\w+)/g)]
    .map(([, braced, plain]) => braced ?? plain ?? '')
    .filter((name) => !name.startsWith('__'));
  return [
    ...[...new Set(used)].filter((name) => !defined.includes(name)).map((name) => `${name} is not defined`),
    ...defined.filter((name) => ![...used, ...readByName].includes(name)).map((name) => `${name} is not used`),
  ];
}

function fixedDataSources(dashboard: Dashboard): string[] {
  const panels = panelsOf(dashboard).filter(({ type }) => type !== 'row');
  const places = [
    ...panels.flatMap((panel) => [panel, ...targetsOf(panel)]),
    ...(dashboard.annotations?.list ?? []).flatMap((each) => [each, each.target]),
    ...(dashboard.templating?.list ?? []).filter(({ type }) => type === 'query' || type === 'adhoc'),
  ];
  return places
    .map((place) => (place as { datasource?: { uid?: string } }).datasource?.uid)
    .filter((uid) => uid !== '${datasource}')
    .map((uid) => `${uid ?? 'no data source'}`);
}

/** References that hostile text could break out of, see docs/grafana.md. */
function unsafeVariables(sql: string): string[] {
  const rest = sql.replace(/'\$\{\w+:percentencode\}'/g, '').replace(/, \$\w+\)\n/g, ')\n');
  return [...rest.matchAll(/\$(?!__)\{?\w+[^\s]*/g)].map(([reference]) => reference);
}

function queryNames(): string[] {
  const folder = join(repositoryRoot, 'grafana/queries');
  return globSync('**/*.sql', { cwd: folder })
    .map((path) => path.replaceAll('\\', '/').replace(/\.sql$/, ''))
    .sort();
}
