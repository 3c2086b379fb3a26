import { createHash } from 'node:crypto';
import { limits } from '../../model/limits.ts';
import type { SpanIdentity } from '../span-identity.ts';

/** A span that matched rules which correlations use. */
export interface CorrelationEvent {
  readonly timeNanos: bigint;
  readonly startNanos: bigint;
  readonly span: SpanIdentity;
  /** One for each correlation it reaches. */
  readonly parts: readonly EventPart[];
}

/** An event whose place in the order of events is behind it. */
export type SettledEvent = Omit<CorrelationEvent, 'startNanos'>;

export interface EventPart {
  /** The index of the correlation. */
  readonly correlation: number;
  readonly groups: readonly GroupPart[];
}

/** What one event brings into one group. */
export interface GroupPart {
  /** The values of the group-by fields, in their order. */
  readonly texts: readonly string[];
  /** Bit i: the event matched the rule listed at i. */
  readonly members: number;
  /** Texts for value_count, numbers for the other measures, nothing where events are counted. */
  readonly values: readonly (string | number)[];
  /** When the span began, where that matters. */
  readonly startNanos?: bigint;
}

/** What a window remembers of an event. */
export interface Entry {
  readonly timeNanos: bigint;
  readonly span: SpanIdentity;
  readonly members: number;
  readonly values: readonly (string | number)[];
}

/** Event order: end, start, span id. Spans that tie are ordered by trace and then by content, so that arrival never decides. */
export function compareEvents(a: CorrelationEvent, b: CorrelationEvent): number {
  if (a.timeNanos !== b.timeNanos) return a.timeNanos < b.timeNanos ? -1 : 1;
  if (a.startNanos !== b.startNanos) return a.startNanos < b.startNanos ? -1 : 1;
  if (a.span.spanId !== b.span.spanId) return a.span.spanId < b.span.spanId ? -1 : 1;
  if (a.span.traceId !== b.span.traceId) return a.span.traceId < b.span.traceId ? -1 : 1;
  const [x, y] = [contentOf(a), contentOf(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function contentOf({ parts }: CorrelationEvent): string {
  return JSON.stringify(parts, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

/** One text for the values of a group key: equal for equal values only. */
export function keyOf(texts: readonly string[]): string {
  if (texts.length === 1) return texts[0]!;
  let key = '';
  for (const text of texts) key += `${text.length}:${text}`;
  return key;
}

/** The values of a key of so many fields again. */
export function textsOf(key: string, count: number): string[] {
  if (count === 1) return [key];
  const texts: string[] = [];
  for (let at = 0; at < key.length; ) {
    const start = key.indexOf(':', at) + 1;
    const end = start + Number(key.slice(at, start - 1));
    texts.push(key.slice(start, end));
    at = end;
  }
  return texts;
}

/** The same span again: a sender may repeat one in another request. */
export function isSameSpan(a: CorrelationEvent, b: CorrelationEvent): boolean {
  return (
    a.timeNanos === b.timeNanos &&
    a.startNanos === b.startNanos &&
    a.span.spanId === b.span.spanId &&
    a.span.traceId === b.span.traceId
  );
}

/**
 * One event out of two of the same span: rules that were decided later bring parts of their own. The first one itself when
 * the second adds nothing.
 */
export function mergeEvents(a: SettledEvent, b: SettledEvent): SettledEvent {
  const parts = new Map(a.parts.map((part) => [part.correlation, part]));
  let added = false;
  for (const part of b.parts) {
    const known = parts.get(part.correlation);
    const merged = known ? mergeGroups(known.groups, part.groups) : part.groups;
    if (known && merged === known.groups) continue;
    parts.set(part.correlation, { correlation: part.correlation, groups: merged });
    added = true;
  }
  return added ? { ...a, parts: [...parts.values()].sort((x, y) => x.correlation - y.correlation) } : a;
}

/** The span is one: it brings each value once, for whichever of the rules. */
function mergeGroups(known: readonly GroupPart[], others: readonly GroupPart[]): readonly GroupPart[] {
  const groups = [...known];
  let added = false;
  for (const other of others) {
    const at = groups.findIndex(({ texts }) => texts.every((text, index) => text === other.texts[index]));
    const group = groups[at];
    const values = group ? other.values.filter((value) => !group.values.includes(value)) : [];
    if (group && (group.members | other.members) === group.members && values.length === 0) continue;
    added = true;
    if (group) {
      groups[at] = { ...group, members: group.members | other.members, values: [...group.values, ...values] };
    } else groups.push(other);
  }
  return added ? groups : known;
}

/** A text as it is kept: a long one is its start and a hash, so that equal texts stay equal and different ones different. */
export function boundedText(text: string): string {
  if (text.length <= limits.correlationValueCharsMax) return text;
  return `${text.slice(0, 64)}…${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}
