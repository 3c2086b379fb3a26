import type { FieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { compileRule, createShared } from './compile.ts';
import { type Correlation, isCorrelation } from './correlate/correlation.ts';
import { groupKeyOf, isSliding } from './correlate/evaluator.ts';
import { type CorrelationEvent, type Entry, keyOf } from './correlate/event.ts';
import { createExtract } from './correlate/extract.ts';
import { measureOf } from './correlate/measure.ts';
import { wantedText } from './correlate/wanted.ts';
import { createDetector } from './engine.ts';
import { excerpt } from './evidence.ts';
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

/**
 * Explains a correlation on the spans of `events`. The verdict is the engine's own; the steps replay what it measures, window
 * by window. What a listed correlation does is not replayed: explain that one.
 */
export function explainCorrelation(
  correlation: Correlation,
  events: SpanEvents,
  fields: FieldTable,
): CorrelationExplanation {
  const { meta, members, syntax } = correlation;
  const detector = createDetector({ ...partsOf(correlation), fields });
  const found = [...detector.detect(events), ...detector.flush()].filter(({ ruleId }) => ruleId === meta.id);
  const findings = [...new Map(found.map((finding) => [finding.id, finding])).values()];
  const { taken, matches, withoutKey } = take(correlation, events, fields);
  const groups = new Map<string, { texts: readonly string[]; entries: NumberedEntry[] }>();
  for (const { event, span } of taken) {
    for (const part of event.parts.flatMap((each) => each.groups)) {
      const group = groups.get(keyOf(part.texts)) ?? { texts: part.texts, entries: [] };
      groups.set(keyOf(part.texts), group);
      const entry = { timeNanos: event.timeNanos, span: event.span, members: part.members, values: part.values };
      group.entries.push({ entry, span });
    }
  }
  return {
    matched: findings.length > 0,
    wanted: wantedText(syntax),
    type: syntax.type,
    members: members.map(({ name, source }) => ({
      name,
      spans: isCorrelation(source) ? [] : (matches.get(source) ?? []),
      isCorrelation: isCorrelation(source),
    })),
    withoutKey,
    groups: [...groups.values()].map(({ texts, entries }) => explainGroup(correlation, texts, entries, findings)),
  };
}

interface NumberedEntry {
  readonly entry: Entry;
  readonly span: number;
}

/** The events of the correlation in event order, as the engine would take them in. */
function take(correlation: Correlation, events: SpanEvents, fields: FieldTable) {
  const shared = createShared(fields);
  const rules = [...new Set(correlation.members.flatMap(({ source }) => (isCorrelation(source) ? [] : [source])))];
  const nodes = rules.map((rule) => ({ rule, node: compileRule(rule, shared) }));
  const extract = createExtract([correlation], fields, { withoutKey: [0], droppedGroups: 0, droppedValues: 0 });
  const cursor: Cursor = { events, span: 0, turn: 0 };
  const matches = new Map<Rule, number[]>();
  const withoutKey: number[] = [];
  const taken: { readonly event: CorrelationEvent; readonly span: number }[] = [];
  for (let span = 0; span < events.batch.spanCount; span++) {
    cursor.span = span;
    cursor.turn++;
    const categories = events.categories(span);
    const matched = nodes
      .filter(({ rule, node }) => (rule.categories & categories) !== 0 && node.test(cursor))
      .map(({ rule }) => rule);
    for (const rule of matched) matches.set(rule, [...(matches.get(rule) ?? []), span + 1]);
    const event = matched.length > 0 ? extract(cursor, matched) : undefined;
    if (event) taken.push({ event, span: span + 1 });
    else if (matched.length > 0) withoutKey.push(span + 1);
  }
  taken.sort(({ event: a }, { event: b }) => (a.timeNanos < b.timeNanos ? -1 : a.timeNanos > b.timeNanos ? 1 : 0));
  return { taken, matches, withoutKey };
}

function explainGroup(
  correlation: Correlation,
  texts: readonly string[],
  entries: readonly NumberedEntry[],
  findings: readonly Finding[],
): GroupExplanation {
  const key = groupKeyOf(correlation, texts);
  const own = findings.filter(({ groupKey }) => groupKey === key).length;
  const steps = stepsOf(correlation, entries);
  return { key, steps, findings: own, missing: own > 0 ? [] : missingOf(correlation, steps, entries) };
}

function stepsOf(correlation: Correlation, entries: readonly NumberedEntry[]): StepExplanation[] {
  const { syntax, members } = correlation;
  const measure = syntax.extension === undefined ? measureOf(correlation, entries.length) : undefined;
  const sliding = measure !== undefined && isSliding(correlation);
  const first = entries[0]!.entry.timeNanos;
  let state = measure?.create();
  let from = 0;
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
      window: entries.slice(from, index + 1).map((each) => each.span),
      measured: syntax.type.startsWith('temporal') ? '' : (measure?.shown(state) ?? ''),
      holds: measure?.holds(state) ?? false,
    };
  });
}

/** What kept the condition from being true at the window that came nearest. */
function missingOf(
  { syntax, members }: Correlation,
  steps: readonly StepExplanation[],
  entries: readonly NumberedEntry[],
): string[] {
  const missing: string[] = [];
  const temporal = syntax.type.startsWith('temporal');
  if (!temporal) {
    if (syntax.extension) return missing;
    const best = steps.reduce((a, b) => (Number(b.measured) > Number(a.measured) ? b : a));
    const bound = syntax.thresholds.find(({ operator }) => operator === 'gte' || operator === 'gt');
    const short = bound === undefined ? Number.NaN : bound.value - Number(best.measured);
    const away = short >= 0 ? `, ${short === 0 ? 'not more than' : `${short} short of`} ${bound!.value}` : '';
    missing.push(`the fullest window, at span ${best.span}, measures ${best.measured}${away}`);
    const spread = steps.at(-1)!.sinceMs - Number(syntax.timespanNanos) / 1e6;
    if (best.window.length < steps.length && spread > 0)
      missing.push(`the group's spans lie ${secondsText(spread)} too far apart for one window`);
    return missing;
  }
  const named = (step: StepExplanation, name: string): boolean => step.members.includes(name);
  const best = steps.reduce((a, b) => (namesIn(b, steps).size > namesIn(a, steps).size ? b : a));
  const there = namesIn(best, steps);
  for (const { name } of members) {
    if (there.has(name)) continue;
    const others = steps.filter((step) => named(step, name));
    if (others.length === 0) {
      missing.push(`no span of this group matches ${name}`);
      continue;
    }
    const nearest = others.reduce((a, b) => (gap(b, best) < gap(a, best) ? b : a));
    const outside = gap(nearest, best) - Number(syntax.timespanNanos) / 1e6;
    missing.push(
      `${name} matched span ${nearest.span}, outside of the window of span ${best.span} by ${secondsText(outside)}`,
    );
  }
  if (missing.length === 0 && syntax.type === 'temporal_ordered') {
    const order = entries.filter(({ span }) => best.window.includes(span)).map(({ span }) => span);
    missing.push(
      `all rules match within the window of spans ${order.join(', ')}, but not one after the other in the order listed, each with a span of its own`,
    );
  }
  return missing;
}

function namesIn(step: StepExplanation, steps: readonly StepExplanation[]): Set<string> {
  return new Set(steps.filter(({ span }) => step.window.includes(span)).flatMap(({ members }) => members));
}

function gap(a: StepExplanation, b: StepExplanation): number {
  return Math.abs(a.sinceMs - b.sinceMs);
}

function secondsText(ms: number): string {
  return ms < 1000 ? `${Number(ms.toFixed(6))} ms` : `${Number((ms / 1000).toFixed(3))} s`;
}
