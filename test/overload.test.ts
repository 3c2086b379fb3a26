import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { clickhouseOf } from './support/clickhouse.ts';
import { CollectorProcess, createHome, eventually, sendTraces } from './support/collector-process.ts';
import { countCodes, offerLoad, peakMemoryMiB } from './support/load.ts';

const limitMiB = 512;
const spans = 32;

test('far more than it takes: 503 with Retry-After, memory under its limit, nothing acknowledged lost, then as before', async () => {
  const home = createHome(`limits: { memory: ${limitMiB}MiB }\nspool: { segment_age_max_ms: 100 }\n`);
  const collector = await CollectorProcess.start(home);
  after(async () => {
    await collector.end('SIGKILL');
    home.remove();
  });
  // The process became one with a bounded heap.
  assert.match(readFileSync(`/proc/${collector.pid}/cmdline`, 'utf8'), /--max-old-space-size=320\0/);
  const watched = watchHealth(collector.url);
  const order = { seconds: 5, connections: 48, spans } as const;
  const { answers } = await offerLoad([
    // Taken all at once these alone would fill the memory.
    { ...order, connections: 96, url: collector.url, transport: 'http', bodyBytes: 2_000_000 },
    { ...order, url: collector.url, transport: 'http', bodyBytes: 100_000 },
    { ...order, url: collector.grpcUrl, transport: 'grpc', bodyBytes: 500_000 },
  ]);
  const from = performance.now();
  await eventually(
    'a request taken after the load',
    async () => ((await sendTraces(collector.url, otlpProtobuf([{ name: 'after' }]))) ? true : undefined),
    5_000,
  );
  const recoveredMs = performance.now() - from;
  const refusals = await refusedFor(collector.url);
  // Nothing of the load is held or waited for any more: what is never given back would leave less room after each.
  await eventually('room for as much as before', async () => {
    const text = await (await fetch(`${collector.url}/metrics`)).text();
    const left = ['held_bytes', 'wait_seconds'].map((name) => new RegExp(`^spanwarden_receive_${name} 0$`, 'm'));
    return left.every((pattern) => pattern.test(text)) ? true : undefined;
  });
  const health = await watched.stop();
  const seen = JSON.stringify({
    ...countCodes(answers),
    refusals,
    recoveredMs,
    health,
    peak: peakMemoryMiB(collector.pid),
  });

  for (const code of ['503', 'UNAVAILABLE']) {
    const refused = answers.filter((answer) => answer.code === code);
    assert.ok(refused.length > 0, `some are answered ${code}: ${seen}`);
    assert.ok(
      refused.every(({ isRetryable }) => isRetryable),
      `each says when to come again: ${seen}`,
    );
  }
  assert.ok(peakMemoryMiB(collector.pid) < limitMiB, seen);
  assert.ok(health.asked > 0 && health.failed === 0, seen);

  const acknowledged = answers.filter(({ code }) => code === '200' || code === 'OK').length;
  assert.ok(acknowledged > 0, seen);
  const clickhouse = clickhouseOf(home.dataDir);
  await eventually(
    'all that was acknowledged is stored',
    async () => ((await clickhouse.count('otel_traces')) >= acknowledged * spans + 1 ? true : undefined),
    60_000,
  );
  const [row] = await clickhouse.rows<{ n: string }>('SELECT uniqExact(SpanId) AS n FROM otel_traces');
  assert.ok(Number(row!.n) >= acknowledged * spans + 1);
  await clickhouse.close();
  assert.equal(await collector.end('SIGTERM'), 0);
});

/** How many requests were refused for which reason. */
async function refusedFor(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const pattern = /^spanwarden_receive_refused_requests_total\{reason="(\w+)"\} (\d+)$/gm;
  return Object.fromEntries([...text.matchAll(pattern)].map(([, reason, count]) => [reason!, Number(count)]));
}

/** Asks for /healthz over and over. */
function watchHealth(url: string): { stop(): Promise<{ asked: number; failed: number }> } {
  const seen = { asked: 0, failed: 0 };
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      seen.asked++;
      const isOk = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(10_000) }).then(
        (response) => response.ok,
        () => false,
      );
      if (!isOk) seen.failed++;
      await new Promise((done) => setTimeout(done, 50));
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await watching;
      return seen;
    },
  };
}
