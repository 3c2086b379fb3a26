import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { DashboardQuery } from '../grafana/queries-of.ts';
import { loadForeignSpans } from './support/grafana-activity-data.ts';
import { hostile, loadGrafanaData, now } from './support/grafana-data.ts';
import { coder, loadOperationsData, quietRule, tunedRule } from './support/grafana-operations-data.ts';
import { type Answer, dashboardQueries, queryNamed, testGrafana } from './support/grafana-queries.ts';

// The boards about rules, approvals, coverage and collectors: every query, and figures that can be worked out by hand.

const grafana = testGrafana();

const ask = (name: string, chosen: Readonly<Record<string, string>> = {}) =>
  grafana.run(queryNamed(`spanwarden-${name}`), chosen);
const values = ({ rows }: Answer, ...names: readonly string[]) => rows.map((row) => names.map((name) => row[name]));
const numbers = (answer: Answer, ...names: readonly string[]) => values(answer, ...names).map((row) => row.map(Number));

const queries = dashboardQueries.filter(({ name }) => /^spanwarden-(?:approvals|coverage|health|rules):/.test(name));
/** What says of services that they have no agents. */
const aboutForeign = ['spanwarden-coverage: panel 2', 'spanwarden-coverage: panel 8'];

for (const [what, load, exempt] of [
  ['on an empty database', async () => {}, []],
  ['with spans of services that are no agents', () => loadForeignSpans(grafana.store), aboutForeign],
] as const) {
  describe(what, () => {
    before(load);
    for (const query of queries.filter(({ name }) => !(exempt as readonly string[]).includes(name))) {
      test(`${query.name} gives zeros at most`, async () => assert.deepEqual(figuresOf(await grafana.run(query)), []));
    }
  });
}

describe('boards of rules, approvals, coverage and health', () => {
  before(() => loadOperationsData(grafana.store));

  test('rules: verdicts, rates, shares and costs of each', async () => {
    const answer = await ask('rules: panel 6');
    assert.deepEqual(values(answer, 'Title', 'Verdict'), [
      ['Tuned', 'mostly false'],
      ['Quiet', 'quiet'],
    ]);
    assert.deepEqual(numbers(answer, 'Matches', 'Per 1,000 spans', 'False of marked', 'Suppressed', 'Cost a span'), [
      [6, 6, 0.5, 2, 4],
      [0, 0, 0, 0, 4],
    ]);
    assert.deepEqual(values(await ask('rules: panel 7'), 'Rule id', 'Reason'), [[quietRule, 'no span came near it']]);
  });

  test('rules: what a new version did, what a filter takes, and who makes the noise', async () => {
    const [change] = (await ask('rules: panel 17', { rule: tunedRule })).rows;
    assert.deepEqual([change?.Version, change?.['Version before']], ['v2', 'v1']);
    assert.deepEqual([change?.['Per 1,000 spans'], change?.['Per 1,000 before']].map(Number), [6, 12]);
    assert.deepEqual(numbers(await ask('rules: panel 11'), 'Suppressed', 'Of its matches'), [[2, 0.25]]);
    assert.deepEqual(numbers(await ask('rules: panel 10'), 'Findings', 'Called false', 'Called true', 'Of the rule'), [
      [2, 1, 1, 1],
    ]);
    assert.deepEqual(values(await ask('rules: panel 18'), 'Field'), [['gen_ai.tool.call.arguments']]);
  });

  test('rules: matches over time are named by their rule', async () => {
    const { columns, rows } = await ask('rules: panel 3');
    assert.deepEqual(columns, { time: 'DateTime', Rule: 'String', Value: 'UInt64' });
    assert.deepEqual(
      rows.map(({ Rule: rule, Value: value }) => [rule, Number(value)]),
      [['Tuned', 6]],
    );
  });

  test('approvals: of an agent that tells by spans and by records each decision counts once', async () => {
    const [figures] = numbers(
      await ask('approvals: panel 2'),
      'decisions',
      'denied',
      'by a person',
      'without a person',
      'agents',
    );
    // Eleven yes and a hook’s no of the coder, and one no of the other agent, by a person.
    assert.deepEqual(figures, [13, 2, 12, 1, 2]);
    assert.deepEqual(values(await ask('approvals: panel 8'), 'Agent', 'Tool', 'Yes of people').map(String), [
      `${coder},Bash,11`,
    ]);
    assert.equal(sum(await ask('approvals: panel 3'), 'denied by a person'), 1);
  });

  test('approvals: what was done in place of a denied call', async () => {
    const answer = await ask('approvals: panel 10');
    assert.deepEqual(values(answer, 'Denied tool', 'Denied by', 'Then called', 'Seconds later').map(String), [
      'Edit,hook,Write,10',
    ]);
    assert.equal(answer.rows[0]?.['Denied arguments'], '{"file_path":"/etc/hosts"}');
  });

  test('approvals: what rules asked for, beside what the agent told', async () => {
    const answer = await ask('approvals: panel 12');
    assert.deepEqual(values(answer, 'Rule says', 'Tool', 'Agent told then').map(String).sort(), [
      'approve,Bash,approved',
      'block,Edit,denied',
    ]);
  });

  test('coverage: shares of what is missing, by the kind of span that lacks it', async () => {
    const answer = await ask('coverage: panel 3');
    assert.deepEqual(values(answer, 'Agent').map(String), [coder]);
    const [shares] = numbers(answer, 'Model calls', 'Tool calls', 'No input', 'No output', 'No conversation');
    assert.deepEqual(shares, [1, 13, 1, 0, 1 / 14]);
    assert.deepEqual(numbers(answer, 'No arguments', 'No result', 'No user'), [[1 / 13, 1 / 13, 3 / 14]]);
    assert.deepEqual(values(await ask('coverage: panel 5'), 'Tool', 'Without arguments', 'Calls').map(String), [
      'Write,1,1',
    ]);
  });

  test('coverage: sandbox, dialects and agents that send log records alone', async () => {
    assert.deepEqual(
      values(await ask('coverage: panel 12'), 'Agent', 'Verdict', 'Calls that execute', 'Outside').map(String),
      [`${coder},outside a sandbox,12,1`],
    );
    assert.deepEqual(values(await ask('coverage: panel 9'), 'Dialect', 'Spans').map(String), ['claude_code,11']);
    assert.deepEqual(values(await ask('coverage: panel 10'), 'Agent', 'Agent sends', 'Without a trace').map(String), [
      'cli,log records alone,1',
      `${coder},spans, too,0`,
    ]);
  });

  test('coverage: tags of shipped rules that do not run, and of own rules that fire', async () => {
    const { rows } = await ask('coverage: panel 14');
    const verdict = (tag: string) => rows.find(({ Tag: each }) => each === tag)?.Verdict;
    assert.deepEqual(
      [verdict('owasp.llm06'), verdict('owasp.llm10'), verdict('acme.own')],
      ['fires', 'no rule runs', 'fires'],
    );
  });

  test('coverage: an agent that stopped', async () => {
    const from = new Date(now - 6 * 3_600_000);
    const answer = await grafana.run(queryNamed('spanwarden-coverage: panel 7'), { agent: 'stopped' }, { from });
    assert.deepEqual(values(answer, 'Agent', 'Verdict').map(String), ['stopped,gone silent']);
    const [[silence, longest] = []] = numbers(answer, 'Silence', 'Longest');
    // In steps of five minutes, up to a minute from now.
    assert.ok(silence! >= 240 * 60 && silence! < 246 * 60 && longest === 600, `${silence} ${longest}`);
  });

  test('health: a counter that began anew counts what came since', async () => {
    const answer = await ask('health: panel 5');
    assert.equal(Math.round(sum(answer, 'spans') * 60), 60 + 30);
    assert.deepEqual(
      values(await ask('health: panel 3'), 'What', 'Which', 'Count')
        .map(String)
        .sort(),
      ['records gone before a destination read them,siem,2', 'requests put off; senders try again,memory,2'],
    );
  });

  test('health: shares of requests out of buckets', async () => {
    const [quantiles] = numbers(await ask('health: panel 6'), 'half within', '95 of 100 within', '99 of 100 within');
    // 50 of 100 up to 10 ms: the half ends there. The last ten lie above the last bound.
    assert.deepEqual(quantiles, [0.01, 1, 1]);
  });

  test('health: collectors and destinations in trouble say which', async () => {
    assert.deepEqual(values(await ask('health: panel 2'), 'Collector', 'State', 'Of its memory').map(String), [
      'c0ffee,ClickHouse is behind,0.25',
    ]);
    const names = ['Destination', 'State', 'Waiting', 'Oldest waits', 'Dead letters'];
    assert.deepEqual(values(await ask('health: panel 19'), ...names).map(String), ['siem,retrying,12,900,1']);
    assert.deepEqual(numbers(await ask('health: panel 21'), 'Delivered', 'Lost', 'Retries'), [[2, 2, 0]]);
    assert.equal((await ask('health: panel 2', { collector: 'another' })).rows.length, 0);
  });
});

describe('every query of these boards, with hostile names beside', () => {
  before(() => loadGrafanaData(grafana.store));

  for (const query of queries) {
    test(`${query.name} finds what is there, in texts that are short and plain`, async () => {
      const { columns, rows } = await grafana.run(query);
      assert.ok(rows.length > 0);
      for (const value of rows.flatMap((row) => Object.values(row)).map(String)) {
        assert.ok(value.length <= 500);
        assert.doesNotMatch(value, /[\p{Cc}\p{Cf}]/u);
      }
      // The driver of the data source cannot read these when they may be null.
      assert.deepEqual(
        Object.values(columns).filter((type) => type.includes('AggregateFunction') && type.includes('Nullable')),
        [],
      );
      if (columns.time !== undefined) assert.deepEqual([Object.keys(columns)[0], columns.time], ['time', 'DateTime']);
    });
    test(`${query.name} takes hostile values in every variable as values`, async () => {
      for (const value of Object.values(hostile)) await grafana.run(query, everyVariable(query, value));
      const nobody = await grafana.run(query, everyVariable(query, `no${hostile.agent}`));
      if (query.sql.includes('$__conditionalAll') && !aboutAll.includes(query.name))
        assert.deepEqual(figuresOf(nobody), []);
    });
  }

  test('each variable finds again what it offers, hostile names too', async () => {
    for (const [variable, panel] of [
      ['rules: variable rule', 'rules: panel 6'],
      ['approvals: variable agent', 'approvals: panel 14'],
      ['coverage: variable agent', 'coverage: panel 3'],
      ['health: variable collector', 'health: panel 2'],
    ] as const) {
      const name = variable.replace(/^.* /, '');
      const offered = (await ask(variable)).rows.map((row) => String(Object.values(row)[0]));
      assert.ok(offered.length >= 1);
      for (const option of offered) {
        const { rows } = await ask(panel, { [name]: option });
        // An agent that sends log records alone has no spans to be shares of.
        assert.ok(rows.length === 1 || (option === 'cli' && panel === 'coverage: panel 3'), `${variable} ${option}`);
      }
    }
  });
});

/** Tags of shipped rules are there whoever fired. */
const aboutAll = ['spanwarden-coverage: panel 14'];

function everyVariable({ variables }: DashboardQuery, value: string): Record<string, string> {
  return Object.fromEntries(Object.keys(variables).map((name) => [name, value]));
}

function figuresOf({ rows }: Answer): unknown[] {
  return rows.flatMap((row) => Object.values(row)).filter((value) => value !== null && Number(value) !== 0);
}

function sum({ rows }: Answer, name: string): number {
  return rows.reduce((total, row) => total + Number(row[name]), 0);
}
