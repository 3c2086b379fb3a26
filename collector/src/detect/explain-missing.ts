import type { Correlation } from './correlate/correlation.ts';
import { isSliding } from './correlate/evaluator.ts';
import type { AbsenceSyntax, Extension, NewValueSyntax, RareSyntax, RateSyntax } from './correlate/extension.ts';
import type { NumberedEntry, StepExplanation } from './explain-correlation.ts';

/** What kept a correlation from a finding on a group, in words. Entries are those of the steps, in event order. */
export function missingOf(
  correlation: Correlation,
  steps: readonly StepExplanation[],
  entries: readonly NumberedEntry[],
): string[] {
  const { extension, extended, type } = correlation.syntax;
  if (extension) return extensionMissing(correlation, extension, entries);
  if (extended && steps.some(({ holds }) => holds)) return unwantedIn(correlation, steps);
  if (type.startsWith('temporal')) return rulesMissing(correlation, steps, entries);
  return isSliding(correlation) ? shortOf(correlation, steps) : windowsMissing(correlation, steps, entries);
}

/** A condition with lower bounds only, at the window that came nearest. */
function shortOf({ syntax }: Correlation, steps: readonly StepExplanation[]): string[] {
  const best = steps.reduce((a, b) => (Number(b.measured) > Number(a.measured) ? b : a));
  const bound = syntax.thresholds.find(({ operator }) => operator === 'gte' || operator === 'gt');
  const short = bound === undefined ? Number.NaN : bound.value - Number(best.measured);
  const away = short >= 0 ? `, ${short === 0 ? 'not more than' : `${short} short of`} ${bound!.value}` : '';
  const missing = [`the fullest window, at span ${best.span}, measures ${best.measured}${away}`];
  const spread = steps.at(-1)!.sinceMs - Number(syntax.timespanNanos) / 1e6;
  if (best.window.length < steps.length && spread > 0)
    missing.push(`the group's spans lie ${secondsText(spread)} too far apart for one window`);
  return missing;
}

/** Windows told of at most. */
const windowsMax = 5;

/** Other conditions are judged when a window is over, by all of its spans. */
function windowsMissing(
  { syntax }: Correlation,
  steps: readonly StepExplanation[],
  entries: readonly NumberedEntry[],
): string[] {
  const windowOf = (index: number): bigint | undefined =>
    entries[index] && entries[index].entry.timeNanos / syntax.timespanNanos;
  const last = steps.filter((_, index) => windowOf(index + 1) !== windowOf(index));
  return last.slice(-windowsMax).map(({ window, measured }) => {
    const spans = window.length === 1 ? `span ${window[0]}` : `spans ${window[0]} to ${window.at(-1)}`;
    return `the window of ${syntax.timespan} with ${spans} measures ${measured} at its end, when it is judged`;
  });
}

/** The rules that are wanted matched; one that is not did, too. */
function unwantedIn({ syntax, members }: Correlation, steps: readonly StepExplanation[]): string[] {
  const unwanted = syntax.extended!.terms.reduce((bits, term) => bits | term.unwanted, 0);
  return members.flatMap(({ name }, bit) => {
    const spans = steps.filter((step) => (unwanted & (1 << bit)) !== 0 && step.members.includes(name));
    return spans.map(({ span }) => `${name}, which must not match within ${syntax.timespan}, matched span ${span}`);
  });
}

/** Rules of a temporal type that have no span in the window that came nearest. */
function rulesMissing(
  { syntax, members }: Correlation,
  steps: readonly StepExplanation[],
  entries: readonly NumberedEntry[],
): string[] {
  const missing: string[] = [];
  const best = steps.reduce((a, b) => (namesIn(b, steps).size > namesIn(a, steps).size ? b : a));
  const inside = steps.filter(({ span }) => best.window.includes(span));
  const there = namesIn(best, steps);
  const timespanMs = Number(syntax.timespanNanos) / 1e6;
  for (const { name } of members) {
    if (there.has(name)) continue;
    const others = steps.filter(({ members: named }) => named.includes(name));
    if (others.length === 0) {
      missing.push(`no span of this group matches ${name}`);
      continue;
    }
    const away = others.map((other) => ({ other, far: farthest(other, inside) }));
    const { other, far } = away.reduce((a, b) => (gap(b.other, b.far) < gap(a.other, a.far) ? b : a));
    const outside = secondsText(gap(other, far) - timespanMs);
    missing.push(`${name} matched span ${other.span}, outside of the window of span ${far.span} by ${outside}`);
  }
  if (missing.length === 0 && syntax.type === 'temporal_ordered') {
    const order = entries.filter(({ span }) => best.window.includes(span)).map(({ span }) => span);
    missing.push(
      `all rules match within the window of spans ${order.join(', ')}, but not one after the other in the order listed, each with a span of its own`,
    );
  }
  return missing;
}

/** Of the spans that stand nearest for their rules the one that is farthest away: it decides whether all fit a window. */
function farthest(other: StepExplanation, inside: readonly StepExplanation[]): StepExplanation {
  const nearest = new Map<string, StepExplanation>();
  for (const step of inside) {
    for (const name of step.members) {
      const known = nearest.get(name);
      if (!known || gap(step, other) < gap(known, other)) nearest.set(name, step);
    }
  }
  return [...nearest.values()].reduce((a, b) => (gap(b, other) > gap(a, other) ? b : a));
}

function extensionMissing(correlation: Correlation, extension: Extension, entries: readonly NumberedEntry[]): string[] {
  switch (extension.kind) {
    case 'new_value':
      return newMissing(extension, entries);
    case 'rare':
      return rareMissing(extension, entries);
    case 'rate_anomaly':
      return rateMissing(extension, entries);
    case 'absence':
      return absenceMissing(correlation, extension, entries);
    case 'flow':
      return ['no value that a source brought in stands in the arguments of a later call with such an effect'];
  }
}

function newMissing({ learn, ttlNanos }: NewValueSyntax, entries: readonly NumberedEntry[]): string[] {
  const seen = new Map<string, bigint>();
  let newest: string | undefined;
  for (const [index, { entry, span }] of entries.entries()) {
    for (const value of entry.values.map(String)) {
      const before = seen.get(value);
      if (before === undefined || before < entry.timeNanos - ttlNanos) {
        const since = msText(entry.timeNanos - entries[0]!.entry.timeNanos);
        newest = `span ${span} brings a new value when the group has learned for ${since} from ${index} events, of ${learn}`;
      }
      seen.set(value, entry.timeNanos);
    }
  }
  return newest === undefined ? [] : [newest];
}

function rareMissing({ min }: RareSyntax, entries: readonly NumberedEntry[]): string[] {
  if (entries.length <= min) {
    return [`before span ${entries.at(-1)!.span} the history holds ${entries.length - 1} of at least ${min} events`];
  }
  const counts = new Map<string, number>();
  let rarest: { span: number; before: number } | undefined;
  for (const [index, { entry, span }] of entries.entries()) {
    for (const value of entry.values.map(String)) {
      const before = counts.get(value) ?? 0;
      counts.set(value, before + 1);
      if (index >= min && (rarest === undefined || before < rarest.before)) rarest = { span, before };
    }
  }
  const { span, before } = rarest ?? { span: 0, before: 0 };
  return [`the rarest value, of span ${span}, stood in ${before} of the events before it`];
}

function rateMissing({ bucketNanos, min }: RateSyntax, entries: readonly NumberedEntry[]): string[] {
  const [first, last] = [entries[0]!, entries.at(-1)!].map(({ entry }) => entry.timeNanos / bucketNanos);
  const past = Number(last! - first!);
  if (past < min) return [`before the bucket of the last span there are ${past} of at least ${min} buckets`];
  return ['no bucket that has at least so many before it is so far from their median'];
}

function absenceMissing(
  { members }: Correlation,
  { withinNanos }: AbsenceSyntax,
  entries: readonly NumberedEntry[],
): string[] {
  const [first, second] = members.map(({ name }) => name);
  const needing = entries.filter(({ entry }) => (entry.members & 2) !== 0);
  if (needing.length === 0) return [`no span of this group matches ${second}`];
  return needing.flatMap(({ entry, span }) => {
    const before = entries.findLast(({ entry: other, span: number }) => {
      const since = entry.timeNanos - other.timeNanos;
      return (other.members & 1) !== 0 && number !== span && since >= 0n && since <= withinNanos;
    });
    if (!before) return [];
    const since = msText(entry.timeNanos - before.entry.timeNanos);
    return [`span ${span} has what it needs: ${first} matched span ${before.span}, ${since} before it`];
  });
}

function namesIn(step: StepExplanation, steps: readonly StepExplanation[]): Set<string> {
  return new Set(steps.filter(({ span }) => step.window.includes(span)).flatMap(({ members }) => members));
}

function gap(a: StepExplanation, b: StepExplanation): number {
  return Math.abs(a.sinceMs - b.sinceMs);
}

function msText(nanos: bigint): string {
  return secondsText(Number(nanos) / 1e6);
}

function secondsText(ms: number): string {
  return ms < 1000 ? `${Number(ms.toFixed(6))} ms` : `${Number((ms / 1000).toFixed(3))} s`;
}
