import { type ChildProcess, fork } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RuleSource } from '../collector/src/detect/load.ts';
import { clickhouseOf, type TestClickhouse } from '../test/support/clickhouse.ts';
import { type CollectorHome, CollectorProcess, createHome, eventually } from '../test/support/collector-process.ts';
import type { SpanSize } from './spans.ts';
import { rulesTimes } from './stages.ts';

export interface CollectorFigure {
  readonly size: SpanSize;
  readonly rules: string;
  readonly spans: number;
  /** Spans per CPU-second of the collector's own process, from the first request to the last row in ClickHouse. */
  readonly spansPerCpuSecond: number;
  /** The same over collector and embedded ClickHouse together. */
  readonly spansPerCpuSecondWithClickhouse: number;
  readonly spansPerSecond: number;
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
  /** Peak resident memory of the collector's process. */
  readonly peakMemoryMiB: number;
  /** Acknowledged minus stored: must be 0. */
  readonly lost: number;
}

/** What the sender process reports. */
export interface SenderReport {
  readonly spans: number;
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
}

const sender = fileURLToPath(new URL('./sender.ts', import.meta.url));

/**
 * The whole way: OTLP/HTTP protobuf with gzip → acknowledged after fsync → rows in the embedded ClickHouse. A quarter of
 * the load runs before, uncounted, so that the figures are those of compiled code.
 *
 * @param rules which rules run: exactly 15 detection rules, or all that ship
 */
export async function measureCollector(
  size: SpanSize,
  bodies: number,
  spansPerBody: number,
  rules: '15 rules' | 'shipped rules',
): Promise<CollectorFigure> {
  const home = createHome();
  if (rules === '15 rules') useRules(home, rulesTimes(15));
  const collector = await CollectorProcess.start(home);
  try {
    const clickhouse = clickhouseOf(home.dataDir);
    const warmUp = startSender(collector.url, size, Math.ceil(bodies / 4), spansPerBody);
    await warmUp.ready;
    const { spans: warmUpSpans } = await warmUp.run();
    await stored(clickhouse, warmUpSpans);
    const load = startSender(collector.url, size, bodies, spansPerBody);
    await load.ready;
    const [before, beforeClickhouse] = [cpuSeconds(collector.pid), cpuSeconds(clickhouse.pid)];
    const report = await load.run();
    await stored(clickhouse, warmUpSpans + report.spans);
    const own = cpuSeconds(collector.pid) - before;
    const server = cpuSeconds(clickhouse.pid) - beforeClickhouse;
    const lost = warmUpSpans + report.spans - (await clickhouse.count('otel_traces'));
    await clickhouse.close();
    const sorted = [...report.latenciesMs].sort((a, b) => a - b);
    return {
      size,
      rules,
      spans: report.spans,
      spansPerCpuSecond: Math.round(report.spans / own),
      spansPerCpuSecondWithClickhouse: Math.round(report.spans / (own + server)),
      spansPerSecond: Math.round(report.spans / report.seconds),
      ackP50Ms: round(sorted[Math.floor(sorted.length * 0.5)]!),
      ackP99Ms: round(sorted[Math.floor(sorted.length * 0.99)]!),
      peakMemoryMiB: Math.round(peakMemoryKib(collector.pid) / 1024),
      lost,
    };
  } finally {
    await collector.end('SIGTERM');
    home.remove();
  }
}

async function stored(clickhouse: TestClickhouse, spans: number): Promise<void> {
  const all = async () => ((await clickhouse.count('otel_traces')) >= spans ? true : undefined);
  await eventually('every acknowledged span in ClickHouse', all, 120_000);
}

export function useRules(home: CollectorHome, rules: readonly RuleSource[]): void {
  const folder = join(home.directory, 'rules');
  mkdirSync(folder);
  for (const [i, { text }] of rules.entries()) writeFileSync(join(folder, `${i}.yml`), text);
  appendFileSync(home.configFile, `detect: { shipped_rules: false, rules: [${JSON.stringify(folder)}] }\n`);
}

function startSender(url: string, size: SpanSize, bodies: number, spansPerBody: number) {
  const child: ChildProcess = fork(sender, [url, String(size), String(bodies), String(spansPerBody)]);
  const message = () => new Promise<unknown>((done) => child.once('message', done));
  const ready = message();
  return {
    ready,
    run: async (): Promise<SenderReport> => {
      const report = message();
      child.send('go');
      return (await report) as SenderReport;
    },
  };
}

/** User and system time of a process, in seconds: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function peakMemoryKib(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
