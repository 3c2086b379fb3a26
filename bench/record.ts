// Records what the instrumentation really sends: runs the demo's agent on its two tickets against a receiver that keeps
// the request bodies. `npm run record` writes test/fixtures/traces/demo/requests.pb.gz; see the README there.
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { runAgent } from '../collector/src/demo/agent-run.ts';
import { ticketIds } from '../collector/src/demo/data.ts';
import { startModelServer } from '../collector/src/demo/model-server.ts';
import { startSink } from '../collector/src/demo/sink.ts';

const folder = new URL('../test/fixtures/traces/demo/', import.meta.url);
const bodies: Buffer[] = [];
const receiver = createServer(async (request, response) => {
  const chunks = (await request.toArray()) as Buffer[];
  const body = Buffer.concat(chunks);
  bodies.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
  response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
});
await once(receiver.listen(0, '127.0.0.1'), 'listening');
const model = await startModelServer();
const sink = await startSink();
for (const [run, ticketId] of Object.entries(ticketIds)) {
  const otlpUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const signal = AbortSignal.timeout(60_000);
  const { exitCode, errors } = await runAgent({
    run,
    ticketId,
    otlpUrl,
    modelUrl: model.url,
    sinkUrl: sink.url,
    signal,
  });
  if (exitCode !== 0) throw new Error(errors);
}
await Promise.all([model.close(), sink.close()]);
receiver.close();
// Export requests are messages of repeated fields: their bytes one after the other are one request with all of them.
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('requests.pb.gz', folder), gzipSync(anonymous(Buffer.concat(bodies)), { level: 9 }));
process.stderr.write(`${bodies.length} requests, ${Buffer.concat(bodies).length} bytes\n`);

/** Paths of this machine become paths of the same length, so that every length in the bytes stays right. */
function anonymous(bytes: Buffer): Buffer {
  const root = new URL('..', import.meta.url).pathname.slice(0, -1);
  return Buffer.from(bytes.toString('latin1').replaceAll(root, `/${'x'.repeat(root.length - 1)}`), 'latin1');
}
