// `node bench/outage.ts [--rate 8] [--seconds 50]`: ClickHouse stands still (SIGSTOP) for so long while requests of 512 small spans come at a rate, and
// for as long again before and after. Prints what waits in the spool every five seconds, and at the end acknowledgements, and what was lost.
// Linux only. Kept figures stand in bench/README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RequestFiles, spansPerRequest } from './intake/requests.ts';
import { measureRound } from './intake/round.ts';
import { startTarget, type Target } from './intake/targets.ts';

const { values } = parseArgs({ options: { rate: { type: 'string' }, seconds: { type: 'string' } } });
const [rate, seconds] = [Number(values.rate ?? 8), Number(values.seconds ?? 50)];
const size = 700;
const protocol = 'HTTP protobuf + gzip';
const warmUp = 40;
const requests = rate * seconds * 3;
const started = performance.now();

const folder = mkdtempSync(join(tmpdir(), 'spanwarden-outage-'));
const target = await startTarget('15 rules', '');
try {
  const file = new RequestFiles(folder, new Map([[size, 100]])).write(size, protocol, warmUp + requests);
  const watching = new AbortController();
  const watched = Promise.all([watch(target, watching.signal), standStill(target)]);
  const load = {
    file,
    protocol,
    spansPerRequest: spansPerRequest(size),
    warmUp,
    requests,
    requestsPerSecond: rate,
  } as const;
  const { spansPerSecond, ackP50Ms, ackP99Ms, peakMemoryMiB, behindSeconds, lost, answers } = await measureRound(
    target,
    load,
  );
  watching.abort();
  await watched;
  const told = { spansPerSecond, ackP50Ms, ackP99Ms, peakMemoryMiB, behindSeconds, lost, ...answers };
  for (const [name, value] of Object.entries(told)) process.stdout.write(`${name}: ${Number(value.toFixed(1))}\n`);
} finally {
  await target.stop();
  rmSync(folder, { recursive: true });
}

async function standStill({ clickhouse }: Target): Promise<void> {
  await sleep(seconds * 1000);
  say('ClickHouse stands still');
  process.kill(clickhouse.pid, 'SIGSTOP');
  await sleep(seconds * 1000);
  process.kill(clickhouse.pid, 'SIGCONT');
  say('ClickHouse goes on');
}

async function watch({ httpUrl }: Target, signal: AbortSignal): Promise<void> {
  while (await sleep(5_000, true, { signal }).catch(() => false)) {
    const text = await (await fetch(`${httpUrl}/metrics`)).text();
    const gauge = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
    const bytes = gauge('spanwarden_spool_bytes');
    say(`${gauge('spanwarden_spool_segments')} segments, ${Math.round(bytes / 2 ** 20)} MiB`);
  }
}

function say(text: string): void {
  process.stdout.write(`${Math.round((performance.now() - started) / 1000)} s: ${text}\n`);
}
