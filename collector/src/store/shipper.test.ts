import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { pino } from 'pino';
import { createStoreClient, type StoreClient } from './client.ts';
import { backoffMs, runShipper } from './shipper.ts';
import { MemorySource, segment, spanRows } from './testing/segments.ts';

/** A server that answers inserts with what the test says next: what the real one does only when it is ill. */
const answers: { status: number; code?: string; message?: string }[] = [];
const asked: { url: URL; bytes: number }[] = [];
let server: Server;
let client: StoreClient;

before(async () => {
  server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      asked.push({ url: new URL(request.url!, 'http://localhost'), bytes });
      const { status, code, message = '' } = answers.shift() ?? { status: 200 };
      if (code) response.setHeader('X-ClickHouse-Exception-Code', code);
      response.writeHead(status).end(message);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  client = createStoreClient({ url: `http://127.0.0.1:${port}`, username: 'u', password: 'p', database: 'd' });
});
after(async () => {
  await client.close();
  server.close();
});
beforeEach(() => {
  answers.length = 0;
  asked.length = 0;
});

async function shipAll(source: MemorySource, count: number) {
  const stop = new AbortController();
  const lines: { level: number; msg: string; reason?: string }[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) });
  const health: (string | undefined)[] = [];
  const running = runShipper({
    source,
    client,
    signal: stop.signal,
    logger,
    health: (failure) => health.push(failure?.kind),
  });
  await source.settled(count);
  stop.abort();
  await running;
  return { lines, health };
}

const rows = spanRows([{ traceId: 'a' }, { traceId: 'b' }]);

test('an insert carries the token of its segment and table, the columns, and the bytes as they are', async () => {
  await shipAll(new MemorySource(segment('spool-7', rows)), 1);
  const [{ url, bytes }] = asked as [{ url: URL; bytes: number }];
  assert.equal(url.searchParams.get('insert_deduplication_token'), 'spool-7:otel_traces');
  assert.equal(url.searchParams.get('async_insert'), '0');
  assert.equal(url.searchParams.get('insert_deduplicate'), '1');
  assert.equal(url.searchParams.get('deduplicate_blocks_in_dependent_materialized_views'), '1');
  assert.equal(url.searchParams.get('wait_end_of_query'), '1');
  assert.match(url.searchParams.get('query')!, /^INSERT INTO otel_traces \(Timestamp, TraceId, .*\) FORMAT RowBinary/);
  assert.equal(bytes, rows.bytes.length);
});

test('trouble that may pass is tried again, told once, and nothing is set aside or overtaken', async () => {
  const busy = { status: 500, code: '241', message: 'Code: 241. DB::Exception: Memory limit. (MEMORY_LIMIT_EXCEEDED)' };
  answers.push({ status: 503, message: 'upstream' }, busy, busy);
  const source = new MemorySource(segment('first', rows), segment('second', rows));
  const { lines, health } = await shipAll(source, 2);
  assert.deepEqual(source.sentIds, ['first', 'second']);
  assert.deepEqual(source.dead, []);
  assert.deepEqual(
    asked.flatMap(({ url }) => url.searchParams.get('insert_deduplication_token') ?? []),
    ['first', 'first', 'first', 'first', 'second'].map((id) => `${id}:otel_traces`),
  );
  assert.deepEqual(health, ['retryable', 'retryable', 'retryable', undefined]);
  assert.deepEqual(
    lines.map(({ level }) => level),
    [40, 30],
  );
});

test('a wrong configuration is told as one and costs no rows', async () => {
  answers.push({
    status: 403,
    code: '497',
    message: 'Code: 497. DB::Exception: u: Not enough privileges. (ACCESS_DENIED)',
  });
  const source = new MemorySource(segment('kept', rows));
  const { lines, health } = await shipAll(source, 1);
  assert.deepEqual(source.sentIds, ['kept']);
  assert.deepEqual(health, ['config', undefined]);
  assert.match(lines[0]!.msg, /check url, username, password, database and grants/);
  assert.match(lines[0]!.reason!, /ACCESS_DENIED/);
});

test('an abort ends the waiting, and the segment stays unsent', async () => {
  answers.push(...Array.from({ length: 100 }, () => ({ status: 503, message: 'down' })));
  const source = new MemorySource(segment('waiting', rows));
  const stop = new AbortController();
  let retries = 0;
  await runShipper({
    source,
    client,
    signal: stop.signal,
    hooks: {
      retried: () => {
        if (++retries === 2) stop.abort();
      },
    },
  });
  assert.deepEqual([source.sentIds, source.dead], [[], []]);
});

test('waits grow up to a cap, with jitter of a half', () => {
  assert.equal(
    backoffMs(0, 'retryable', () => 1),
    100,
  );
  assert.equal(
    backoffMs(0, 'retryable', () => 0),
    50,
  );
  assert.equal(
    backoffMs(3, 'retryable', () => 1),
    800,
  );
  assert.equal(
    backoffMs(1_000_000, 'retryable', () => 1),
    30_000,
  );
  assert.equal(
    backoffMs(0, 'config', () => 1),
    2_000,
  );
  assert.equal(
    backoffMs(50, 'config', () => 1),
    30_000,
  );
});
