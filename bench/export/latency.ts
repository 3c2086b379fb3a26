import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CollectorProcess, createHome, eventually } from '../../test/support/collector-process.ts';
import { cpuSeconds } from '../collector.ts';
import type { AttackReport } from './attacker.ts';
import type { Arrival } from './receiver.ts';

const attacker = fileURLToPath(new URL('./attacker.ts', import.meta.url));
const receiver = fileURLToPath(new URL('./receiver.ts', import.meta.url));

export interface LatencyOptions {
  readonly spansPerSecond: number;
  readonly attacksPerSecond: number;
  readonly seconds: number;
  /** The receiver is away for all of the load, and there afterwards. */
  readonly isAway: boolean;
}

export interface LatencyFigures {
  readonly spans: number;
  readonly spansPerSecond: number;
  readonly refused: number;
  /** Acknowledged attacks, and how many of them have not arrived. */
  readonly attacks: number;
  readonly missing: number;
  /** From the acknowledgement of a span to the arrival of its first finding. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly collectorCpuSeconds: number;
  /** Resident memory of the collector in MiB, at each fifth of the load. */
  readonly memoryMiB: readonly number[];
  /** From the return of a receiver that was away until it has everything. */
  readonly drainMs: number | undefined;
}

/** Starts a receiver, and says its port and how to end it. */
export async function startReceiver(...args: string[]): Promise<{ port: number; process: ChildProcess }> {
  const child = fork(receiver, args);
  return { port: (await message(child)) as number, process: child };
}

/** A whole collector with all shipped rules and a webhook, under a steady load in which some spans make findings. */
export async function measureLatency(options: LatencyOptions): Promise<LatencyFigures> {
  const sink = await startReceiver('arrivals');
  const url = `http://127.0.0.1:${sink.port}/`;
  // More than the default, at which a part of the load is put off: what is put off says nothing about findings.
  const home = createHome(`limits: { memory: 1GiB }
export: { destinations: { out: { type: webhook, url: "${url}", events: [findings] } } }
`);
  const collector = await CollectorProcess.start(home);
  try {
    // Uncounted, so that the figures are those of compiled code.
    await load(collector.url, { ...options, seconds: 5 });
    if (options.isAway) sink.process.send('down');
    const cpu = cpuSeconds(collector.pid);
    const memory: Promise<readonly number[]> = sampled(collector.pid, options.seconds);
    const report = await load(collector.url, options);
    const collectorCpuSeconds = cpuSeconds(collector.pid) - cpu;
    const memoryMiB = await memory;
    const back = performance.now();
    if (options.isAway) sink.process.send('up');
    const arrivals = await allArrived(sink.process, report);
    const drainMs = options.isAway ? Math.round(performance.now() - back) : undefined;
    return { ...figures(report, arrivals, options.seconds), collectorCpuSeconds, memoryMiB, drainMs };
  } finally {
    await collector.end('SIGTERM');
    sink.process.kill();
    home.remove();
  }
}

async function load(url: string, { spansPerSecond, attacksPerSecond, seconds }: LatencyOptions): Promise<AttackReport> {
  const child = fork(attacker, [url, String(spansPerSecond), String(attacksPerSecond), String(seconds)]);
  await message(child);
  child.send('go');
  return (await message(child)) as AttackReport;
}

/** What has arrived when all of the attacks have, or when nothing more comes. */
async function allArrived(sink: ChildProcess, { acknowledged }: AttackReport): Promise<ReadonlyMap<string, number>> {
  let last = new Map<string, number>();
  const complete = async () => {
    const reply = message(sink);
    sink.send('arrivals');
    last = firstOf((await reply) as readonly Arrival[]);
    if (acknowledged.every(([traceId]) => last.has(traceId))) return last;
    await sleep(200);
    return undefined;
  };
  return eventually('all findings', complete, 90_000).catch(() => last);
}

function firstOf(arrivals: readonly Arrival[]): Map<string, number> {
  const first = new Map<string, number>();
  for (const [traceId, timeMs] of arrivals) if (!first.has(traceId)) first.set(traceId, timeMs);
  return first;
}

function figures(
  { acknowledged, spans, refused }: AttackReport,
  arrivals: ReadonlyMap<string, number>,
  seconds: number,
) {
  const waits = acknowledged
    .flatMap(([traceId, timeMs]) => (arrivals.has(traceId) ? [arrivals.get(traceId)! - timeMs] : []))
    .sort((a, b) => a - b);
  const at = (share: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? Number.NaN;
  return {
    ...{ spans, refused, attacks: acknowledged.length, missing: acknowledged.length - waits.length },
    ...{ spansPerSecond: Math.round(spans / seconds), p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
  };
}

async function sampled(pid: number, seconds: number): Promise<number[]> {
  const samples: number[] = [];
  for (let fifth = 0; fifth <= 5; fifth++) {
    samples.push(residentMiB(pid));
    if (fifth < 5) await sleep((seconds / 5) * 1000);
  }
  return samples;
}

function residentMiB(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}

function message(child: ChildProcess): Promise<unknown> {
  return new Promise((done, failed) => {
    const ended = (code: number | null) => failed(new Error(`the process ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (words) => {
      child.off('exit', ended);
      done(words);
    });
  });
}
