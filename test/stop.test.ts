import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { after, test } from 'node:test';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { clickhouseOf } from './support/clickhouse.ts';
import { CollectorProcess, createHome, eventually, sendTraces } from './support/collector-process.ts';

/** What `spanwarden serve` promises. */
const stopMsMax = 10_000;

let spans = 0;
const nextSpan = () => otlpProtobuf([{ spanId: (++spans).toString(16).padStart(16, '0'), name: 'stopped' }]);

test('a stop while ClickHouse hangs: requests under way are answered, it ends in time, and what was acknowledged lands once', async () => {
  const home = createHome('spool: { segment_age_max_ms: 50 }\n');
  const first = await CollectorProcess.start(home);
  const hung = clickhouseOf(home.dataDir);
  const server = hung.pid;
  after(async () => {
    await first.end('SIGKILL');
    home.remove();
  });
  assert.ok(await sendTraces(first.url, nextSpan()));
  await eventually('a row', async () => ((await hung.count('otel_traces')) === 1 ? true : undefined));
  await hung.close();
  process.kill(server, 'SIGSTOP');
  // The next segment is in an INSERT that does not end.
  assert.ok(await sendTraces(first.url, nextSpan()));
  const idle = await answerOf(first.url, { holdMs: 0 });
  assert.equal(idle.status, 200);

  const sent = { acknowledged: 0, unanswered: 0 };
  const busy = sendUntilRefused(first.url, sent);
  await eventually('requests on their way', async () => (sent.acknowledged >= 20 ? true : undefined));
  const held = answerOf(first.url, { holdMs: 500 });
  const stuck = answerOf(first.url, { holdMs: 60_000 });
  // Both have arrived when one that was sent after them is answered.
  assert.ok(await sendTraces(first.url, nextSpan()));
  const from = performance.now();
  const code = await first.end('SIGTERM');
  const stopMs = performance.now() - from;
  // 1 where the machine is so busy that the stop was cut; what was acknowledged is on disk in any case.
  assert.ok(code === 0 || code === 1, String(code));
  assert.ok(stopMs < stopMsMax, `${Math.round(stopMs)} ms`);
  // There was time for the body of one; the other is told to come again.
  assert.deepEqual([(await held).status, (await stuck).status], [200, 503]);
  await busy;
  await eventually('the end of the server that hung', async () => (hasEnded(server) ? true : undefined));

  const second = await CollectorProcess.start(home);
  after(() => second.end('SIGKILL'));
  const clickhouse = clickhouseOf(home.dataDir);
  const acknowledged = 5 + sent.acknowledged;
  await eventually('all that was acknowledged', async () =>
    (await clickhouse.count('otel_traces')) >= acknowledged ? true : undefined,
  );
  const [row] = await clickhouse.rows<{ n: string; ids: string }>(
    'SELECT count() AS n, uniqExact(SpanId) AS ids FROM otel_traces',
  );
  assert.equal(row!.n, row!.ids, 'nothing is there twice');
  assert.ok(Number(row!.n) <= acknowledged + sent.unanswered);
  await clickhouse.close();
  assert.equal(await second.end('SIGTERM'), 0);
});

/** Whether a process is gone, or only waits for its new parent to notice: it was killed a moment before its first one ended. */
function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return existsSync(`/proc/${pid}/stat`) && /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** Sends one span after the other on connections that stay open, until the collector takes no more. */
async function sendUntilRefused(url: string, sent: { acknowledged: number; unanswered: number }): Promise<void> {
  const one = async () => {
    for (;;) {
      const { status } = await answerOf(url, { holdMs: 0 });
      if (status === 200) sent.acknowledged++;
      else {
        if (status === 0) sent.unanswered++;
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
}

/** Sends the head and half of the body, and the rest after the time. Status 0 where the connection ends without an answer. */
function answerOf(url: string, { holdMs }: { holdMs: number }): Promise<{ status: number }> {
  const body = nextSpan();
  return new Promise((done) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
    const sending = request(`${url}/v1/traces`, { method: 'POST', headers }, (response) => {
      response.resume();
      clearTimeout(rest);
      done({ status: response.statusCode! });
    });
    const rest = setTimeout(() => sending.end(body.subarray(20)), holdMs);
    sending.once('error', () => {
      clearTimeout(rest);
      done({ status: 0 });
    });
    sending.write(body.subarray(0, 20));
  });
}
