import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import express from 'express';
import type { Logger } from 'pino';
import type { ActiveRules } from './active-rules/active-rules.ts';
import { type RuleSources, runRules } from './active-rules/run.ts';
import { apiRouter } from './api/routes.ts';
import type { Config } from './config/schema.ts';
import { withCasework } from './detect/casework.ts';
import { stateBounds } from './detect/state-bounds.ts';
import { UsageWrappers } from './detect/usage-wrappers.ts';
import { addDetectionGauges } from './detection-gauges.ts';
import { addDialectGauges } from './dialect-gauges.ts';
import { type Intake, openIntake } from './intake.ts';
import { addIntakeGauges, type IntakeGuards, openIntakeGuards } from './intake-guards.ts';
import { createKeyBudget, keyWarnings } from './key-gauges.ts';
import { KeyState } from './key-state.ts';
import { addLogGauges, createJoiner } from './log-events.ts';
import { memoryBytes } from './memory-limit/config.ts';
import { memoryPlan } from './memory-limit/plan.ts';
import { addMetricGauges } from './metric-intake.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { problemText, SpanwardenError } from './model/errors.ts';
import { createFieldTable, type FieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import { assertLimits } from './model/limits.ts';
import { Span, type SpanBatch } from './model/span-batch.ts';
import type { SpanEvents } from './model/span-events.ts';
import { OwnMetrics } from './own-metrics/own-metrics.ts';
import { ownResource } from './own-resource.ts';
import { openOwnTraces } from './own-traces/open.ts';
import { type PipelineObserver, TracePipeline } from './pipeline.ts';
import { Prices } from './prices/prices.ts';
import { notFound, otlpHttpRouter } from './receive/http.ts';
import { startServers } from './receive/servers.ts';
import { type TableRedactors, tableRedactors } from './redact/tables.ts';
import { countResent, resendParts, resendsOf, trustOnlySynced } from './resends.ts';
import { addStateGauges } from './state/gauges.ts';
import { StateKeeper } from './state/keeper.ts';
import { abandonStart, stopCollector } from './stop.ts';
import { openStorage } from './storage.ts';
import { schemaOptions } from './store/config.ts';
import type { Store } from './store/index.ts';
import { telemetryDaysMax } from './store/schema/retention.ts';
import type { ShipperHooks } from './store/shipper.ts';
import { createToolCalls, whileRules } from './tool-calls.ts';

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
  const { logger, ruleSources: sources } = options;
  const dataDir = resolve(config.data_dir);
  const metrics = createMetrics();
  const fields = createFieldTable();
  const { plan, bounds } = memoryOf(config);
  const running = runRules(config, { logger, fields, metrics, bounds, ...(sources && { sources }) });
  const allowedLatenessNanos = BigInt(config.detect.allowed_lateness_ms) * 1_000_000n;
  const joiner = createJoiner(fields, allowedLatenessNanos, bounds.joining);
  const calls = createToolCalls(fields, allowedLatenessNanos, bounds.calls);
  const usage = new UsageWrappers(fields);
  const prices = pricesOf(config, metrics);
  const keys = createKeyBudget(config, fields, metrics);
  const resends = resendsOf(config.spool);
  const parts = { logs: joiner, calls, usage, keys: new KeyState(keys), ...resendParts(resends) };
  const areRulesLoaded = () => running.rules.isAnyLoaded;
  const remembering = { allowedLatenessNanos, journal: true, bounds, parts };
  const casework = withCasework(running.rules.detector, { fields, areRulesLoaded, ...remembering });
  makeDataDir(dataDir);
  const guards = openIntakeGuards(config, dataDir, logger);
  const redactors = tableRedactors(config.redact, dataDir, fields);
  const storage = { ...{ config, dataDir, fields, metrics, logger }, pendingBytesMax: plan.spoolPendingBytesMax };
  const { spool, state, store, exporter, teeing } = await openStorage(storage, casework);
  trustOnlySynced(resends, spool.stats());
  const own = await openOwnTraces(config.telemetry, ownResource(spool.id), metrics, logger);
  const pipeline = new TracePipeline({
    ...{ fields, detector: casework, joiner, usage, prices, resends, keys },
    calls: whileRules(areRulesLoaded, calls),
    log: own.log(spool),
    retentionMs: telemetryDaysMax(schemaOptions(config.clickhouse)) * dayMs,
    redactors,
    messages: config.store.messages,
    ...{ originals: teeing.originals, journal: state.journal },
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
  addPipelineGauges(metrics, { pipeline, redactors, fields, joiner });
  addStateGauges(metrics, keeper, state, spool);
  addIntakeGauges(metrics, guards);
  addDetectionGauges(metrics, { detector: running.rules.detector, calls, casework });
  running.start(spool, redactors.findings);
  const settling = setInterval(() => void pipeline.settle().then(() => keeper.tick()), settleMs).unref();
  const shipping = new AbortController();
  const shipped = store.run(own.segments(spool), shipping.signal, own.hooks(countShipping(metrics)));
  const intake = openIntake({ own, guards, config: config.receive, pipeline, metrics, plan, logger });
  const warnings = () =>
    [ruleWarnings(running.rules), intake.warnings(), keyWarnings(keys), exporter.warnings(), teeing.warnings()].flat();
  const app = httpApp(guards, intake, store, metrics, { rules: running.rules, warnings });
  const started = { settling, own, guards, intake, keeper, running, exporter, spool, store, shipping, shipped };
  const servers = await startServers(config.receive, app, intake.receive).catch(async (error: unknown) => {
    await abandonStart(started);
    throw error;
  });
  exporter.start();
  const ownMetrics = new OwnMetrics({ config, metrics, fields, spool, resource: ownResource(spool.id), logger });
  let stopping: Promise<void> | undefined;
  return {
    urls: { otlp: servers.urls.http, grpc: servers.urls.grpc, api: servers.urls.http },
    store,
    reload: () => void reload(guards, running.rules),
    stop: () => (stopping ??= stopCollector({ ...started, ownMetrics, servers })),
  };
}

/** What each part may take of the memory, and how much detection remembers then. */
function memoryOf({ limits }: Config) {
  const plan = memoryPlan(memoryBytes(limits.memory));
  return { plan, bounds: stateBounds(plan.stateShare) };
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

function httpApp(
  guards: IntakeGuards,
  intake: Intake,
  store: Store,
  metrics: Metrics,
  { rules, warnings }: { readonly rules: ActiveRules; warnings(): readonly string[] },
): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(otlpHttpRouter(intake.receive));
  app.use(
    apiRouter({
      notReady: () => {
        const ready = store.ready();
        return ready.ok ? [] : [ready.reason];
      },
      warnings: () => [...warnings(), ...guards.warnings()],
      authorised: (authorization) => guards.access.mayManage(authorization),
      reload: () => reload(guards, rules),
      metrics: async () => ({ contentType: metrics.registry.contentType, body: await metrics.registry.metrics() }),
    }),
  );
  app.use(notFound(intake.receive.paths));
  return app;
}

/** What runs, but not as somebody wanted it. */
function ruleWarnings(rules: ActiveRules): string[] {
  const disabled = rules.disabledRules().map(({ ruleTitle, reason }) => `rule “${ruleTitle}” is disabled: ${reason}`);
  if (rules.refused === undefined) return disabled;
  return [...disabled, `the newest rules were refused: ${rules.refused.problems.map(problemText).join('; ')}`];
}

/** SDKs send spans in the order in which they ended. A clock that is ahead makes none older than the rest. */
function observeAge(metrics: Metrics, batch: SpanBatch): void {
  metrics.lastSpans.setToCurrentTime();
  const end = batch.spans[(batch.spanCount - 1) * Span.stride + Span.end]!;
  if (end < 0) return;
  metrics.spanAgeSeconds.observe(Math.max(0, (Date.now() - Number(batch.nanos(end) / 1_000_000n)) / 1000));
}

function observe(metrics: Metrics, options: CollectorOptions): PipelineObserver {
  return {
    decoded: (batch) => {
      metrics.acceptedSpans.inc(batch.spanCount);
      if (batch.spanCount > 0) observeAge(metrics, batch);
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
    resentRecords: countResent(metrics),
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

interface Counting {
  readonly pipeline: TracePipeline;
  readonly redactors: TableRedactors;
  readonly fields: FieldTable;
  readonly joiner: ReturnType<typeof createJoiner>;
}

function addPipelineGauges(metrics: Metrics, { pipeline, redactors, fields, joiner }: Counting): void {
  addMetricGauges(metrics, pipeline, fields);
  addLogGauges(metrics, pipeline, joiner);
  addDialectGauges(metrics, () => pipeline.dialectFaults);
  const add = metrics.gauge;
  const redacted = () => redactors.all.reduce((sum, { replaced }) => sum + replaced, 0);
  add('spanwarden_store_redacted_values', 'Values replaced by placeholders before storage.', redacted);
  add(
    'spanwarden_store_clamped_spans',
    'Spans whose time was moved into the accepted range.',
    () => pipeline.clampedSpans,
  );
  add('spanwarden_store_truncated_values', 'Attribute values cut before storage.', () => pipeline.truncatedValues);
}
