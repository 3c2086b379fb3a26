// Sends requests of a file and tells how they were answered; a process of its own, so that its CPU time is not counted.
// Arguments: file, protocol, url; it runs until it is killed. Each message is a `SendOrder`, answered with a `SendReport`.
import { Agent, request } from 'node:http';
import { GrpcClient } from '../../collector/src/otlp-check/grpc-client.ts';
import { type Protocol, readRequests } from './requests.ts';

export interface SendOrder {
  /** Requests of the file, from the first up to before the last. */
  readonly from: number;
  readonly to: number;
  /** Undefined: each of the connections sends as soon as it has an answer, and the same again when it was refused. */
  readonly requestsPerSecond?: number;
}

export interface SendReport {
  readonly acknowledged: number;
  /** Answered that the sender shall come again; without a rate these were sent again. */
  readonly refused: number;
  /** No answer in time, a broken connection, or an answer that forbids to send it again. */
  readonly failed: number;
  /** Not sent at their time, because so many waited for their answers. */
  readonly notSent: number;
  readonly seconds: number;
  /** Of those acknowledged; with a rate from when they were due. */
  readonly latenciesMs: readonly number[];
}

type Answer = 'acknowledged' | 'refused' | 'failed';

const connections = 8;
const waitingMax = 64;
/** As SDKs wait by default where requests come at a rate; otherwise what is slow is measured. */
const answerWithinMs = { atRate: 10_000, unhurried: 300_000 };
const [file, protocol, url] = process.argv.slice(2) as [string, Protocol, string];
const requests = readRequests(file);
const send = protocol === 'gRPC' ? overGrpc() : overHttp();
let timeout = answerWithinMs.unhurried;
process.on('message', async (order: SendOrder) => {
  process.send!(
    await (order.requestsPerSecond === undefined ? sendAll(order) : sendAtRate(order, order.requestsPerSecond)),
  );
});
process.send!('ready');

async function sendAll({ from, to }: SendOrder): Promise<SendReport> {
  const counts = { acknowledged: 0, refused: 0, failed: 0, notSent: 0 };
  const latenciesMs: number[] = [];
  const started = performance.now();
  let next = from;
  const work = async () => {
    while (next < to) {
      const body = requests[next++]!;
      const sent = performance.now();
      for (;;) {
        const answer = await send(body);
        counts[answer]++;
        if (answer === 'acknowledged') latenciesMs.push(performance.now() - sent);
        if (answer !== 'refused') break;
        await new Promise((done) => setTimeout(done, 50));
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return { ...counts, seconds: (performance.now() - started) / 1000, latenciesMs };
}

/** Whatever the answers are, as many senders do that know nothing of each other. */
async function sendAtRate({ from, to }: SendOrder, requestsPerSecond: number): Promise<SendReport> {
  timeout = answerWithinMs.atRate;
  const counts = { acknowledged: 0, refused: 0, failed: 0, notSent: 0 };
  const latenciesMs: number[] = [];
  const waiting = new Set<Promise<void>>();
  const started = performance.now();
  for (let i = from; i < to; i++) {
    const due = started + ((i - from) / requestsPerSecond) * 1000;
    const early = due - performance.now();
    if (early > 0) await new Promise((done) => setTimeout(done, early));
    if (waiting.size >= waitingMax) {
      counts.notSent++;
      // Answers come in only when this loop lets them.
      await new Promise((done) => setImmediate(done));
      continue;
    }
    const one: Promise<void> = send(requests[i]!).then((answer) => {
      counts[answer]++;
      if (answer === 'acknowledged') latenciesMs.push(performance.now() - due);
      waiting.delete(one);
    });
    waiting.add(one);
  }
  await Promise.all(waiting);
  return { ...counts, seconds: (performance.now() - started) / 1000, latenciesMs };
}

function overHttp(): (body: Buffer) => Promise<Answer> {
  const agent = new Agent({ keepAlive: true, maxSockets: waitingMax });
  const type = protocol === 'HTTP JSON' ? 'application/json' : 'application/x-protobuf';
  const encoding = protocol === 'HTTP protobuf + gzip' ? { 'content-encoding': 'gzip' } : {};
  return (body) =>
    new Promise((done) => {
      const headers = { 'content-type': type, ...encoding, 'content-length': body.length };
      const options = { method: 'POST', agent, headers, timeout };
      const sending = request(`${url}/v1/traces`, options, (response) => {
        response.resume();
        response.once('end', () => done(httpAnswer(response.statusCode!)));
      });
      sending.once('timeout', () => sending.destroy());
      sending.once('error', () => done('failed'));
      sending.end(body);
    });
}

/** https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
function httpAnswer(status: number): Answer {
  if (status === 200) return 'acknowledged';
  return [429, 502, 503, 504].includes(status) ? 'refused' : 'failed';
}

function overGrpc(): (body: Buffer) => Promise<Answer> {
  const clients = Array.from({ length: connections }, () => new GrpcClient(url));
  let turn = 0;
  return async (body) => {
    const client = clients[turn++ % connections]!;
    const { code } = await client.call('/opentelemetry.proto.collector.trace.v1.TraceService/Export', body);
    if (code === 0) return 'acknowledged';
    // RESOURCE_EXHAUSTED and UNAVAILABLE.
    return code === 8 || code === 14 ? 'refused' : 'failed';
  };
}
