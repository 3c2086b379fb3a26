import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSpool } from '../collector/src/spool/spool.ts';

/** What one level of concurrency gave. */
export interface SpoolFigures {
  readonly concurrency: number;
  readonly recordBytes: number;
  readonly appendsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly syncs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the process per append, kernel included. */
  readonly cpuMsPerAppend: number;
}

export interface SpoolBenchOptions {
  readonly recordBytes?: number;
  readonly appends?: number;
  readonly concurrencies?: readonly number[];
  /** Where the spool's files go; the disk under it is what is measured. The system's temporary folder by default. */
  readonly directory?: string;
}

/** Appends records of one size from so many senders, each waiting for its acknowledgement before it sends the next. */
export async function run(options: SpoolBenchOptions = {}): Promise<SpoolFigures[]> {
  const { recordBytes = 512 * 1024, appends = 600, concurrencies = [1, 8, 32] } = options;
  const figures: SpoolFigures[] = [];
  for (const concurrency of concurrencies) {
    const directory = await mkdtemp(join(options.directory ?? tmpdir(), 'spanwarden-bench-spool-'));
    try {
      figures.push(await measure(directory, concurrency, recordBytes, appends));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  return figures;
}

async function measure(
  directory: string,
  concurrency: number,
  recordBytes: number,
  appends: number,
): Promise<SpoolFigures> {
  const spool = await openSpool({
    directory,
    segmentBytesMax: 16 * 1024 * 1024,
    segmentAgeMaxMs: 1000,
    bytesMax: 8 * 1024 * 1024 * 1024,
    graceMs: 0,
    pendingBytesMax: 64 * 1024 * 1024,
  });
  const bytes = randomBytes(recordBytes);
  const latenciesMs: number[] = [];
  let left = appends;
  const sender = async () => {
    while (left-- > 0) {
      const start = performance.now();
      const rows = [{ table: 'otel_traces', bytes, count: 512 } as const];
      const outcome = await spool.append({ digest: randomBytes(16), rows });
      if (outcome.status !== 'ok') throw new Error(`append: ${outcome.reason}`);
      latenciesMs.push(performance.now() - start);
    }
  };
  const cpu = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: concurrency }, sender));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const { syncs } = spool.stats();
  await spool.close();
  latenciesMs.sort((a, b) => a - b);
  return {
    concurrency,
    recordBytes,
    appendsPerSecond: appends / seconds,
    megabytesPerSecond: (appends * recordBytes) / seconds / 1e6,
    syncs,
    p50Ms: latenciesMs[Math.floor(appends * 0.5)]!,
    p99Ms: latenciesMs[Math.floor(appends * 0.99)]!,
    cpuMsPerAppend: (user + system) / 1000 / appends,
  };
}

function table(figures: readonly SpoolFigures[]): string {
  const heads = ['senders', 'appends/s', 'MB/s', 'fsyncs', 'p50 ms', 'p99 ms', 'CPU ms/append'];
  const lines = figures.map((figure) => [
    String(figure.concurrency),
    figure.appendsPerSecond.toFixed(0),
    figure.megabytesPerSecond.toFixed(0),
    String(figure.syncs),
    figure.p50Ms.toFixed(1),
    figure.p99Ms.toFixed(1),
    figure.cpuMsPerAppend.toFixed(2),
  ]);
  return [heads, ...lines].map((cells) => `${cells.map((cell) => cell.padStart(14)).join('')}\n`).join('');
}

if (import.meta.main) process.stdout.write(table(await run()));
