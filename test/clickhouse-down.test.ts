import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createStoreClient } from '../collector/src/store/client.ts';
import { startEmbedded } from '../collector/src/store/embedded/start.ts';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { CollectorProcess, createHome, eventually } from './support/collector-process.ts';
import { freePort } from './support/free-port.ts';

test('ClickHouse down at start: spans are accepted, readiness says why not, and everything lands once it is up', async () => {
  const port = await freePort();
  const server = createHome();
  const home = createHome(
    `spool: { segment_age_max_ms: 50 }\nclickhouse: { url: "http://127.0.0.1:${port}", username: spanwarden, password: "\${file:${join(server.directory, 'password')}}" }\n`,
  );
  // The server is started once to make its account, then goes away: the collector meets a port where nobody listens.
  const first = await startEmbedded({ dataDir: server.dataDir, httpPort: port });
  writeFileSync(join(server.directory, 'password'), first.password);
  await first.stop();
  const collector = await CollectorProcess.start(home);
  after(async () => {
    await collector.end('SIGKILL');
    home.remove();
    server.remove();
  });

  const body = otlpProtobuf([{ name: 'early' }]);
  const headers = { 'content-type': 'application/x-protobuf' };
  const answer = await fetch(`${collector.url}/v1/traces`, { method: 'POST', body: body as never, headers });
  assert.equal(answer.status, 200);
  const ready = await fetch(`${collector.url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(JSON.stringify(await ready.json()), /ClickHouse/);

  const back = await startEmbedded({ dataDir: server.dataDir, httpPort: port });
  const client = createStoreClient(back);
  const stored = await eventually(
    'the span that was accepted while ClickHouse was down',
    async () => {
      const result = await client.query({ query: 'SELECT SpanName FROM otel_traces', format: 'JSONEachRow' });
      const rows = await result.json<{ SpanName: string }>();
      return rows.length > 0 ? rows : undefined;
    },
    60_000,
  );
  assert.deepEqual(stored, [{ SpanName: 'early' }]);
  await eventually('readiness', async () =>
    (await fetch(`${collector.url}/readyz`)).status === 200 ? true : undefined,
  );
  await client.close();
  assert.equal(await collector.end('SIGTERM'), 0);
  await back.stop();
});
