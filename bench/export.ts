// `node bench/export.ts`: findings on their way to other systems. How many a CPU-second brings into a fast local webhook and a fast HTTP Event
// Collector; how long one takes from the acknowledgement of its span until the webhook has it; and what memory does while it is away.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type LatencyFigures, measureLatency, startReceiver } from './export/latency.ts';
import { measureThroughput } from './export/throughput.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rate: { type: 'string', default: '5000' },
    // One destination in a process of its own: what one warms up does not meet another.
    throughput: { type: 'string' },
  },
});
const attacksPerSecond = 10;
const seconds = values.quick ? 10 : 40;
const findings = values.quick ? 20_000 : 100_000;
const rounds = values.quick ? 1 : 3;
const say = (text: string) => process.stdout.write(`${text}\n`);

if (values.throughput === undefined) await main();
else await measureRounds(JSON.parse(values.throughput) as object);

async function main(): Promise<void> {
  say(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`);
  const fast = await startReceiver();
  const url = `http://127.0.0.1:${fast.port}`;
  const large = { batch: { events: 1000, linger_ms: 20 } };
  const webhook = { type: 'webhook', url, gzip: true };
  const hec = { type: 'splunk_hec', url, token: 'bench' };
  say(`findings a CPU-second, gzip, ${rounds} rounds of ${findings.toLocaleString('en')}:`);
  for (const [name, settings] of [
    ['webhook, batches of 100 (default)', webhook],
    ['webhook, batches of 1000', { ...webhook, ...large }],
    ['splunk_hec, batches of 100 (default)', hec],
    ['splunk_hec, batches of 1000', { ...hec, ...large }],
  ] as const) {
    process.stdout.write(`  ${name.padEnd(38)}`);
    const own = ['--throughput', JSON.stringify(settings), ...(values.quick ? ['--quick'] : [])];
    await once(fork(import.meta.filename, own), 'exit');
  }
  fast.process.kill();
  for (const isAway of [false, true]) {
    say(
      `${values.rate} spans/s for ${seconds} s, one in ${Number(values.rate) / attacksPerSecond} with findings, receiver ${isAway ? 'away' : 'there'}:`,
    );
    print(await measureLatency({ spansPerSecond: Number(values.rate), attacksPerSecond, seconds, isAway }));
  }
}

async function measureRounds(settings: object): Promise<void> {
  const figures: string[] = [];
  for (let round = 0; round < rounds; round++) {
    figures.push((await measureThroughput(settings, findings)).findingsPerCpuSecond.toLocaleString('en'));
  }
  say(figures.join(', '));
}

function print(it: LatencyFigures): void {
  say(
    `  ${it.spansPerSecond} spans/s taken, ${it.refused} requests refused, ${it.collectorCpuSeconds.toFixed(1)} CPU-s of the collector`,
  );
  say(`  ${it.attacks} spans with findings, ${it.missing} did not arrive`);
  if (it.drainMs === undefined)
    say(`  from acknowledged to received: p50 ${it.p50Ms} ms, p99 ${it.p99Ms} ms, most ${it.maxMs} ms`);
  else say(`  all of them there ${it.drainMs} ms after it came back`);
  say(`  memory in MiB over the load: ${it.memoryMiB.join(', ')}`);
}
