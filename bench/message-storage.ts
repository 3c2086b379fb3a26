// What is stored of conversations under `store.messages: full` and `once`, by emitter; see messages.ts.

import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { SpanRowEncoder } from '../collector/src/store/rows/otel-traces.ts';
import { openTestStore, type TestStore } from '../collector/src/store/testing/embedded.ts';
import { conversations, makeConversations, type Telling, type Told, tellings } from './conversations.ts';

const tables = ['otel_traces', 'otel_messages'] as const;

/** Prints rows as they are sent, what ClickHouse makes of them, and the CPU time of decoding, canonical attributes and encoding. */
export async function measureStorage(told: Told, rounds: number): Promise<void> {
  const db = await openTestStore();
  for (const [name, telling] of Object.entries<Telling>(tellings)) {
    const bodies = makeConversations(told, 'whole history', 'conversation', telling);
    for (const way of ['full', 'once'] as const) {
      const rows = encoded(bodies, way).rows;
      const disk = await onDisk(db, rows);
      const micros = Math.min(...Array.from({ length: rounds }, () => encoded(bodies, way).micros));
      const rowBytes = rows.reduce((sum, { bytes }) => sum + bytes.length, 0);
      process.stdout.write(
        `${name.padEnd(26)} store.messages: ${way}   rows ${kilo(rowBytes)}   on disk ${kilo(disk)}   ` +
          `decode + transcode ${(micros / (bodies.length * conversations)).toFixed(0).padStart(4)} µs a call\n`,
      );
    }
  }
  await db.close();
}

async function onDisk(db: TestStore, rows: readonly Parameters<TestStore['insert']>[0][]): Promise<number> {
  for (const table of tables) await db.store.client.command({ query: `TRUNCATE TABLE ${table}` });
  for (const each of rows) await db.insert(each);
  for (const table of tables) await db.store.client.command({ query: `OPTIMIZE TABLE ${table} FINAL` });
  const answer = await db.store.client.query({
    query: `SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase()
AND table IN ('otel_traces', 'otel_messages')`,
    format: 'JSONEachRow',
  });
  const [disk] = await answer.json<{ bytes: string }>();
  return Number(disk!.bytes);
}

function kilo(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`.padStart(10);
}

function encoded(bodies: readonly Buffer[], way: 'full' | 'once') {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  const encoder = new SpanRowEncoder(fields, [], undefined, way);
  const range = { fromMs: Date.now() - 86_400_000, toMs: Date.now() + 86_400_000 };
  const before = process.cpuUsage();
  const rows = bodies.flatMap((body) => {
    const outcome = decoder.decode(body);
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    const spans = encoder.encode(outcome.batch, range, events.bind(outcome.batch));
    const messages = encoder.takeMessages();
    messages?.landed();
    return messages === undefined ? [spans] : [spans, messages.rows];
  });
  const { user, system } = process.cpuUsage(before);
  return { rows, micros: user + system };
}
