import { withCasework } from '../detect/casework.ts';
import { isCorrelation } from '../detect/correlate/correlation.ts';
import { createDetector, type Detector } from '../detect/engine.ts';
import type { RuleSet } from '../detect/load.ts';
import { fieldsOf, missingFields } from '../detect/rule-fields.ts';
import type { Judge } from '../judging.ts';
import type { FieldId, FieldTable } from '../model/fields.ts';
import type { Evidence, Finding } from '../model/finding.ts';
import type { PriceList } from '../model/prices.ts';
import type { Level } from '../model/severity.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { sourcesOf } from '../normalise/derivations.ts';
import { judgeOffline, type OfflineJudging } from '../offline-judging.ts';

export interface BacktestOptions {
  readonly rules: RuleSet;
  /** The rules to compare with; those whose id the set has, too, in another version, are run beside them. */
  readonly installed?: RuleSet;
  readonly fields: FieldTable;
  /** Findings before it only fill windows. */
  readonly fromNanos: bigint;
  /** Without them no call that a log or a message tells has a cost. */
  readonly prices?: PriceList;
  /** Shown for each rule; default 3. */
  readonly examplesMax?: number;
}

export interface BacktestRule {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly level: Level;
  readonly version: string;
  /** Findings; repeats that fold into one and updates of one count once. */
  readonly fires: number;
  /** What they are about: group keys of a correlation, traces of a detection rule. */
  readonly groups: number;
  /** Spans of the logsource; of a correlation, of all rules it uses. */
  readonly spans: number;
  readonly agents: readonly { readonly agent: string; readonly findings: number }[];
  readonly examples: readonly BacktestExample[];
  /** Fields without which it cannot fire and that no span of the history has. */
  readonly missing: readonly string[];
  /** Switched off on the way, because it threw or took too long. */
  readonly disabled?: string;
  /** Beside the installed version; left out when that is the same or there is none. */
  readonly difference?: BacktestDifference;
}

export interface BacktestDifference {
  readonly version: string;
  readonly fires: number;
  readonly fresh: number;
  readonly gone: number;
  readonly freshExamples: readonly BacktestExample[];
  readonly goneExamples: readonly BacktestExample[];
}

export interface BacktestExample {
  readonly id: string;
  readonly time: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly spanName: string;
  readonly agent: string;
  readonly evidence: readonly Evidence[];
}

/** Ids of findings that are told apart, over all rules; past it findings are counted, but repeats of one may count twice. */
const idsMax = 2_000_000;

/** Runs rules over batches of stored spans in event order, with the detector and casework of the stream, and shown what it shows them. */
export class Backtest {
  readonly #options: BacktestOptions;
  readonly #candidate: Run;
  readonly #installed: Run | undefined;
  readonly #judging: OfflineJudging;
  readonly #seen: SeenFields;
  spans = 0;

  constructor(options: BacktestOptions) {
    const { rules, fields, fromNanos, examplesMax = 3 } = options;
    this.#options = options;
    this.#candidate = new Run(rules, fields, fromNanos, examplesMax);
    const { installed } = options;
    this.#installed =
      installed && installed.rules.length + installed.correlations.length > 0
        ? new Run(installed, fields, fromNanos, examplesMax)
        : undefined;
    this.#seen = new SeenFields(rules, fields);
    const runs = [this.#candidate, ...(this.#installed ? [this.#installed] : [])];
    this.#judging = judgeOffline(allOf(runs), fields, options.prices);
  }

  /** @param warming the spans lie before the time in question: they fill windows and are not counted. */
  take(events: SpanEvents, warming = false): void {
    this.#judging.detect(events);
    if (warming) return;
    this.spans += events.batch.spanCount;
    this.#seen.take(events);
  }

  /** Decides what is still open, and says how the rules did. */
  finish(): readonly BacktestRule[] {
    this.#judging.flush();
    const { rules, correlations } = this.#options.rules;
    const used = new Set(correlations.flatMap(({ members }) => members.map(({ source }) => source)));
    const disabled = new Map(this.#candidate.detector.disabledRules().map((each) => [each.ruleId, each.reason]));
    const spansOf = new Map(this.#candidate.detector.ruleStats().map(({ ruleId, spans }) => [ruleId, spans]));
    const told = [...rules, ...correlations].filter((rule) => !used.has(rule) || this.#candidate.has(rule.meta.id));
    return told.map((rule): BacktestRule => {
      const { id, name, title, level, version } = rule.meta;
      const tally = this.#candidate.tally(id);
      const reason = disabled.get(id);
      const bases = isCorrelation(rule) ? basesOf(rule) : [id];
      const difference = this.#difference(id, version);
      return {
        ...{ id, name, title, level, version },
        fires: tally.fires,
        groups: tally.groups.size,
        spans: bases.reduce((most, base) => Math.max(most, spansOf.get(base) ?? 0), 0),
        agents: [...tally.agents]
          .map(([agent, findings]) => ({ agent, findings }))
          .sort((a, b) => b.findings - a.findings || (a.agent < b.agent ? -1 : 1)),
        examples: tally.examples,
        missing: tally.fires > 0 ? [] : missingFields(rule, (field) => this.#seen.has(field)),
        ...(reason !== undefined && { disabled: reason }),
        ...(difference && { difference }),
      };
    });
  }

  #difference(id: string, version: string): BacktestDifference | undefined {
    const { installed } = this.#options;
    const rule = [...(installed?.rules ?? []), ...(installed?.correlations ?? [])].find(({ meta }) => meta.id === id);
    if (rule === undefined || rule.meta.version === version || !this.#installed) return undefined;
    const now = this.#candidate.tally(id);
    const before = this.#installed.tally(id);
    const shown = this.#options.examplesMax ?? 3;
    const fresh = [...now.ids.keys()].filter((each) => !before.ids.has(each));
    const gone = [...before.ids.keys()].filter((each) => !now.ids.has(each));
    return {
      version: rule.meta.version,
      fires: before.fires,
      fresh: fresh.length,
      gone: gone.length,
      freshExamples: fresh.slice(0, shown).map((each) => exampleOf(now.ids.get(each)!)),
      goneExamples: gone.slice(0, shown).map((each) => exampleOf(before.ids.get(each)!)),
    };
  }
}

function basesOf(rule: RuleSet['correlations'][number]): string[] {
  return rule.members.flatMap(({ source }) => (isCorrelation(source) ? basesOf(source) : [source.meta.id]));
}

/** What is kept of a finding to show it later: of evidence only for the few that are shown. */
type Sighting = Pick<Finding, 'id' | 'timeNanos' | 'traceId' | 'spanId' | 'spanName' | 'evidence'> & { agent: string };

interface Tally {
  fires: number;
  readonly ids: Map<string, Sighting>;
  readonly groups: Set<string>;
  readonly agents: Map<string, number>;
  readonly examples: BacktestExample[];
}

/** Several rule sets that are shown the same; they keep what they find. */
function allOf(runs: readonly Run[]): Judge {
  return {
    detect: (events, nowNanos) => {
      for (const run of runs) run.take(events, nowNanos);
      return [];
    },
    advance: () => [],
    flush: () => {
      for (const run of runs) run.finish();
      return [];
    },
    get newestNanos() {
      return runs[0]!.detector.newestNanos;
    },
  };
}

/** One rule set over the history. */
class Run {
  readonly detector: Detector;
  readonly #casework: ReturnType<typeof withCasework>;
  readonly #fromNanos: bigint;
  readonly #examplesMax: number;
  readonly #tallies = new Map<string, Tally>();
  #ids = 0;

  constructor(set: RuleSet, fields: FieldTable, fromNanos: bigint, examplesMax: number) {
    this.detector = createDetector({ rules: set.rules, correlations: set.correlations, fields });
    this.#casework = withCasework(this.detector, { fields });
    this.#fromNanos = fromNanos;
    this.#examplesMax = examplesMax;
  }

  take(events: SpanEvents, nowNanos: bigint): void {
    this.#note(this.#casework.detect(events, nowNanos));
    // What health counts for the stored statistics is let go, or it would grow with the history.
    this.detector.takeHealth(0);
    this.#casework.takeCases();
  }

  finish(): void {
    this.#note(this.#casework.flush());
  }

  has(id: string): boolean {
    return this.#tallies.has(id);
  }

  tally(id: string): Tally {
    return this.#tallies.get(id) ?? { fires: 0, ids: new Map(), groups: new Set(), agents: new Map(), examples: [] };
  }

  #note(findings: readonly Finding[]): void {
    for (const finding of findings) {
      if ((finding.lastSeenNanos ?? finding.timeNanos) < this.#fromNanos) continue;
      const tally = this.tally(finding.ruleId);
      this.#tallies.set(finding.ruleId, tally);
      if (tally.ids.has(finding.id)) continue;
      const agent = finding.agentName || finding.serviceName;
      const { id, timeNanos, traceId, spanId, spanName } = finding;
      const evidence = tally.ids.size < keptEvidenceMax ? finding.evidence : [];
      const sighting = { id, timeNanos, traceId, spanId, spanName, agent, evidence };
      tally.fires++;
      if (this.#ids < idsMax) {
        this.#ids++;
        tally.ids.set(id, sighting);
        tally.groups.add(finding.groupKey || traceId);
      }
      tally.agents.set(agent, (tally.agents.get(agent) ?? 0) + 1);
      if (tally.examples.length < this.#examplesMax) tally.examples.push(exampleOf(sighting));
    }
  }
}

const keptEvidenceMax = 10_000;

function exampleOf({ timeNanos, ...sighting }: Sighting): BacktestExample {
  return { ...sighting, time: new Date(Number(timeNanos / 1_000_000n)).toISOString() };
}

/** Which of the rules' fields any span has had, of facts what they come from; each is asked for until it is seen once. */
class SeenFields {
  readonly #unseen: Map<string, FieldId>;

  constructor({ rules }: RuleSet, fields: FieldTable) {
    const names = new Set(rules.flatMap(fieldsOf).flatMap(watchedFor));
    names.delete('');
    this.#unseen = new Map([...names].map((name) => [name, fields.intern(name)]));
  }

  take(events: SpanEvents): void {
    for (let span = 0; span < events.batch.spanCount && this.#unseen.size > 0; span++) {
      if (events.categories(span) === 0) continue;
      for (const [name, field] of this.#unseen) {
        if (events.value(span, field) !== undefined) this.#unseen.delete(name);
      }
    }
  }

  has(field: string): boolean {
    return watchedFor(field).some((source) => !this.#unseen.has(source));
  }
}

/** The fields of which one must have been seen for a field to have a value. */
function watchedFor(field: string): readonly string[] {
  if (field === 'service.name' || field.startsWith('resource.')) return [field];
  return sourcesOf(field) ?? [field];
}
