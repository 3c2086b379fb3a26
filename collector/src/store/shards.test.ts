import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createStoreClient, type StoreClient } from './client.ts';
import { embeddedPaths } from './embedded/endpoint.ts';
import { keptPassword } from './embedded/secrets.ts';
import { type EmbeddedServer, startEmbedded } from './embedded/start.ts';
import { encodeFindings } from './rows/findings.ts';
import { migrate } from './schema/migrate.ts';
import { runShipper } from './shipper.ts';
import { finding, MemorySource, segment, spanRows } from './testing/segments.ts';

// Two servers without Keeper: what ON CLUSTER would bring to each is run on each.
const layout = { cluster: 'shards', mode: 'sharded', keeper: false } as const;
const schema = { database: 'spanwarden', ttlDays: 30, findingsTtlDays: 365, layout };
const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-shards-'));
let servers: EmbeddedServer[] = [];
let client: StoreClient;

before(async () => {
  const members = await Promise.all(['a', 'b'].map(prepare));
  const shards = members.map(({ tcpPort, password }) => ({ tcpPort, password }));
  servers = await Promise.all(
    members.map(({ directory, tcpPort }) => startEmbedded({ dataDir: directory, tcpPort, shards })),
  );
  for (const server of servers) await migrate(server, schema);
  client = createStoreClient({ ...servers[0]!, isSharded: true });
});
after(async () => {
  await client?.close();
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(dataDir, { recursive: true, force: true });
});

async function prepare(name: string) {
  const directory = join(dataDir, name);
  mkdirSync(embeddedPaths(directory).directory, { recursive: true, mode: 0o700 });
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port: tcpPort } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return { directory, tcpPort, password: keptPassword(embeddedPaths(directory).password) };
}

async function rowsOf<T>(query: string): Promise<T[]> {
  return (await client.query({ query, format: 'JSONEachRow' })).json<T>();
}

async function ship(source: MemorySource, segments: number): Promise<void> {
  const stop = new AbortController();
  const running = runShipper({ source, client, signal: stop.signal });
  await source.settled(segments);
  stop.abort();
  await running;
}

describe('two shards', () => {
  it('have every row once, however often its segment is sent, and a conversation on one of them', async () => {
    const conversations = 20;
    const spans = Array.from({ length: 200 }, (_, n) => ({
      traceId: `trace-${n}`,
      spanId: `${n}`,
      attributes: { 'gen_ai.conversation.id': `conversation-${n % conversations}` },
      facts: { 'spanwarden.session': `session-${n}` },
    }));
    const rows = spanRows(spans);
    await ship(new MemorySource(...[1, 2, 3].map(() => segment('shards', rows))), 3);
    assert.deepEqual(
      await rowsOf(
        `SELECT count() AS rows, uniqExact(SpanId) AS spans, uniqExact(Facts['spanwarden.session'][1]) AS facts,
  uniqExact(StitchedSession) AS sessions FROM otel_traces`,
      ),
      [{ rows: '200', spans: '200', facts: '200', sessions: '200' }],
    );
    assert.deepEqual(await rowsOf('SELECT count() AS n FROM otel_traces_trace_id_ts'), [{ n: '200' }]);
    const placed = await rowsOf<{ shards: string }>(
      'SELECT ConversationId, uniqExact(_shard_num) AS shards FROM otel_traces GROUP BY ConversationId',
    );
    assert.deepEqual([placed.length, new Set(placed.map(({ shards }) => shards))], [conversations, new Set(['1'])]);
    assert.deepEqual(await rowsOf('SELECT uniqExact(_shard_num) AS n FROM otel_traces'), [{ n: '2' }]);
  });

  it('get rows again that one of them noted and lost', async () => {
    const rows = spanRows(Array.from({ length: 40 }, (_, n) => ({ traceId: `lost-${n}`, spanId: `${n}` })));
    await ship(new MemorySource(segment('lost', rows)), 1);
    const of = "SELECT count() AS n, uniqExact(SpanId) AS spans FROM otel_traces WHERE startsWith(TraceId, 'lost')";
    // Deleting leaves the tokens, as a kill between the token and the part does.
    await client.command({
      query: "ALTER TABLE otel_traces_local DELETE WHERE startsWith(TraceId, 'lost')",
      clickhouse_settings: { mutations_sync: '2' },
    });
    const [{ n: left }] = (await rowsOf(of)) as [{ n: string }];
    assert.ok(Number(left) > 0 && Number(left) < 40, `${left} rows are left on the other shard`);
    await ship(new MemorySource({ ...segment('lost', rows), takenMs: 0 }), 1);
    assert.deepEqual(await rowsOf(of), [{ n: '40', spans: '40' }]);
  });

  it('set a refused row aside and take the others once, whichever shard they are for', async () => {
    const rows = spanRows(
      Array.from({ length: 40 }, (_, n) => ({ traceId: `poison-${n}`, spanId: `${n}`, isPoisoned: n === 17 })),
    );
    const source = new MemorySource(segment('poison', rows), segment('poison', rows));
    await ship(source, 2);
    assert.deepEqual(
      source.dead.map(({ refused }) => refused.map(({ firstRow, rows }) => [firstRow, rows])),
      [[[17, 1]], [[17, 1]]],
    );
    assert.deepEqual(
      await rowsOf(
        "SELECT count() AS n, uniqExact(SpanId) AS spans FROM otel_traces WHERE startsWith(TraceId, 'poison')",
      ),
      [{ n: '39', spans: '39' }],
    );
  });

  it('give the newest state of a finding once, and answer the views that join tables', async () => {
    const first = Array.from({ length: 30 }, (_, n) =>
      finding({ id: `${10 + n}`.repeat(16), traceId: `t-${n}`, count: 1, lastSeenNanos: 1_767_261_602_000_000_000n }),
    );
    const later = first.map((each) => ({ ...each, count: 5, lastSeenNanos: 1_767_261_609_000_000_000n }));
    await ship(new MemorySource(segment('first', encodeFindings(first)), segment('later', encodeFindings(later))), 2);
    assert.deepEqual(await rowsOf('SELECT count() AS n, min(Count) AS least FROM findings FINAL'), [
      { n: '30', least: '5' },
    ]);
    assert.deepEqual(await rowsOf('SELECT count() AS n FROM findings_logs'), [{ n: '30' }]);
    assert.deepEqual(await rowsOf('SELECT count() AS n FROM otel_traces_full'), [{ n: '279' }]);
    assert.deepEqual(await rowsOf('SELECT * FROM case_list'), []);
  });
});
