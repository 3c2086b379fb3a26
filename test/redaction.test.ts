import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { secrets } from '../collector/src/redact/testing/secrets.ts';
import { otlpProtobuf, type TestSpan } from '../collector/src/testing/otlp.ts';
import { cliOf } from './support/cli.ts';
import { eventually } from './support/collector-process.ts';
import { testCollector } from './support/test-collector.ts';

/** The default profile, with a real collector and a real ClickHouse; rules see what is not stored. */
const collector = testCollector('spool: { segment_age_max_ms: 50 }\n');
const { clickhouse, home } = collector;

const samples = Object.entries(secrets).map(([kind, sample]) => ({ kind, ...sample(11) }));

test('no secret can be read from any column of any table, and findings are made of the clear text', async () => {
  const spans = samples.flatMap(({ text, kind }, i): TestSpan[] => {
    const conversation = { 'gen_ai.conversation.id': `c-${i}`, 'gen_ai.agent.name': `agent ${kind}` };
    return [
      {
        name: `call ${text}`,
        attributes: {
          ...conversation,
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': 'send_email',
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
