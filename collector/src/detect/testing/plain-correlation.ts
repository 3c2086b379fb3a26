import type { Correlation, CorrelationSyntax } from '../correlate/correlation.ts';
import { groupKeyOf } from '../correlate/evaluator.ts';
import { type CorrelationEvent, compareEvents, type GroupPart } from '../correlate/event.ts';
import { compareNumbers, onlyLowerBounds, satisfies } from '../correlate/thresholds.ts';
import { findingId } from '../finding-texts.ts';

/** What matters of a finding. */
export interface PlainFinding {
  readonly id: string;
  readonly count: number;
  readonly lastSeenNanos: bigint;
}

interface Seen {
  readonly event: CorrelationEvent;
  readonly part: GroupPart;
}

/**
 * A correlation the plain way: all events at once, every window counted anew from all events, every assignment of spans to
 * rules tried. What it says is right; the engine must say the same.
 */
export function plainFindings(
  correlation: Correlation,
  events: readonly CorrelationEvent[],
  slotNanos = 3_600_000_000_000n,
): PlainFinding[] {
  const groups = new Map<string, Seen[]>();
  for (const event of [...events].sort(compareEvents)) {
    for (const part of event.parts.flatMap((each) => each.groups)) {
      const key = groupKeyOf(correlation, part.texts);
      groups.set(key, [...(groups.get(key) ?? []), { event, part }]);
    }
  }
  return [...groups].flatMap(([key, seen]) =>
    isSliding(correlation.syntax) ? sliding(correlation, key, seen, slotNanos) : tumbling(correlation, key, seen),
  );
}

function isSliding({ type, thresholds, rules }: CorrelationSyntax): boolean {
  if (type === 'temporal_ordered') return true;
  if (type !== 'temporal') return onlyLowerBounds(thresholds);
  const holds = rules.map((_, index) => satisfies(thresholds, (value) => compareNumbers(index + 1, value)));
  return holds.every((each, index) => !each || holds.slice(index).every(Boolean));
}

type Open = { -readonly [Key in keyof PlainFinding]: PlainFinding[Key] };

function sliding({ meta, syntax }: Correlation, key: string, seen: readonly Seen[], slotNanos: bigint): PlainFinding[] {
  const findings: PlainFinding[] = [];
  /** The slots of ids in which episodes opened. */
  const slots: bigint[] = [];
  let open: Open | undefined;
  for (const [index, { event }] of seen.entries()) {
    const { timeNanos, span } = event;
    const before = seen.slice(0, index).filter((each) => each.event.timeNanos >= timeNanos - syntax.timespanNanos);
    const after = [...before, seen[index]!];
    if (!holds(syntax, before)) open = undefined;
    if (!holds(syntax, after)) open = undefined;
    else if (open) {
      open.count++;
      open.lastSeenNanos = timeNanos;
    } else {
      const slot = timeNanos / slotNanos;
      const number = slots.filter((each) => each === slot).length;
      slots.push(slot);
      const anchor = isEarly(syntax) ? `${slot} ${number}` : span.traceId + span.spanId;
      const id = findingId(meta.id, key, anchor);
      open = { id, count: measuredEvents(syntax, after), lastSeenNanos: timeNanos };
      findings.push(open);
    }
  }
  return findings;
}

function tumbling({ meta, syntax }: Correlation, key: string, seen: readonly Seen[]): PlainFinding[] {
  const findings: PlainFinding[] = [];
  const numbers = [...new Set(seen.map(({ event }) => event.timeNanos / syntax.timespanNanos))];
  let open: Open | undefined;
  let last = -2n;
  for (const number of numbers) {
    const window = seen.filter(({ event }) => event.timeNanos / syntax.timespanNanos === number);
    if (!holds(syntax, window)) continue;
    const lastSeenNanos = window.at(-1)!.event.timeNanos;
    const count = measuredEvents(syntax, window);
    if (open && last === number - 1n) {
      open.count += count;
      open.lastSeenNanos = lastSeenNanos;
    } else {
      const { span } = window[0]!.event;
      open = { id: findingId(meta.id, key, span.traceId + span.spanId), count, lastSeenNanos };
      findings.push(open);
    }
    last = number;
  }
  return findings;
}

/** What more events cannot undo. */
function isEarly({ type }: CorrelationSyntax): boolean {
  return type === 'event_count' || type === 'value_count' || type.startsWith('temporal');
}

function measuredEvents(syntax: CorrelationSyntax, window: readonly Seen[]): number {
  if (syntax.type === 'value_count') {
    // Of each value the event that held it last.
    return new Set(new Map(window.flatMap((seen) => seen.part.values.map((value) => [value, seen]))).values()).size;
  }
  return syntax.type.startsWith('temporal') ? measured(syntax, window)! : window.length;
}

function holds(syntax: CorrelationSyntax, window: readonly Seen[]): boolean {
  const value = measured(syntax, window);
  return value !== undefined && satisfies(syntax.thresholds, (threshold) => compareNumbers(value, threshold));
}

/** Undefined where there is nothing to measure. Values of generated events are small enough to be summed exactly. */
function measured(syntax: CorrelationSyntax, window: readonly Seen[]): number | undefined {
  if (window.length === 0) return undefined;
  const values = window.flatMap(({ part }) => part.values);
  const numbers = values.map(Number).sort((a, b) => a - b);
  const sum = numbers.reduce((total, number) => total + number, 0);
  const rules = syntax.rules.map((_, index) => index);
  switch (syntax.type) {
    case 'event_count':
      return window.length;
    case 'value_count':
      return new Set(values).size;
    case 'value_sum':
      return sum;
    case 'value_avg':
      return sum / numbers.length;
    case 'value_percentile':
    case 'value_median':
      return numbers[Math.ceil((syntax.percentile * numbers.length) / 100) - 1];
    case 'temporal':
      return most(rules, window) || undefined;
    case 'temporal_ordered':
      return inOrder(rules, window, 0n) ? rules.length : undefined;
  }
}

/** The largest number of rules that have a span of their own, over all assignments. */
function most([rule, ...rest]: readonly number[], window: readonly Seen[]): number {
  if (rule === undefined) return 0;
  const options = window.map((each, index) =>
    stands(each, rule)
      ? 1 +
        most(
          rest,
          window.filter((_, other) => other !== index),
        )
      : 0,
  );
  return Math.max(most(rest, window), ...options);
}

function inOrder([rule, ...rest]: readonly number[], window: readonly Seen[], sinceNanos: bigint): boolean {
  if (rule === undefined) return true;
  return window.some(
    (each, index) =>
      stands(each, rule) &&
      each.event.timeNanos >= sinceNanos &&
      inOrder(
        rest,
        window.filter((_, other) => other !== index),
        each.event.timeNanos,
      ),
  );
}

function stands({ part }: Seen, rule: number): boolean {
  return (part.members & (1 << rule)) !== 0;
}
