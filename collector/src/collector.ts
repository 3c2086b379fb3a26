import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import express from 'express';
import type { Logger } from 'pino';
import type { ActiveRules } from './active-rules/active-rules.ts';
import { type RuleSources, type RunningRules, runRules } from './active-rules/run.ts';
import { addAncestryGauges } from './ancestry-gauges.ts';
import { apiRouter } from './api/routes.ts';
import { addCaseGauges } from './case-gauges.ts';
import type { Config } from './config/schema.ts';
import { withCasework } from './detect/casework.ts';
import type { Detector } from './detect/engine.ts';
import { UsageWrappers } from './detect/usage-wrappers.ts';
import { addDialectGauges } from './dialect-gauges.ts';
import { addIntakeGauges, type IntakeGuards, openIntakeGuards } from './intake-guards.ts';
import { addLogGauges, createJoiner } from './log-events.ts';
import { addMetricGauges } from './metric-intake.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { problemText, SpanwardenError } from './model/errors.ts';
import { createFieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import { assertLimits, limits } from './model/limits.ts';
import type { SpanEvents } from './model/span-events.ts';
import { type OwnWork, openOwnTraces } from './own-traces/open.ts';
import { type PipelineObserver, TracePipeline } from './pipeline.ts';
import { Prices } from './prices/prices.ts';
import { byteBudget } from './receive/budget.ts';
import type { HttpPaths, ReceiveOptions } from './receive/contract.ts';
import { notFound, otlpHttpRouter } from './receive/http.ts';
import { type Servers, startServers } from './receive/servers.ts';
import { type TableRedactors, tableRedactors } from './redact/tables.ts';
import { createResentSpans, trustOnlySynced } from './resends.ts';
import { addSessionGauges } from './session-gauges.ts';
import { spoolOptions } from './spool/config.ts';
import type { Spool } from './spool/contract.ts';
import { openSpool } from './spool/spool.ts';
import { CheckpointStore } from './state/checkpoint-store.ts';
import { addStateGauges } from './state/gauges.ts';
import { StateKeeper } from './state/keeper.ts';
import { openState } from './state/open-state.ts';
import { schemaOptions } from './store/config.ts';
import { openStore, type Store } from './store/index.ts';
import { columnCounts } from './store/schema/columns.ts';
import { telemetryDaysMax } from './store/schema/retention.ts';
import type { ShipperHooks } from './store/shipper.ts';
import { addToolCallGauges, createToolCalls } from './tool-calls.ts';

export interface CollectorOptions {
  readonly logger: Logger;
  /** Sees every batch with its findings before it is stored. The batch is only valid during the call. */
  onBatch?(events: SpanEvents, findings: readonly Finding[]): void;
  /** Where rules are read from again when they change; without it they stay as they are. */
  readonly ruleSources?: RuleSources;
}

export interface Collector {
  /** `grpc` is undefined when it is off. */
  readonly urls: { readonly otlp: string; readonly grpc: string | undefined; readonly api: string };
  readonly store: Store;
  /** Reads rules, tokens and certificate again; with any error in one of them its old ones go on. */
  reload(): void;
  /** Stops accepting, stores what is accepted within a deadline, closes everything. Idempotent. */
  stop(): Promise<void>;
}

/** How long a stop waits for ClickHouse to take what is left; the rest stays in the spool for the next start. */
const drainMs = 5_000;
/** How long a stop waits for requests under way. */
const graceMs = 2_000;
/** How often findings that wait for event time are looked for while no span comes. */
const settleMs = 1_000;
/** Sent segments kept for their journals may take this part of the spool before a checkpoint is taken early. */
const journalShare = 32;
const dayMs = 86_400_000;

function pricesOf(config: Config, metrics: Metrics): Prices {
  const prices = new Prices(config.prices);
  metrics.gauge('spanwarden_normalise_unpriced_calls', 'Model calls without a known price.', () => prices.unknown);
  return prices;
}

/**
 * Wires the stages, in data order: receive ▶ decode ▶ normalise ▶ detect ▶ spool ▶ store.
 *
 * Throws a SpanwardenError when rules are wrong, the data directory is in use or the address is taken. A ClickHouse that
 * cannot be reached is no reason not to start: spans wait in the spool.
 */
export async function startCollector(config: Config, options: CollectorOptions): Promise<Collector> {
  assertLimits();
  const { logger } = options;
  const dataDir = resolve(config.data_dir);
  const metrics = createMetrics();
  const fields = createFieldTable();
  const sources = options.ruleSources;
  const running = runRules(config, { logger, fields, metrics, ...(sources && { sources }) });
  const { detector } = running.rules;
  const allowedLatenessNanos = BigInt(config.detect.allowed_lateness_ms) * 1_000_000n;
  const joiner = createJoiner(fields, allowedLatenessNanos);
  const calls = createToolCalls(fields, allowedLatenessNanos);
  const usage = new UsageWrappers(fields);
  const prices = pricesOf(config, metrics);
  const resends = createResentSpans(config.spool.resent_spans_max);
  const parts = { logs: joiner, calls, usage, ...(resends && { resends }) };
  const casework = withCasework(detector, { fields, allowedLatenessNanos, journal: true, parts });
  makeDataDir(dataDir);
  const guards = openIntakeGuards(config, dataDir, logger);
  const redactors = tableRedactors(config.redact, dataDir, fields);
  const spoolDir = spoolOptions(config.spool, join(dataDir, 'spool'));
  const spool = await openSpool({ ...spoolDir, columns: columnCounts, keepFrom: 0, logger });
  const state = await openState(new CheckpointStore(join(dataDir, 'state'), logger), spool, casework, logger);
  trustOnlySynced(resends, spool.stats());
  const store = await openStore(config.clickhouse, { dataDir, logger }).catch(async (error: unknown) => {
    await spool.close();
    throw error;
  });
  const own = await openOwnTraces(config.telemetry, metrics, logger);
  const pipeline = new TracePipeline({
    ...{ fields, detector: casework, joiner, calls, usage, prices, resends },
    log: own.log(spool),
    retentionMs: telemetryDaysMax(schemaOptions(config.clickhouse)) * dayMs,
    redactors,
    messages: config.store.messages,
    journal: state.journal,
    now: Date.now,
    observer: own.observer(observe(metrics, options)),
  });
  const keeper = new StateKeeper(
    {
      ...{ kept: pipeline, journal: state.journal, store: state.store, segments: spool, now: Date.now, logger },
      storeJournal: () => pipeline.storeJournal(),
      intervalMs: config.detect.checkpoint_interval_ms,
      segmentBytesMax: config.spool.bytes_max / journalShare,
    },
    state.checkpoint,
  );
  addGauges(metrics, spool, pipeline, redactors);
  addStateGauges(metrics, keeper, state, spool);
  addDetectionGauges(metrics, detector);
  addMetricGauges(metrics, pipeline, fields);
  addLogGauges(metrics, pipeline, joiner);
  addToolCallGauges(metrics, calls);
  addIntakeGauges(metrics, guards);
  addCaseGauges(metrics, casework);
  running.start(spool);
  const settling = setInterval(() => void pipeline.settle().then(() => keeper.tick()), settleMs).unref();
  const shipping = new AbortController();
  const shipped = store.run(own.segments(spool), shipping.signal, own.hooks(countShipping(metrics)));
  const intake = intakeOf(guards, config.receive.http.paths, own.consume(consumeOf(pipeline, metrics)), metrics);
  const app = httpApp(guards, intake, store, metrics, running.rules);
  const servers = await startServers(config.receive, app, intake).catch(async (error: unknown) => {
    clearInterval(settling);
    guards.close();
    await running.stop();
    shipping.abort();
    await Promise.all([spool.close(), shipped]);
    await store.close();
    throw error;
  });
  const { http, grpc } = servers.urls;
  let stopping: Promise<void> | undefined;
  return {
    urls: { otlp: http, grpc, api: http },
    store,
    reload: () => void reload(guards, running.rules),
    stop: () => {
      clearInterval(settling);
      stopping ??= stop({ own, guards, servers, keeper, running, spool, store, shipping, shipped });
      return stopping;
    },
  };
}

function countShipping(metrics: Metrics): ShipperHooks {
  return {
    inserted: (table, rows) => metrics.storedRows.inc({ table }, rows),
    segment: (lagMs) => {
      metrics.storedSegments.inc();
      metrics.storeLagSeconds.observe(lagMs / 1000);
    },
    retried: () => metrics.storeRetries.inc(),
    restored: (rows) => metrics.storeRestored.inc(rows),
    deadLettered: (rows) => metrics.deadLetters.inc(rows),
  };
}

function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new SpanwardenError({
      code: 'SW_DATA_DIR',
      message: `the data directory cannot be created: ${(error as Error).message}`,
      advice: 'Set data_dir in the config to a folder this user may write to.',
    });
  }
}

/** Rules, tokens and certificate, read again. */
function reload(guards: IntakeGuards, rules: ActiveRules) {
  const problems = guards.reload();
  const outcome = rules.reload();
  const refused = [...problems, ...(outcome.status === 'reloaded' ? [] : outcome.error.problems)];
  if (outcome.status !== 'reloaded' || refused.length > 0) return { problems: refused.map(problemText) };
  return { rules: outcome.rules, changed: outcome.changed };
}

/** A request through the pipeline, counted. */
function consumeOf(pipeline: TracePipeline, metrics: Metrics): ReceiveOptions['consume'] {
  return async (encoding, bytes, signal) => {
    metrics.decodedBytes.inc({ encoding }, bytes.length);
    const done = metrics.ackSeconds.startTimer();
    const outcome = await pipeline.consume(encoding, bytes, signal);
    done();
    return outcome;
  };
}

/** What both transports do with a request. */
function intakeOf(
  { access, tls }: IntakeGuards,
  paths: HttpPaths,
  consume: ReceiveOptions['consume'],
  metrics: Metrics,
): ReceiveOptions {
  return {
    paths,
    admit: (authorization) => access.admit(authorization),
    ...(tls && { tls }),
    budget: byteBudget(limits.requestsBytesMax),
    consume,
    answered: (code) => metrics.requests.inc({ code }),
  };
}

function httpApp(
  guards: IntakeGuards,
  intake: ReceiveOptions,
  store: Store,
  metrics: Metrics,
  rules: ActiveRules,
): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(otlpHttpRouter(intake));
  app.use(
    apiRouter({
      notReady: () => {
        const ready = store.ready();
        return ready.ok ? [] : [ready.reason];
      },
      warnings: () => [...ruleWarnings(rules), ...guards.warnings()],
      authorised: (authorization) => guards.access.mayManage(authorization),
      reload: () => reload(guards, rules),
      metrics: async () => ({ contentType: metrics.registry.contentType, body: await metrics.registry.metrics() }),
    }),
  );
  app.use(notFound(intake.paths));
  return app;
}

/** What runs, but not as somebody wanted it. */
function ruleWarnings(rules: ActiveRules): string[] {
  const disabled = rules.disabledRules().map(({ ruleTitle, reason }) => `rule “${ruleTitle}” is disabled: ${reason}`);
  if (rules.refused === undefined) return disabled;
  return [...disabled, `the newest rules were refused: ${rules.refused.problems.map(problemText).join('; ')}`];
}

function observe(metrics: Metrics, options: CollectorOptions): PipelineObserver {
  return {
    decoded: (batch) => {
      metrics.acceptedSpans.inc(batch.spanCount);
      if (batch.rejected.count > 0) metrics.rejectedSpans.inc(batch.rejected.count);
      for (const kind of ['attributes', 'events', 'links'] as const) {
        if (batch.dropped[kind] > 0) metrics.droppedRecords.inc({ kind }, batch.dropped[kind]);
      }
    },
    decodedLogs: (batch) => {
      metrics.acceptedLogs.inc(batch.logCount);
      if (batch.rejected.count > 0) metrics.rejectedLogs.inc(batch.rejected.count);
      if (batch.dropped.attributes > 0) metrics.droppedRecords.inc({ kind: 'attributes' }, batch.dropped.attributes);
    },
    decodedMetrics: (batch) => {
      metrics.acceptedPoints.inc(batch.pointCount);
      if (batch.rejected.count > 0) metrics.rejectedPoints.inc(batch.rejected.count);
      if (batch.dropped.attributes > 0) metrics.droppedRecords.inc({ kind: 'attributes' }, batch.dropped.attributes);
    },
    malformed: (code) => metrics.malformed.inc({ code }),
    resent: () => metrics.resentBatches.inc(),
    resentSpans: (count) => metrics.resentSpans.inc(count),
    detectFailed: (error) => {
      metrics.detectErrors.inc();
      options.logger.error({ err: error }, 'detection failed for a batch; its spans are stored without findings');
    },
    settled: (findings) => {
      for (const finding of findings) metrics.findings.inc({ level: finding.level });
    },
    batch: (events, findings) => {
      for (const finding of findings) metrics.findings.inc({ level: finding.level });
      options.onBatch?.(events, findings);
    },
  };
}

function addGauges(metrics: Metrics, spool: Spool, pipeline: TracePipeline, redactors: TableRedactors): void {
  addDialectGauges(metrics, () => pipeline.dialectFaults);
  const add = metrics.gauge;
  const redacted = () => redactors.all.reduce((sum, { replaced }) => sum + replaced, 0);
  add('spanwarden_store_redacted_values', 'Values replaced by placeholders before storage.', redacted);
  add('spanwarden_spool_bytes', 'Bytes that wait for ClickHouse.', () => spool.stats().bytes);
  add('spanwarden_spool_segments', 'Segments that wait for ClickHouse.', () => spool.stats().segments);
  add(
    'spanwarden_spool_oldest_age_seconds',
    'Age of the oldest waiting record.',
    () => spool.stats().oldestAgeMs / 1000,
  );
  add('spanwarden_spool_pending_bytes', 'Bytes that wait for their fsync.', () => spool.stats().pendingBytes);
  add('spanwarden_spool_syncs', 'fsyncs since the start.', () => spool.stats().syncs);
  add('spanwarden_spool_set_aside_bytes', 'Bytes in dead-letter/ and quarantine/.', () => spool.stats().setAsideBytes);
  add('spanwarden_spool_corrupt_bytes', 'Damaged bytes found since the start.', () => spool.stats().corruptBytes);
  add(
    'spanwarden_spool_reserve_released',
    '1 while the reserve of disk space is given up and nothing is taken in.',
    () => Number(spool.stats().reserveReleased),
  );
  add('spanwarden_spool_torn_bytes', 'Bytes cut from torn segments at start.', () => spool.stats().tornBytes);
  add(
    'spanwarden_store_clamped_spans',
    'Spans whose time was moved into the accepted range.',
    () => pipeline.clampedSpans,
  );
  add('spanwarden_store_truncated_values', 'Attribute values cut before storage.', () => pipeline.truncatedValues);
}

function addDetectionGauges(metrics: Metrics, detector: Detector): void {
  addCorrelationGauges(metrics, detector);
  addAncestryGauges(metrics, () => detector.ancestryStats());
  addSessionGauges(metrics, () => detector.sessionStats());
}

function addCorrelationGauges(metrics: Metrics, detector: Detector): void {
  const stats = () => detector.correlationStats();
  const sum = (key: 'groups' | 'withoutKey' | 'evictedGroups' | 'droppedEvents') =>
    stats().rules.reduce((total, rule) => total + rule[key], 0);
  const gauges = [
    ['waiting_events', 'Events that wait until no earlier one can arrive.', () => stats().waiting],
    ['late_events', 'Events that came too late for correlations.', () => stats().late],
    ['future_events', 'Events from so far in the future that correlations left them out.', () => stats().future],
    ['hurried_events', 'Events evaluated before their time because too many waited.', () => stats().hurried],
    ['groups', 'Groups that correlations remember.', () => sum('groups')],
    ['keyless_events', 'Events without a group key.', () => sum('withoutKey')],
    ['evicted_groups', 'Groups forgotten because there were too many.', () => sum('evictedGroups')],
    ['dropped_events', 'Events forgotten because a group had too many.', () => sum('droppedEvents')],
  ] as const;
  for (const [name, help, read] of gauges) metrics.gauge(`spanwarden_correlate_${name}`, help, read);
}

interface Running {
  readonly own: OwnWork;
  readonly guards: IntakeGuards;
  readonly servers: Servers;
  readonly keeper: StateKeeper;
  readonly running: RunningRules;
  readonly spool: Spool;
  readonly store: Store;
  readonly shipping: AbortController;
  readonly shipped: Promise<void>;
}

async function stop({
  own,
  guards,
  servers,
  keeper,
  running,
  spool,
  store,
  shipping,
  shipped,
}: Running): Promise<void> {
  guards.close();
  // While it can still be taken, should it go to this collector.
  await own.stop();
  await servers.close(graceMs);
  await running.stop();
  await keeper.close();
  await spool.seal();
  await drained(spool);
  shipping.abort();
  await shipped;
  await spool.close();
  await store.close();
}

async function drained(spool: Spool): Promise<void> {
  const until = Date.now() + drainMs;
  while (spool.stats().segments > 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 25));
}
