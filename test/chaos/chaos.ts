import { setTimeout as sleep } from 'node:timers/promises';
import type { TestClickhouse } from '../support/clickhouse.ts';
import { eventually } from '../support/collector-process.ts';
import { type Fault, faults } from './faults.ts';
import { type Sent, startSenders } from './senders.ts';
import { openWorld, type World } from './world.ts';

export interface ChaosOptions {
  readonly seconds: number;
  /** Which faults come when; times of processes still differ from run to run. */
  readonly seed: number;
  /** Called before each fault. */
  onFault?(name: string): void;
}

export interface ChaosReport {
  readonly seed: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly requests: number;
  readonly resent: number;
  readonly regrouped: number;
  readonly acknowledged: number;
  readonly stored: number;
  /** Acknowledged and not there; all of these must be empty. */
  readonly missing: readonly string[];
  readonly doubled: readonly string[];
  /** There without an acknowledgement, after every sender had its last one. */
  readonly surplus: readonly string[];
  readonly findings: {
    readonly expected: number;
    readonly stored: number;
    readonly distinct: number;
    /** Acknowledged spans that should have one and have none. */
    readonly missing: readonly string[];
  };
  /** Whether faults of the disk could be among them. */
  readonly hadDisk: boolean;
  /** What the collectors wrote, the end of it. */
  readonly log: string;
}

const senders = 4;
const spansPerBatch = 20;
const drainWithinMs = 120_000;
const logCharactersMax = 50_000;

/** Sends spans while everything fails, mends it all, waits until nothing is left to come, and counts. */
export async function runChaos({ seconds, seed, onFault }: ChaosOptions): Promise<ChaosReport> {
  const random = randomOf(seed);
  const world = await openWorld();
  try {
    // Who dies while it makes the tables holds the lock on the schema for its lease; that has a test of its own.
    await eventually('the tables', async () =>
      (await fetch(`${world.url}/readyz`)).status === 200 ? true : undefined,
    );
    const sending = startSenders({ url: world.url, senders, spansPerBatch, random });
    const struck = await makeTrouble(world, {
      until: Date.now() + seconds * 1000,
      random,
      ...(onFault && { onFault }),
    });
    const sent = await sending.stop();
    const result = await count(world.stored, sent);
    return {
      seed,
      faults: struck,
      ...result,
      hadDisk: world.disk !== undefined,
      log: world.log.slice(-logCharactersMax),
    };
  } finally {
    await world.close();
  }
}

/** Whether a report says that nothing was lost, and nothing is there twice. */
export function isClean({ missing, doubled, surplus, findings }: ChaosReport): boolean {
  return (
    missing.length + doubled.length + surplus.length === 0 &&
    findings.stored === findings.expected &&
    findings.distinct === findings.expected
  );
}

async function makeTrouble(
  world: World,
  { until, random, onFault }: { until: number; random: () => number; onFault?: (name: string) => void },
): Promise<Record<string, number>> {
  const struck: Record<string, number> = {};
  const possible = faults.filter(({ needsDisk }) => !needsDisk || world.disk);
  while (Date.now() < until) {
    await sleep(100 + random() * 900);
    const fault = pick(possible, random);
    onFault?.(fault.name);
    await fault.strike(world, random);
    struck[fault.name] = (struck[fault.name] ?? 0) + 1;
  }
  return struck;
}

async function count(clickhouse: TestClickhouse, sent: Sent) {
  const { acknowledged, batches, requests, resent, regrouped } = sent;
  const ids = () => clickhouse.rows<{ id: string; n: string }>(idsQuery);
  const rows = await eventually(
    'all acknowledged spans and their findings in ClickHouse',
    async () => {
      const found = await ids();
      return found.length >= acknowledged.length && (await clickhouse.count('findings')) >= batches ? found : undefined;
    },
    drainWithinMs,
  ).catch(ids);
  // What is sent twice would come now.
  await sleep(2_000);
  const [findings] = await clickhouse.rows<{ n: string; ids: string }>(
    'SELECT count() AS n, uniqExact(FindingId) AS ids FROM findings',
  );
  const found = await clickhouse.rows<{ id: string }>(foundQuery);
  const withFinding = new Set(found.map(({ id }) => id));
  const counts = new Map(rows.map(({ id, n }) => [id, Number(n)]));
  const known = new Set(acknowledged);
  return {
    requests,
    resent,
    regrouped,
    acknowledged: acknowledged.length,
    stored: rows.reduce((sum, { n }) => sum + Number(n), 0),
    missing: acknowledged.filter((id) => !counts.has(id)),
    doubled: [...counts].filter(([, n]) => n > 1).map(([id]) => id),
    surplus: [...counts.keys()].filter((id) => !known.has(id)),
    findings: {
      expected: batches,
      stored: Number(findings!.n),
      distinct: Number(findings!.ids),
      missing: acknowledged.filter((id) => id.endsWith('-0') && !withFinding.has(id)),
    },
  };
}

const idsQuery = "SELECT SpanAttributes['n'] AS id, count() AS n FROM otel_traces WHERE SpanName = 'chaos' GROUP BY id";
const foundQuery =
  "SELECT SpanAttributes['n'] AS id FROM otel_traces WHERE SpanName = 'chaos' AND SpanId IN (SELECT SpanId FROM findings)";

function pick(from: readonly Fault[], random: () => number): Fault {
  let left = random() * from.reduce((sum, { weight }) => sum + weight, 0);
  for (const fault of from) {
    left -= fault.weight;
    if (left < 0) return fault;
  }
  return from.at(-1)!;
}

/** Numbers in [0, 1) that a seed decides: a linear congruential generator, by Numerical Recipes. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
