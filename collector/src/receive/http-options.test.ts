import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import express from 'express';
import { loadConfig } from '../config/load.ts';
import { SpanwardenError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import { Admission } from './admission.ts';
import { acceptsGzip } from './compression.ts';
import type { HttpPaths, OtlpOutcome, Signal } from './contract.ts';
import { notFound, otlpHttpRouter } from './http.ts';

let outcome: OtlpOutcome;
let taken: Signal[] = [];

async function serve(paths?: HttpPaths): Promise<number> {
  const router = otlpHttpRouter({
    ...(paths && { paths }),
    admit: () => undefined,
    admission: new Admission({ bytesMax: limits.requestsBytesMax }),
    consume: async (_encoding, _bytes, signal) => {
      taken.push(signal);
      return outcome;
    },
  });
  const server = createServer(express().use(router).use(notFound(paths)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  after(() => server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}

interface Answer {
  readonly status: number | undefined;
  readonly coding: string | undefined;
  readonly length: number;
  readonly body: Buffer;
}

/** Without what `fetch` adds and undoes. */
function post(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const all = { 'content-type': 'application/json', ...headers };
  return new Promise((done, fail) => {
    const sending = request({ host: '127.0.0.1', port, path, method: 'POST', headers: all });
    sending.on('error', fail).on('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          const { statusCode: status, headers } = response;
          const length = Number(headers['content-length']);
          done({ status, coding: headers['content-encoding'], length, body: Buffer.concat(chunks) });
        });
    });
    sending.end('{}');
  });
}

function receive(http: string) {
  return loadConfig({ file: 'test', text: `receive: { http: ${http} }`, env: {} }).receive.http;
}

describe('OTLP/HTTP Response: an answer is in gzip only where Accept-Encoding says so', async () => {
  const port = await serve();
  const long = 'a span has no trace_id and so on; '.repeat(40);
  const cases: readonly [header: string | undefined, message: string, isPacked: boolean][] = [
    [undefined, long, false],
    ['gzip', long, true],
    ['deflate, GZIP;q=0.5', long, true],
    ['*', long, true],
    ['gzip;q=0, *', long, false],
    ['br, identity', long, false],
    ['gzip', 'short', false],
  ];
  for (const [header, message, isPacked] of cases) {
    test(`${header}, ${message.length} characters`, async () => {
      outcome = { status: 'ok', rejected: 1, message };
      const answer = await post(port, '/v1/traces', header === undefined ? {} : { 'accept-encoding': header });
      assert.deepEqual([answer.status, answer.coding], [200, isPacked ? 'gzip' : undefined]);
      assert.equal(answer.length, answer.body.length);
      const text = (isPacked ? gunzipSync(answer.body) : answer.body).toString();
      assert.equal(
        (JSON.parse(text) as { partialSuccess: { errorMessage: string } }).partialSuccess.errorMessage,
        message,
      );
    });
  }

  test('a full success is empty, and stays so', async () => {
    outcome = { status: 'ok', rejected: 0, message: '' };
    const headers = { 'content-type': 'application/x-protobuf', 'accept-encoding': 'gzip' };
    const answer = await post(port, '/v1/traces', headers);
    assert.deepEqual([answer.coding, answer.length], [undefined, 0]);
  });

  test('weights other than none are taken', () => {
    assert.ok(acceptsGzip('gzip;q=0.001'));
    assert.ok(!acceptsGzip('gzip;q=0.000, deflate'));
    assert.ok(!acceptsGzip(''));
  });
});

describe('OTLP/HTTP Request: paths can be configured', async () => {
  const { paths } = receive('{ paths: { traces: /otel/in/traces, logs: /otel/in/logs } }');
  const port = await serve(paths);

  test('each signal is taken where the config says, and nowhere else', async () => {
    outcome = { status: 'ok', rejected: 0, message: '' };
    taken = [];
    for (const path of ['/otel/in/traces', '/v1/metrics', '/otel/in/logs']) {
      assert.equal((await post(port, path)).status, 200, path);
    }
    assert.deepEqual(taken, ['traces', 'metrics', 'logs']);
    const missed = await post(port, '/v1/traces');
    assert.equal(missed.status, 404);
    assert.match(missed.body.toString(), /OTLP goes to \/otel\/in\/traces and \/v1\/metrics and \/otel\/in\/logs/);
  });

  test('a path that is taken, or none, is refused with what to write instead', () => {
    const cases: readonly [string, RegExp][] = [
      ['{ paths: { traces: /x, logs: /X } }', /another signal has this path: choose one that is free/],
      ['{ paths: { metrics: /metrics } }', /the collector serves something else at this path/],
      ['{ paths: { traces: v1/traces } }', /must be a path such as \/otel\/v1\/traces/],
      ["{ paths: { traces: '/v1/:signal' } }", /must be a path/],
      ['{ paths: { traces: / } }', /must be a path/],
    ];
    for (const [http, message] of cases) {
      assert.throws(
        () => receive(http),
        (error) => error instanceof SpanwardenError && message.test(error.problems.map((each) => each.message).join()),
        http,
      );
    }
  });
});
