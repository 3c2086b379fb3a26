// `node bench/backtest.ts [--spans 102400]`: spans per CPU-second from ClickHouse through the reader, and through the shipped rules.

import { readRuleFiles, shippedRulesPath } from '../collector/src/cli/load-rules.ts';
import { placeholderLists } from '../collector/src/cli/rule-lists.ts';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createDetector } from '../collector/src/detect/engine.ts';
import { loadRules } from '../collector/src/detect/load.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import type { SpanBatch } from '../collector/src/model/span-batch.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { storedFacts } from '../collector/src/normalise/stored-facts.ts';
import { planHistory, readHistory } from '../collector/src/store/history/read.ts';
import { SpanRowEncoder } from '../collector/src/store/rows/otel-traces.ts';
import { openTestStore, type TestStore } from '../collector/src/store/testing/embedded.ts';
import { makeBodies } from './spans.ts';

const wanted = Number(process.argv[process.argv.indexOf('--spans') + 1]) || 102_400;
const dayMs = 86_400_000;

const db = await openTestStore();
try {
  for (const size of [700, 3_000] as const) {
    await fill(db, size);
    // The first reading warms code and caches.
    await measure(db, () => {});
    print(size, 'reader', await measure(db, () => {}));
    const fields = createFieldTable();
    const events = new NormalisedEvents(fields);
    const files = readRuleFiles([shippedRulesPath()]);
    const set = loadRules(files.rules, { lists: placeholderLists(files.lists, undefined) });
    const detector = createDetector({ ...set, fields });
    const rules = set.rules.length + set.correlations.length;
    const figure = await measure(db, (batch) => detector.detect(events.bind(batch)), fields);
    print(size, `${rules} shipped rules`, figure);
  }
} finally {
  await db.close();
}

async function fill({ store, insert }: TestStore, size: 700 | 3_000): Promise<void> {
  await store.client.command({ query: 'TRUNCATE TABLE otel_traces' });
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  const encoder = new SpanRowEncoder(fields, storedFacts);
  const range = { fromMs: Date.now() - 30 * dayMs, toMs: Date.now() + dayMs };
  for (const body of makeBodies(size, Math.ceil(wanted / 2048), 2048)) {
    const outcome = decoder.decode(body);
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    await insert(encoder.encode(outcome.batch, range, events.bind(outcome.batch)));
  }
}

interface Figure {
  readonly spans: number;
  readonly perCpuSecond: number;
  readonly perSecond: number;
}

async function measure(
  { store }: TestStore,
  work: (batch: SpanBatch) => void,
  fields = createFieldTable(),
): Promise<Figure> {
  const nowNanos = BigInt(Date.now()) * 1_000_000n;
  const plan = await planHistory(store.client, { fromNanos: nowNanos - 3_600_000_000_000n, toNanos: nowNanos });
  const started = performance.now();
  const before = process.cpuUsage();
  let spans = 0;
  for await (const batch of readHistory(store.client, plan, { fields }).batches) {
    spans += batch.spanCount;
    work(batch);
  }
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - started) / 1000;
  return { spans, perCpuSecond: (spans * 1e6) / (user + system), perSecond: spans / seconds };
}

function print(size: number, what: string, { spans, perCpuSecond, perSecond }: Figure): void {
  const number = (value: number): string => Math.round(value).toLocaleString('en');
  process.stdout.write(
    `${size} B  ${what.padEnd(18)}  ${number(spans)} spans  ${number(perCpuSecond)} per CPU-second  ${number(perSecond)}/s\n`,
  );
}
