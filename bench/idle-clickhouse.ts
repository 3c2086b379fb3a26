// What the embedded ClickHouse costs while nothing happens: `node bench/idle-clickhouse.ts --minutes 10`. Starts one in a
// temporary directory, brings up the schema with a day of findings and spans in it, waits until it has settled, and then
// measures CPU time, memory and disk of the server's process. Linux only, because it reads /proc.
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { clickhouseConfigSchema } from '../collector/src/store/config.ts';
import { openStore } from '../collector/src/store/index.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, settle: { type: 'string', default: '30' } },
});
const minutes = Number(values.minutes);
const settleSeconds = Number(values.settle);
const clockTicks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-idle-'));
const store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
try {
  await store.migrated();
  const pid = store.endpoints.embedded?.pid ?? 0;
  await store.client.command({
    query: `INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ServiceName, SpanAttributes)
SELECT now64(9) - number, hex(number), hex(number), 'chat', 'bench', map('gen_ai.agent.name', 'bench') FROM numbers(10000)`,
    clickhouse_settings: { async_insert: 0 },
  });
  await sleep(settleSeconds * 1000);
  const before = measure(pid);
  await sleep(minutes * 60_000);
  const after = measure(pid);
  const seconds = (after.at - before.at) / 1000;
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  const lines = [
    `ClickHouse ${await store.version()}, idle for ${(seconds / 60).toFixed(1)} min after ${settleSeconds} s of settling`,
    `CPU          ${((cpuSeconds / seconds) * 100).toFixed(3)} % of one core (${cpuSeconds.toFixed(2)} s)`,
    `memory       ${before.rssMb.toFixed(0)} MiB before, ${after.rssMb.toFixed(0)} MiB after`,
    `disk         ${before.diskBytes} bytes before, ${after.diskBytes} after: ${after.diskBytes - before.diskBytes} more`,
    `files        ${before.files} before, ${after.files} after`,
    `threads      ${after.threads}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
} finally {
  await store.close();
  rmSync(dataDir, { recursive: true, force: true });
}

function measure(pid: number) {
  // Field 2 of stat is the command in brackets and may hold spaces; 14 and 15 are user and system ticks.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return {
    at: performance.now(),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / clockTicks,
    rssMb: kilobytes / 1024,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]),
    ...diskUse(dataDir),
  };
}

function diskUse(directory: string): { diskBytes: number; files: number } {
  let diskBytes = 0;
  let files = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const { blocks } = lstatSync(join(entry.parentPath, entry.name));
    diskBytes += blocks * 512;
    files++;
  }
  return { diskBytes, files };
}
