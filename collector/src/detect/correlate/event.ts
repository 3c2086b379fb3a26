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
  const [x, y] = [JSON.stringify(a.parts), JSON.stringify(b.parts)];
  return x < y ? -1 : x > y ? 1 : 0;
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

/** A text as it is kept: a long one is its start and a hash, so that equal texts stay equal and different ones different. */
export function boundedText(text: string): string {
  if (text.length <= limits.correlationValueCharsMax) return text;
  return `${text.slice(0, 64)}…${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}
