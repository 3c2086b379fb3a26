import type { FieldTable } from '../model/fields.ts';
import type { Evidence, Finding } from '../model/finding.ts';
import { limits } from '../model/limits.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { type AncestryStats, traceWaitDefaultNanos } from './ancestry/ancestry.ts';
import { createReaching } from './ancestry/reaching.ts';
import { compileRule, createShared, type RuleNode } from './compile.ts';
import { type CorrelationStats, createCorrelating } from './correlate/correlating.ts';
import { type Correlation, silentSources } from './correlate/correlation.ts';
import type { CorrelationEvent } from './correlate/event.ts';
import { digestOf } from './correlate/event-log.ts';
import { tellingSpan } from './evidence.ts';
import { findingId, reasonOf, ruleIdentity } from './finding-texts.ts';
import { type DisabledRule, type GuardOptions, RuleGuard } from './health/guard.ts';
import { createHealth, type RuleHealth } from './health/rule-health.ts';
import { RuleTally } from './health/tally.ts';
import type { Rule } from './load.ts';
import { createMemory, type Memory, type MemoryOutcome } from './memory.ts';
import type { Cursor } from './reader.ts';
import { createFoldValues } from './repeats/fold-values.ts';
import { canBeRetold, reading, type Telling, tellingOf } from './retold.ts';
import { createRouter } from './route/router.ts';
import { Stitcher, type StitcherStats } from './sessions/stitcher.ts';
import type { Released } from './sessions/waiting-calls.ts';
import { createIdentity } from './span-identity.ts';
import type { Slices, Stateful } from './state.ts';
import type { StateBounds } from './state-bounds.ts';

export interface DetectorOptions extends GuardOptions {
  readonly rules: readonly Rule[];
  /** As `loadRules` gives them; default none. */
  readonly correlations?: readonly Correlation[];
  readonly fields: FieldTable;
  /** How far behind the newest span one may arrive and still count for correlations; default 30 s, in nanoseconds. */
  readonly allowedLatenessNanos?: bigint;
  /** How long a span waits for its parent and those above it, for rules that read them; default 10 min, in nanoseconds. */
  readonly traceWaitNanos?: bigint;
  /**
   * How long a call in a trace of its own waits for the call before it, in nanoseconds of event time; default 0: what is not known at
   * the end of its batch is not waited for.
   */
  readonly sessionWaitNanos?: bigint;
  /** Attributes whose arrival is noted however many others there are: those that fields of the taxonomy come from. */
  readonly watchedFields?: readonly string[];
  /** Note what is taken in, for `takeJournal`, which must then be called after every batch; default false. */
  readonly journal?: boolean;
  /** How much is remembered; as much as `limits.ts` allows unless said otherwise. */
  readonly bounds?: Pick<StateBounds, 'correlations' | 'ancestry' | 'sessions'>;
}

export interface Detector extends Omit<Stateful, 'takeOver'> {
  /**
   * The findings of a batch, in the order of its spans and rules, then those of correlations that became due or changed,
   * in event order. Keeps nothing of the batch. `nowNanos` keeps spans from the future out of correlations.
   */
  detect(events: SpanEvents, nowNanos?: bigint): Finding[];
  /** Findings that become due when event time has come to `eventNanos` without a span: for sources that fell silent. */
  advance(eventNanos: bigint): Finding[];
  /** All findings that are still open or waiting; afterwards correlations start anew. */
  flush(): Finding[];
  /** The newest event time seen, in nanoseconds; 0 before the first span. */
  readonly newestNanos: bigint;
  slices(pieceBytes?: number): Slices;
  /** Takes over a snapshot; rules that are gone or have changed start anew. `unreadable` leaves everything as it was. */
  restore(snapshot: Uint8Array): MemoryOutcome;
  /** As `restore` of an earlier detector's snapshot, between two batches; that one is of no use afterwards. Most of it costs nothing. */
  takeOver(earlier: Detector): MemoryOutcome;
  /** What every rule has seen since the start. */
  ruleStats(): RuleStats[];
  correlationStats(): CorrelationStats;
  ancestryStats(): AncestryStats;
  sessionStats(): StitcherStats;
  /** Ids of traces and sessions that turned out to be of one session, since the last call. */
  takeLinks(): (readonly [string, string])[];
  /** What rules did, and which fields arrived, since the last call; `nowMs` says which day it is. */
  takeHealth(nowMs: number): RuleHealth;
  /** Rules that threw or took too long; they are not asked any more. */
  disabledRules(): readonly DisabledRule[];
  /** Findings dropped because one span had more than `limits.findingsPerSpanMax`. */
  readonly findingsDropped: number;
}

export interface RuleStats {
  readonly ruleId: string;
  /** Spans of the rule's logsource. */
  readonly spans: number;
  readonly matches: number;
}

export const latenessDefaultNanos = 30_000_000_000n;

/** Compiles the rules once; afterwards every span pays only for the rules of its categories. */
export function createDetector(options: DetectorOptions): Detector {
  const { rules, correlations = [], fields } = options;
  const shared = createShared(fields);
  const used = new Set(correlations.flatMap(({ members }) => members.map(({ source }) => source)));
  const silent = silentSources(correlations);
  const compiled = rules.map((rule): Compiled => {
    const reason = reasonOf(rule.meta);
    const tally = new RuleTally(rule);
    return {
      rule,
      node: compileRule(rule, shared),
      tally,
      reason,
      used: used.has(rule),
      silent: silent.has(rule),
      canBeRetold: canBeRetold(rule),
    };
  });
  const { allowedLatenessNanos = latenessDefaultNanos, traceWaitNanos: waitNanos = traceWaitDefaultNanos } = options;
  const correlating = createCorrelating(correlations, fields, allowedLatenessNanos, options.bounds?.correlations);
  const describe = createDescriber(fields);
  const guard = new RuleGuard(options);
  const timing = { waitNanos, allowedLatenessNanos, journalled: options.journal === true };
  const stitcher = new Stitcher({
    ...{ fields, correlations, waitNanos: options.sessionWaitNanos ?? 0n, journalled: timing.journalled },
    ...(options.bounds && { bounds: options.bounds.sessions }),
  });
  const addEvent = (event: CorrelationEvent, nowNanos?: bigint): void => {
    if (!stitcher.holdsEvent(event, nowNanos)) correlating.addEvent(event, nowNanos);
  };
  const reached = { eventOf: correlating.eventOf, addEvent };
  const reaching = createReaching({
    ...{ rules: compiled, fields, shared, ...timing, correlating: reached, digests: digestsOf(correlations), guard },
    ...(options.bounds && { bounds: options.bounds.ancestry }),
  });
  const health = createHealth(options);
  // All parts that remember earlier spans. Their names stand in checkpoints and journals.
  const memory = createMemory({ correlate: correlating, ancestry: reaching.ancestry, sessions: stitcher });
  const given = (findings: Finding[]): Finding[] => {
    if (options.journal !== true) memory.dropJournal();
    return findings;
  };
  const router = createRouter(rules, { ...shared, skip: (rule) => reaching.has(rule) });
  const cursor: Cursor = { events: undefined as unknown as SpanEvents, span: 0, turn: 0 };
  let findingsDropped = 0;

  const describeGuarded = (each: Compiled, findings: Finding[], telling: Telling | undefined): void => {
    try {
      if (telling === undefined) findings.push(describe(each, cursor));
      else {
        const finding = reading(cursor, telling.events, () => describe(each, cursor));
        findings.push({ ...finding, retold: telling.retold });
      }
    } catch (error) {
      guard.failed(each, error);
    }
  };

  /** All rules that can match the span that the cursor stands on. */
  const detectSpan = (categories: number, findings: Finding[], nowNanos: bigint | undefined): void => {
    const matched: Rule[] = [];
    const before = findings.length;
    guard.begin();
    const places = router(categories, cursor);
    for (const place of places) {
      const each = compiled[place]!;
      if (!guard.matches(each, cursor)) continue;
      const found = !each.silent && findings.length - before < limits.findingsPerSpanMax;
      health.matched(each.tally, cursor, found);
      const telling = each.canBeRetold ? tellingOf(each.node, cursor) : undefined;
      // Correlations count what happens, not how often a conversation is sent again.
      if (each.used && telling?.retold !== true) matched.push(each.rule);
      if (found) describeGuarded(each, findings, telling);
      else if (!each.silent) findingsDropped++;
    }
    if (guard.isDue())
      shared.scanner.afresh(() => guard.time([...at(places, compiled), ...reaching.of(categories)], cursor));
    const event = matched.length > 0 ? correlating.eventOf(cursor, matched) : undefined;
    if (event) addEvent(event, nowNanos);
  };

  /** Findings of calls whose session has become known; correlations are told of their matches before they settle. */
  const heard = (released: readonly Released[]): Finding[] =>
    released.flatMap(({ findings, events }) => {
      for (const { event, nowNanos } of events) correlating.addEvent(event, nowNanos);
      return findings;
    });

  const detector: Detector = {
    detect: (events, nowNanos) => {
      let findings: Finding[] = [];
      cursor.events = events;
      stitcher.stitch(events);
      for (let span = 0; span < events.batch.spanCount; span++) {
        const categories = events.categories(span);
        health.span(events, span, categories);
        cursor.span = span;
        cursor.turn++;
        if (categories !== 0) detectSpan(categories, findings, nowNanos);
        reaching.add(cursor, categories, nowNanos);
      }
      correlating.observe(events, nowNanos);
      for (const finding of reaching.settle(nowNanos)) findings.push(finding);
      findings = findings.filter((finding) => !stitcher.holdsFinding(finding));
      // Those that waited come first: they are older.
      return given([...heard(stitcher.settle(events, nowNanos)), ...findings, ...correlating.settle()]);
    },
    advance: (eventNanos) => {
      const reachedNow = reaching.settle(undefined, eventNanos).filter((finding) => !stitcher.holdsFinding(finding));
      const waited = heard(stitcher.settle(undefined, undefined, eventNanos));
      return given([...waited, ...reachedNow, ...correlating.advance(eventNanos)]);
    },
    flush: () => {
      const reachedNow = reaching.flush().filter((finding) => !stitcher.holdsFinding(finding));
      return given([...heard(stitcher.flush()), ...reachedNow, ...correlating.flush()]);
    },
    get newestNanos() {
      const { newestNanos } = reaching.ancestry;
      return newestNanos > correlating.newestNanos ? newestNanos : correlating.newestNanos;
    },
    takeJournal: () => memory.takeJournal(),
    replay: (journal) => memory.replay(journal),
    snapshot: () => memory.snapshot(),
    slices: (pieceBytes) => memory.slices(pieceBytes),
    restore: (snapshot) => memory.restore(snapshot),
    takeOver: (earlier) => memory.takeOver(memories.get(earlier)!),
    correlationStats: () => correlating.stats(),
    ancestryStats: () => reaching.ancestry.stats(),
    sessionStats: () => stitcher.stats(),
    takeLinks: () => stitcher.takeLinks(),
    ruleStats: () =>
      compiled.map(({ rule, tally }) => ({
        ruleId: rule.meta.id,
        spans: health.spansOf(rule),
        matches: tally.matches,
      })),
    takeHealth: (nowMs) =>
      health.take(
        compiled.map(({ tally }) => tally),
        nowMs,
      ),
    disabledRules: () => [...guard.disabled.values()],
    get findingsDropped() {
      return findingsDropped;
    },
  };
  memories.set(detector, memory);
  return detector;
}

const memories = new WeakMap<Detector, Memory>();

interface Compiled {
  readonly rule: Rule;
  readonly node: RuleNode;
  readonly tally: RuleTally;
  readonly reason: string;
  /** A correlation waits for its matches. */
  readonly used: boolean;
  /** It gives no findings of its own. */
  readonly silent: boolean;
  readonly canBeRetold: boolean;
}

function createDescriber(fields: FieldTable): (match: Compiled, cursor: Cursor) => Finding {
  const identityOf = createIdentity(fields);
  const foldValuesOf = createFoldValues(fields);
  const toldBy = fields.intern('spanwarden.tool_call.told_by');
  return ({ rule, node, reason }, cursor) => {
    const { endNanos, ...shown } = identityOf(cursor);
    const evidence: Evidence[] = [];
    node.collect(cursor, evidence);
    // A call that has no span is told by one that has.
    evidence.push(...tellingSpan(cursor.events.value(cursor.span, toldBy), shown.toolName));
    const { meta } = rule;
    const groupKey = '';
    const foldValues = foldValuesOf(meta, cursor);
    return {
      id: findingId(meta.id, groupKey, shown.traceId + shown.spanId),
      timeNanos: endNanos,
      ...ruleIdentity(meta),
      reason,
      groupKey,
      ...shown,
      evidence,
      ...(foldValues && { foldValues }),
    };
  };
}

function digestsOf(correlations: readonly Correlation[]) {
  return correlations.map(({ meta }) => digestOf(meta.id, meta.version));
}

function at<T>(places: readonly number[], items: readonly T[]): T[] {
  return places.map((place) => items[place]!);
}
