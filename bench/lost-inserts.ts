// `node bench/lost-inserts.ts [--kills 100] [--minutes 10] [--at noted|random]`: how often ClickHouse loses an insert that it has noted. An
// embedded server is killed again and again while it takes inserts: as soon as it has noted a token, or at any moment. Each insert that was
// cut off is sent again under its token, and its rows are counted: as that left them, and after they were looked for as the shipper does
// (store/landed.ts). It ends with 1 when rows are lost or there twice after that.
import { type FSWatcher, mkdtempSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Rows } from '../collector/src/model/spool.ts';
import { createStoreClient, type StoreClient } from '../collector/src/store/client.ts';
import { clickhouseConfigSchema, schemaOptions } from '../collector/src/store/config.ts';
import { type EmbeddedServer, startEmbedded } from '../collector/src/store/embedded/start.ts';
import { insertRows } from '../collector/src/store/inserter.ts';
import { migrate } from '../collector/src/store/schema/migrate.ts';
import { shipSegment } from '../collector/src/store/shipment.ts';
import { segment, spanRows } from '../collector/src/store/testing/segments.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    minutes: { type: 'string', default: '10' },
    at: { type: 'string', default: 'noted' },
    /** Days that the rows of one insert are of: each is a part with a token of its own. */
    days: { type: 'string', default: '1' },
  },
});
const killsMax = Math.min(Number(values.kills), 10_000);
const untilMs = performance.now() + Math.min(Number(values.minutes), 120) * 60_000;
const days = Number(values.days);
/** Inserts at once. */
const senders = 16;
const rowsPerDay = 8;
/** The server is killed so long after its first answer at most, so that every moment of an insert comes up. */
const killWithinMs = 500;
const dayNanos = 86_400_000_000_000n;
const never = new AbortController().signal;

interface Cut {
  readonly id: string;
  readonly rows: Rows;
}

const seen = { kills: 0, inserts: 0, cut: 0, swallowed: 0, lostWithout: 0, restored: 0, lostWith: 0, twice: 0 };
const dataDir = mkdtempSync(join(tmpdir(), 'spanwarden-lost-'));
let server = await startEmbedded({ dataDir });
try {
  await migrate(server, schemaOptions(clickhouseConfigSchema.parse({})), { alone: true });
  while (seen.kills < killsMax && performance.now() < untilMs) {
    const cut = await insertUntilKilled(server);
    server = await startEmbedded({ dataDir });
    await sendAgain(server, cut);
    if (seen.kills % 10 === 0) process.stderr.write(`${JSON.stringify(seen)}\n`);
  }
  const rowsOfAll = seen.cut * days * rowsPerDay;
  process.stdout.write(
    `ClickHouse ${server.version}: ${seen.kills} kills; ${seen.inserts} inserts, ${seen.cut} of them cut off, with ${rowsOfAll} rows of ${days} days each\n` +
      `sent again under their tokens:  ${seen.lostWithout} rows lost, of ${seen.swallowed} inserts\n` +
      `and looked for:                 ${seen.lostWith} rows lost, ${seen.restored} sent once more, ${seen.twice} there twice\n`,
  );
  process.exitCode = seen.lostWith + seen.twice > 0 ? 1 : 0;
} finally {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

/** Gives the inserts that were under way. */
async function insertUntilKilled(target: EmbeddedServer): Promise<Cut[]> {
  const cut: Cut[] = [];
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const inserting = Array.from({ length: senders }, async (_, sender) => {
    const client = createStoreClient(target);
    for (let number = 0; ; number++) {
      const one = { id: `${seen.kills}-${sender}-${number}`, rows: rowsOf(`${seen.kills}-${sender}-${number}`) };
      seen.inserts++;
      const failure = await insert(client, one);
      answer();
      if (failure === undefined) continue;
      cut.push(one);
      return client.close();
    }
  });
  await answered;
  await (values.at === 'random' ? sleep(Math.random() * killWithinMs) : tokenNoted(target));
  process.kill(target.pid, 'SIGKILL');
  await Promise.all([target.exited, ...inserting]);
  seen.kills++;
  seen.cut += cut.length;
  return cut;
}

/** Resolves when a token is written into the log that the table keeps of them: its part is not there yet. */
async function tokenNoted(target: EmbeddedServer): Promise<void> {
  const client = createStoreClient(target);
  let watcher: FSWatcher | undefined;
  try {
    const result = await client.query({
      query:
        "SELECT data_paths[1] AS path FROM system.tables WHERE database = currentDatabase() AND name = 'otel_traces'",
      format: 'JSONEachRow',
    });
    const [table] = await result.json<{ path: string }>();
    await new Promise<void>((noted) => {
      watcher = watch(join(table!.path, 'deduplication_logs'), () => noted());
    });
  } finally {
    watcher?.close();
    void client.close();
  }
}

async function sendAgain(target: EmbeddedServer, cut: readonly Cut[]): Promise<void> {
  const client = createStoreClient(target);
  try {
    const sending = cut.map(async (one) => {
      const failure = await insert(client, one);
      if (failure !== undefined) throw new Error(failure.reason);
      const missing = one.rows.count - (await storedOf(client, one.id)).distinct;
      seen.lostWithout += missing;
      if (missing > 0) seen.swallowed++;
      await shipSegment({ ...segment(one.id, one.rows), takenMs: 0 }, lookingFor(client));
      const { all, distinct } = await storedOf(client, one.id);
      seen.lostWith += one.rows.count - distinct;
      seen.twice += all - distinct;
    });
    await Promise.all(sending);
  } finally {
    await client.close();
  }
}

/** As a shipper that began after the insert. */
function lookingFor(client: StoreClient): Parameters<typeof shipSegment>[1] {
  return {
    ...{ client, cut: never, sinceMs: Date.now() },
    retry: async ({ reason }) => {
      throw new Error(reason);
    },
    inserted: () => undefined,
    restored: (_table, rows) => {
      seen.restored += rows;
    },
  };
}

/** Under the token of the segment that `shipSegment` sends. */
function insert(client: StoreClient, { id, rows }: Cut) {
  return insertRows(client, { table: rows.table, columns: 0, token: `${id}:${rows.table}`, buffers: [rows.bytes] });
}

function rowsOf(traceId: string): Rows {
  const now = BigInt(Date.now()) * 1_000_000n;
  const rows = Array.from({ length: days * rowsPerDay }, (_, index) => ({
    traceId,
    spanId: String(index),
    timeNanos: now - BigInt(index % days) * dayNanos,
  }));
  return spanRows(rows);
}

async function storedOf(client: StoreClient, traceId: string): Promise<{ all: number; distinct: number }> {
  const result = await client.query({
    query: 'SELECT count() AS all, uniqExact(SpanId) AS distinct FROM otel_traces WHERE TraceId = {traceId:String}',
    query_params: { traceId },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ all: string; distinct: string }>();
  return { all: Number(row!.all), distinct: Number(row!.distinct) };
}
