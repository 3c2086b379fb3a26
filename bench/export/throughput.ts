import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportConfigSchema } from '../../collector/src/export/config.ts';
import { openExporter } from '../../collector/src/export/exporter.ts';
import type { ExportEnvironment } from '../../collector/src/export/open-destination.ts';
import { findingOf } from '../../collector/src/export/testing/events.ts';
import { ExportSource, exportedTables } from '../../collector/src/export-source.ts';
import { openSpool } from '../../collector/src/spool/spool.ts';
import type { BacklogRange } from '../../collector/src/store/backlog.ts';
import { encodeFindings } from '../../collector/src/store/rows/findings.ts';
import { columnCounts } from '../../collector/src/store/schema/columns.ts';

const findingsPerRecord = 20;
const limitMs = 120_000;

export interface Throughput {
  readonly findings: number;
  readonly findingsPerCpuSecond: number;
  readonly findingsPerSecond: number;
}

/**
 * Findings out of a spool, as a collector finds them there, to one destination. CPU is that of this process from the opening of the
 * destination to the last answer: reading the spool, decoding rows, writing the format, gzip, HTTP and cursor included.
 */
export async function measureThroughput(settings: object, findings: number): Promise<Throughput> {
  const directory = await mkdtemp(join(tmpdir(), 'spanwarden-bench-export-'));
  const spool = await openSpool({
    directory: join(directory, 'spool'),
    segmentBytesMax: 16 * 1024 * 1024,
    segmentAgeMaxMs: 60_000,
    bytesMax: 8 * 1024 * 1024 * 1024,
    graceMs: 0,
    pendingBytesMax: 64 * 1024 * 1024,
    columns: columnCounts,
    keepFrom: 0,
  });
  try {
    // Asked for what was before the first segment.
    const backlog = async ({ throughSegment }: BacklogRange) => ({ segments: [], throughSegment });
    const logger = { warn: (_: object, words: string) => process.stderr.write(`${words}\n`), info() {}, error() {} };
    const source = new ExportSource({ tail: spool.tail(exportedTables), spoolId: spool.id, backlog, logger });
    for (let first = 0; first < findings; first += findingsPerRecord) {
      const rows = encodeFindings(Array.from({ length: findingsPerRecord }, (_, n) => numbered(first + n)));
      await spool.append({ digest: randomBytes(16), rows: [rows] });
    }
    const config = exportConfigSchema.parse({ destinations: { out: { start: 'oldest', ...settings } } });
    const cpu = process.cpuUsage();
    const started = performance.now();
    const environment: ExportEnvironment = { config, version: 'bench', redact: (event) => event, now: Date.now };
    const exporter = await openExporter({ ...environment, dataDir: directory, source, logger });
    exporter.start();
    while (exporter.statuses()[0]!.counts.delivered < findings) {
      if (performance.now() - started > limitMs) throw new Error(JSON.stringify(exporter.statuses()));
      await sleep(20);
    }
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - started) / 1000;
    await exporter.stop(1000);
    return {
      findings,
      findingsPerCpuSecond: Math.round(findings / ((user + system) / 1e6)),
      findingsPerSecond: Math.round(findings / seconds),
    };
  } finally {
    await spool.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Each of another trace, agent and chain, so that nothing is put together that would not be. */
function numbered(number: number) {
  const hash = createHash('sha256').update(String(number)).digest('hex');
  return findingOf({
    id: hash.slice(0, 32),
    traceId: hash.slice(32),
    chainId: hash.slice(16, 48),
    agentName: `agent ${number % 50}`,
    timeNanos: BigInt(Date.now()) * 1_000_000n,
    reason: `The call http_post sends a value of the kind aws_key to host-${number % 1000}.example, where nothing went before.`,
  });
}
