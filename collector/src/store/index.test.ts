import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientOptions } from './client.ts';
import { clickhouseConfigSchema } from './config.ts';
import { readEndpoint } from './embedded/endpoint.ts';
import { startEmbedded } from './embedded/start.ts';
import { rowCounts } from './findings-reader.ts';
import { openStore, type Store } from './index.ts';
import { encodeFindings } from './rows/findings.ts';
import { otelTracesColumns } from './rows/otel-traces.ts';
import { migrate } from './schema/migrate.ts';
import { migrations } from './schema/migrations.ts';
import { finding, MemorySource, segment, spanRows } from './testing/segments.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-store-'));
let store: Store;

before(async () => {
  store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
  await store.migrated();
});
after(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function rowsOf<T>(query: string): Promise<T[]> {
  const result = await store.client.query({ query, format: 'JSONEachRow' });
  return result.json<T>();
}

async function count(table: string): Promise<number> {
  const [row] = await rowsOf<{ n: string }>(`SELECT count() AS n FROM ${table}`);
  return Number(row!.n);
}

/** Ships until every segment of the source is settled. */
async function ship(source: MemorySource, segments: number, on: Store = store): Promise<void> {
  const stop = new AbortController();
  const running = on.run(source, stop.signal);
  await source.settled(segments);
  stop.abort();
  await running;
}

describe('the schema', () => {
  it('has the 22 columns of the exporter first, in order, and ours behind as columns that SELECT * leaves out', async () => {
    const columns = await rowsOf<{ name: string; type: string; default_kind: string }>(
      "SELECT name, type, default_kind FROM system.columns WHERE database = currentDatabase() AND table = 'otel_traces' ORDER BY position",
    );
    const map = 'Map(LowCardinality(String), String)';
    assert.deepEqual(
      columns.slice(0, 22).map(({ name, type }) => `${name} ${type}`),
      [
        'Timestamp DateTime64(9)',
        'TraceId String',
        'SpanId String',
        'ParentSpanId String',
        'TraceState String',
        'SpanName LowCardinality(String)',
        'SpanKind LowCardinality(String)',
        'ServiceName LowCardinality(String)',
        `ResourceAttributes ${map}`,
        'ScopeName String',
        'ScopeVersion String',
        `SpanAttributes ${map}`,
        'Duration UInt64',
        'StatusCode LowCardinality(String)',
        'StatusMessage String',
        'Events.Timestamp Array(DateTime64(9))',
        'Events.Name Array(LowCardinality(String))',
        `Events.Attributes Array(${map})`,
        'Links.TraceId Array(String)',
        'Links.SpanId Array(String)',
        'Links.TraceState Array(String)',
        `Links.Attributes Array(${map})`,
      ],
    );
    assert.deepEqual(
      columns.slice(22).map(({ name, default_kind }) => `${name} ${default_kind}`),
      [
        'AgentName',
        'ConversationId',
        'UserId',
        'ToolName',
        'OperationName',
        'RequestModel',
        'InputTokens',
        'OutputTokens',
        'AttributeTypesIn EPHEMERAL',
        'AttributeTypes',
        'FactsIn EPHEMERAL',
        'Facts',
        'StitchedSession',
        'SessionId ALIAS',
        'SessionSource ALIAS',
      ].map((name) => (name.includes(' ') ? name : `${name} MATERIALIZED`)),
    );
  });

  it('gives logs the alias that older readers ask for', async () => {
    await store.client.command({
      query: "INSERT INTO otel_logs (Timestamp, Body) VALUES ('2026-11-22 10:00:00.5', 'x')",
      clickhouse_settings: { async_insert: 0 },
    });
    assert.deepEqual(await rowsOf('SELECT TimestampTime, Body FROM otel_logs'), [
      { TimestampTime: '2026-11-22T10:00:00Z', Body: 'x' },
    ]);
  });

  it('is the same after any number of starts, and its migrations are numbered in order', async () => {
    const before = await definitions();
    for (let start = 0; start < 2; start++) {
      await migrate(connection(), { database: 'spanwarden', ttlDays: 30, findingsTtlDays: 365 });
    }
    assert.deepEqual(await definitions(), before);
    assert.deepEqual(
      migrations.map(({ version }) => version),
      migrations.map((_, index) => index + 1),
    );
    const applied = await rowsOf<{ Version: number; Name: string }>(
      'SELECT Version, Name FROM spanwarden_migrations ORDER BY AppliedAt, Version',
    );
    assert.deepEqual(
      applied.map(({ Version, Name }) => [Version, Name]),
      migrations.map(({ version, name }) => [version, name]),
    );
  });

  it('takes no database name that is more than a name', async () => {
    const options = { database: 'x; DROP TABLE y', ttlDays: 1, findingsTtlDays: 1 };
    await assert.rejects(migrate(connection(), options), TypeError);
  });

  async function definitions(): Promise<Map<string, string>> {
    const tables = await rowsOf<{ name: string; engine_full: string; create_table_query: string }>(
      'SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()',
    );
    return new Map(tables.map((table) => [table.name, table.create_table_query]));
  }
});

describe('shipping', () => {
  it('is exactly once, however often a segment is sent, in the view behind the table too', async () => {
    const rows = spanRows([
      { traceId: 'once-a', spanId: '1' },
      { traceId: 'once-a', spanId: '2' },
      { traceId: 'once-b', spanId: '3' },
    ]);
    const found = encodeFindings([finding({ id: '11'.repeat(16), traceId: 'once-a' })]);
    const source = new MemorySource(...[1, 2, 3].map(() => segment('once', rows, found)));
    await ship(source, 3);
    assert.deepEqual(source.sentIds, ['once', 'once', 'once']);
    assert.equal(await count("otel_traces WHERE startsWith(TraceId, 'once')"), 3);
    assert.equal(await count("otel_traces_trace_id_ts WHERE startsWith(TraceId, 'once')"), 2);
    assert.equal(await count("findings WHERE TraceId = 'once-a'"), 1);
  });

  it('keeps the newest state of a finding, in whatever order its states land', async () => {
    const first = finding({
      id: '22'.repeat(16),
      traceId: 'updated',
      count: 2,
      lastSeenNanos: 1_767_261_602_000_000_000n,
    });
    const later = { ...first, count: 7, lastSeenNanos: 1_767_261_609_000_000_000n };
    await ship(
      new MemorySource(...[later, first].map((each, n) => segment(`updated-${n}`, encodeFindings([each])))),
      2,
    );
    assert.deepEqual(
      await rowsOf("SELECT Count, toUnixTimestamp(LastSeen) AS seen FROM findings FINAL WHERE TraceId = 'updated'"),
      [{ Count: '7', seen: 1_767_261_609 }],
    );
  });

  it('is exactly once for a segment that has to be cut into several blocks', async () => {
    const text = 'x'.repeat(50_000);
    const rows = spanRows(
      Array.from({ length: 1_000 }, (_, n) => ({ traceId: 'large', attributes: { text, n: `${n}` } })),
    );
    await ship(new MemorySource(segment('large', rows), segment('large', rows)), 2);
    const [stored] = await rowsOf(
      "SELECT count() AS n, uniqExact(SpanAttributes['n']) AS distinct FROM otel_traces WHERE TraceId = 'large'",
    );
    assert.deepEqual(stored, { n: '1000', distinct: '1000' });
    // One row of the view a block.
    assert.equal(await count("otel_traces_trace_id_ts WHERE TraceId = 'large'"), 2);
  });

  it('stores equal rows of different segments each', async () => {
    const rows = spanRows([{ traceId: 'equal', timeNanos: 1_795_000_000_000_000_000n }]);
    await ship(new MemorySource(segment('equal-1', rows), segment('equal-2', rows)), 2);
    assert.equal(await count("otel_traces WHERE TraceId = 'equal'"), 2);
  });

  it('takes what rules and dashboards ask for out of the attributes, whatever stands there', async () => {
    const attributes = {
      'gen_ai.agent.name': 'support',
      'gen_ai.conversation.id': 'conversation-1',
      'gen_ai.operation.name': 'chat',
      'gen_ai.request.model': 'gpt',
      'gen_ai.tool.name': 'http.post',
      'gen_ai.usage.input_tokens': '18446744073709551615',
      'gen_ai.usage.output_tokens': '12; DROP TABLE otel_traces',
      'user.id': 'user-1',
    };
    await ship(new MemorySource(segment('derived', spanRows([{ traceId: 'derived', attributes }]))), 1);
    const [row] = await rowsOf(
      `SELECT AgentName, ConversationId, UserId, ToolName, OperationName, RequestModel, InputTokens, OutputTokens,
  SpanAttributes FROM otel_traces WHERE TraceId = 'derived'`,
    );
    assert.deepEqual(row, {
      AgentName: 'support',
      ConversationId: 'conversation-1',
      UserId: 'user-1',
      ToolName: 'http.post',
      OperationName: 'chat',
      RequestModel: 'gpt',
      InputTokens: '18446744073709551615',
      OutputTokens: '0',
      SpanAttributes: attributes,
    });
  });

  it('takes spans of many days in one segment', async () => {
    const day = 86_400_000_000_000n;
    const now = BigInt(Date.now()) * 1_000_000n;
    const rows = spanRows(
      Array.from({ length: 110 }, (_, back) => ({ traceId: 'days', timeNanos: now - BigInt(back) * day })),
    );
    const source = new MemorySource(segment('days', rows));
    await ship(source, 1);
    assert.deepEqual(source.dead, []);
  });

  it('sets rows that ClickHouse refuses aside with the reason, and the rest lands', async () => {
    const good = spanRows([{ traceId: 'good' }]);
    const cut = { ...good, bytes: good.bytes.subarray(0, good.bytes.length - 5) };
    // Long enough that the refusal comes while it is still being sent.
    const garbage = { ...good, bytes: Buffer.alloc(12 * 1024 * 1024, 0xff) };
    const source = new MemorySource(segment('cut', cut), segment('garbage', garbage), segment('good', good));
    const events: string[] = [];
    const stop = new AbortController();
    const running = store.run(source, stop.signal, {
      deadLettered: (rows) => events.push(`dead ${rows}`),
      segment: () => events.push('segment'),
      inserted: (table, rows) => events.push(`${table} ${rows}`),
    });
    await source.settled(3);
    stop.abort();
    await running;
    assert.deepEqual(
      source.dead.map(({ id, refused }) => [id, refused.length, refused[0]!.rows, refused[0]!.bytes.length]),
      [
        ['cut', 1, 1, cut.bytes.length],
        ['garbage', 1, 1, garbage.bytes.length],
      ],
    );
    for (const { refused } of source.dead) assert.match(refused[0]!.reason, /^\d+ [A-Z_]+/);
    assert.deepEqual(source.sentIds, ['good']);
    assert.equal(await count("otel_traces WHERE TraceId = 'good'"), 1);
    assert.deepEqual(events, ['dead 1', 'segment', 'dead 1', 'segment', 'otel_traces 1', 'segment']);
  });

  it('finds a refused row at every place, and sends the others once, also when the segment comes again', async () => {
    const rows = 7;
    for (let poisoned = 0; poisoned < rows; poisoned++) {
      const traceId = `poison-${poisoned}`;
      const all = spanRows(
        Array.from({ length: rows }, (_, index) => ({ traceId, spanId: `${index}`, isPoisoned: index === poisoned })),
      );
      const source = new MemorySource(segment(traceId, all), segment(traceId, all));
      await ship(source, 2);
      for (const { refused } of source.dead) {
        assert.deepEqual(
          refused.map(({ firstRow, rows }) => [firstRow, rows]),
          [[poisoned, 1]],
        );
        assert.match(refused[0]!.reason, /^190 /);
      }
      assert.deepEqual([source.dead.length, source.sentIds.length], [2, 0]);
      assert.equal(await count(`otel_traces WHERE TraceId = '${traceId}'`), rows - 1);
      assert.equal(await count(`otel_traces WHERE TraceId = '${traceId}' AND SpanId = '${poisoned}'`), 0);
    }
  });

  it('takes rows of fewer columns, as an older version wrote them', async () => {
    const rows = spanRows([{ traceId: 'older' }], { columns: otelTracesColumns.length });
    const older = segment('older', rows);
    const tables = older.tables.map((part) => ({ ...part, columns: otelTracesColumns.length }));
    const source = new MemorySource({ ...older, tables });
    await ship(source, 1);
    assert.deepEqual([source.sentIds, source.dead], [['older'], []]);
    assert.equal(await count("otel_traces WHERE TraceId = 'older'"), 1);
  });

  it('goes on where it was when the server dies, with the same client', async () => {
    const source = new MemorySource(segment('alive', spanRows([{ traceId: 'restart' }])));
    const stop = new AbortController();
    const running = store.run(source, stop.signal);
    await source.settled(1);
    process.kill(store.endpoints.embedded!.pid, 'SIGKILL');
    await sleep(20);
    source.add(segment('after-death', spanRows([{ traceId: 'restart' }])));
    await source.settled(2);
    stop.abort();
    await running;
    assert.equal(await count("otel_traces WHERE TraceId = 'restart'"), 2);
  });
});

describe('a server that is not there yet', () => {
  it('is no error: rows wait, and land when it comes up', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'spanwarden-store-'));
    const first = await startEmbedded({ dataDir: directory });
    await first.stop();
    const config = clickhouseConfigSchema.parse({ url: first.url, username: first.username, password: first.password });
    const late = await openStore(config, { dataDir: directory });
    const source = new MemorySource(segment('late', spanRows([{ traceId: 'late' }])));
    const stop = new AbortController();
    const running = late.run(source, stop.signal);
    await until(() => !late.ready().ok && /ECONNREFUSED/.test(JSON.stringify(late.ready())));
    assert.deepEqual(source.sentIds, []);
    const server = await startEmbedded({ dataDir: directory });
    await source.settled(1);
    assert.deepEqual(late.ready(), { ok: true });
    assert.match(await late.version(), /^\d+\.\d+/);
    assert.equal((await rowCounts(late.client)).otel_traces, 1);
    stop.abort();
    await running;
    await late.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('can be given up on at any moment', async () => {
    const config = clickhouseConfigSchema.parse({ url: `http://127.0.0.1:${await closedPort()}` });
    const never = await openStore(config, { dataDir });
    const source = new MemorySource(segment('never', spanRows([{}])));
    const running = never.run(source, new AbortController().signal);
    await never.close();
    await running;
    await assert.rejects(never.migrated());
    assert.deepEqual(source.sentIds, []);
  });

  it('tells a refused account from a server that is away', async () => {
    const config = clickhouseConfigSchema.parse({
      url: store.endpoints.url,
      username: 'spanwarden',
      password: 'wrong',
    });
    const refused = await openStore(config, { dataDir });
    await until(() => /AUTHENTICATION_FAILED|REQUIRED_PASSWORD|WRONG_PASSWORD/.test(JSON.stringify(refused.ready())));
    assert.equal(refused.ready().ok, false);
    await refused.close();
  });
});

function connection(): ClientOptions {
  return readEndpoint(dataDir)!;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}
