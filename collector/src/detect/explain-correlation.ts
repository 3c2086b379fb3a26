import type { FieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import { Span } from '../model/span-batch.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { compileRule, createShared, type RuleNode } from './compile.ts';
import { type Correlation, isCorrelation } from './correlate/correlation.ts';
import { groupKeyOf, isSliding } from './correlate/evaluator.ts';
import { type Entry, keyOf } from './correlate/event.ts';
import { createExtract } from './correlate/extract.ts';
import { measureOf } from './correlate/measure.ts';
import { wantedText } from './correlate/wanted.ts';
import { createDetector, type Detector } from './engine.ts';
import { excerpt } from './evidence.ts';
import { missingOf } from './explain-missing.ts';
import type { Rule } from './load.ts';
import type { Cursor } from './reader.ts';
import { partsOf } from './rule-tests.ts';

/** Why a correlation gives findings on some spans, or none. Spans are numbers from 1, in the order given. */
export interface CorrelationExplanation {
  readonly matched: boolean;
  /** What it asks for, for people: `≥ 20 in 10m`. */
  readonly wanted: string;
  readonly type: string;
  readonly members: readonly {
    readonly name: string;
    readonly spans: readonly number[];
    readonly isCorrelation: boolean;
  }[];
  /** Spans that matched a listed rule and have no group key, or no value to measure. */
  readonly withoutKey: readonly number[];
  readonly groups: readonly GroupExplanation[];
}

export interface GroupExplanation {
  /** Group-by fields and values as JSON, '' where everything is one group. */
  readonly key: string;
  /** The spans of the group in event order, with what the window measured once each was in it. */
  readonly steps: readonly StepExplanation[];
  /** Findings that the engine gives for this group. */
  readonly findings: number;
  /** Without a finding: what was missing. */
  readonly missing: readonly string[];
  /** Events before these that were not replayed, so that windows may have held more. */
  readonly left?: number;
}

export interface StepExplanation {
  readonly span: number;
  /** Since the first span of the group. */
  readonly sinceMs: number;
  readonly members: readonly string[];
  readonly values: readonly string[];
  /** Spans in the window that ends with this one, and what it measures; '' where the type measures no number. */
  readonly window: readonly number[];
  readonly measured: string;
  readonly holds: boolean;
}

/** What an explanation is made with. */
export interface CorrelationExplainerOptions {
  readonly fields: FieldTable;
  /** The number that people are shown of a span; asked for those that match. */
  readonly numberOf: (traceId: string, spanId: string) => number;
  /** Keys of the groups in question, as `groupsOf` gives them; without them all. */
  readonly groups?: ReadonlySet<string>;
}

/** Explains a correlation on the spans of `events`, which are numbers by their place. */
export function explainCorrelation(
  correlation: Correlation,
  events: SpanEvents,
  fields: FieldTable,
  shownBy: (explainer: CorrelationExplainer) => Pick<Detector, 'detect' | 'flush'> = (explainer) => explainer,
): CorrelationExplanation {
  const numbers = new Map<string, number>();
  for (let span = events.batch.spanCount - 1; span >= 0; span--) numbers.set(idsOf(events, span).join('/'), span + 1);
  const numberOf = (traceId: string, spanId: string) => numbers.get(`${traceId}/${spanId}`) ?? 0;
  const explainer = new CorrelationExplainer(correlation, { fields, numberOf });
  const shown = shownBy(explainer);
  shown.detect(events);
  shown.flush();
  return explainer.explanation();
}

/**
 * Explains a correlation on the spans it is shown, in batches. The verdict is the engine's own; the steps replay what it measures,
 * window by window. What a listed correlation does is not replayed: explain that one.
 */
export class CorrelationExplainer {
  readonly #correlation: Correlation;
  readonly #options: CorrelationExplainerOptions;
  readonly #detector: Detector;
  readonly #nodes: readonly { readonly rule: Rule; readonly node: RuleNode }[];
  readonly #extract: ReturnType<typeof createExtract>;
  readonly #findings = new Map<string, Finding>();
  readonly #matches = new Map<Rule, number[]>();
  readonly #withoutKey: number[] = [];
  readonly #groups = new Map<string, OpenGroup>();

  constructor(correlation: Correlation, options: CorrelationExplainerOptions) {
    const { fields } = options;
    this.#correlation = correlation;
    this.#options = options;
    this.#detector = createDetector({ ...partsOf(correlation), fields });
    const shared = createShared(fields);
    const rules = new Set(correlation.members.flatMap(({ source }) => (isCorrelation(source) ? [] : [source])));
    this.#nodes = [...rules].map((rule) => ({ rule, node: compileRule(rule, shared) }));
    this.#extract = createExtract([correlation], fields, { withoutKey: [0], droppedGroups: 0, droppedValues: 0 });
  }

  get newestNanos(): bigint {
    return this.#detector.newestNanos;
  }

  detect(events: SpanEvents, nowNanos?: bigint): Finding[] {
    this.#note(this.#detector.detect(events, nowNanos));
    const cursor: Cursor = { events, span: 0, turn: 0 };
    for (let span = 0; span < events.batch.spanCount; span++) this.#take(cursor, span);
    return [];
  }

  advance(): Finding[] {
    return [];
  }

  flush(): Finding[] {
    this.#note(this.#detector.flush());
    return [];
  }

  /** Keys of the groups that a span belongs to; undefined when it matches none of the listed rules. */
  groupsOf(events: SpanEvents, span: number): ReadonlySet<string> | undefined {
    const cursor: Cursor = { events, span, turn: 1 };
    const matched = this.#matched(cursor);
    if (matched.length === 0) return undefined;
    const parts = this.#extract(cursor, matched)?.parts ?? [];
    return new Set(parts.flatMap(({ groups }) => groups.map(({ texts }) => keyOf(texts))));
  }

  explanation(): CorrelationExplanation {
    const { members, syntax } = this.#correlation;
    const findings = [...this.#findings.values()];
    return {
      matched: findings.length > 0,
      wanted: wantedText(syntax),
      type: syntax.type,
      members: members.map(({ name, source }) => ({
        name,
        spans: isCorrelation(source) ? [] : (this.#matches.get(source) ?? []),
        isCorrelation: isCorrelation(source),
      })),
      withoutKey: this.#withoutKey,
      groups: [...this.#groups.values()].map((group) => explainGroup(this.#correlation, group, findings)),
    };
  }

  #matched(cursor: Cursor): Rule[] {
    const categories = cursor.events.categories(cursor.span);
    return this.#nodes
      .filter(({ rule, node }) => (rule.categories & categories) !== 0 && node.test(cursor))
      .map(({ rule }) => rule);
  }

  #take(cursor: Cursor, span: number): void {
    cursor.span = span;
    cursor.turn++;
    const matched = this.#matched(cursor);
    if (matched.length === 0) return;
    const event = this.#extract(cursor, matched);
    const { groups: wanted, numberOf } = this.#options;
    const parts = (event?.parts ?? []).flatMap(({ groups }) => groups);
    const own = wanted === undefined ? parts : parts.filter(({ texts }) => wanted.has(keyOf(texts)));
    if (wanted !== undefined && own.length === 0) return;
    const number = numberOf(...idsOf(cursor.events, span));
    for (const rule of matched) {
      const numbers = this.#matches.get(rule) ?? [];
      this.#matches.set(rule, numbers);
      numbers.push(number);
    }
    if (event === undefined) this.#withoutKey.push(number);
    for (const { texts, members, values } of own) {
      const entry = { timeNanos: event!.timeNanos, span: event!.span, members, values };
      this.#add(texts, { entry, span: number });
    }
  }

  #add(texts: readonly string[], entry: NumberedEntry): void {
    const group = this.#groups.get(keyOf(texts)) ?? { texts, entries: [], left: 0 };
    this.#groups.set(keyOf(texts), group);
    group.entries.push(entry);
    if (group.entries.length < 2 * entriesMax) return;
    group.entries.splice(0, entriesMax);
    group.left += entriesMax;
  }

  #note(findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (finding.ruleId === this.#correlation.meta.id) this.#findings.set(finding.id, finding);
    }
  }
}

/** Events of a group that are replayed at least, the newest; and so many spans of a window are named. */
const entriesMax = 5_000;
const windowShownMax = 1_000;

interface OpenGroup {
  readonly texts: readonly string[];
  readonly entries: NumberedEntry[];
  /** Older events, which are not replayed. */
  left: number;
}

export interface NumberedEntry {
  readonly entry: Entry;
  readonly span: number;
}

function idsOf({ batch }: SpanEvents, span: number): [traceId: string, spanId: string] {
  const at = span * Span.stride;
  return [batch.hex(batch.spans[at + Span.traceId]!, 16), batch.hex(batch.spans[at + Span.spanId]!, 8)];
}

function explainGroup(correlation: Correlation, group: OpenGroup, findings: readonly Finding[]): GroupExplanation {
  const { texts, left } = group;
  const key = groupKeyOf(correlation, texts);
  const own = findings.filter(({ groupKey }) => groupKey === key).length;
  const entries = [...group.entries].sort(({ entry: a }, { entry: b }) =>
    a.timeNanos < b.timeNanos ? -1 : a.timeNanos > b.timeNanos ? 1 : 0,
  );
  const steps = stepsOf(correlation, entries);
  const missing = own > 0 ? [] : missingOf(correlation, steps, entries);
  return { key, steps, findings: own, missing, ...(left > 0 && { left }) };
}

function stepsOf(correlation: Correlation, entries: readonly NumberedEntry[]): StepExplanation[] {
  const { syntax, members } = correlation;
  const measure = syntax.extension === undefined ? measureOf(correlation, entries.length) : undefined;
  const sliding = measure !== undefined && isSliding(correlation);
  const first = entries[0]!.entry.timeNanos;
  let state = measure?.create();
  let from = 0;
  /** Fixed windows are judged by all of their spans, at the last. */
  const isJudged = (index: number): boolean => {
    const next = entries[index + 1]?.entry.timeNanos;
    const { timeNanos } = entries[index]!.entry;
    return sliding || next === undefined || next / syntax.timespanNanos !== timeNanos / syntax.timespanNanos;
  };
  return entries.map(({ entry, span }, index) => {
    const inWindow = (time: bigint): boolean =>
      sliding
        ? time >= entry.timeNanos - syntax.timespanNanos
        : time / syntax.timespanNanos === entry.timeNanos / syntax.timespanNanos;
    const before = from;
    while (!inWindow(entries[from]!.entry.timeNanos)) from++;
    if (sliding) measure.expire(state, entry.timeNanos - syntax.timespanNanos);
    else if (from > before) state = measure?.create();
    measure?.add(state, entry);
    return {
      span,
      sinceMs: Number(entry.timeNanos - first) / 1e6,
      members: members.filter((_, bit) => (entry.members & (1 << bit)) !== 0).map(({ name }) => name),
      values: entry.values.map((value) => excerpt(String(value), { start: 0, end: 0 }, 80)),
      window: entries.slice(Math.max(from, index + 1 - windowShownMax), index + 1).map((each) => each.span),
      measured: syntax.type.startsWith('temporal') ? '' : (measure?.shown(state) ?? ''),
      holds: isJudged(index) && (measure?.holds(state) ?? false),
    };
  });
}
