import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { clickhouseConfigSchema } from '../collector/src/store/config.ts';
import { openStore, type Store } from '../collector/src/store/index.ts';
import { dashboards } from '../grafana/generate.ts';
import { hostile, hostileTraceId, loadGrafanaData, now, traceId } from './support/grafana-data.ts';
import { type AdHocFilter, expandQuery, formatVariable, type MacroContext } from './support/grafana-macros.ts';

// Every query of every dashboard, on the real ClickHouse, as the account that Grafana gets. What this shows about Grafana
// itself and what not: docs/grafana.md.

interface Query {
  readonly name: string;
  readonly sql: string;
}

const all = Object.entries(dashboards).flatMap(([path, make]) => {
  const dashboard = make();
  const of = (name: string, query: unknown): Query => ({
    name: `${path}: ${name}`,
    sql: (query as { rawSql: string }).rawSql,
  });
  const variables = dashboard.templating?.list ?? [];
  return [
    ...(dashboard.panels ?? []).flatMap((panel) =>
      'targets' in panel ? (panel.targets ?? []).map((target) => of(`panel ${panel.id}`, target)) : [],
    ),
    ...variables.filter(({ type }) => type === 'query').map(({ name, query }) => of(`variable ${name}`, query)),
    ...variables.filter(({ type }) => type === 'constant').map(({ name, query }) => of(name, { rawSql: query })),
    ...(dashboard.annotations?.list ?? []).map(({ name, target }) => of(`annotation ${name}`, target)),
  ];
});

let dataDir: string;
let store: Store;
let grafana: ClickHouseClient;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'spanwarden-grafana-'));
  store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  await store.migrated();
  const { url, database, embedded } = store.endpoints;
  grafana = createClient({ url, database, ...embedded!.grafana, log: { level: ClickHouseLogLevel.OFF } });
});

after(async () => {
  await grafana?.close();
  await store?.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('on an empty database', () => {
  for (const { name, sql } of all) {
    test(`${name} runs`, async () => {
      const { rows } = await run(sql, {});
      const figures = rows.flatMap((row) => Object.values(row)).filter((value) => value !== null);
      assert.ok(
        figures.every((value) => Number(value) === 0),
        'rows of an empty database hold zeros at most',
      );
    });
  }
});

describe('with spans and findings', () => {
  before(() => loadGrafanaData(store));

  for (const { name, sql } of all) {
    test(`${name} finds what is there`, async () => {
      const { rows } = await run(sql, { trace_id: traceId });
      assert.ok(rows.length > 0);
    });
    test(`${name} takes hostile values in every variable as values`, async () => {
      for (const value of Object.values(hostile)) {
        const variables = { severity: value, rule: value, agent: value, tool: value, trace_id: value };
        const isOfFindings = sql.includes("$__adHocFilters('findings')");
        const filters: AdHocFilter[] = isOfFindings ? [{ key: 'AgentName', operator: '=', value }] : [];
        const { rows } = await run(sql, variables, filters);
        if (/\$\{(trace_id|rule):/.test(sql)) {
          assert.ok(rows.flatMap((row) => Object.values(row)).every((figure) => Number(figure ?? 0) === 0));
        }
      }
    });
  }

  test('the trace panel gets exactly the columns that Grafana asks for', async () => {
    const { columns, rows } = await run(panelSql(11), { trace_id: traceId });
    assert.deepEqual(columns, traceColumns);
    const [root, call] = rows;
    assert.equal(rows.length, 2);
    assert.deepEqual(
      [root?.traceID, root?.spanID, root?.parentSpanID, root?.serviceName, root?.operationName, root?.kind],
      [traceId, '11'.repeat(8), '', 'support', 'invoke_agent support-agent', 'Internal'],
    );
    assert.ok(Math.abs(Number(root?.startTime) - (now - 60_000)) < 1, 'start in milliseconds');
    assert.equal(Number(call?.duration), 250, 'duration in milliseconds');
    assert.equal(Number(call?.statusCode), 2);
    assert.deepEqual(call?.tags, [
      { key: 'gen_ai.operation.name', value: 'execute_tool' },
      { key: 'gen_ai.tool.call.arguments', value: '{"amount":900}' },
      { key: 'gen_ai.tool.name', value: 'payments.refund' },
    ]);
    const fields = [{ key: 'exception.message', value: 'no' }];
    assert.deepEqual(call?.logs, [{ name: 'exception', timestamp: String(now - 59_900), fields }]);
    assert.deepEqual(call?.references, [{ traceID: hostileTraceId, spanID: '22'.repeat(8), tags: [] }]);
  });

  test('time series have a time first and a number for each level', async () => {
    const { columns, rows } = await run(panelSql(4), {});
    assert.deepEqual(columns, {
      time: 'DateTime',
      critical: 'UInt64',
      high: 'UInt64',
      medium: 'UInt64',
      low: 'UInt64',
      informational: 'UInt64',
    });
    assert.equal(sum(rows, 'critical'), 1);
    assert.equal(sum(rows, 'high'), 1);
    assert.equal(sum(rows, 'low'), 1);
  });

  test('the table of findings has the columns that links need, and its texts are short and plain', async () => {
    const { columns, rows } = await run(panelSql(9), {});
    assert.equal(columns.TraceId, 'String');
    assert.equal(columns.Time, 'DateTime64(9)');
    assert.deepEqual(
      rows.map(({ Finding: finding, TraceId: id }) => [finding, id]),
      [
        ['Refund nobody asked for', traceId],
        ['Odd names', hostileTraceId],
        ['Long answer', hostileTraceId],
      ],
    );
    assert.equal(rows[0]?.['What matched'], 'gen_ai.tool.name is "payments.refund": payments.refund\nis "x": x');
    for (const value of rows.flatMap((row) => Object.values(row)).map(String)) {
      assert.ok(value.length <= 2_000);
      assert.doesNotMatch(value.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
    }
  });

  test('rule health adds up what was counted, and says what is disabled', async () => {
    const { rows } = await run(panelSql(15), {});
    const [disabled, active] = rows;
    assert.equal(rows.length, 2);
    assert.equal(disabled?.State, 'disabled');
    assert.ok(String(disabled?.Why).length <= 500);
    const figures = ['Spans', 'Candidates', 'Matches', 'Suppressed', 'Cost a span'].map((name) =>
      Number(active?.[name]),
    );
    assert.deepEqual([active?.State, ...figures], ['active', 200, 120, 3, 2, 2.5]);
  });

  test('a finding that was sent again counts once', async () => {
    assert.equal(sum((await run(panelSql(2), {})).rows, 'critical'), 1);
    assert.equal(sum((await run(panelSql(6), {})).rows, 'Findings'), 3);
  });

  test('each variable filters by the values it offers, hostile ones too', async () => {
    for (const name of ['rule', 'agent', 'tool']) {
      const { rows } = await run(variableSql(name), {});
      const options = rows.map((row) => String(Object.values(row)[0]));
      assert.ok(options.length >= 2, name);
      for (const option of options) {
        const found = await run(panelSql(9), { [name]: option });
        assert.ok(found.rows.length >= 1 && found.rows.length < 3, `${name} ${option}`);
      }
    }
    assert.equal((await run(panelSql(9), { severity: '4' })).rows.length, 2);
  });

  test('ad hoc filters keep to findings, whatever their values hold', async () => {
    const of = (value: string): AdHocFilter[] => [{ key: 'AgentName', operator: '=', value }];
    assert.equal((await run(panelSql(9), {}, of('support-agent'))).rows.length, 1);
    assert.equal((await run(panelSql(9), {}, of(hostile.agent))).rows.length, 1);
    assert.equal(sum((await run(panelSql(3), {}, of('support-agent'))).rows, 'spans'), 3);
  });

  test('what is watched tells spans, services, agents and the newest span', async () => {
    const { rows } = await run(panelSql(3), { rule: 'no such rule' });
    const { spans, services, agents } = rows[0] ?? {};
    assert.deepEqual([spans, services, agents].map(Number), [3, 1, 2]);
    assert.match(String(rows[0]?.['last span']), /^\d{4}-/);
  });

  test('the spans of a trace name the rules that fired on them', async () => {
    const { rows } = await run(panelSql(12), { trace_id: traceId });
    assert.deepEqual(
      rows.map(({ Span: span, Tool: tool, Fired: fired }) => [span, tool, fired]),
      [
        ['invoke_agent support-agent', '', ''],
        ['execute_tool payments.refund', 'payments.refund', 'Refund nobody asked for'],
      ],
    );
  });

  test('findings read as logs have the columns of otel_logs', async () => {
    const { rows } = await run('SELECT * FROM findings_logs ORDER BY Timestamp DESC', {});
    const [newest] = rows;
    assert.equal(newest?.Body, 'Refund nobody asked for: The agent refunded without a request.');
    assert.deepEqual([newest?.TraceId, newest?.SeverityText, rows.length], [traceId, 'critical', 3]);
  });

  test('why not sqlstring: a backslash ends its quotes in ClickHouse', async () => {
    const attack = String.raw`\' OR 1=1 -- `;
    const count = async (value: string) => {
      const { rows } = await run(`SELECT count() AS found FROM findings FINAL WHERE AgentName = ${value}`, {});
      return Number(rows[0]?.found);
    };
    assert.equal(await count(formatVariable(attack, 'sqlstring')), 3);
    assert.equal(await count(`decodeURLComponent('${formatVariable(attack, 'percentencode')}')`), 0);
  });

  test('the account can neither write nor read other tables', async () => {
    for (const query of [
      'DROP TABLE findings',
      'INSERT INTO findings (FindingId) VALUES (1)',
      'SELECT * FROM system.users',
    ]) {
      await assert.rejects(grafana.command({ query }), /ACCESS_DENIED|READONLY|readonly|privileges/i, query);
    }
  });
});

const traceColumns = {
  traceID: 'String',
  spanID: 'String',
  parentSpanID: 'String',
  serviceName: 'LowCardinality(String)',
  operationName: 'LowCardinality(String)',
  startTime: 'Float64',
  duration: 'Float64',
  tags: 'Array(Map(String, String))',
  serviceTags: 'Array(Map(String, String))',
  statusCode: 'UInt8',
  logs: 'Array(Tuple(name String, timestamp String, fields Array(Map(String, String))))',
  references: 'Array(Tuple(traceID String, spanID String, tags Array(Map(String, String))))',
  kind: 'LowCardinality(String)',
  statusMessage: 'String',
  instrumentationLibraryName: 'String',
  instrumentationLibraryVersion: 'String',
  traceState: 'String',
};

interface Answer {
  readonly columns: Readonly<Record<string, string>>;
  readonly rows: readonly Record<string, unknown>[];
}

/** Runs a query as the data source would: variables at their defaults, its time-out as a setting. */
async function run(
  sql: string,
  chosen: Readonly<Record<string, string>>,
  adHocFilters: readonly AdHocFilter[] = [],
): Promise<Answer> {
  const context: MacroContext = {
    from: new Date(now - 3_600_000),
    to: new Date(now + 60_000),
    intervalMs: 60_000,
    variables: { severity: '1', rule: '$__all', agent: '$__all', tool: '$__all', trace_id: '', ...chosen },
    adHocFilters,
  };
  const query = expandQuery(sql, context);
  const result = await grafana.query({ query, format: 'JSON', clickhouse_settings: { max_execution_time: 60 } });
  const { meta = [], data } = await result.json<Record<string, unknown>>();
  return { columns: Object.fromEntries(meta.map(({ name, type }) => [name, type])), rows: data };
}

function panelSql(id: number): string {
  return sqlNamed(`panel ${id}`);
}

function variableSql(name: string): string {
  return sqlNamed(`variable ${name}`);
}

function sqlNamed(name: string): string {
  const found = all.find((query) => query.name === `grafana/dashboards/findings.json: ${name}`);
  assert.ok(found, name);
  return found.sql;
}

function sum(rows: Answer['rows'], name: string): number {
  return rows.reduce((total, row) => total + Number(row[name]), 0);
}
