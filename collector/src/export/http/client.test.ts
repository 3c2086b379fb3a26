import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { limits } from '../../model/limits.ts';
import { type Authority, createAuthority } from '../../receive/testing/certificates.ts';
import type { DestinationContext } from '../contract.ts';
import { HttpClient, type HttpClientOptions } from './client.ts';
import { httpClient } from './config.ts';

const closing: (() => unknown)[] = [];
after(async () => {
  for (const close of closing.reverse()) await close();
});

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function client(options: Partial<HttpClientOptions> = {}): HttpClient {
  const made = new HttpClient({
    timeoutMs: 10_000,
    userAgent: 'spanwarden/test',
    secrets: ['very-secret'],
    denyPrivateAddresses: false,
    ...options,
  });
  closing.push(() => made.close());
  return made;
}

function post(from: HttpClient, url: string, signal = new AbortController().signal) {
  return from.send({ url: new URL(url), headers: {}, body: Buffer.from('{}'), gzip: false }, signal);
}

const answers: RequestListener = (request, response) => {
  request.resume().on('end', () => response.end('taken'));
};

test('connections are kept', async () => {
  let connections = 0;
  const server = createServer(answers).on('connection', () => {
    connections += 1;
  });
  const host = await listening(server);
  const from = client();
  for (const _ of [1, 2, 3]) assert.equal((await post(from, `http://${host}/`)).status, 'answered');
  assert.equal(connections, 1);
});

test('a connection that the receiver closed while it was idle is not a failure', async () => {
  let requests = 0;
  // Answers the first request of a connection; the second is reset unread, as when an idle connection ends at the same moment.
  const server = createTcpServer((socket) => {
    let own = 0;
    socket
      .on('error', () => undefined)
      .on('data', () => {
        own += 1;
        requests += 1;
        if (own === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        else socket.resetAndDestroy();
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const from = client();
  assert.equal((await post(from, url)).status, 'answered');
  assert.equal((await post(from, url)).status, 'answered');
  assert.ok(requests >= 3);
});

test('a longer answer is read up to the bound', async () => {
  const part = Buffer.alloc(65_536, 'x');
  const host = await listening(
    createServer((request, response) => {
      request.resume();
      const write = (): void => {
        while (!response.destroyed && response.write(part));
      };
      response.on('drain', write).on('error', () => undefined);
      write();
    }),
  );
  const answer = await post(client(), `http://${host}/`);
  assert.ok(answer.status === 'answered' && !answer.isWhole);
  assert.ok(answer.text.length > limits.exportAnswerBytesMax / 2 && answer.text.length <= limits.exportAnswerBytesMax);
});

test('headers without end are a failure, and what is no HTTP too', async () => {
  for (const said of [`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 'SSH-2.0-OpenSSH\r\n']) {
    const server = createTcpServer((socket) => socket.on('error', () => undefined).end(said));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    const outcome = await post(client(), `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    assert.ok(outcome.status === 'failed' && outcome.outcome.status === 'retryable', JSON.stringify(outcome));
  }
});

test('an answer of another protocol and one that never ends are failures', async () => {
  const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n';
  for (const said of [
    upgrade,
    '',
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nx',
  ]) {
    for (const isEnded of [true, false]) {
      const server = createTcpServer((socket) => {
        socket.on('error', () => undefined).resume();
        if (isEnded) socket.end(said);
        else socket.write(said);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const from = client({ timeoutMs: 200 });
      const outcome = await post(from, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      assert.ok(outcome.status === 'failed' && outcome.outcome.status === 'retryable', JSON.stringify(outcome));
      await from.close();
      server.close();
    }
  }
});

test('private addresses are denied as literals, through names, and after a rebinding', async () => {
  let requests = 0;
  const host = await listening(
    createServer((request, response) => {
      requests += 1;
      answers(request, response);
    }),
  );
  const port = host.split(':')[1];
  const denied = async (from: HttpClient, url: string) => {
    const outcome = await post(from, url);
    assert.ok(outcome.status === 'failed' && outcome.outcome.status === 'misconfigured', JSON.stringify(outcome));
    assert.match(outcome.outcome.reason, /private address, and export\.deny_private_addresses forbids/);
  };
  const from = client({ denyPrivateAddresses: true });
  await denied(from, `http://${host}/`);
  await denied(from, `http://[::ffff:127.0.0.1]:${port}/`);
  await denied(from, `http://localhost:${port}/`);
  // The name was public when somebody looked before; what the connection is made to is what counts.
  let looked = 0;
  const rebinding = client({
    denyPrivateAddresses: true,
    resolve: (_name, _options, done) => {
      looked += 1;
      done(null, [{ address: '127.0.0.1', family: 4 }]);
    },
  });
  await denied(rebinding, `http://siem.example:${port}/`);
  assert.equal(looked, 1);
  assert.equal(requests, 0);
  assert.equal((await post(client(), `http://${host}/`)).status, 'answered');
});

test('a redirect to loopback is an answer, and nothing goes there', async () => {
  let requests = 0;
  const inner = await listening(
    createServer((request, response) => {
      requests += 1;
      answers(request, response);
    }),
  );
  const outer = await listening(
    createServer((request, response) => {
      request.resume();
      response.writeHead(307, { location: `http://${inner}/admin` }).end();
    }),
  );
  const answer = await post(client(), `http://${outer}/`);
  assert.ok(answer.status === 'answered' && answer.code === 307);
  assert.equal(requests, 0);
});

const directory = mkdtempSync(join(tmpdir(), 'spanwarden-test-'));
closing.push(() => rmSync(directory, { recursive: true }));
const authority = await createAuthority('servers');
const clients = await createAuthority('clients');

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

async function tlsServer(by: Authority, options: object = {}, days = 90): Promise<string> {
  const pair = await by.issue('receiver', days);
  return listening(createTlsServer({ ...pair, ...options }, answers));
}

const context = {
  product: { vendor: 'Spanwarden', name: 'Spanwarden', version: '1' },
  denyPrivateAddresses: false,
} as DestinationContext;

test('the certificate of the receiver is verified: by the CA of the config, its name and its time', async () => {
  const ca_file = file('ca.pem', authority.cert);
  const trusting = httpClient({ timeout_ms: 10_000, tls: { ca_file } }, context, []);
  closing.push(() => trusting.close());
  const host = await tlsServer(authority);
  assert.equal((await post(trusting, `https://${host}/`)).status, 'answered');
  const strange = await createAuthority('strangers');
  const cases: [HttpClient, string, RegExp][] = [
    [client(), host, /not trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\): set tls\.ca_file/],
    [trusting, await tlsServer(strange), /not trusted/],
    [trusting, await tlsServer(authority, {}, -1), /not trusted \(CERT_HAS_EXPIRED\)/],
    [trusting, await listening(createServer(answers)), /no TLS connection/],
  ];
  for (const [from, to, said] of cases) {
    const outcome = await post(from, `https://${to}/`);
    assert.ok(outcome.status === 'failed' && outcome.outcome.status === 'misconfigured', JSON.stringify(outcome));
    assert.match(outcome.outcome.reason, said);
  }
});

test('a receiver that wants a certificate gets the one of the config', async () => {
  const own = await clients.issue('collector');
  const host = await tlsServer(authority, { ca: clients.cert, requestCert: true, rejectUnauthorized: true });
  const ca_file = file('ca.pem', authority.cert);
  const files = { ca_file, cert_file: file('own.crt', own.cert), key_file: file('own.key', own.key) };
  const known = httpClient({ timeout_ms: 10_000, tls: files }, context, []);
  const unknown = httpClient({ timeout_ms: 10_000, tls: { ca_file } }, context, []);
  closing.push(
    () => known.close(),
    () => unknown.close(),
  );
  assert.equal((await post(known, `https://${host}/`)).status, 'answered');
  const outcome = await post(unknown, `https://${host}/`);
  assert.ok(outcome.status === 'failed', JSON.stringify(outcome));
  assert.match(outcome.outcome.reason, /CERTIFICATE_REQUIRED|ECONNRESET|EPIPE/);
});

test('a certificate that is replaced is used after the failure of the former', async () => {
  const own = await clients.issue('collector');
  const former = await (await createAuthority('former')).issue('collector');
  const host = await tlsServer(authority, { ca: clients.cert, requestCert: true, rejectUnauthorized: true });
  const ca_file = file('ca.pem', authority.cert);
  const put = (pair: typeof own) => ({
    cert_file: file('changing.crt', pair.cert),
    key_file: file('changing.key', pair.key),
  });
  const from = httpClient({ timeout_ms: 10_000, tls: { ca_file, ...put(former) } }, context, []);
  closing.push(() => from.close());
  assert.equal((await post(from, `https://${host}/`)).status, 'failed');
  // Half of it is no pair: what was there before stays.
  file('changing.crt', own.cert);
  assert.equal((await post(from, `https://${host}/`)).status, 'failed');
  put(own);
  assert.equal((await post(from, `https://${host}/`)).status, 'failed');
  assert.equal((await post(from, `https://${host}/`)).status, 'answered');
});

test('files for TLS that cannot be used stop the opening, and the message has no key in it', async () => {
  const { key } = await clients.issue('collector');
  const cases = [
    { ca_file: join(directory, 'missing.pem') },
    { cert_file: file('bad.crt', 'no certificate'), key_file: file('bad.key', key) },
  ];
  for (const tls of cases) {
    assert.throws(
      () => httpClient({ timeout_ms: 1000, tls }, context, []),
      (error: Error) => error.name === 'SpanwardenError' && !error.message.includes(key.split('\n')[1]!),
    );
  }
});
