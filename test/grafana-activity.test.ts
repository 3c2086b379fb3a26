import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import test, { before, describe } from 'node:test';
import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import { toolOf } from '../collector/src/detect/calls/view.ts';
import { Role, rolesOf } from '../collector/src/detect/cases/roles.ts';
import { encodeFindings } from '../collector/src/store/rows/findings.ts';
import { sqlOf } from '../grafana/query.ts';
import { repositoryRoot } from '../scripts/repository.ts';
import {
  actedTrace,
  loadForeignSpans,
  loadGrafanaActivity,
  rangeMs,
  stagedFindings,
  stagedRangeMs,
} from './support/grafana-activity-data.ts';
import { hostile, ship } from './support/grafana-data.ts';
import type { AdHocFilter } from './support/grafana-macros.ts';
import {
  type Answer,
  type AskOptions,
  dashboardQueries,
  queryNamed,
  type RunnableQuery,
  testGrafana,
} from './support/grafana-queries.ts';

// The dashboards over what spans add up to, on the real ClickHouse as the account that Grafana gets: every query, and figures that can
// be worked out by hand from test/support/grafana-activity-data.ts.

const grafana = testGrafana();
const queries = dashboardQueries.filter(({ name }) => /^spanwarden-(?:cost|egress|injection|inventory):/.test(name));

for (const [what, load] of [
  ['on an empty database', async () => {}],
  ['with spans of services that are no agents', () => loadForeignSpans(grafana.store)],
] as const) {
  describe(what, () => {
    before(load);
    for (const query of queries) {
      test(`${query.name} gives zeros at most`, async () => {
        if (isAdHoc(query.name)) return assert.ok((await run(query)).rows.length <= 1);
        const figures = (await run(query)).rows.flatMap((row) => Object.values(row)).filter((value) => value !== null);
        assert.deepEqual(
          figures.filter((value) => Number(value) !== 0),
          [],
        );
      });
    }
  });
}

describe('with what agents did', () => {
  before(() => loadGrafanaActivity(grafana.store));

  for (const query of queries) {
    test(`${query.name} finds what is there, in texts that are short and plain`, async () => {
      const { columns, rows } = await run(query);
      assert.ok(rows.length > 0);
      if (isAdHoc(query.name)) return;
      for (const value of rows.flatMap((row) => Object.values(row)).map(String)) {
        assert.ok(value.length <= 500);
        assert.doesNotMatch(value, /[\p{Cc}\p{Cf}]/u);
      }
      if (columns.time !== undefined) assertSeries(columns);
    });
    test(`${query.name} takes hostile values in every variable as values`, async () => {
      const nobody = everyVariable(query, `no${hostile.agent}`);
      const figures = (await run(query, nobody)).rows
        .flatMap((row) => Object.values(row))
        .filter((value) => value !== null);
      if (/\$__conditionalAll/.test(query.sql)) {
        assert.deepEqual(
          figures.filter((value) => Number(value) !== 0),
          [],
        );
      }
      for (const value of Object.values(hostile)) {
        await run(query, everyVariable(query, value), { filters: [filterFor(query.sql, value)] });
      }
    });
  }

  test('each variable finds again what it offers, hostile names too', async () => {
    for (const [board, variable, panel] of [
      ['inventory', 'agent', 3],
      ['inventory', 'tool', 3],
      ['egress', 'agent', 3],
      ['egress', 'domain', 3],
      ['injection', 'agent', 7],
      ['cost', 'agent', 8],
      ['cost', 'model', 8],
    ] as const) {
      const offered = (await run(queryNamed(`spanwarden-${board}: variable ${variable}`))).rows.map((row) =>
        String(row.Name),
      );
      const all = (await run(queryNamed(`spanwarden-${board}: panel ${panel}`))).rows.length;
      assert.ok(offered.length >= 2);
      for (const option of offered) {
        const { rows } = await run(queryNamed(`spanwarden-${board}: panel ${panel}`), { [variable]: option });
        assert.ok(rows.length > 0 && rows.length < all, `${board} ${variable} ${option}`);
      }
    }
  });

  test('inventory: tools with their state, whether they were offered, and how their calls went', async () => {
    const { rows } = await run(queryNamed('spanwarden-inventory: panel 3'), {});
    const told = rows.map((row) => [
      row.Agent,
      row.Tool,
      row.State,
      row.Offered,
      row.Effects,
      row['MCP server'],
      Number(row.Calls),
      row['Error rate'],
    ]);
    assert.deepEqual(told.slice(1), [
      ['support', 'http.post', 'new in 24 h', 'yes', 'post', 'mcp.example', 1, 0],
      ['support', 'tickets.read', 'new in 24 h', 'no', 'read', '', 1, 0],
      ['coder', 'retired', 'gone quiet', 'no', '', '', 0, null],
      ['coder', 'shell', 'in use', 'yes', 'execute', '', 3, 1 / 3],
    ]);
    assert.equal(Number(rows[4]?.p95), 400_000_000);
  });

  test('inventory: what was offered in vain, what ran without, and what changed its definition', async () => {
    const names = async (panel: number) =>
      (await run(queryNamed(`spanwarden-inventory: panel ${panel}`))).rows.map((row) => `${row.Agent} ${row.Tool}`);
    assert.deepEqual(await names(8), ['support payments_refund']);
    assert.deepEqual(await names(9), ['support tickets.read']);
    const { rows } = await run(queryNamed('spanwarden-inventory: panel 11'));
    assert.deepEqual(
      rows.map((row) => [row.Agent, row.Tool, row.State, row.Overlaps]),
      [
        ['coder', 'shell', 'new in this range', 'no'],
        ['coder', 'shell', 'first known', 'no'],
      ],
    );
    assert.notEqual(rows[0]?.Definition, rows[1]?.Definition);
  });

  test('inventory: names of tools are compared as detection compares them', async () => {
    const names = ['orders.read', 'mcp__shop__orders.read', '__x', '___x', 'a__', 'a__b__', 'a\nb__c d', 'größe', ''];
    const sql = `${sqlOf('injection/with-signs')}\nSELECT arrayMap(name -> own(name), ${JSON.stringify(names).replaceAll('"', "'")}) AS tools`;
    const { rows } = await run({ sql, variables: { agent: '$__all' } });
    assert.deepEqual(rows[0]?.tools, names.map(toolOf));
    const lambdas = globSync('*/*.sql', { cwd: join(repositoryRoot, 'grafana/queries') }).flatMap(
      (path) => sqlOf(path.replace('.sql', '')).match(/tool -> .* AS own/g) ?? [],
    );
    assert.ok(lambdas.length > 4 && new Set(lambdas).size === 1, 'all queries do it alike');
  });

  test('inventory: new is what no span showed before the time range', async () => {
    const { rows } = await run(queryNamed('spanwarden-inventory: panel 6'), { agent: 'coder' });
    const told = rows.map((row) => `${row.What} ${row.Name}`);
    // git and shell are five days old.
    assert.deepEqual(told.sort(), ['SQL table staff.payroll', 'program curl', 'program psql', 'program rm']);
  });

  test('egress: domains with what went there, new ones first', async () => {
    const { rows } = await run(queryNamed('spanwarden-egress: panel 3'));
    assert.deepEqual(
      rows.map((row) => [
        row.Domain,
        row.State,
        Number(row.Calls),
        Number(row.Bytes),
        row['Secrets and personal data'],
        row.TraceId === actedTrace,
      ]),
      [
        ['evil.example', 'new', 1, 68, 'iban, payment_card', true],
        ['hidden.example', 'new', 1, 0, '', false],
        ['known.example', 'known', 1, 0, '', false],
      ],
    );
    const [figures] = (await run(queryNamed('spanwarden-egress: panel 2'))).rows;
    assert.deepEqual([figures?.domains, figures?.['new domains'], figures?.['sensitive calls']].map(Number), [3, 2, 1]);
    const found = (await run(queryNamed('spanwarden-egress: panel 14'), { domain: 'evil.example' })).rows.map(
      (row) => row.Finding,
    );
    assert.ok(found.includes('Personal data leaves for an outside host'));
    assert.deepEqual((await run(queryNamed('spanwarden-egress: panel 14'), { domain: 'known.example' })).rows, []);
  });

  test('egress: the edges of the graph lead from agents over tools to domains, and their nodes are there', async () => {
    const ids = (await run(queryNamed('spanwarden-egress: panel 10 nodes'))).rows.map(({ id }) => id);
    const { rows } = await run(queryNamed('spanwarden-egress: panel 10 edges'));
    assert.equal(rows.length, 6);
    assert.ok(rows.every(({ source, target }) => ids.includes(source) && ids.includes(target)));
  });

  test('injection: rules that ship lead sessions to the stages that they reached', async () => {
    const { rows } = await run(queryNamed('spanwarden-injection: panel 7'));
    assert.deepEqual(
      rows.map((row) => [row.Session, row.Stage, row['Stood in'], row['Asked for'], row['Calls that ran']]).slice(0, 3),
      [
        ['session-acted', 'acted', 'tool result', 'http_post', 'http.post'],
        ['session-user', 'acted, way not seen', 'user', '', 'shell'],
        ['session-followed', 'followed', 'tool result', 'http_post', ''],
      ],
    );
    assert.equal(rows[0]?.['Brought by'], 'tickets.read');
    assert.deepEqual(
      rows.slice(3).map((row) => [row.Session, row.Stage]),
      [
        ['session-hidden', 'detected'],
        ['session-read', 'detected'],
      ],
    );
    assert.deepEqual((await run(queryNamed('spanwarden-injection: panel 2'))).rows.map(numbers), [
      { detected: 5, followed: 2, acted: 1 },
    ]);
    const byAgent = (await run(queryNamed('spanwarden-injection: panel 9'), { agent: 'support' })).rows;
    assert.deepEqual(
      [byAgent[0]?.Sessions, byAgent[0]?.Detected, byAgent[0]?.Followed, byAgent[0]?.Acted].map(Number),
      [3, 3, 2, 1],
    );
    assert.deepEqual(
      (await run(queryNamed('spanwarden-injection: panel 11'))).rows.map((row) => row.Host),
      ['collect.evil.example'],
    );
  });

  test('cost: what was spent, against the time range before, by agent, model, user and session', async () => {
    const [figures] = (await run(queryNamed('spanwarden-cost: panel 2'))).rows.map(numbers);
    assert.deepEqual(rounded(figures), {
      spent: 4.8,
      'spent before': 2,
      change: 1.4,
      'tokens in': 3_910,
      'tokens out': 1_910,
      'in from cache': 0.2558,
      'model calls': 7,
      'calls without a price': 2,
    });
    const coder = (await run(queryNamed('spanwarden-cost: panel 7'), { agent: 'coder' })).rows[0];
    assert.deepEqual(
      rounded({
        cost: Number(coder?.Cost),
        before: Number(coder?.Before),
        a: Number(coder?.['Cost a session']),
        errors: Number(coder?.['Error rate']),
      }),
      { cost: 4.2, before: 2, a: 2.1, errors: 0.3333 },
    );
    const unpriced = (await run(queryNamed('spanwarden-cost: panel 14'), { agent: 'coder' })).rows;
    assert.deepEqual(
      unpriced.map((row) => [row.Model, Number(row.Calls), Number(row.Tokens)]),
      [['unpriced-model', 1, 1_000]],
    );
    const [ann] = (await run(queryNamed('spanwarden-cost: panel 9'))).rows;
    assert.deepEqual([ann?.User, Number(ann?.Cost), Number(ann?.Sessions)], ['ann', 4, 1]);
    const users = (await run(queryNamed('spanwarden-cost: panel 21'))).rows.map((row) => [row.User, Number(row.Value)]);
    assert.deepEqual(
      users.filter(([user]) => user === 'ann'),
      [['ann', 4]],
    );
    const [dearest] = (await run(queryNamed('spanwarden-cost: panel 13'))).rows;
    assert.deepEqual(
      [dearest?.Session, Number(dearest?.Cost), Number(dearest?.['Tool calls'])],
      ['session-calm', 4, 2],
    );
  });
});

describe('the stages of an injection', () => {
  const stagedRange = { from: new Date(stagedRangeMs.from), to: new Date(stagedRangeMs.to) };
  before(() => ship(grafana.store, 'stages', [encodeFindings(stagedFindings)]));

  test('come after each other, and need a call that was asked for or a rule of at least medium level', async () => {
    const { rows } = await run(queryNamed('spanwarden-injection: panel 7'), {}, stagedRange);
    assert.deepEqual(Object.fromEntries(rows.map((row) => [row.Session, row.Stage])), {
      'deed before the text': 'detected',
      'flow before the text': 'detected',
      'weak deed of another tool': 'followed',
      'weak deed of the tool asked for': 'acted',
      'strong deed of another tool': 'acted',
      'strong deed without a flow': 'acted, way not seen',
      'flow on a call that ran': 'acted',
    });
  });

  test('are told from tags as cases tell them', async () => {
    const shipped = readRuleFiles([shippedRulesPath()]).rules.flatMap(
      ({ text }) => text.match(/\b(?:owasp|atlas|attack)\.[\w.-]+\b/g) ?? [],
    );
    const more = [
      'attack.initial-access',
      'attack.exfiltration',
      'attack.impact',
      'atlas.aml.t00510',
      'atlas.aml.t0054',
      'owasp.asi05',
      'owasp.llm02',
    ];
    const tags = [...new Set([...shipped, ...more])];
    assert.ok(tags.length > 20);
    const list = tags.map((tag) => `'${tag}'`).join(', ');
    const { rows } = await run({
      sql: `${sqlOf('injection/with-signs')}
SELECT tag, commands(tag) AS isCommand, leaves(tag) OR does(tag) AS isAct FROM (SELECT arrayJoin([${list}]) AS tag)`,
      variables: { agent: '$__all' },
    });
    const said = rows.map((row) => [row.tag, Number(row.isCommand) === 1, Number(row.isAct) === 1]);
    const expected = tags.map((tag) => {
      const roles = rolesOf([tag]);
      return [tag, (roles & Role.injection) !== 0, (roles & (Role.egress | Role.action)) !== 0];
    });
    assert.deepEqual(said, expected);
  });
});

/** In the time range that the figures are of. */
function run(
  query: RunnableQuery,
  chosen: Readonly<Record<string, string>> = {},
  options: AskOptions = {},
): Promise<Answer> {
  return grafana.run(query, chosen, { from: new Date(rangeMs.from), to: new Date(rangeMs.to), ...options });
}

function isAdHoc(name: string): boolean {
  return name.endsWith('clickhouse_adhoc_query');
}

/** All that can be chosen, at one value. */
function everyVariable({ variables }: RunnableQuery, value: string): Record<string, string> {
  return Object.fromEntries(Object.keys(variables).map((name) => [name, value]));
}

/** A time first, then numbers; a text names the series of a column Value. */
function assertSeries(columns: Readonly<Record<string, string>>): void {
  const [time, ...others] = Object.entries(columns);
  assert.deepEqual(time, ['time', 'DateTime']);
  const texts = others.filter(([, type]) => /String/.test(type));
  const figures = others.filter(([, type]) => /^(?:Nullable\()?(?:U?Int|Float)/.test(type));
  assert.equal(texts.length + figures.length, others.length);
  if (texts.length > 0)
    assert.deepEqual(
      figures.map(([name]) => name),
      ['Value'],
    );
}

/** A filter on a column of the table that the query's filters are for. */
function filterFor(sql: string, value: string): AdHocFilter {
  const table = /\$__adHocFilters\('(\w+)'\)/.exec(sql)?.[1];
  return { key: table === 'findings' ? 'AgentName' : 'Agent', operator: '=', value };
}

function numbers(row: Record<string, unknown>): Record<string, number> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]));
}

function rounded(row: Record<string, number> | undefined): Record<string, number> {
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([name, value]) => [name, Math.round(value * 10_000) / 10_000]),
  );
}
