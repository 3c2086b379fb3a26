import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import type { Destination, SendOutcome } from '../collector/src/export/contract.ts';
import { kafka } from '../collector/src/export/destinations/kafka.ts';
import { createAuthority } from '../collector/src/receive/testing/certificates.ts';
import { repositoryRoot } from '../scripts/repository.ts';
import { findingEvent } from './support/export-events.ts';
import { context, send } from './support/receivers/opened.ts';

// Kafka where there is no broker that takes us: whatever answers harms nothing, and is told.

const run = promisify(execFile);
const events = [findingEvent(1)];

function settings(brokers: readonly string[], own: object = {}) {
  return { type: 'kafka', brokers, topic: 'findings', security: 'none', timeout_ms: 10_000, ...own };
}

async function open(t: TestContext, brokers: readonly string[], own: object = {}): Promise<Destination> {
  const destination = await kafka.open(kafka.schema.parse(settings(brokers, own)), context);
  t.after(() => destination.close());
  return destination;
}

function reasonOf(outcome: SendOutcome): string {
  assert.notEqual(outcome.status, 'delivered');
  return (outcome as { reason: string }).reason;
}

async function listening(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers every piece that comes with the same bytes. */
function answering(bytes: Buffer): Server {
  return createServer((socket) => {
    socket.on('error', () => undefined).on('data', () => socket.write(bytes));
  });
}

const answers: readonly (readonly [string, Buffer, RegExp])[] = [
  ['a web server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /no answer of Kafka: one of 1213486160 bytes/],
  ['a length below all', Buffer.from([0, 0, 0, 1, 7]), /no answer of Kafka: one of 1 bytes/],
  ['a negative length', Buffer.from([255, 255, 255, 255, 0, 0, 0, 1]), /no answer of Kafka: one of -1 bytes/],
  ['a TLS alert', Buffer.from([0x15, 3, 3, 0, 2, 2, 40]), /wants TLS: set security: tls/],
  ['an answer that ends early', Buffer.from([0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 255, 255]), /./],
  ['the answer to another question', Buffer.from([0, 0, 0, 4, 0, 0, 0, 99]), /./],
];
for (const [what, bytes, said] of answers) {
  test(`${what} is told, and harms nothing`, async (t) => {
    const to = await open(t, [await listening(t, answering(bytes))]);
    const outcome = await send(to, events);
    assert.ok(['retryable', 'misconfigured'].includes(outcome.status), JSON.stringify(outcome));
    assert.match(reasonOf(outcome), said);
  });
}

test('any bytes are an outcome', async (t) => {
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed;
  };
  for (let round = 0; round < 60; round += 1) {
    const body = Buffer.from(Array.from({ length: 4 + (random() % 60) }, () => (random() >> 8) & 255));
    // A right length and a right number, so that what comes behind is read.
    const head = Buffer.alloc(8);
    head.writeInt32BE(body.length + 4);
    head.writeInt32BE(1, 4);
    const to = await open(t, [await listening(t, answering(Buffer.concat([head, body])))], {
      timeout_ms: 150,
      idempotent: false,
    });
    const outcome = await send(to, events);
    assert.ok(['retryable', 'misconfigured'].includes(outcome.status), JSON.stringify(outcome));
  }
});

test('a certificate that nobody vouches for, and a port without TLS, are told', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kafka-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [ours, theirs] = await Promise.all([createAuthority('ours'), createAuthority('theirs')]);
  const ca_file = join(folder, 'ca.pem');
  writeFileSync(ca_file, ours.cert);
  const { cert, key } = await theirs.issue('broker');
  const address = await listening(t, createTlsServer({ cert, key }));
  const own = { security: 'tls', tls: { ca_file }, timeout_ms: 20_000 };
  const stranger = await send(await open(t, [address], own), events);
  assert.equal(stranger.status, 'misconfigured', JSON.stringify(stranger));
  assert.match(reasonOf(stranger), new RegExp(`certificate of ${address} is not trusted .*tls\\.ca_file`));
  const plain = await listening(
    t,
    createServer((socket) => socket.on('error', () => undefined).destroy()),
  );
  const closed = await send(await open(t, [plain], own), events);
  assert.equal(closed.status, 'retryable', JSON.stringify(closed));
  assert.match(reasonOf(closed), /^127\.0\.0\.1:\d+ closed the connection; .*security: none/);
});

test('private addresses are not connected to where that is forbidden, by name or by number', async (t) => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  const { port } = { port: (await listening(t, server)).split(':')[1] };
  for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
    for (const security of ['none', 'tls']) {
      const config = kafka.schema.parse(settings([`${host}:${port}`], { security }));
      const to = await kafka.open(config, { ...context, denyPrivateAddresses: true });
      t.after(() => to.close());
      const outcome = await send(to, events);
      assert.equal(outcome.status, 'misconfigured', JSON.stringify(outcome));
      assert.match(reasonOf(outcome), /is a private address, and export\.deny_private_addresses forbids those/);
    }
  }
  assert.equal(connections, 0);
});

test('nobody who has no such destination loads the client', async () => {
  const code = `
    const { destinationTypes } = await import('./collector/src/export/destinations/index.ts');
    const type = destinationTypes.find(({ type }) => type === 'kafka');
    const config = type.schema.parse({ type: 'kafka', brokers: ['a.example'], topic: 't' });
    await type.open(config, { host: 'h', bytesMax: 65536 });
    const { registerHooks } = await import('node:module');
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    await import('@platformatic/kafka');
    process.stdout.write(String(loaded.some((url) => url.includes('@platformatic/kafka'))));
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd: repositoryRoot });
  assert.equal(stdout, 'true');
});

test('settings that cannot be meant are errors', () => {
  const sasl = { mechanism: 'plain', username: 'u', password: 'p' };
  const wrong: readonly [object, RegExp][] = [
    [{ sasl }, /send the password in the clear/],
    [{ tls: { ca_file: 'ca.pem' } }, /security: tls only/],
    [{ brokers: ['kafka://broker'] }, /must be a name or an address/],
    [{ brokers: ['broker:70000'] }, /at most 65535/],
    [{ topic: '..' }, /must be 1 to 249/],
    [{ key: '{nothing}' }, /not known/],
  ];
  for (const [own, said] of wrong) {
    const { error } = kafka.schema.safeParse(settings(['broker:9092'], own));
    assert.match(error?.message ?? 'taken', said);
  }
  const taken = kafka.schema.parse(settings(['[fd00::7]:9093', 'a.example'], { security: 'tls', sasl }));
  assert.doesNotMatch(JSON.stringify(taken), /"p"/);
});
