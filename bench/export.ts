// `node bench/export.ts`: findings on their way to other systems. How many a CPU-second brings into a fast local webhook and a fast HTTP Event
// Collector; how long one takes from the acknowledgement of its span until the webhook has it; and what memory does while it is away.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type LatencyFigures, measureLatency, startReceiver } from './export/latency.ts';
import { measureThroughput } from './export/throughput.ts';

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rate: { type: 'string', default: '5000' } },
});
const seconds = values.quick ? 10 : 40;
const findings = values.quick ? 20_000 : 100_000;
const rounds = values.quick ? 1 : 3;
const say = (text: string) => process.stdout.write(`${text}\n`);

say(`${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}`);
const fast = await startReceiver();
const url = `http://127.0.0.1:${fast.port}`;
const large = { batch: { events: 1000, linger_ms: 20 } };
for (const [name, settings] of [
  ['webhook, batches of 100 (default)', { type: 'webhook', url, gzip: true }],
  ['webhook, batches of 1000', { type: 'webhook', url, gzip: true, ...large }],
  ['splunk_hec, batches of 100 (default)', { type: 'splunk_hec', url, token: 'bench' }],
  ['splunk_hec, batches of 1000', { type: 'splunk_hec', url, token: 'bench', ...large }],
] as const) {
  const figures = [];
  for (let round = 0; round < rounds; round++) figures.push(await measureThroughput(settings, findings));
  const perCpu = figures.map(({ findingsPerCpuSecond }) => findingsPerCpuSecond).sort((a, b) => b - a);
  say(`${name.padEnd(40)} ${perCpu.map((each) => each.toLocaleString('en')).join(', ')} findings a CPU-second`);
}
fast.process.kill();

const load = { spansPerSecond: Number(values.rate), attacksPerSecond: 50, seconds };
for (const isAway of [false, true]) {
  say(`\n${values.rate} spans/s for ${seconds} s, receiver ${isAway ? 'away' : 'there'}:`);
  print(await measureLatency({ ...load, isAway }));
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
