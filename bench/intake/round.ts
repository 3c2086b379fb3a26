import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuSeconds, peakMemoryKib } from '../collector.ts';
import type { Protocol } from './requests.ts';
import type { SendOrder, SendReport } from './sender.ts';
import type { Target } from './targets.ts';

export interface Round {
  /** CPU-seconds of the collector's process for a million spans, from the first request until the last row is in ClickHouse. */
  readonly cpuSecondsPerMillion: number;
  readonly clickhouseCpuSecondsPerMillion: number;
  /** The first of these by threads: of Node the main one, `V8Worker` (garbage collection and compiling) and `libuv-worker` (files and unpacking). */
  readonly threads: Readonly<Record<string, number>>;
  readonly spansPerCpuSecond: number;
  /** Acknowledged, by the clock. */
  readonly spansPerSecond: number;
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
  /** Of the collector's process in this round. */
  readonly peakMemoryMiB: number;
  /** Seconds from the last answer until every acknowledged span was a row. */
  readonly behindSeconds: number;
  /** Acknowledged minus stored since the target was started: must be 0. */
  readonly lost: number;
  readonly answers: Omit<SendReport, 'latenciesMs'>;
}

export interface Load {
  readonly file: string;
  readonly protocol: Protocol;
  readonly spansPerRequest: number;
  /** Requests at the beginning of the file that are not counted. */
  readonly warmUp: number;
  readonly requests: number;
  /** Undefined: as fast as they are acknowledged. */
  readonly requestsPerSecond?: number;
}

const storedWithinMs = 120_000;
const sender = fileURLToPath(new URL('./sender.ts', import.meta.url));
/** Spans that a target has acknowledged since it was started. */
const acknowledged = new WeakMap<Target, number>();

export async function measureRound(target: Target, load: Load): Promise<Round> {
  const child = fork(sender, [load.file, load.protocol, load.protocol === 'gRPC' ? target.grpcUrl : target.httpUrl]);
  try {
    await once(child, 'message');
    await send(child, target, load, { from: 0, to: load.warmUp });
    forgetPeakMemory(target.pid);
    const [own, server] = [cpuSeconds(target.pid), cpuSeconds(target.clickhouse.pid)];
    const threads = threadSeconds(target.pid);
    const rate = load.requestsPerSecond === undefined ? {} : { requestsPerSecond: load.requestsPerSecond };
    const order = { from: load.warmUp, to: load.warmUp + load.requests, ...rate };
    const { report, behindSeconds, lost } = await send(child, target, load, order);
    const { latenciesMs, ...answers } = report;
    const millions = (answers.acknowledged * load.spansPerRequest) / 1e6;
    const cpu = cpuSeconds(target.pid) - own;
    const sorted = latenciesMs.toSorted((a, b) => a - b);
    return {
      cpuSecondsPerMillion: cpu / millions,
      clickhouseCpuSecondsPerMillion: (cpuSeconds(target.clickhouse.pid) - server) / millions,
      threads: perMillion(threadSeconds(target.pid), threads, millions),
      spansPerCpuSecond: Math.round((millions * 1e6) / cpu),
      spansPerSecond: Math.round((millions * 1e6) / answers.seconds),
      ackP50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? Number.NaN,
      ackP99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
      peakMemoryMiB: Math.round(peakMemoryKib(target.pid) / 1024),
      behindSeconds,
      lost,
      answers,
    };
  } finally {
    child.kill();
  }
}

async function send(child: ChildProcess, target: Target, load: Load, order: SendOrder) {
  child.send(order);
  const [report] = (await once(child, 'message')) as [SendReport];
  const answered = performance.now();
  const spans = (acknowledged.get(target) ?? 0) + report.acknowledged * load.spansPerRequest;
  acknowledged.set(target, spans);
  let stored = await target.clickhouse.count('otel_traces');
  while (stored < spans && performance.now() - answered < storedWithinMs) {
    await sleep(50);
    stored = await target.clickhouse.count('otel_traces');
  }
  return { report, behindSeconds: (performance.now() - answered) / 1000, lost: spans - stored };
}

/** https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html: 5 sets the peak to what is resident now. */
function forgetPeakMemory(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** User and system time of a process by the names of its threads, those of one kind together, in seconds. */
function threadSeconds(pid: number): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    } catch {
      // It has ended meanwhile.
      continue;
    }
    const [head, rest] = stat.split(') ') as [string, string];
    const name = head.slice(head.indexOf('(') + 1);
    const fields = rest.split(' ');
    seconds.set(name, (seconds.get(name) ?? 0) + (Number(fields[11]) + Number(fields[12])) / 100);
  }
  return seconds;
}

function perMillion(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>, millions: number) {
  const spent = [...now].map(([name, all]) => [name, Math.round((all - (before.get(name) ?? 0)) / millions)] as const);
  return Object.fromEntries(spent.filter(([, seconds]) => seconds > 0));
}
