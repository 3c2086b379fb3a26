// `node bench/overload.ts`: offers a collector what it takes, and then ten times as much, and prints what became of it. A sender of its
// own asks all the while, as one does that honours Retry-After.
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { clickhouseOf } from '../test/support/clickhouse.ts';
import { CollectorProcess, createHome, eventually } from '../test/support/collector-process.ts';
import { type LoadOrder, type LoadReport, offerLoad, peakMemoryMiB } from '../test/support/load.ts';

const seconds = process.argv.includes('--quick') ? 5 : 20;
const spans = 64;
const bodyBytes = 200_000;
const connectionsAtOnce = 8;

let acknowledgedSpans = 0;
const home = createHome();
const collector = await CollectorProcess.start(home);
const order: LoadOrder = {
  ...{ url: collector.url, transport: 'http', seconds, bodyBytes, spans },
  connections: connectionsAtOnce,
};
try {
  process.stdout.write(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}\n`);
  process.stdout.write(
    `requests of ${bodyBytes / 1000} kB and ${spans} spans, ${seconds} s each, limits.memory 512MiB\n`,
  );
  await offer([{ ...order, seconds: 5 }]);
  const closed = await offer([order]);
  const perSecond = accepted(closed).length / seconds;
  process.stdout.write(
    `${connectionsAtOnce} connections, one request after the other: ${perSecond.toFixed(1)} accepted/s\n`,
  );
  await measured('1x', perSecond);
  await measured('10x', perSecond * 10);
  const clickhouse = clickhouseOf(home.dataDir);
  await eventually('all that was acknowledged', async () =>
    (await clickhouse.count('otel_traces')) >= acknowledgedSpans ? true : undefined,
  );
  await clickhouse.close();
  process.stdout.write(`${acknowledgedSpans} spans acknowledged, none lost\n`);
} finally {
  await collector.end('SIGTERM');
  home.remove();
}

/** @param perSecond how many requests become due */
async function measured(name: string, perSecond: number): Promise<void> {
  const probe = startProbe(collector.url);
  // Four processes, so that none of them is what limits the load.
  const each = { ...order, perSecond: perSecond / 4, connections: 256 };
  const reports = await offer([each, each, each, each]);
  const recoveryMs = await recovery(collector.url);
  const { latenciesMs, refused } = await probe.stop();
  const taken = accepted(reports).length;
  const all = reports.answers.length + reports.unsent;
  process.stdout.write(
    `${name.padStart(4)}  offered ${(all / seconds).toFixed(1)}/s, accepted ${(taken / seconds).toFixed(1)}/s, ` +
      `refused ${((reports.answers.length - taken) / seconds).toFixed(1)}/s, not even sent ${(reports.unsent / seconds).toFixed(1)}/s; ` +
      `a sender beside it: p50 ${quantile(latenciesMs, 0.5)} ms, p99 ${quantile(latenciesMs, 0.99)} ms, ` +
      `${latenciesMs.length} accepted, ${refused} refused; peak ${peakMemoryMiB(collector.pid)} MiB, ` +
      `recovered in ${recoveryMs} ms\n`,
  );
}

function accepted({ answers }: LoadReport): readonly unknown[] {
  return answers.filter(({ code }) => code === '200');
}

async function offer(orders: readonly LoadOrder[]): Promise<LoadReport> {
  const report = await offerLoad(orders);
  acknowledgedSpans += accepted(report).length * spans;
  return report;
}

/** How long it takes from the end of the load until a request is taken at once. */
async function recovery(url: string): Promise<number> {
  const from = performance.now();
  await eventually('a request taken', async () => ((await send(url)) === 200 ? true : undefined));
  return Math.round(performance.now() - from);
}

/** Sends a span ten times a second and waits as long as it is told to when it is refused. */
function startProbe(url: string): { stop(): Promise<{ latenciesMs: number[]; refused: number }> } {
  const latenciesMs: number[] = [];
  let refused = 0;
  let isOver = false;
  const probing = (async () => {
    while (!isOver) {
      const from = performance.now();
      const status = await send(url);
      if (status === 200) latenciesMs.push(performance.now() - from);
      else refused++;
      await sleep(status === 200 ? 100 : 1_000);
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await probing;
      return { latenciesMs, refused };
    },
  };
}

async function send(url: string): Promise<number> {
  const headers = { 'content-type': 'application/x-protobuf' };
  const response = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    body: otlpProtobuf([{ name: 'probe' }]) as never,
    headers,
  });
  await response.arrayBuffer();
  return response.status;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
