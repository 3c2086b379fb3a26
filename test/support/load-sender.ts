// Offers export requests to a collector, over HTTP or gRPC, until the time is over. A process of its own, forked by load.ts: what it
// costs must not slow down what it measures.
import { randomFillSync } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setPriority } from 'node:os';
import { Client, credentials, type Metadata, status } from '@grpc/grpc-js';
import { otlpProtobuf } from '../../collector/src/testing/otlp.ts';
import type { LoadAnswer, LoadOrder, LoadReport } from './load.ts';

// Where there are few processors, offering more must not keep the collector from taking it.
setPriority(10);
process.once('message', async (order: LoadOrder) => {
  process.send!(await offer(order));
  process.disconnect();
});
process.send!('ready');

async function offer(order: LoadOrder): Promise<LoadReport> {
  const bodyOf = bodies(order.bodyBytes, order.spans);
  const post = order.transport === 'grpc' ? overGrpc(order) : overHttp(order);
  const answers: LoadAnswer[] = [];
  const until = performance.now() + order.seconds * 1000;
  let unsent = 0;
  const send = async () => {
    const from = performance.now();
    const answer = await post(bodyOf());
    answers.push({ ...answer, ms: performance.now() - from });
  };
  const repeatedly = async () => {
    while (performance.now() < until) await send();
  };
  const atRate = async (perSecond: number) => {
    const started = performance.now();
    const sending = new Set<Promise<void>>();
    for (let due = 0; performance.now() < until; await new Promise((done) => setTimeout(done, 5))) {
      for (; due < ((performance.now() - started) / 1000) * perSecond; due++) {
        if (sending.size >= order.connections) {
          unsent++;
          continue;
        }
        const one = send().finally(() => sending.delete(one));
        sending.add(one);
      }
    }
    await Promise.all(sending);
  };
  if (order.perSecond !== undefined) await atRate(order.perSecond);
  else await Promise.all(Array.from({ length: order.connections }, repeatedly));
  return { answers, unsent };
}

/** Gives one request after the other, all of the same spans, each with ids of its own. */
function bodies(bodyBytes: number, spans: number): () => Buffer {
  const marker = '5b'.repeat(16);
  const text = 'lorem ipsum dolor sit amet '.repeat(Math.ceil(bodyBytes / spans / 27)).slice(0, bodyBytes / spans);
  const span = { traceId: marker, spanId: '5b'.repeat(8), name: 'execute_tool search' };
  const attributes = { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.call.result': text };
  const template = otlpProtobuf(
    Array.from({ length: spans }, () => ({ ...span, attributes })),
    { 'service.name': 'load' },
  );
  const needle = Buffer.from(marker, 'hex');
  const places: number[] = [];
  // Behind the trace id stand two bytes of the next field and the span id.
  for (let at = template.indexOf(needle); at >= 0; at = template.indexOf(needle, at + 26)) places.push(at);
  return () => {
    const body = Buffer.from(template);
    for (const at of places) {
      randomFillSync(body, at, 16);
      randomFillSync(body, at + 18, 8);
    }
    return body;
  };
}

type Post = (body: Buffer) => Promise<Omit<LoadAnswer, 'ms'>>;

function overHttp({ url, connections }: LoadOrder): Post {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return (body) =>
    new Promise((done) => {
      const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
      const sending = request(`${url}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
        response.resume();
        const code = String(response.statusCode);
        const answer = { code, isRetryable: response.headers['retry-after'] !== undefined };
        response.once('end', () => done(answer));
        response.once('error', () => done(answer));
      });
      sending.once('error', (error: NodeJS.ErrnoException) =>
        done({ code: error.code ?? 'error', isRetryable: false }),
      );
      sending.end(body);
    });
}

function overGrpc({ url, connections }: LoadOrder): Post {
  const clients = Array.from(
    { length: Math.min(connections, 8) },
    () => new Client(url.replace('http://', ''), credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
  );
  const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
  const same = (bytes: Buffer) => bytes;
  let next = 0;
  return (body) =>
    new Promise((done) => {
      clients[next++ % clients.length]!.makeUnaryRequest(path, same, same, body, (error) => {
        const details = (error as { metadata?: Metadata } | null)?.metadata?.get('grpc-status-details-bin')[0];
        const isRetryable = String(details ?? '').includes('google.rpc.RetryInfo');
        done({ code: status[error?.code ?? status.OK] ?? 'UNKNOWN', isRetryable });
      });
    });
}
