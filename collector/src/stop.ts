import type { RunningRules } from './active-rules/run.ts';
import type { Exporter } from './export/exporter.ts';
import type { Intake } from './intake.ts';
import type { IntakeGuards } from './intake-guards.ts';
import type { OwnMetrics } from './own-metrics/own-metrics.ts';
import type { OwnWork } from './own-traces/open.ts';
import type { Servers } from './receive/servers.ts';
import type { Spool } from './spool/contract.ts';
import type { StateKeeper } from './state/keeper.ts';
import type { Store } from './store/index.ts';

/**
 * How long a stop waits for ClickHouse to take what is left, how long when it takes nothing, and by when after its begin it waits no
 * more; the rest stays in the spool for the next start. With what the store waits for, a stop is over in less than ten seconds.
 */
const drainMs = 3_000;
const idleDrainMs = 1_000;
const drainByMs = 6_500;
/** How long a stop waits for the bodies of requests under way, and for their answers. */
const readMs = 1_000;
const graceMs = 3_000;
/** How long a stop waits for destinations to answer; what they have not confirmed is sent by the next run. */
const exportGraceMs = 2_000;
/** By when after its begin a stop has written its checkpoint, or goes without one; at least so long is tried. */
const checkpointByMs = 4_500;
const checkpointMsMin = 1_000;

/** What a running collector consists of, as far as a stop has to do with it. */
export interface Running {
  /** What makes event time go on while nothing comes. */
  readonly settling: NodeJS.Timeout;
  readonly own: OwnWork;
  readonly ownMetrics: OwnMetrics;
  readonly guards: IntakeGuards;
  readonly intake: Intake;
  readonly servers: Servers;
  readonly keeper: StateKeeper;
  readonly running: RunningRules;
  readonly exporter: Exporter;
  readonly spool: Spool;
  readonly store: Store;
  readonly shipping: AbortController;
  readonly shipped: Promise<void>;
}

/** Closes what was opened before its servers could not be started. */
export async function abandonStart(opened: Omit<Running, 'ownMetrics' | 'servers'>): Promise<void> {
  clearInterval(opened.settling);
  opened.guards.close();
  opened.intake.close();
  await opened.running.stop();
  await opened.exporter.stop(0);
  opened.shipping.abort();
  await Promise.all([opened.spool.close(), opened.shipped]);
  await opened.store.close();
}

/** Stops accepting, stores and sends what was accepted within a deadline, closes everything. */
export async function stopCollector({
  settling,
  own,
  ownMetrics,
  guards,
  intake,
  servers,
  keeper,
  running,
  exporter,
  spool,
  store,
  shipping,
  shipped,
}: Running): Promise<void> {
  const from = performance.now();
  clearInterval(settling);
  guards.close();
  // While it can still be taken, should it go to this collector.
  await Promise.all([own.stop(), ownMetrics.stop()]);
  intake.stop(readMs);
  await servers.close(graceMs);
  intake.close();
  await running.stop();
  await keeper.close(Math.max(checkpointMsMin, from + checkpointByMs - performance.now()));
  await spool.seal();
  const drainMsMax = Math.min(drainMs, from + drainByMs - performance.now());
  await Promise.all([drained(spool, drainMsMax), exporter.stop(exportGraceMs)]);
  shipping.abort();
  await shipped;
  await spool.close();
  await store.close();
}

async function drained(spool: Spool, msMax: number): Promise<void> {
  const from = performance.now();
  let left = spool.stats().segments;
  let movedMs = from;
  for (;;) {
    const { segments } = spool.stats();
    const now = performance.now();
    if (segments !== left) movedMs = now;
    left = segments;
    if (segments === 0 || now - from > msMax || now - movedMs > idleDrainMs) return;
    await new Promise((done) => setTimeout(done, 25));
  }
}
