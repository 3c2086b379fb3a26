// Sends prepared export requests as fast as they are acknowledged, over a few keep-alive connections. A process of its
// own, so that its CPU time is not counted. Arguments: url, span size, bodies, spans per body.
import { Agent, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { SenderReport } from './collector.ts';
import { makeBodies, type SpanSize } from './spans.ts';

const connections = 8;
const [url, size, bodies, spansPerBody] = process.argv.slice(2) as [string, string, string, string];
const prepared = makeBodies(Number(size) as SpanSize, Number(bodies), Number(spansPerBody)).map((body) =>
  gzipSync(body),
);
process.send!('ready');
process.once('message', async () => {
  process.send!(await sendAll());
  process.disconnect();
});

async function sendAll(): Promise<SenderReport> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latenciesMs: number[] = [];
  const started = performance.now();
  let next = 0;
  const work = async () => {
    while (next < prepared.length) {
      const body = prepared[next++]!;
      const from = performance.now();
      // Overload is answered with 503: the same bytes go again, as an exporter would do.
      while ((await post(agent, body)) !== 200) await new Promise((done) => setTimeout(done, 50));
      latenciesMs.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  agent.destroy();
  const seconds = (performance.now() - started) / 1000;
  return { spans: prepared.length * Number(spansPerBody), seconds, latenciesMs };
}

function post(agent: Agent, body: Buffer): Promise<number> {
  return new Promise((done, failed) => {
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'gzip',
      'content-length': body.length,
    };
    const sending = request(`${url}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => done(response.statusCode!));
    });
    sending.once('error', failed);
    sending.end(body);
  });
}
