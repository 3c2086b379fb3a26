import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import express from 'express';
import { loadConfig } from '../config/load.ts';
import { limits } from '../model/limits.ts';
import { GrpcClient } from '../otlp-check/grpc-client.ts';
import { Admission } from './admission.ts';
import { otlpHttpRouter } from './http.ts';
import { type Servers, startServers } from './servers.ts';
import { admitting } from './testing/admitting.ts';

// What went wrong in other receivers, and must not here.

const traces = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
/** Senders of slow things get less time than in earnest. */
const waits = { headersMs: 200, requestMs: 400 };
const taken: Buffer[] = [];
let servers: Servers;
let hasty: Servers;

before(async () => {
  const intake = {
    admit: admitting(undefined),
    admission: new Admission({ bytesMax: limits.requestsBytesMax }),
    consume: async (_: string, bytes: Buffer) => {
      taken.push(bytes);
      return { status: 'ok', rejected: 0, message: '' } as const;
    },
  };
  const yaml = 'receive: { http: { listen: "127.0.0.1:0" }, grpc: { listen: "127.0.0.1:0" } }';
  const { receive } = loadConfig({ file: 'test', text: yaml, env: {} });
  const app = express().use(otlpHttpRouter(intake));
  servers = await startServers(receive, app, intake);
  hasty = await startServers(receive, app, intake, waits);
});
after(async () => void (await Promise.all([servers.close(0), hasty.close(0)])));

function socketTo(url: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  return socket;
}

async function grpcStillServes(): Promise<void> {
  const client = new GrpcClient(servers.urls.grpc!);
  assert.equal((await client.call(traces, Buffer.alloc(0))).code, 0);
  client.close();
}

/** Resolves when the other side has closed; the test's own deadline is the limit. */
async function closedByServer(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  if (!socket.closed) await once(socket, 'close');
  return text;
}

describe('decompression bombs (CVE-2024-36129, CVE-2024-37168)', () => {
  const zeros = Buffer.alloc(limits.bodyInflatedBytesMax + 1);
  const post = (body: Buffer, coding: string) =>
    fetch(`${servers.urls.http}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', 'content-encoding': coding },
      body: body as never,
    });

  test('over HTTP: 413, in every coding, and nothing is taken', async () => {
    taken.length = 0;
    assert.equal((await post(gzipSync(zeros), 'gzip')).status, 413);
    assert.equal((await post(zstdCompressSync(zeros), 'zstd')).status, 413);
    // Many members, each of them small.
    const member = gzipSync(Buffer.alloc(1024 * 1024));
    assert.equal((await post(Buffer.concat(Array.from({ length: 70 }, () => member)), 'gzip')).status, 413);
    assert.equal(taken.length, 0);
  });

  test('a bomb within a bomb is not unpacked twice', async () => {
    taken.length = 0;
    const inner = gzipSync(Buffer.alloc(1024 * 1024));
    assert.equal((await post(gzipSync(inner), 'gzip')).status, 200);
    assert.deepEqual(taken[0], inner);
    assert.equal((await post(gzipSync(inner), 'gzip, gzip')).status, 415);
  });

  test('over gRPC: RESOURCE_EXHAUSTED, a length that lies too', async () => {
    const client = new GrpcClient(servers.urls.grpc!);
    const bomb = await client.call(traces, gzipSync(zeros), { 'grpc-encoding': 'gzip' }, true);
    assert.equal(bomb.code, 8);
    const lie = await client.send(traces, Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]));
    assert.equal(lie.code, 8, 'refused by what it announces, before it is there');
    client.close();
  });
});

describe('slow senders (otelcol #5699)', () => {
  test('headers that trickle lose their connection', async () => {
    const socket = socketTo(hasty.urls.http);
    socket.write('POST /v1/traces HTTP/1.1\r\nhost: x\r\n');
    const drip = setInterval(() => socket.write('x-a: b\r\n'), 40);
    assert.match(await closedByServer(socket), /^HTTP\/1\.1 408/);
    clearInterval(drip);
  });

  test('a body that trickles loses its connection', async () => {
    const socket = socketTo(hasty.urls.http);
    socket.write(
      'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n',
    );
    const drip = setInterval(() => socket.write(' '), 40);
    await closedByServer(socket);
    clearInterval(drip);
  });

  test('headers without an end are 431', async () => {
    const socket = socketTo(hasty.urls.http);
    socket.write(`POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(limits.headerBytesMax)}\r\n\r\n`);
    assert.match(await closedByServer(socket), /^HTTP\/1\.1 431/);
  });

  test('a gRPC connection that says nothing is closed', async () => {
    await closedByServer(socketTo(hasty.urls.grpc!));
  });

  test('a gRPC call whose message does not come is DEADLINE_EXCEEDED', async () => {
    const session = connectHttp2(hasty.urls.grpc!);
    const stream = session.request({ ':method': 'POST', ':path': traces, 'content-type': 'application/grpc' });
    // A message of 256 bytes is announced. Five zeros would be a whole, empty one.
    stream.write(Buffer.from([0, 0, 0, 1, 0]));
    const drip = setInterval(() => stream.write(Buffer.from([0])), 40);
    stream.on('error', () => undefined);
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    clearInterval(drip);
    assert.equal(headers['grpc-status'], '4');
    session.destroy();
  });
});

describe('HTTP/2 floods (CVE-2023-44487, CVE-2024-27983)', () => {
  const preface = Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    // An empty SETTINGS frame.
    Buffer.from('000000040000000000', 'hex'),
  ]);
  const frame = (type: number, flags: number, stream: number, content: Buffer) => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(content.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, content]);
  };
  /** Sends until the server has had enough. */
  const flood = async (one: (i: number) => Buffer) => {
    const socket = socketTo(servers.urls.grpc!);
    await once(socket, 'connect');
    const closed = new Promise((done) => socket.once('close', done));
    socket.resume();
    socket.write(preface);
    for (let i = 0; i < 400_000 && !socket.destroyed; i++) {
      if (!socket.write(one(i))) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
    }
    await closed;
  };

  test('CONTINUATION without end closes the connection', async () => {
    // HEADERS without END_HEADERS, then header fields for ever: literal, not indexed, name "a", value "b".
    const field = Buffer.from('00016101620001610162', 'hex');
    await flood((i) => frame(i === 0 ? 1 : 9, 0, 1, field));
    await grpcStillServes();
  });

  test('SETTINGS without end close the connection', async () => {
    const setting = Buffer.from('000300000064', 'hex');
    await flood(() => frame(4, 0, 0, Buffer.concat(Array.from({ length: 50 }, () => setting))));
    await grpcStillServes();
  });

  test('empty DATA frames end with the time for their call', async () => {
    const session = connectHttp2(hasty.urls.grpc!);
    const stream = session.request({ ':method': 'POST', ':path': traces, 'content-type': 'application/grpc' });
    stream.on('error', () => undefined);
    const drip = setInterval(() => {
      for (let i = 0; i < 100; i++) stream.write(Buffer.alloc(0));
    }, 5);
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    clearInterval(drip);
    assert.equal(headers['grpc-status'], '4');
    session.destroy();
    await grpcStillServes();
  });
});

test('a token is compared whole, and nothing near it passes (CVE-2024-45043, GHSA-pjv4-3c63-699f)', () => {
  const token = 'a-long-enough-token';
  const admit = admitting(token);
  assert.equal(admit(`Bearer ${token}`), undefined);
  const near = [undefined, '', 'Bearer', 'Bearer ', token, `Basic ${token}`, `Bearer ${token.slice(0, -1)}`];
  const further = [`Bearer ${token} `, `Bearer ${token}x`, `Bearer ${token.toUpperCase()}`, `Bearer  ${token}`];
  for (const header of [...near, ...further, `Bearer x, Bearer ${token}`, 'Bearer null', 'Bearer undefined']) {
    assert.equal(admit(header)?.code, 'SW_HTTP_UNAUTHENTICATED', header);
  }
});

test('neither transport listens beyond loopback without a token', () => {
  for (const yaml of [
    'receive: { grpc: { listen: "0.0.0.0:4317" } }',
    'receive: { grpc: { listen: "[::]:4317" } }',
    'receive: { http: { listen: "0.0.0.0:4318" }, grpc: { listen: off } }',
  ]) {
    assert.throws(() => loadConfig({ file: 'test', text: yaml, env: {} }), /listens beyond loopback without a token/);
  }
  const text = 'receive: { bearer_token: a-long-enough-token, grpc: { listen: "0.0.0.0:4317" } }';
  assert.equal(loadConfig({ file: 'test', text, env: {} }).receive.grpc.listen, '0.0.0.0:4317');
});

test('pages of browsers may not send: a preflight is refused without CORS headers', async () => {
  const response = await fetch(`${servers.urls.http}/v1/traces`, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  });
  assert.equal(response.status, 405);
  assert.equal(response.headers.get('access-control-allow-origin'), null);
});
