import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import express from 'express';
import { loadConfig } from '../config/load.ts';
import { limits } from '../model/limits.ts';
import { Admission } from './admission.ts';
import type { ReceiveConfig } from './config.ts';
import { Connections } from './connections.ts';
import { patience } from './contract.ts';
import { otlpHttpRouter } from './http.ts';
import { type Servers, startServers } from './servers.ts';
import { admitting } from './testing/admitting.ts';
import { type Authority, createAuthority, type Pair } from './testing/certificates.ts';
import { TlsFiles } from './tls.ts';

const traces = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const directory = mkdtempSync(join(tmpdir(), 'spanwarden-test-'));
const authority = await createAuthority('servers');
const clients = await createAuthority('clients');
const strangers = await createAuthority('clients');
const ours = await clients.issue('sender');
const theirs = await strangers.issue('sender');
const closing: (() => unknown)[] = [];
after(async () => {
  for (const close of closing.reverse()) await close();
  rmSync(directory, { recursive: true });
});

const paths = (name: string) => ({
  cert_file: join(directory, `${name}.crt`),
  key_file: join(directory, `${name}.key`),
  client_ca_file: join(directory, `${name}.ca`),
});

/** Files are replaced, as certificate managers do it. */
function put(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function putPair(name: string, { cert, key }: Pair): void {
  put(paths(name).cert_file, cert);
  put(paths(name).key_file, key);
}

interface Setup {
  readonly tls: TlsFiles;
  readonly servers: Servers;
}

let setups = 0;

interface StartOptions {
  readonly clientCa?: Authority;
  readonly token?: string;
  readonly waits?: typeof patience;
  readonly connections?: Connections;
}

async function start(options: StartOptions = {}) {
  const name = `server-${setups++}`;
  putPair(name, await authority.issue('collector'));
  const { client_ca_file, ...pair } = paths(name);
  if (options.clientCa) put(client_ca_file, options.clientCa.cert);
  const tls = new TlsFiles({ ...pair, ...(options.clientCa && { client_ca_file }) });
  const yaml = 'receive: { http: { listen: "127.0.0.1:0" }, grpc: { listen: "127.0.0.1:0" } }';
  const { receive } = loadConfig({ file: 'test', text: yaml, env: {} });
  const intake = {
    tls,
    ...(options.connections && { connections: options.connections }),
    admit: admitting(options.token),
    admission: new Admission({ bytesMax: limits.requestsBytesMax }),
    consume: async () => ({ status: 'ok', rejected: 0, message: '' }) as const,
  };
  const app = express().use(otlpHttpRouter(intake));
  const servers = await startServers(receive satisfies ReceiveConfig, app, intake, options.waits);
  closing.push(
    () => servers.close(0),
    () => tls.close(),
  );
  return { name, tls, servers } satisfies Setup & { name: string };
}

interface Given {
  readonly pair?: Pair;
  readonly ca?: string;
  readonly token?: string;
}

/** The HTTP status, or the network's reason why there is none. */
async function overHttp(
  { servers }: Setup,
  { pair, ca = authority.cert, token }: Given = {},
): Promise<number | string> {
  const sending = request(`${servers.urls.http}/v1/traces`, {
    method: 'POST',
    agent: new Agent({ maxCachedSessions: 0 }),
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    ca,
    ...pair,
  });
  return new Promise((done) => {
    sending.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    sending.on('response', (response) => done(response.resume().statusCode!));
    sending.end('{}');
  });
}

function grpcClient({ servers }: Setup, { pair, ca = authority.cert }: Given = {}): Client {
  const own = pair ? [Buffer.from(pair.key), Buffer.from(pair.cert)] : [null, null];
  const client = new Client(new URL(servers.urls.grpc!).host, credentials.createSsl(Buffer.from(ca), own[0], own[1]));
  closing.push(() => client.close());
  return client;
}

/** The gRPC code. */
async function call(client: Client, token?: string): Promise<number> {
  const metadata = new Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  const same = (bytes: Buffer) => bytes;
  return new Promise((done) =>
    client.makeUnaryRequest(traces, same, same, Buffer.alloc(0), metadata, { deadline: Date.now() + 5_000 }, (error) =>
      done(error?.code ?? 0),
    ),
  );
}

const overGrpc = (setup: Setup, given: Given = {}) => call(grpcClient(setup, given), given.token);

function dial(url: string, options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca: authority.cert, ...options });
  socket.on('error', () => undefined);
  closing.push(() => socket.destroy());
  return socket;
}

/** Unlike `once`, whatever error comes before. */
function closed(socket: Socket): Promise<void> {
  return new Promise((done) => socket.resume().once('close', () => done()));
}

async function served(url: string): Promise<string> {
  const socket = dial(url);
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test('both transports speak TLS, only TLS, and clients can tell who they speak with', async () => {
  const setup = await start();
  assert.match(setup.servers.urls.http, /^https:/);
  assert.deepEqual([await overHttp(setup), await overGrpc(setup)], [200, 0]);
  assert.equal(await overHttp(setup, { ca: clients.cert }), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  assert.equal(await overGrpc(setup, { ca: clients.cert }), 14);
  for (const url of [setup.servers.urls.http, setup.servers.urls.grpc!]) {
    await assert.rejects(fetch(url.replace('https', 'http'), { method: 'POST', body: '{}' }));
  }
  assert.deepEqual([await overHttp(setup), await overGrpc(setup)], [200, 0]);
});

test('tokens are asked for within TLS', async () => {
  const setup = await start({ token: 'a-long-enough-token' });
  assert.deepEqual([await overHttp(setup), await overGrpc(setup)], [401, 16]);
  const token = 'a-long-enough-token';
  assert.deepEqual([await overHttp(setup, { token }), await overGrpc(setup, { token })], [200, 0]);
});

test('with a CA of clients nobody comes in without a certificate of it that is valid', async () => {
  const setup = await start({ clientCa: clients });
  assert.deepEqual([await overHttp(setup, { pair: ours }), await overGrpc(setup, { pair: ours })], [200, 0]);
  const expired = await clients.issue('sender', -1);
  for (const pair of [undefined, theirs, expired]) {
    const given = pair === undefined ? {} : { pair };
    assert.equal(typeof (await overHttp(setup, given)), 'string');
    assert.equal(await overGrpc(setup, given), 14);
  }
  assert.deepEqual([await overHttp(setup, { pair: ours }), await overGrpc(setup, { pair: ours })], [200, 0]);
});

test('a new certificate is served to new connections, and open ones go on', async () => {
  const setup = await start();
  const { http, grpc } = setup.servers.urls;
  const client = grpcClient(setup);
  assert.equal(await call(client), 0);
  const before = await served(http);
  putPair(setup.name, await authority.issue('collector'));
  assert.deepEqual(setup.tls.reload(), []);
  const now = await served(http);
  assert.notEqual(now, before);
  assert.equal(await served(grpc!), now);
  assert.equal(await call(client), 0);
  assert.deepEqual([await overHttp(setup), await overGrpc(setup)], [200, 0]);
});

test('a changed file is noticed without being told', async () => {
  const setup = await start();
  const before = await served(setup.servers.urls.http);
  putPair(setup.name, await authority.issue('collector'));
  const until = Date.now() + 10_000;
  while ((await served(setup.servers.urls.grpc!)) === before) {
    assert.ok(Date.now() < until, 'within ten seconds');
    await new Promise((done) => setTimeout(done, 100));
  }
});

test('a pair that does not fit, or is gone, leaves the old one', async () => {
  const setup = await start({ clientCa: clients });
  const files = paths(setup.name);
  const [next, other] = [await authority.issue('collector'), await authority.issue('collector')];
  const before = setup.tls.options.cert;
  const wrong: [string, () => void, RegExp][] = [
    ['a key of another certificate', () => putPair(setup.name, { cert: next.cert, key: other.key }), /key_file/],
    ['no certificate', () => put(files.cert_file, 'nothing'), /cert_file/],
    ['too large', () => put(files.cert_file, next.cert.padEnd(limits.tlsFileBytesMax + 1)), /too large/],
    ['gone', () => rmSync(files.key_file), /key_file.*is not there/],
    ['no key', () => putPair(setup.name, { cert: next.cert, key: next.cert }), /key_file/],
    ['no CA', () => put(files.client_ca_file, 'nothing'), /client_ca_file/],
  ];
  for (const [what, spoil, said] of wrong) {
    putPair(setup.name, next);
    spoil();
    const [problem] = setup.tls.reload();
    assert.equal(problem?.code, 'SW_TLS_FILE', what);
    assert.match(problem!.message, said, what);
    assert.equal(setup.tls.problem, problem);
    assert.equal(setup.tls.options.cert, before);
    assert.throws(() => new TlsFiles(files), said, `a start stops: ${what}`);
    assert.deepEqual([await overHttp(setup, { pair: ours }), await overGrpc(setup, { pair: ours })], [200, 0], what);
  }
  put(files.client_ca_file, clients.cert);
  assert.deepEqual(setup.tls.reload(), []);
  assert.equal(setup.tls.problem, undefined);
});

test('a CA of clients that is exchanged refuses certificates of the old one, and sessions begun with them', async () => {
  const setup = await start({ clientCa: clients });
  const url = setup.servers.urls.http;
  const hello = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
  const first = dial(url, { ...ours });
  let session: Buffer | undefined;
  first.on('session', (given: Buffer) => (session = given));
  first.write(hello);
  await once(first, 'data');
  assert.ok(session);
  const resumed = dial(url, { session });
  resumed.write(hello);
  await once(resumed, 'data');
  assert.ok(resumed.isSessionReused(), 'before the exchange the session is enough');

  put(paths(setup.name).client_ca_file, strangers.cert);
  assert.deepEqual(setup.tls.reload(), []);
  assert.equal(await overHttp(setup, { pair: theirs }), 200);
  assert.equal(await overGrpc(setup, { pair: theirs }), 0);
  assert.equal(typeof (await overHttp(setup, { pair: ours })), 'string');
  assert.equal(await overGrpc(setup, { pair: ours }), 14);
  const late = dial(url, { session });
  let got = '';
  late.on('data', (text) => (got += text));
  late.write(hello);
  await closed(late);
  assert.equal(got, '');
});

test('who says nothing, before the handshake or after it, loses the connection', async () => {
  const setup = await start({ waits: { ...patience, headersMs: 200 } });
  for (const url of [setup.servers.urls.http, setup.servers.urls.grpc!]) {
    const silent = connectTcp(Number(new URL(url).port), '127.0.0.1');
    silent.on('error', () => undefined);
    await closed(silent);
    const shaken = dial(url, { ALPNProtocols: url === setup.servers.urls.grpc ? ['h2'] : [] });
    await closed(shaken);
  }
  const other = dial(setup.servers.urls.grpc!, { ALPNProtocols: ['http/1.1'] });
  await closed(other);
  assert.deepEqual([await overHttp(setup), await overGrpc(setup)], [200, 0]);
});

test('beyond loopback certificates of clients are enough, TLS alone is not', () => {
  const listen = (tls: string) =>
    loadConfig({
      file: 'test',
      text: `receive: { http: { listen: "0.0.0.0:4318" }, grpc: { listen: off }, tls: { cert_file: c, key_file: k${tls} } }`,
      env: {},
    });
  assert.throws(() => listen(''), /listens beyond loopback without a token/);
  assert.equal(listen(', client_ca_file: ca').receive.tls?.client_ca_file, 'ca');
});

test('each server has as many connections as fit into its memory, and closes further ones before their handshake', async () => {
  // One over gRPC, and over HTTPS two.
  const connections = new Connections(112 * 1024);
  const { servers } = await start({ connections });
  for (const [url, most] of [
    [servers.urls.http, 2],
    [servers.urls.grpc!, 1],
  ] as const) {
    const port = Number(new URL(url).port);
    const reached = async () => {
      const socket = connect({ port, host: '127.0.0.1', ca: authority.cert, ALPNProtocols: ['h2', 'http/1.1'] });
      closing.push(() => socket.destroy());
      return Promise.race([
        once(socket, 'secureConnect').then(() => true),
        once(socket, 'close').then(() => false),
      ]).catch(() => false);
    };
    for (let i = 0; i < most; i++) assert.equal(await reached(), true, url);
    assert.equal(await reached(), false, url);
  }
  assert.deepEqual(connections.refused, { http: 1, grpc: 1 });
});
