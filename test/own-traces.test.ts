import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { otlpLogsProtobuf, otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { clickhouseOf } from './support/clickhouse.ts';
import { CollectorProcess, createHome, eventually, sendTraces } from './support/collector-process.ts';
import { freePort } from './support/free-port.ts';

/** A collector that sends the spans of its own work to itself: the worst place there is for them. */
const token = 'a-token-for-this-test';
const content = 'what-a-user-typed-into-a-prompt';
const port = await freePort();
const home = createHome(
  `spool: { segment_age_max_ms: 50 }
receive: { bearer_token: ${token}, http: { listen: "127.0.0.1:${port}" }, grpc: { listen: "127.0.0.1:0" } }
telemetry:
  traces:
    endpoint: http://127.0.0.1:${port}/v1/traces
    ratio: 1
    headers: { authorization: "Bearer ${token}" }
`,
);
const clickhouse = clickhouseOf(home.dataDir);
let collector: CollectorProcess;

before(async () => {
  collector = await CollectorProcess.start(home);
});
after(async () => {
  await clickhouse.close();
  await collector.end('SIGTERM');
  home.remove();
});

interface Row {
  readonly id: string;
  readonly parent: string;
  readonly trace: string;
  readonly name: string;
  readonly status: string;
  readonly from: string;
  readonly nanos: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const own = `SELECT SpanId AS id, ParentSpanId AS parent, TraceId AS trace, SpanName AS name, StatusCode AS status,
  toString(Timestamp) AS from, toString(Duration) AS nanos, SpanAttributes AS attributes
  FROM otel_traces WHERE ServiceName = 'spanwarden-collector' ORDER BY Timestamp, Duration DESC`;

async function post(signal: string, body: Buffer): Promise<number> {
  const headers = { 'content-type': 'application/x-protobuf', authorization: `Bearer ${token}` };
  const answer = await fetch(`${collector.url}/v1/${signal}`, { method: 'POST', body: body as never, headers });
  return answer.status;
}

/** Waits until so many requests have their spans in ClickHouse. */
function told(count: number): Promise<Row[]> {
  return eventually(`spans of ${count} requests`, async () => {
    const rows = await clickhouse.rows<Row>(own);
    return rows.filter(({ name }) => name.startsWith('receive ')).length >= count ? rows : undefined;
  });
}

test('requests and segments are told, stage by stage, without content, and spans about spans are not', async () => {
  const attributes = {
    ...{ 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'bash' },
    'gen_ai.tool.call.arguments': JSON.stringify({ command: `echo ${content}` }),
  };
  assert.equal(
    await post('traces', otlpProtobuf([{ name: content, attributes }, { attributes }], { [content]: content })),
    200,
  );
  await told(1);
  assert.equal(await post('logs', otlpLogsProtobuf([{ body: content }])), 200);
  await told(2);
  assert.equal(await post('traces', Buffer.from(content)), 400);
  await told(3);
  assert.equal(await post('traces', otlpProtobuf([{ name: content }])), 200);
  const rows = await told(4);

  const requests = rows.filter(({ name }) => name.startsWith('receive '));
  assert.deepEqual(
    requests.map(({ name, status, attributes: all }) => [
      ...[name, status, all['spanwarden.collector.outcome'], all['spanwarden.collector.records']],
    ]),
    [
      ['receive traces', 'Unset', 'ok', '2'],
      ['receive logs', 'Unset', 'ok', '1'],
      ['receive traces', 'Error', 'SW_OTLP_PROTOBUF', undefined],
      ['receive traces', 'Unset', 'ok', '1'],
    ],
  );
  const below = (root: Row) => rows.filter(({ parent }) => parent === root.id);
  const [first, , malformed] = requests as [Row, Row, Row, Row];
  assert.deepEqual(
    below(first)
      .map(({ name }) => name)
      .sort(),
    ['append', 'decode', 'detect', 'encode'],
  );
  assert.deepEqual(
    below(malformed).map(({ name }) => name),
    ['decode'],
  );
  const sum = below(first).reduce((nanos, each) => nanos + Number(each.nanos), 0);
  assert.ok(Math.abs(sum - Number(first.nanos)) < 10_000, `stages take ${sum} ns of ${first.nanos} ns`);

  const ships = rows.filter(({ name }) => name === 'ship');
  assert.ok(ships.length > 0 && ships.length <= 3, `${ships.length} segments of 3 requests`);
  assert.ok(ships.some((ship) => below(ship).some(({ name }) => name === 'insert otel_traces')));

  const text = JSON.stringify(
    await clickhouse.rows("SELECT * FROM otel_traces WHERE ServiceName = 'spanwarden-collector'"),
  );
  assert.ok(!text.includes(content) && !text.includes(token));
  const metrics = await (await fetch(`${collector.url}/metrics`)).text();
  const number = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
  assert.ok(number('spanwarden_receive_requests_total\\{code="200"\\}') >= 6, 'its own spans did come in');
  assert.ok(number('spanwarden_telemetry_exported_spans') >= rows.length);
  assert.equal(number('spanwarden_telemetry_failed_spans'), 0);
});

test('an endpoint that is away costs nobody anything: it is said once, counted, and the collector ends in time', async () => {
  const away = createHome(
    `telemetry: { traces: { endpoint: "http://127.0.0.1:${await freePort()}/v1/traces", ratio: 1 } }\n`,
  );
  const other = await CollectorProcess.start(away);
  try {
    const send = () => sendTraces(other.url, otlpProtobuf([{ name: 'a' }]));
    assert.ok(await send());
    await eventually('the first spans fail', async () => {
      const metrics = await (await fetch(`${other.url}/metrics`)).text();
      return /^spanwarden_telemetry_failed_spans [1-9]/m.test(metrics) || undefined;
    });
    assert.ok(await send());
    assert.equal(await other.end('SIGTERM'), 0);
    assert.equal(other.log.match(/telemetry\.traces: spans cannot be sent/g)?.length, 1, other.log);
  } finally {
    await other.end('SIGKILL');
    away.remove();
  }
});
