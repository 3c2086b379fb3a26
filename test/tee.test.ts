import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { hopsHeader } from '../collector/src/model/tee-request.ts';
import { GrpcClient } from '../collector/src/otlp-check/grpc-client.ts';
import { otlpJson, otlpLogsProtobuf, otlpProtobuf, type TestSpan } from '../collector/src/testing/otlp.ts';
import { cliOf, main } from './support/cli.ts';
import { eventually } from './support/collector-process.ts';
import { startOtlpReceiver } from './support/otlp-receiver.ts';
import { testCollector } from './support/test-collector.ts';

// Requests on their way to other receivers, out of a collector as `spanwarden serve` runs it, over kills, restarts and receivers that are
// away.

const token = 'a-token-of-the-tests';
let isAway = true;
const [up, away] = await Promise.all([startOtlpReceiver(), startOtlpReceiver(() => (isAway ? 503 : 200))]);

/** Sends back to the collector what its tee sends, each time as another request. */
const circle = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const sent = gunzipSync(Buffer.concat(chunks));
  hops.push(String(request.headers[hopsHeader]));
  const headers = {
    'content-type': 'application/x-protobuf',
    [hopsHeader]: hops.at(-1)!,
    authorization: `Bearer ${token}`,
  };
  const body = Buffer.concat([sent, Buffer.from([0xc8, 0x30, hops.length])]);
  const sending = fetch(`${collector.url}/v1/traces`, { method: 'POST', headers, body });
  const code = await sending.then(
    ({ status }) => status,
    () => 502,
  );
  response.writeHead(code).end();
});
const hops: string[] = [];
await new Promise<void>((done) => circle.listen(0, '127.0.0.1', done));
const circlePort = (circle.address() as AddressInfo).port;

const collector =
  testCollector(`receive: { http: { listen: "127.0.0.1:0" }, grpc: { listen: "127.0.0.1:0" }, bearer_token: ${token} }
spool: { segment_age_max_ms: 50, grace_ms: 1000, resent_spans_max: 0 }
detect: { checkpoint_interval_ms: 1000 }
tee:
  destinations:
    up: { endpoint: "${up.url}", contents: as_sent, signals: [traces, logs], batch: { requests: 1, linger_ms: 0 }, concurrency: 4 }
    away: { endpoint: "${away.url}", contents: as_sent, signals: [traces, logs] }
    circle: { endpoint: "http://127.0.0.1:${circlePort}", contents: as_sent, services: [goes-round] }
`);
const clients: GrpcClient[] = [];
after(async () => {
  for (const client of clients) client.close();
  circle.closeAllConnections();
  circle.close();
  await Promise.all([up.close(), away.close()]);
});

/** A request that is like no other, with a field that OTLP does not have. */
function traces(count = 3, service = 'shop'): Buffer {
  const spans = Array.from({ length: count }, (): TestSpan => {
    return {
      spanId: randomBytes(8).toString('hex'),
      traceId: randomBytes(16).toString('hex'),
      attributes: { z: 1, a: 'b' },
    };
  });
  return Buffer.concat([otlpProtobuf(spans, { 'service.name': service }), Buffer.from([0xc8, 0x30, 7])]);
}

interface Sent {
  readonly body: Buffer;
  readonly path: string;
  readonly type: string;
}

const ways: readonly (() => Sent)[] = [
  () => ({ body: traces(), path: '/v1/traces', type: 'application/x-protobuf' }),
  () => {
    const json = {
      ...otlpJson([{ traceId: randomBytes(16).toString('hex') }]),
      unknown: randomBytes(9).toString('hex'),
    };
    return { body: Buffer.from(JSON.stringify(json, null, 1)), path: '/v1/traces', type: 'application/json' };
  },
  () => {
    const body = otlpLogsProtobuf([{ body: randomBytes(20).toString('hex') }]);
    return { body, path: '/v1/logs', type: 'application/x-protobuf' };
  },
];

async function post({ body, path, type }: Sent, key = token): Promise<number> {
  const headers = { 'content-type': type, authorization: `Bearer ${key}` };
  return fetch(`${collector.url}${path}`, { method: 'POST', headers, body }).then(
    ({ status }) => status,
    () => 0,
  );
}

/** Requests that are acknowledged, one after the other, until told to stop. */
async function sendUntil(isOver: () => boolean, acknowledged: Sent[]): Promise<void> {
  for (let number = 0; !isOver(); number++) {
    const sent = ways[number % ways.length]!();
    if ((await post(sent)) === 200) acknowledged.push(sent);
    else await sleep(50);
  }
}

async function arrived(all: readonly Sent[], at: typeof up, isWhole: boolean): Promise<void> {
  await eventually(`${all.length} requests`, async () => {
    const missing = all.filter(({ body, path, type }) => {
      const here = at.requests.filter((request) => request.path === path && request.headers['content-type'] === type);
      return !here.some((request) => (isWhole ? request.body.equals(body) : request.body.includes(body)));
    });
    return missing.length === 0 || undefined;
  });
}

test('kill -9 amid them: every acknowledged request arrives, byte for byte, over HTTP and gRPC', async () => {
  const acknowledged: Sent[] = [];
  for (let round = 0; round < 2; round++) {
    let isOver = false;
    const senders = Array.from({ length: 4 }, () => sendUntil(() => isOver, acknowledged));
    await sleep(700);
    await collector.restart('SIGKILL');
    isOver = true;
    await Promise.all(senders);
  }
  const client = new GrpcClient(collector.grpcUrl);
  clients.push(client);
  const body = traces();
  const grpc = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  assert.equal((await client.call(grpc, body, { authorization: `Bearer ${token}` })).code, 0);
  acknowledged.push({ body, path: '/v1/traces', type: 'application/x-protobuf' });
  assert.ok(acknowledged.length > 30, `${acknowledged.length} were acknowledged`);
  await arrived(acknowledged, up, true);
  // One that is away has nobody wait, and gets them when it is back: also what the store has long since.
  await eventually('the store has all', async () => {
    const metrics = await fetch(`${collector.url}/metrics`).then((answer) => answer.text());
    return /^spanwarden_spool_segments 0$/m.test(metrics) || undefined;
  });
  await collector.restart('SIGTERM');
  assert.equal(await post(ways[0]!()), 200);
  // Segments that nobody holds go every second, once a checkpoint covers them.
  await sleep(4_000);
  isAway = false;
  await arrived(acknowledged, away, false);
  const several = away.requests.filter(
    ({ body: sent }) => acknowledged.filter((each) => sent.includes(each.body)).length > 1,
  );
  assert.ok(several.length > 0, 'what waited goes together');
});

test('what is refused does not go on, nor what comes again', async () => {
  const refused = traces();
  assert.equal(
    await post({ body: refused, path: '/v1/traces', type: 'application/x-protobuf' }, 'another-token-of-16'),
    401,
  );
  const broken = Buffer.concat([traces(), Buffer.from([0xff])]);
  assert.equal(await post({ body: broken, path: '/v1/traces', type: 'application/x-protobuf' }), 400);
  const good = traces();
  const bad = otlpProtobuf([{ traceId: 'ab', name: 'bad span' }]);
  const mixed: Sent = { body: Buffer.concat([bad, good]), path: '/v1/traces', type: 'application/x-protobuf' };
  assert.equal(await post(mixed), 200);
  const twice: Sent = { body: traces(), path: '/v1/traces', type: 'application/x-protobuf' };
  assert.deepEqual([await post(twice), await post(twice)], [200, 200]);
  await arrived([{ ...mixed, body: good }, twice], up, true);
  const seen = up.requests.map(({ body }) => body);
  assert.ok(!seen.some((body) => [refused, broken, bad].some((each) => body.includes(each))));
  assert.equal(seen.filter((body) => body.equals(twice.body)).length, 1);
});

test('a circle ends', async () => {
  const { length } = hops;
  assert.equal(await post({ body: traces(1, 'goes-round'), path: '/v1/traces', type: 'application/x-protobuf' }), 200);
  await eventually('the request comes round', async () => {
    const metrics = await fetch(`${collector.url}/metrics`).then((answer) => answer.text());
    return /^spanwarden_tee_looped_requests 1$/m.test(metrics) || undefined;
  });
  assert.deepEqual(hops.slice(length), ['1', '2', '3', '4', '5', '6', '7', '8']);
  const ready = (await fetch(`${collector.url}/readyz`).then((answer) => answer.json())) as { warnings: string[] };
  assert.ok(
    ready.warnings.some((line) => line.includes('tees stand in a circle')),
    JSON.stringify(ready),
  );
});

test('commands know tees', async () => {
  const run = cliOf(collector.home, 'export');
  await eventually('the status of all tees', async () => {
    const statuses = JSON.parse(run('status', '--json').stdout) as { name: string; type: string; state: string }[];
    const said = statuses.map(({ name, type, state }) => `${name} ${type} ${state}`).join(', ');
    return said === 'up tee ok, away tee ok, circle tee ok' || undefined;
  });
  // Not `run`, during which this process would answer nothing.
  const args = [main, 'export', 'test', 'up', '--config', collector.home.configFile];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  assert.match(
    stdout,
    /delivered {2}up .*\n {2}event +traces\n {2}answer +HTTP 200\n.*delivered {2}up .*\n {2}event +logs/s,
  );
  assert.match(run('replay', 'up', '--since', '1h').stderr, /up is a tee.*no findings and cases to replay/);
  assert.equal(run('dead-letter', 'list', 'up').code, 0);
});
