import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { limits } from '../model/limits.ts';
import { readSuccess } from '../otlp-check/exchange.ts';
import { GrpcClient } from '../otlp-check/grpc-client.ts';
import { Admission } from './admission.ts';
import type { OtlpOutcome, Signal } from './contract.ts';
import { type GrpcIntake, grpcIntake } from './grpc.ts';
import { admitting } from './testing/admitting.ts';

const traces = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const logs = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
const full: OtlpOutcome = { status: 'ok', rejected: 0, message: '' };

interface Setup {
  readonly intake: GrpcIntake;
  readonly client: GrpcClient;
  readonly url: string;
  readonly taken: { signal: Signal; bytes: Buffer; hops: number | undefined }[];
  readonly answered: string[];
}

const started: Setup[] = [];
after(async () => {
  for (const { client, intake } of started) {
    client.close();
    await intake.close(0);
  }
});

async function start(
  options: {
    outcome?: () => Promise<OtlpOutcome>;
    token?: string;
    admission?: Admission;
    headers?: Record<string, string>;
  } = {},
) {
  const taken: Setup['taken'] = [];
  const answered: string[] = [];
  const intake = grpcIntake({
    admit: admitting(options.token),
    admission: options.admission ?? new Admission({ bytesMax: limits.requestsBytesMax }),
    consume: async (encoding, bytes, signal, hops) => {
      assert.equal(encoding, 'protobuf');
      taken.push({ signal, bytes, hops });
      return options.outcome?.() ?? full;
    },
    answered: (code) => answered.push(code),
  });
  intake.connections.listen(0, '127.0.0.1');
  await once(intake.connections, 'listening');
  const url = `http://127.0.0.1:${(intake.connections.address() as AddressInfo).port}`;
  const setup = { intake, client: new GrpcClient(url, options.headers), url, taken, answered };
  started.push(setup);
  return setup;
}

test('how many tees a call came through stands in its metadata', async () => {
  const { client, taken } = await start();
  for (const headers of [{}, { 'spanwarden-hops': '3' }, { 'spanwarden-hops': '99' }, { 'spanwarden-hops': 'none' }]) {
    assert.equal((await client.call(traces, Buffer.from([0x0a, 0x00]), headers)).code, 0);
  }
  assert.deepEqual(
    taken.map(({ hops }) => hops),
    [0, 3, limits.teeHopsMax, limits.teeHopsMax],
  );
});

test('OTLP/gRPC Request: each service takes a message as its own bytes, plain, gzip and deflate', async () => {
  const { client, taken, answered } = await start();
  const message = Buffer.from([0x0a, 0x00]);
  assert.equal((await client.call(traces, message)).code, 0);
  assert.equal((await client.call(logs, gzipSync(message), { 'grpc-encoding': 'gzip' }, true)).code, 0);
  assert.deepEqual(
    taken.map(({ signal, bytes }) => [signal, bytes.toString('hex')]),
    [
      ['traces', '0a00'],
      ['logs', '0a00'],
    ],
  );
  assert.deepEqual(answered, ['OK', 'OK']);
});

test('Full Success: partial_success is unset, an empty request is one', async () => {
  const { client } = await start();
  const { code, body } = await client.call(traces, Buffer.alloc(0));
  assert.deepEqual([code, body.length], [0, 0]);
});

test('Partial Success: count and reason, the reason shortened', async () => {
  const message = 'x'.repeat(1_000_000);
  const { client } = await start({ outcome: async () => ({ status: 'ok', rejected: 3, message }) });
  const { code, body } = await client.call(traces, Buffer.from('x'));
  const partial = readSuccess(body, 'protobuf')!;
  assert.deepEqual([code, partial.rejected, partial.message.length], [0, 3, limits.answerCharsMax + 1]);
});

test('Failures: bad data is INVALID_ARGUMENT with BadRequest', async () => {
  // A lone surrogate would make grpc-js throw where nobody catches.
  const message = 'broken \ud800 here';
  const { client } = await start({ outcome: async () => ({ status: 'refused', code: 'SW_OTLP_PROTOBUF', message }) });
  const answer = await client.call(traces, Buffer.from('x'));
  assert.deepEqual([answer.code, answer.status?.details], [3, ['BadRequest']]);
  assert.match(answer.message, /broken � here \(SW_OTLP_PROTOBUF\)/);
});

test('OTLP/gRPC Throttling: overload is UNAVAILABLE with RetryInfo', async () => {
  const outcome = { status: 'retryable', code: 'SW_SPOOL_FULL', message: 'full', retryAfterMs: 1500 } as const;
  const { client } = await start({ outcome: async () => outcome });
  const answer = await client.call(traces, Buffer.from('x'));
  assert.deepEqual([answer.code, answer.status?.code, answer.status?.details], [14, 14, ['RetryInfo']]);
});

test('OTLP/gRPC Throttling: UNAVAILABLE with RetryInfo where others hold the memory, before the message is there', async () => {
  const ends: (() => void)[] = [];
  const outcome = () => new Promise<OtlpOutcome>((done) => ends.push(() => done(full)));
  const { client, url, taken } = await start({ outcome, admission: new Admission({ bytesMax: 100_000 }) });
  const first = client.call(traces, Buffer.alloc(60_000));
  while (taken.length === 0) await new Promise((done) => setTimeout(done, 5));
  for (const isPacked of [0, 1]) {
    // Nothing but the head of a message.
    const session = connectHttp2(url);
    const headers = { 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' };
    const stream = session.request({ ':method': 'POST', ':path': traces, ...headers });
    stream.write(Buffer.from([isPacked, 0, 0, 0xff, 0xff]));
    const [answer] = (await once(stream, 'response')) as [Record<string, string>];
    assert.equal(answer['grpc-status'], '14');
    assert.ok(Buffer.from(answer['grpc-status-details-bin']!, 'base64').includes('google.rpc.RetryInfo'));
    session.destroy();
  }
  ends.pop()!();
  assert.equal((await first).code, 0);
  const next = client.call(traces, Buffer.alloc(60_000));
  while (taken.length === 1) await new Promise((done) => setTimeout(done, 5));
  ends.pop()!();
  assert.equal((await next).code, 0, 'what was taken was given back');
});

test('OTLP/gRPC Request: RESOURCE_EXHAUSTED without RetryInfo over the limit, as sent and unpacked', async () => {
  const { client, taken } = await start();
  const large = await client.call(traces, Buffer.alloc(limits.bodyBytesMax + 1));
  assert.deepEqual([large.code, large.status], [8, undefined]);
  const bomb = gzipSync(Buffer.alloc(limits.bodyBytesMax + 1));
  const unpacked = await client.call(traces, bomb, { 'grpc-encoding': 'gzip' }, true);
  assert.deepEqual([unpacked.code, unpacked.status?.details], [8, []]);
  assert.equal(taken.length, 0);
  assert.equal((await client.call(traces, Buffer.alloc(limits.bodyBytesMax))).code, 0);
  assert.equal(taken[0]!.bytes.length, limits.bodyBytesMax);
});

test('a sender without the token is UNAUTHENTICATED before its message is there', async () => {
  const { client, url, taken } = await start({ token: 'a-long-enough-token' });
  const session = connectHttp2(url);
  const stream = session.request({ ':method': 'POST', ':path': traces, 'content-type': 'application/grpc' });
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  assert.equal(headers['grpc-status'], '16');
  session.destroy();
  assert.equal((await client.call(traces, Buffer.alloc(1), { authorization: 'Bearer wrong' })).code, 16);
  assert.equal((await client.call(traces, Buffer.alloc(1), { authorization: 'Bearer a-long-enough-token' })).code, 0);
  assert.equal(taken.length, 1);
});

test('broken frames, encodings and methods are answered, and the next call is served', async () => {
  const { client } = await start();
  const cases: [string, Promise<{ code: number }>, number][] = [
    ['unknown encoding', client.call(traces, Buffer.from('x'), { 'grpc-encoding': 'br' }, true), 12],
    ['no gzip', client.call(traces, Buffer.from('x'), { 'grpc-encoding': 'gzip' }, true), 3],
    ['no message', client.send(traces, Buffer.alloc(0)), 12],
    ['unknown method', client.call('/x.Y/Export', Buffer.alloc(0)), 12],
    ['not gRPC', client.call(traces, Buffer.alloc(0), { 'content-type': 'text/plain' }), -1],
  ];
  for (const [what, call, code] of cases) assert.equal((await call).code, code, what);
  assert.equal((await client.call(traces, Buffer.alloc(0))).code, 0);
});

test('streams opened and reset in a flood end their own connection only', async () => {
  const { client, url, taken } = await start();
  const session = connectHttp2(url);
  session.on('error', () => undefined);
  const closed = once(session, 'close').catch(() => undefined);
  for (let burst = 0; burst < 40 && !session.closed && !session.destroyed; burst++) {
    for (let i = 0; i < 100 && !session.closed && !session.destroyed; i++) {
      const stream = session.request({ ':method': 'POST', ':path': traces, 'content-type': 'application/grpc' });
      stream.on('error', () => undefined);
      stream.close(8);
    }
    await new Promise((done) => setImmediate(done));
  }
  await closed;
  assert.equal(taken.length, 0);
  assert.equal((await client.call(traces, Buffer.alloc(0))).code, 0);
});

test('a stop lets calls under way end and cuts connections that say nothing', async () => {
  let end = (_: OtlpOutcome) => {};
  const { client, intake, url, taken } = await start({ outcome: () => new Promise((done) => (end = done)) });
  const silent = connect(Number(new URL(url).port), '127.0.0.1');
  await once(silent, 'connect');
  const call = client.call(traces, Buffer.from('x'));
  while (taken.length === 0) await new Promise((done) => setTimeout(done, 5));
  const stopped = intake.close(10_000);
  setTimeout(() => end(full), 50);
  assert.equal((await call).code, 0);
  await stopped;
  silent.destroy();
});
