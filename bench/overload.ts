// `node bench/overload.ts`: offers a collector what it takes, and then ten times as much, and prints what became of it. A sender of its
// own asks all the while, as one does that honours Retry-After. With --other <checkout> both versions are offered the same, by turns.
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { otlpProtobuf } from '../collector/src/testing/otlp.ts';
import { clickhouseOf } from '../test/support/clickhouse.ts';
import { CollectorProcess, createHome, eventually } from '../test/support/collector-process.ts';
import { type LoadOrder, type LoadReport, offerLoad, peakMemoryMiB } from '../test/support/load.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    other: { type: 'string' },
    rounds: { type: 'string', default: '1' },
  },
});
const seconds = values.quick ? 5 : 20;
const spans = 64;
const bodyBytes = 200_000;
const connectionsAtOnce = 8;
const refusedName = 'spanwarden_receive_refused_requests_total';
const acceptedName = 'spanwarden_receive_accepted_seconds';

process.stdout.write(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}\n`);
process.stdout.write(
  `requests of ${bodyBytes / 1000} kB and ${spans} spans, ${seconds} s each, limits.memory 512MiB\n`,
);
/** What the first one took, which is then offered to all. */
let takenPerSecond: number | undefined;
for (let round = 0; round < Number(values.rounds); round++) {
  for (const checkout of [join(import.meta.dirname, '..'), ...(values.other ? [resolve(values.other)] : [])]) {
    if (values.other) process.stdout.write(`${checkout}\n`);
    await measureOne(join(checkout, 'collector/src/main.ts'));
  }
}

async function measureOne(main: string): Promise<void> {
  const home = createHome();
  const collector = await CollectorProcess.start(home, { main });
  let acknowledgedSpans = 0;
  const offer = async (orders: readonly LoadOrder[]) => {
    const report = await offerLoad(orders);
    acknowledgedSpans += accepted(report) * spans;
    return report;
  };
  const order: LoadOrder = {
    ...{ url: collector.url, transport: 'http', seconds, bodyBytes, spans },
    connections: connectionsAtOnce,
  };
  try {
    await offer([{ ...order, seconds: 5 }]);
    if (takenPerSecond === undefined) {
      takenPerSecond = accepted(await offer([order])) / seconds;
      const taken = takenPerSecond.toFixed(1);
      process.stdout.write(`${connectionsAtOnce} connections, one request after the other: ${taken} accepted/s\n`);
    }
    for (const times of [1, 10]) {
      // Four processes, so that none of them is what limits the load.
      const each = { ...order, perSecond: (takenPerSecond * times) / 4, connections: 256 };
      process.stdout.write(await measured(`${times}x`, collector, () => offer([each, each, each, each])));
    }
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
}

async function measured(name: string, collector: CollectorProcess, offer: () => Promise<LoadReport>): Promise<string> {
  const before = await figures(collector.url);
  const probe = startProbe(collector.url);
  const { answers, unsent } = await offer();
  const recoveryMs = await recovery(collector.url);
  const { latenciesMs, refused } = await probe.stop();
  const after = await figures(collector.url);
  const of = (figure: string) => (after.get(figure) ?? 0) - (before.get(figure) ?? 0);
  const taken = answers.filter(({ code }) => code === '200').length;
  const perSecond = (count: number) => (count / seconds).toFixed(1);
  const reasons = ['bytes', 'wait', 'late', 'memory'].map(
    (reason) => `${of(`${refusedName}{reason="${reason}"}`)} ${reason}`,
  );
  return (
    `${name.padStart(4)}  offered ${perSecond(answers.length + unsent)}/s, accepted ${perSecond(taken)}/s, ` +
    `refused ${perSecond(answers.length - taken)}/s (${reasons.join(', ')}), not even sent ${perSecond(unsent)}/s;\n` +
    `      accepted, from the head to the answer: p50 ${within(of, 0.5)}, p90 ${within(of, 0.9)}, p99 ${within(of, 0.99)}, all ${within(of, 1)}; ` +
    `a sender beside it: p50 ${quantile(latenciesMs, 0.5)} ms, p99 ${quantile(latenciesMs, 0.99)} ms, ` +
    `${latenciesMs.length} accepted, ${refused} refused; peak ${peakMemoryMiB(collector.pid)} MiB, recovered in ${recoveryMs} ms\n`
  );
}

/** The collector's own metrics, by name and labels. */
async function figures(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return new Map(
    text
      .split('\n')
      .filter((line) => line.startsWith('spanwarden_receive_'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/** Within how many seconds so many of the accepted requests were answered, as far as the buckets tell. */
function within(of: (figure: string) => number, share: number): string {
  const all = of(`${acceptedName}_count`);
  const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30];
  const bound = bounds.find((seconds) => of(`${acceptedName}_bucket{le="${seconds}"}`) >= all * share);
  return bound === undefined ? '> 30 s' : `≤ ${bound} s`;
}

function accepted({ answers }: LoadReport): number {
  return answers.filter(({ code }) => code === '200').length;
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
