import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { otlpProtobuf, type TestSpan } from '../../collector/src/testing/otlp.ts';
import { clickhouseOf, type TestClickhouse } from '../support/clickhouse.ts';
import {
  type CollectorHome,
  CollectorProcess,
  createHome,
  eventually,
  sendTraces,
} from '../support/collector-process.ts';

export interface LargeStateOptions {
  /** Orders that rules remember before the first stop, each in a group of every one of `correlations`. */
  readonly orders: number;
  readonly correlations: number;
  /** How many stops; between two a part of the load is sent. */
  readonly stops: number;
  /** Of the disk below the checkpoints; without it that is as fast as it is. */
  readonly diskBytesPerSecond?: number;
}

export interface LargeStateReport {
  /** Groups that were remembered at the first stop. */
  readonly groups: number;
  readonly stops: readonly { readonly code: number | null; readonly ms: number; readonly refused: number }[];
  /** Pieces of the journal that starts took in again: where a stop went without a checkpoint. */
  readonly replayed: number;
  readonly spans: { readonly acknowledged: number; readonly stored: number; readonly distinct: number };
  readonly findings: {
    readonly expected: number;
    readonly rows: number;
    readonly distinctRows: number;
    /** Orders that should have a finding and have none; those that have more than one, or should have none. */
    readonly missing: readonly string[];
    readonly surplus: readonly string[];
  };
  readonly log: string;
}

/** Whether nothing was lost, nothing is there twice, and every stop was one in order and in time. */
export function isInOrder({ stops, spans, findings }: LargeStateReport): boolean {
  const isStopped = stops.every(({ code, ms }) => code === 0 && ms < stopMsMax);
  const isStored = spans.stored === spans.acknowledged && spans.distinct === spans.acknowledged;
  const isFound = findings.missing.length + findings.surplus.length === 0;
  return isStopped && isStored && isFound && findings.rows === findings.distinctRows;
}

/** What `spanwarden serve` promises. */
const stopMsMax = 10_000;
const senders = 4;
const ordersPerSpan = 64;
const spansPerRequest = 20;
/** Orders that come a second and a third time, which makes a finding of each; one stop lies among their requests. */
const ordersPerStop = 1_000;
const eventsOfFinding = 3;
const counted = 'Thrice';
const settleMs = 1_000;
const endlessInsert =
  "INSERT INTO FUNCTION null('n UInt8') SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1";
const drainWithinMs = 120_000;

const slowDisk = pathToFileURL(join(import.meta.dirname, 'slow-state-disk.ts')).href;

/** Fills a collector with groups, stops it under load, again and again, and counts what came of what was acknowledged. */
export async function runLargeState(options: LargeStateOptions): Promise<LargeStateReport> {
  const home = createHome();
  const rules = join(home.directory, 'rules');
  mkdirSync(rules);
  writeFileSync(join(rules, 'orders.yml'), rulesOf(options.correlations));
  writeFileSync(
    home.configFile,
    `data_dir: ${JSON.stringify(home.dataDir)}
log: { level: warn }
receive: { http: { listen: "127.0.0.1:0" }, grpc: { listen: off } }
limits: { memory: 2GiB }
detect: { shipped_rules: false, rules: [${JSON.stringify(rules)}], allowed_lateness_ms: 60000 }
spool: { segment_age_max_ms: 200 }
`,
  );
  const live = await LiveCollector.start(home, options.diskBytesPerSecond);
  const clickhouse = clickhouseOf(home.dataDir);
  try {
    return await stopAgainAndAgain(live, clickhouse, options);
  } finally {
    await live.collector.end('SIGKILL');
    await clickhouse.close();
    home.remove();
  }
}

async function stopAgainAndAgain(
  live: LiveCollector,
  clickhouse: TestClickhouse,
  { orders, stops }: LargeStateOptions,
): Promise<LargeStateReport> {
  const story = new Story();
  await sendAll(story.fill(orders), live);
  // Minutes later, so that all of those have been looked at.
  await sendAll(story.touch(['order-of-somebody-else'], 120_000), live);
  const groups = await live.metric('spanwarden_correlate_groups');
  const ended: LargeStateReport['stops'][number][] = [];
  let replayed = 0;
  for (let stop = 0; stop < stops; stop++) {
    const again = Array.from({ length: ordersPerStop }, (_, index) => orderOf(stop * ordersPerStop + index));
    const queue = [...story.touch(again), ...story.touch(again)];
    const half = queue.length / 2;
    const sending = sendAll(queue, live);
    await eventually('half of the load', async () => (queue.length <= half ? true : undefined));
    // ClickHouse works on something that does not end by itself, which must not hold up the stop either.
    void clickhouse.command(endlessInsert).catch(() => undefined);
    ended.push(await live.stopUnderLoad());
    await live.startAgain();
    replayed += await live.metric('spanwarden_state_replayed_pieces');
    await sending;
  }
  // Long after all the others, so that nothing waits.
  await sendAll(story.touch(['order-of-the-end'], 3_600_000), live);
  const thrice = Array.from({ length: stops * ordersPerStop }, (_, number) => orderOf(number));
  const counts = await countStored(clickhouse, story.spans, thrice);
  return { groups, stops: ended, replayed, ...counts, log: live.log };
}

/** The spans of a run, each with an id and a time of its own. */
class Story {
  spans = 0;
  #nanos = BigInt(Date.now() - 2 * 3_600_000) * 1_000_000n;

  fill(orders: number): Buffer[] {
    const groups = chunks(
      Array.from({ length: orders }, (_, number) => orderOf(number)),
      ordersPerSpan,
    );
    return this.#requests(groups);
  }

  touch(orders: readonly string[], laterMs = 0): Buffer[] {
    this.#nanos += BigInt(laterMs) * 1_000_000n;
    return this.#requests(orders.map((order) => [order]));
  }

  #requests(orders: readonly (readonly string[])[]): Buffer[] {
    return chunks(orders, spansPerRequest).map((each) => otlpProtobuf(each.map((some) => this.#span(some))));
  }

  #span(orders: readonly string[]): TestSpan {
    const id = (++this.spans).toString(16);
    this.#nanos += 1_000_000n;
    return {
      ...{ name: 'order', traceId: id.padStart(32, '0'), spanId: id.padStart(16, '0') },
      ...{ startNanos: this.#nanos - 1n, endNanos: this.#nanos },
      attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'pay', 'app.orders': orders },
    };
  }
}

function orderOf(number: number): string {
  return `order-${number}`;
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

/** One that counts to three, and others that only have much to remember. */
function rulesOf(correlations: number): string {
  const counting = Array.from({ length: correlations }, (_, index) => {
    const gte = index === 0 ? eventsOfFinding : 100 + index;
    return `---
title: ${index === 0 ? counted : `Often ${index}`}
correlation: {type: event_count, rules: [pay], group-by: [app.orders], timespan: 12h, condition: {gte: ${gte}}}
level: high
`;
  });
  return `title: Pay
name: pay
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name: pay}, condition: s}
${counting.join('')}`;
}

/** A collector that ends and begins again while others talk to it. */
class LiveCollector {
  readonly #home: CollectorHome;
  readonly #env: Readonly<Record<string, string>>;
  collector: CollectorProcess;
  /** Requests that were not acknowledged, since the start of the test. */
  refused = 0;
  log = '';

  private constructor(home: CollectorHome, env: Readonly<Record<string, string>>, first: CollectorProcess) {
    this.#home = home;
    this.#env = env;
    this.collector = first;
  }

  static async start(home: CollectorHome, diskBytesPerSecond: number | undefined): Promise<LiveCollector> {
    const slow = { NODE_OPTIONS: `--import=${slowDisk}`, SPANWARDEN_TEST_DISK_SPEED: String(diskBytesPerSecond) };
    const env = diskBytesPerSecond === undefined ? {} : slow;
    return new LiveCollector(home, env, await CollectorProcess.start(home, { env }));
  }

  async stopUnderLoad(): Promise<LargeStateReport['stops'][number]> {
    const refused = this.refused;
    const from = performance.now();
    const code = await this.collector.end('SIGTERM');
    const ms = Math.round(performance.now() - from);
    this.log += this.collector.log;
    return { code, ms, refused: this.refused - refused };
  }

  async startAgain(): Promise<void> {
    this.collector = await CollectorProcess.start(this.#home, { env: this.#env });
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.collector.url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  }
}

/** Empties the queue: every request again and again until it is acknowledged, whichever collector that is. */
async function sendAll(queue: Buffer[], live: LiveCollector): Promise<void> {
  const one = async () => {
    for (let body = queue.shift(); body; body = queue.shift()) {
      while (!(await sendTraces(live.collector.url, body))) {
        live.refused++;
        await sleep(50);
      }
      await sleep(5);
    }
  };
  await Promise.all(Array.from({ length: senders }, one));
}

/** @param orders that should have a finding each */
async function countStored(clickhouse: TestClickhouse, acknowledged: number, orders: readonly string[]) {
  const one = async (query: string) => (await clickhouse.rows<Record<'n' | 'ids', string>>(query))[0]!;
  const ask = async () => {
    const rows = await one("SELECT count() AS n, uniqExact(SpanId) AS ids FROM otel_traces WHERE SpanName = 'order'");
    // A finding that was given early is stored once more when it is settled, under another version.
    const found = await one(
      `SELECT count() AS n, uniqExact(FindingId, Version) AS ids FROM findings WHERE RuleTitle = '${counted}'`,
    );
    const groups = await clickhouse.rows<{ order: string; findings: string }>(
      `SELECT JSONExtractString(GroupKey, 'app.orders') AS order, uniqExact(FindingId) AS findings
       FROM findings WHERE RuleTitle = '${counted}' GROUP BY order`,
    );
    const known = new Map(groups.map(({ order, findings }) => [order, Number(findings)]));
    return {
      spans: { acknowledged, stored: Number(rows.n), distinct: Number(rows.ids) },
      findings: {
        ...{ expected: orders.length, rows: Number(found.n), distinctRows: Number(found.ids) },
        missing: orders.filter((order) => !known.has(order)),
        surplus: [...known].filter(([order, n]) => n > 1 || !orders.includes(order)).map(([order]) => order),
      },
    };
  };
  const isThere = ({ spans, findings }: Awaited<ReturnType<typeof ask>>) =>
    spans.stored >= acknowledged && findings.missing.length === 0;
  await eventually(
    'all that was acknowledged, and its findings',
    async () => (isThere(await ask()) ? true : undefined),
    drainWithinMs,
  ).catch(() => undefined);
  // What is stored twice would come now.
  await sleep(settleMs);
  return ask();
}
