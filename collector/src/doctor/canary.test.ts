import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { sendCanary } from './canary.ts';
import { collectorClient } from './collector-client.ts';

/** What the canary is told, one answer after the other, the last one for ever. */
const answers: { status: number; retryAfter?: string }[] = [];
const server = createServer((request, response) => {
  const { status, retryAfter } = answers.length > 1 ? answers.shift()! : answers[0]!;
  request.resume();
  response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address() as AddressInfo;
const config = loadConfig({ file: 'test.yaml', text: `receive: { http: { listen: "127.0.0.1:${port}" } }`, env: {} });
const client = collectorClient(config, undefined);
after(() => {
  client.close();
  server.close().closeAllConnections();
});

async function told(...all: typeof answers): Promise<string> {
  answers.splice(0, answers.length, ...all);
  const checks = await sendCanary(client, undefined);
  return checks.map(({ result, seen }) => `${result} ${seen}`).join();
}

test('a canary that is told to come again soon does, and no more than a few times', async () => {
  const later = { status: 429, retryAfter: '0' };
  assert.match(await told({ status: 200 }), /^ok on disk after \d+ ms$/);
  assert.match(
    await told(later, { status: 503, retryAfter: '0' }, { status: 200 }),
    /^ok .* ms, told to come again 2 times$/,
  );
  assert.match(await told(later), /^failed 429 , told to come again 3 times$/);
});

test('what is final, and what would take long, is said at once', async () => {
  assert.match(await told({ status: 401 }, { status: 200 }), /^failed 401 $/);
  assert.match(await told({ status: 503, retryAfter: '60' }, { status: 200 }), /^failed 503 $/);
});
