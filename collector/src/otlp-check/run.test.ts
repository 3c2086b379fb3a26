import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import express from 'express';
import { loadConfig } from '../config/load.ts';
import { createDetector } from '../detect/engine.ts';
import { loadRules } from '../detect/load.ts';
import { createFieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { ok } from '../model/outcome.ts';
import { TracePipeline } from '../pipeline.ts';
import { Admission } from '../receive/admission.ts';
import { notFound, otlpHttpRouter } from '../receive/http.ts';
import { startServers } from '../receive/servers.ts';
import { admitting } from '../receive/testing/admitting.ts';
import { checkEndpoint, NoAnswer } from './run.ts';

/** The real receivers, decoders and encoders; only the disk is missing. */
const token = 'a-long-enough-token';
const yaml = `receive: { bearer_token: ${token}, http: { listen: "127.0.0.1:0" }, grpc: { listen: "127.0.0.1:0" } }`;
const fields = createFieldTable();
const pipeline = new TracePipeline({
  fields,
  detector: createDetector({ ...loadRules([]), fields }),
  log: { committed: () => undefined, refusal: () => undefined, append: async () => ok },
  retentionMs: 30 * 86_400_000,
  now: Date.now,
});
const intake = {
  admit: admitting(token),
  admission: new Admission({ bytesMax: limits.requestsBytesMax }),
  consume: pipeline.consume.bind(pipeline),
};
const app = express().use(otlpHttpRouter(intake)).use(notFound());
const servers = await startServers(loadConfig({ file: 'test', text: yaml, env: {} }).receive, app, intake);
after(() => servers.close(0));

const headers = { authorization: `Bearer ${token}` };
const results = [
  ...(await checkEndpoint({ transport: 'http', url: servers.urls.http }, headers)),
  ...(await checkEndpoint({ transport: 'grpc', url: servers.urls.grpc! }, headers)),
];

/** What an endpoint cannot show from outside: receive/http.test.ts and receive/grpc.test.ts look at it. */
const unseen = /Throttling$/;

for (const { transport, section, title, result, seen } of results) {
  test(`${section}: ${title} (${transport})`, () => {
    assert.equal(result, unseen.test(section) ? 'not applicable' : 'pass', seen);
  });
}

test('an endpoint that answers 200 to everything fails what it should', async () => {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('fine')));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const seen = await checkEndpoint({ transport: 'http', url }, headers);
  server.close().closeAllConnections();
  const passing = seen.filter(({ result }) => result === 'pass').map(({ title }) => title);
  assert.deepEqual(passing, [
    'POST to the default paths is taken',
    'an answer is packed only if Accept-Encoding says so',
    'values nested 10,000 deep are refused, never a 5xx',
  ]);
});

test('where nobody answers there is nothing to check', async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.close();
  await once(server, 'close');
  for (const transport of ['http', 'grpc'] as const) {
    await assert.rejects(checkEndpoint({ transport, url }, {}), NoAnswer);
  }
});
