import assert from 'node:assert/strict';
import test, { before, describe } from 'node:test';
import type { DashboardQuery } from '../grafana/queries-of.ts';
import { hostile, hostileTraceId, loadGrafanaData, now, traceId } from './support/grafana-data.ts';
import { type AdHocFilter, formatVariable } from './support/grafana-macros.ts';
import { type Answer, dashboardQueries, queryNamed, testGrafana } from './support/grafana-queries.ts';
import { loadRunData, shop } from './support/grafana-run-data.ts';

// Every query of the dashboards over findings and runs, on the real ClickHouse, as the account that Grafana gets. What this shows about Grafana
// itself and what not: docs/grafana.md.

const grafana = testGrafana();
const { run } = grafana;

/** Those of the other dashboards run on data of their own: grafana-activity.test.ts and grafana-operations.test.ts. */
const queries = dashboardQueries.filter(
  ({ name }) => !/^spanwarden-(?:approvals|cost|coverage|egress|health|injection|inventory|rules):/.test(name),
);

describe('on an empty database', () => {
  for (const query of queries) {
    test(`${query.name} runs`, async () => {
      const { rows } = await run(query);
      const figures = rows.flatMap((row) => Object.values(row)).filter((value) => value !== null);
      assert.ok(
        figures.every((value) => Number(value) === 0),
        'rows of an empty database hold zeros at most',
      );
    });
  }
});

describe('the board Cases & findings, with spans and findings', () => {
  before(() => loadGrafanaData(grafana.store));

  test('the trace panel gets exactly the columns that Grafana asks for', async () => {
    const { columns, rows } = await run(panel(11), { trace_id: traceId });
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
    const { columns, rows } = await run(panel(4));
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
    const { columns, rows } = await run(panel(9));
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
    const { rows } = await run(panel(15));
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
    assert.equal(sum((await run(panel(2))).rows, 'critical'), 1);
    assert.equal(sum((await run(panel(6))).rows, 'Findings'), 3);
  });

  test('each variable filters by the values it offers, hostile ones too', async () => {
    for (const name of ['rule', 'agent', 'tool']) {
      const { rows } = await run(queryNamed(`spanwarden-findings: variable ${name}`));
      const options = rows.map((row) => String(Object.values(row)[0]));
      assert.ok(options.length >= 2, name);
      for (const option of options) {
        const found = await run(panel(9), { [name]: option });
        assert.ok(found.rows.length >= 1 && found.rows.length < 3, `${name} ${option}`);
      }
    }
    assert.equal((await run(panel(9), { severity: '4' })).rows.length, 2);
  });

  test('ad hoc filters keep to findings, whatever their values hold', async () => {
    const of = (value: string): AdHocFilter[] => [{ key: 'AgentName', operator: '=', value }];
    assert.equal((await run(panel(9), {}, { filters: of('support-agent') })).rows.length, 1);
    assert.equal((await run(panel(9), {}, { filters: of(hostile.agent) })).rows.length, 1);
    assert.equal(sum((await run(panel(3), {}, { filters: of('support-agent') })).rows, 'spans'), 3);
  });

  test('what is watched tells spans, services, agents and the newest span', async () => {
    const { rows } = await run(panel(3), { rule: 'no such rule' });
    const { spans, services, agents } = rows[0] ?? {};
    assert.deepEqual([spans, services, agents].map(Number), [3, 1, 2]);
    assert.match(String(rows[0]?.['last span']), /^\d{4}-/);
  });

  test('the spans of a trace name the rules that fired on them', async () => {
    const { rows } = await run(panel(12), { trace_id: traceId });
    assert.deepEqual(
      rows.map(({ Span: span, Tool: tool, Fired: fired }) => [span, tool, fired]),
      [
        ['invoke_agent support-agent', '', ''],
        ['execute_tool payments.refund', 'payments.refund', 'Refund nobody asked for'],
      ],
    );
  });

  test('findings read as logs have the columns of otel_logs', async () => {
    const { rows } = await run({ sql: 'SELECT * FROM findings_logs ORDER BY Timestamp DESC', variables: {} });
    const [newest] = rows;
    assert.equal(newest?.Body, 'Refund nobody asked for: The agent refunded without a request.');
    assert.deepEqual([newest?.TraceId, newest?.SeverityText, rows.length], [traceId, 'critical', 3]);
    const levels = rows.map(({ SeverityText: text, LogAttributes: attributes }) => [
      text,
      (attributes as Record<string, string>)['finding.level'],
    ]);
    assert.deepEqual(levels, [
      ['critical', 'critical'],
      ['error', 'high'],
      ['info', 'low'],
    ]);
  });

  test('why not sqlstring: a backslash ends its quotes in ClickHouse', async () => {
    const attack = String.raw`\' OR 1=1 -- `;
    const count = async (value: string) => {
      const sql = `SELECT count() AS found FROM findings FINAL WHERE AgentName = ${value}`;
      const { rows } = await run({ sql, variables: {} });
      return Number(rows[0]?.found);
    };
    assert.equal(await count(formatVariable(attack, 'sqlstring')), 3);
    assert.equal(await count(`decodeURLComponent('${formatVariable(attack, 'percentencode')}')`), 0);
  });

  test('why ad hoc filters are no boundary: two chosen values undo them, by a macro inside of one', async () => {
    const agents: AdHocFilter = { key: 'AgentName', operator: '=|', value: '', values: ["$__toTime('"] };
    const tool: AdHocFilter = { key: 'ToolName', operator: '=', value: ') OR 1=1 -- ' };
    const count = async (filters: AdHocFilter[]) => sum((await run(panel(6), {}, { filters })).rows, 'Findings');
    assert.equal(await count([{ ...agents, values: ['nobody'] }, tool]), 0);
    assert.equal(await count([agents, tool]), 3);
  });

  test('the account can neither write nor read other tables', async () => {
    for (const query of [
      'DROP TABLE findings',
      'INSERT INTO findings (FindingId) VALUES (1)',
      'SELECT * FROM system.users',
    ]) {
      await assert.rejects(grafana.client.command({ query }), /ACCESS_DENIED|READONLY|readonly|privileges/i, query);
    }
  });
});

describe('with all that boards show', () => {
  // Each adds to what is there, so figures that are worked out by hand are looked at before.
  before(() => loadRunData(grafana.store));

  const chosen = { trace_id: shop.traces[0], session: shop.session, agent: shop.agent, case_id: shop.case };
  for (const query of queries) {
    test(`${query.name} finds what is there`, async () => {
      const { rows } = await run(query, chosen);
      assert.ok(rows.length > 0);
    });
    test(`${query.name} shows what attackers write cut and in plain characters`, async () => {
      // Whole attributes belong into a trace, and ad hoc filters want values as they are.
      if (/ AS operationName\b/.test(query.sql) || query.name.endsWith('clickhouse_adhoc_query')) return;
      const [plainAgent] = hostile.agent.match(/^.{0,200}/u) ?? [];
      for (const each of [chosen, { trace_id: hostileTraceId, agent: plainAgent ?? '' }]) {
        const { rows } = await run(query, each);
        for (const text of rows.flatMap((row) => Object.values(row)).map(String)) {
          assert.ok(text.length <= 2_000, `${text.length} characters`);
          assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
        }
      }
    });
    test(`${query.name} takes hostile values in every variable as values`, async () => {
      for (const value of Object.values(hostile)) {
        const variables = Object.fromEntries(Object.keys(query.variables).map((name) => [name, value]));
        const filters: AdHocFilter[] = query.isFiltered ? [{ key: 'AgentName', operator: '=', value }] : [];
        const { rows } = await run(query, variables, { filters });
        if (/\$\{(trace_id|rule|case_id|session):/.test(query.sql)) {
          assert.ok(rows.flatMap((row) => Object.values(row)).every((figure) => Number(figure ?? 0) === 0));
        }
      }
    });
  }
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

function panel(id: number): DashboardQuery {
  return queryNamed(`spanwarden-findings: panel ${id}`);
}

function sum(rows: Answer['rows'], name: string): number {
  return rows.reduce((total, row) => total + Number(row[name]), 0);
}
