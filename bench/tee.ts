// `node bench/tee.ts [--quick]`: what a tee costs the collector for a span, beside none: from the bytes of requests to rows in the spool, the
// store's reading of them, and the sending to a receiver in another process. See bench/README.md.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../collector/src/config/load.ts';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { withCasework } from '../collector/src/detect/casework.ts';
import { createDetector } from '../collector/src/detect/engine.ts';
import { loadRules } from '../collector/src/detect/load.ts';
import { createMetrics } from '../collector/src/metrics.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { limits } from '../collector/src/model/limits.ts';
import { Span } from '../collector/src/model/span-batch.ts';
import { TracePipeline } from '../collector/src/pipeline.ts';
import { createResends, resendParts } from '../collector/src/resends.ts';
import { spoolOptions } from '../collector/src/spool/config.ts';
import { openSpool } from '../collector/src/spool/spool.ts';
import { holdFor, openTeeing } from '../collector/src/teeing.ts';
import { makeBodies, spanSizes } from './spans.ts';

const [rounds, secondsMin] = process.argv.includes('--quick') ? [1, 0.3] : [3, 1];
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const senders = 8;
/** Places of span ids in bodies. */
const known = new WeakMap<Buffer, number[]>();

/** Takes everything, in a process of its own. */
const receiver = spawn(
  process.execPath,
  [
    '-e',
    `const server = require('node:http').createServer((q, a) => { q.resume(); q.on('end', () => a.end()); });
     server.listen(0, '127.0.0.1', () => console.log(server.address().port));`,
  ],
  { stdio: ['ignore', 'pipe', 'inherit'] },
);
const [port] = (await once(createInterface({ input: receiver.stdout }), 'line')) as [string];

interface Way {
  readonly name: string;
  /** Lines under `destinations` of the config. */
  readonly tees: string;
  /** Whether what was sent is waited for. */
  readonly isTaken: boolean;
}

const tee = (address: string) => `endpoint: "http://${address}", contents: as_sent, batch: { linger_ms: 0 }`;
const ways: readonly Way[] = [
  { name: 'no tee', tees: '', isTaken: false },
  { name: 'one tee', tees: `a: { ${tee(`127.0.0.1:${port}`)} }`, isTaken: true },
  { name: 'without gzip', tees: `a: { ${tee(`127.0.0.1:${port}`)}, compression: none }`, isTaken: true },
  // Nobody listens on the port of "discard".
  { name: 'one that is away', tees: `a: { ${tee('127.0.0.1:9')} }`, isTaken: false },
];

const head = ['span bytes', ...ways.map(({ name }) => `${name}, s`), 'disk bytes'].map((text) => text.padStart(17));
process.stdout.write(`CPU seconds for a million spans\n${head.join('')}\n`);
try {
  for (const size of spanSizes) await compare(size);
} finally {
  receiver.kill();
}

async function compare(size: number): Promise<void> {
  const bodies = makeBodies(size, 16, Math.max(8, Math.floor(400_000 / size)));
  const opened = [];
  for (const way of ways) opened.push(await open(way));
  const best = ways.map(() => Number.POSITIVE_INFINITY);
  // By turns, so that what else the machine does falls on all.
  for (let round = 0; round < rounds; round++) {
    for (const [index, each] of opened.entries())
      best[index] = Math.min(best[index]!, await nanosPerSpan(each, bodies));
  }
  const [without, withTee] = [opened[0]!.bytesPerSpan(), opened[1]!.bytesPerSpan()];
  for (const each of opened) await each.close();
  const figures = best.map((nanos) => (nanos / 1000).toFixed(1));
  const disk = `${without.toFixed(0)} → ${withTee.toFixed(0)}`;
  process.stdout.write(`${[String(size), ...figures, disk].map((text) => text.padStart(17)).join('')}\n`);
}

async function open({ tees, isTaken }: Way) {
  const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-bench-tee-'));
  const config = loadConfig({ text: `tee: { destinations: { ${tees} } }`, env: {} });
  const spool = await openSpool({ ...spoolOptions(config.spool, join(dataDir, 'spool')), hold: holdFor(config) });
  const { originals, exporter } = await openTeeing({
    config,
    dataDir,
    spool,
    metrics: createMetrics(),
    logger: silent,
  });
  const fields = createFieldTable();
  const resends = createResends({ traces: limits.resentRecordsMax });
  const detector = withCasework(createDetector({ ...loadRules([]), fields, journal: true }), {
    ...{ fields, journal: true },
    parts: resendParts(resends),
  });
  const now = Date.now;
  const pipeline = new TracePipeline({ fields, detector, resends, log: spool, originals, now, retentionMs: 1e12 });
  exporter.start();
  let requests = 0;
  let spans = 0;
  return {
    /** Takes all bodies in, and has the store read them. */
    run: async (bodies: readonly Buffer[]): Promise<void> => {
      const left = [...bodies];
      const sender = async () => {
        for (let body = left.pop(); body !== undefined; body = left.pop()) {
          const { status } = await pipeline.consume('protobuf', body);
          if (status !== 'ok') throw new Error(`a request was ${status}`);
        }
      };
      await Promise.all(Array.from({ length: senders }, sender));
      requests += bodies.length;
      spans += bodies.reduce((sum, body) => sum + spansIn(body).length, 0);
      await spool.seal();
      while (spool.stats().segments > 0) {
        const segment = (await spool.next(AbortSignal.timeout(10_000)))!;
        for (const { table } of segment.tables) await segment.read(table);
        await spool.sent(segment);
      }
    },
    /** Waits until the tee has sent them. */
    settled: async (): Promise<void> => {
      while (isTaken && exporter.statuses()[0]!.counts.delivered < requests) await sleep(5);
    },
    bytesPerSpan: () => spool.stats().appendedBytes / spans,
    close: async () => {
      await exporter.stop(0);
      await spool.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

async function nanosPerSpan({ run, settled }: Opened, bodies: readonly Buffer[]): Promise<number> {
  const before = process.cpuUsage();
  const micros = () => {
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  let spans = 0;
  while (micros() < secondsMin * 1e6) {
    spans += renew(bodies);
    await run(bodies);
  }
  await settled();
  return (micros() * 1000) / spans;
}

/** A byte of each span id that goes up makes them new. */
function renew(bodies: readonly Buffer[]): number {
  let count = 0;
  for (const body of bodies) {
    for (const id of spansIn(body)) {
      body.writeUInt32LE((body.readUInt32LE(id) + 1) >>> 0, id);
      count++;
    }
  }
  return count;
}

/** Where the ids of the spans of a body are. */
function spansIn(body: Buffer): number[] {
  let ids = known.get(body);
  if (ids === undefined) {
    const outcome = new TraceDecoder(createFieldTable()).decode(body);
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    const { spanCount, spans } = outcome.batch;
    ids = Array.from({ length: spanCount }, (_, span) => spans[span * Span.stride + Span.spanId]!);
    known.set(body, ids);
  }
  return ids;
}
