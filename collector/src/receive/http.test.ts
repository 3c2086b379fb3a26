import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import express from 'express';
import { limits } from '../model/limits.ts';
import { Admission } from './admission.ts';
import type { OtlpOutcome } from './contract.ts';
import { otlpHttpRouter } from './http.ts';
import { admitting } from './testing/admitting.ts';

let outcome: OtlpOutcome = { status: 'ok', rejected: 0, message: '' };
const taken: { encoding: string; bytes: Buffer }[] = [];
const options = (bearerToken?: string) => ({
  admit: admitting(bearerToken),
  admission: new Admission({ bytesMax: limits.requestsBytesMax }),
  consume: async (encoding: 'protobuf' | 'json', bytes: Buffer) => {
    taken.push({ encoding, bytes });
    return outcome;
  },
});
const open = createServer(express().use(otlpHttpRouter(options())));
const locked = createServer(express().use(otlpHttpRouter(options('a-long-enough-token'))));

before(async () => {
  for (const server of [open, locked]) await once(server.listen(0, '127.0.0.1'), 'listening');
});
after(() => {
  for (const server of [open, locked]) server.close().closeAllConnections();
});

const url = (server = open) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
const protobuf = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };

function post(body: Buffer | string, headers: Record<string, string>, server = open): Promise<Response> {
  outcome = { status: 'ok', rejected: 0, message: '' };
  return fetch(url(server), { method: 'POST', body: body as never, headers });
}

test('full success is 200 with an empty response in the encoding of the request', async () => {
  const binary = await post('', protobuf);
  assert.deepEqual(
    [binary.status, binary.headers.get('content-type'), (await binary.arrayBuffer()).byteLength],
    [200, 'application/x-protobuf', 0],
  );
  const text = await post('{}', { 'content-type': 'application/json; charset=utf-8' });
  assert.deepEqual([text.status, text.headers.get('content-type'), await text.json()], [200, 'application/json', {}]);
});

test('the memory of a large body is lent again once its request is stored, and only then', async () => {
  const memoryOf = async (letter: string, answer: OtlpOutcome) => {
    outcome = answer;
    await fetch(url(), { method: 'POST', body: letter.repeat(300_000), headers: protobuf });
    return taken.at(-1)!.bytes;
  };
  const stored = await memoryOf('a', { status: 'ok', rejected: 0, message: '' });
  const failed = await memoryOf('b', {
    status: 'retryable',
    code: 'SW_SPOOL_FULL',
    message: 'full',
    retryAfterMs: 1000,
  });
  assert.equal(failed.buffer, stored.buffer);
  const after = await memoryOf('c', { status: 'ok', rejected: 0, message: '' });
  assert.notEqual(after.buffer, failed.buffer);
  assert.equal(failed.toString('latin1'), 'b'.repeat(300_000));
});

test('partial success says how many and why', async () => {
  outcome = { status: 'ok', rejected: 2, message: 'too deep' };
  const send = (headers: Record<string, string>) => fetch(url(), { method: 'POST', body: 'x', headers });
  assert.deepEqual(await (await send(json)).json(), {
    partialSuccess: { rejectedSpans: '2', errorMessage: 'too deep' },
  });
  const bytes = Buffer.from(await (await send(protobuf)).arrayBuffer());
  assert.equal(bytes[0], 0x0a);
  assert.ok(bytes.includes('too deep'));
});

test('gzip, deflate and zstd are unpacked, in both encodings', async () => {
  const codings = { gzip: gzipSync('hello'), deflate: deflateSync('hello'), zstd: zstdCompressSync('hello') };
  for (const headers of [protobuf, json]) {
    for (const [coding, body] of Object.entries(codings)) {
      taken.length = 0;
      const response = await post(body, { ...headers, 'content-encoding': coding });
      assert.equal(response.status, 200);
      assert.equal(taken[0]!.bytes.toString(), 'hello');
      const cut = await post(body.subarray(0, -4), { ...headers, 'content-encoding': coding });
      assert.equal(cut.status, 400, coding);
    }
    assert.equal((await post('hello', { ...headers, 'content-encoding': 'identity' })).status, 200);
  }
});

test('a body may not unpack to far more than was sent, nor ask for a huge window', async () => {
  const zeros = Buffer.alloc(limits.bodyRatioFreeBytes + 1);
  for (const [coding, bomb] of [
    ['gzip', gzipSync(zeros)],
    ['zstd', zstdCompressSync(zeros)],
    ['deflate', deflateSync(zeros)],
  ] as const) {
    const response = await post(bomb, { ...protobuf, 'content-encoding': coding });
    assert.equal(response.status, 413, coding);
    assert.match(await response.text(), new RegExp(`a body of ${bomb.length} bytes, decompressed, is over `));
  }
  // A frame that declares a window of 2 GiB: magic, descriptor, window descriptor, one empty last block.
  const window = Buffer.from('28b52ffd00a8010000', 'hex');
  assert.equal((await post(window, { ...protobuf, 'content-encoding': 'zstd' })).status, 400);
});

test('a request that finds the memory for requests taken is 503 with Retry-After, and nothing stays taken', async () => {
  const ends: (() => void)[] = [];
  const admission = new Admission({ bytesMax: 100_000 });
  const consume = () => new Promise<OtlpOutcome>((done) => ends.push(() => done({ ...outcome })));
  const small = createServer(express().use(otlpHttpRouter({ ...options(), admission, consume })));
  await once(small.listen(0, '127.0.0.1'), 'listening');
  for (let round = 0; round < 2; round++) {
    const first = post(Buffer.alloc(60_000), json, small);
    while (ends.length === 0) await new Promise((done) => setTimeout(done, 5));
    for (const [body, coding] of [
      [Buffer.alloc(60_000), 'identity'],
      [gzipSync(Buffer.alloc(90_000)), 'gzip'],
    ] as const) {
      const response = await post(body, { ...json, 'content-encoding': coding }, small);
      assert.equal(response.status, 503);
      assert.match(response.headers.get('retry-after')!, /^[123]$/);
      const [detail] = ((await response.json()) as { details: { '@type': string }[] }).details;
      assert.equal(detail!['@type'], 'type.googleapis.com/google.rpc.RetryInfo');
    }
    // One that does not say how large it is, until there is no room for it.
    const growing = { method: 'POST', headers: json, body: new Blob([Buffer.alloc(60_000)]).stream(), duplex: 'half' };
    assert.equal((await fetch(url(small), growing as RequestInit)).status, 503);
    // Of this one nothing but the head is sent.
    const announced = httpRequest(url(small), { method: 'POST', headers: { ...json, 'content-length': 60_000 } });
    announced.on('error', () => undefined).flushHeaders();
    const [answer] = (await once(announced, 'response')) as [import('node:http').IncomingMessage];
    assert.equal(answer.statusCode, 503);
    announced.destroy();
    ends.pop()!();
    assert.equal((await first).status, 200);
  }
  assert.equal(admission.heldBytes, 0);
  small.close().closeAllConnections();
});

test('whoever is refused gets the answer, also those who read nothing before all of the body is sent', async () => {
  const full = new Admission({ bytesMax: 100_000, memory: () => 'full' });
  const server = createServer(express().use(otlpHttpRouter({ ...options(), admission: full })));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const bytes = 20_000_000;
  const seen = [
    await sendThenRead(server, 'application/json', bytes),
    await sendThenRead(locked, 'application/json', bytes),
    await sendThenRead(open, 'text/plain', bytes),
    await sendThenRead(open, 'application/x-protobuf', limits.bodyBytesMax + 1),
  ];
  server.close().closeAllConnections();
  assert.deepEqual(seen, ['503', '401', '415', '413']);
});

/** The status of the answer, or what became of the connection. */
async function sendThenRead(server: typeof open, contentType: string, bytes: number): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let broke = '';
  socket.pause().on('error', (error: NodeJS.ErrnoException) => {
    broke = error.code!;
  });
  const ended = once(socket, 'close').catch(() => undefined);
  socket.write(
    `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${contentType}\r\ncontent-length: ${bytes}\r\n\r\n`,
  );
  const piece = Buffer.alloc(1024 * 1024);
  for (let left = bytes; left > 0 && broke === ''; left -= piece.length) {
    const isTaken = socket.write(piece.subarray(0, left));
    if (!isTaken) await Promise.race([once(socket, 'drain').catch(() => undefined), ended]);
  }
  if (broke !== '') return broke;
  socket.resume();
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().split(' ')[1]!;
}

test('every refusal is a google.rpc.Status in the encoding of the request', async () => {
  const cases: [number, RegExp, () => Promise<Response>][] = [
    [415, /SW_HTTP_CONTENT_TYPE/, () => post('x', { 'content-type': 'text/plain' })],
    [415, /SW_HTTP_CONTENT_ENCODING/, () => post('x', { ...json, 'content-encoding': 'br' })],
    [400, /SW_OTLP_COMPRESSION/, () => post('no gzip', { ...json, 'content-encoding': 'gzip' })],
    [405, /SW_HTTP_METHOD/, () => fetch(url(), { headers: json })],
    [401, /SW_HTTP_UNAUTHENTICATED/, () => post('x', json, locked)],
    [401, /SW_HTTP_UNAUTHENTICATED/, () => post('x', { ...json, authorization: 'Bearer wrong' }, locked)],
  ];
  for (const [status, message, send] of cases) {
    const response = await send();
    assert.equal(response.status, status);
    assert.equal(response.headers.get('content-type'), 'application/json');
    const body = (await response.json()) as { code: number; message: string };
    assert.match(body.message, message);
    assert.equal(typeof body.code, 'number');
  }
  const binary = await post('no gzip', { ...protobuf, 'content-encoding': 'gzip' });
  assert.equal(binary.headers.get('content-type'), 'application/x-protobuf');
  assert.ok(Buffer.from(await binary.arrayBuffer()).includes('SW_OTLP_COMPRESSION'));
});

test('malformed is final, overload is retryable with Retry-After', async () => {
  outcome = { status: 'refused', code: 'SW_OTLP_JSON', message: 'body is not JSON' };
  const bad = await fetch(url(), { method: 'POST', body: 'x', headers: json });
  assert.deepEqual([bad.status, bad.headers.get('retry-after')], [400, null]);
  outcome = { status: 'retryable', code: 'SW_SPOOL_FULL', message: 'the spool is full', retryAfterMs: 1500 };
  const full = await fetch(url(), { method: 'POST', body: 'x', headers: json });
  assert.deepEqual([full.status, full.headers.get('retry-after')], [503, '2']);
});

test('the right token passes', async () => {
  const response = await post('x', { ...json, authorization: 'Bearer a-long-enough-token' }, locked);
  assert.equal(response.status, 200);
});

test('a refused sender is answered before its body is read', async () => {
  const sending = httpRequest(url(locked), {
    method: 'POST',
    headers: { ...protobuf, 'content-length': 10_000_000 },
  });
  sending.on('error', () => undefined);
  sending.flushHeaders();
  const [response] = (await once(sending, 'response')) as [import('node:http').IncomingMessage];
  assert.equal(response.statusCode, 401);
  sending.destroy();
});

test('a body that says it is too large is refused unread, one that turns out so is cut off', async () => {
  const announced = httpRequest(url(), {
    method: 'POST',
    headers: { ...protobuf, 'content-length': limits.bodyBytesMax + 1 },
  });
  announced.on('error', () => undefined);
  announced.flushHeaders();
  const [response] = (await once(announced, 'response')) as [import('node:http').IncomingMessage];
  assert.equal(response.statusCode, 413);
  announced.destroy();
  // Without a length it is counted as it comes. The last byte that is allowed is taken.
  const [largest, byte] = [new Blob([Buffer.alloc(limits.bodyBytesMax)]), new Blob([Buffer.alloc(1)])];
  const chunked = async (body: Blob) => {
    const sent = { method: 'POST', headers: protobuf, body: body.stream(), duplex: 'half' };
    return (await fetch(url(), sent as RequestInit)).status;
  };
  assert.deepEqual([await chunked(largest), await chunked(new Blob([largest, byte]))], [200, 413]);
  const bomb = gzipSync(Buffer.alloc(limits.bodyInflatedBytesMax + 1));
  const inflated = await post(bomb, { ...protobuf, 'content-encoding': 'gzip' });
  assert.equal(inflated.status, 413);
});

test('a sender that vanishes mid-body disturbs nobody', async () => {
  taken.length = 0;
  const socket = connect((open.address() as AddressInfo).port, '127.0.0.1');
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\nhalf',
  );
  await new Promise((done) => setTimeout(done, 20));
  socket.destroy();
  assert.equal((await post('{}', json)).status, 200);
  assert.equal(taken.length, 1);
});
