// A receiver that answers at once, in a process of its own so that its CPU time is not counted: a webhook, and Splunk's HTTP Event
// Collector. Says its port to its parent. With `arrivals` as argument it notes when each trace came and tells on request; told `down` it
// answers 503 until it is told `up`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** Trace id and milliseconds since the epoch. */
export type Arrival = readonly [traceId: string, timeMs: number];

const notesArrivals = process.argv[2] === 'arrivals';
const arrivals: Arrival[] = [];
let isDown = false;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => notesArrivals && chunks.push(chunk));
  request.on('end', () => {
    if (isDown) response.writeHead(503).end();
    else {
      if (notesArrivals) note(Buffer.concat(chunks), request.headers['content-encoding'] === 'gzip');
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"text":"Success","code":0}');
    }
  });
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
process.on('message', (words) => {
  if (words === 'down' || words === 'up') isDown = words === 'down';
  else process.send!(arrivals);
});

function note(body: Buffer, isGzip: boolean): void {
  const timeMs = Date.now();
  const text = (isGzip ? gunzipSync(body) : body).toString();
  for (const [, traceId] of text.matchAll(/"trace_id":"([0-9a-f]{32})"/g)) arrivals.push([traceId!, timeMs]);
}
