import { hash } from 'node:crypto';
import type { FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { SessionKeys, SessionSource } from '../../model/session.ts';
import { Span } from '../../model/span-batch.ts';
import { Category, type SpanEvents } from '../../model/span-events.ts';
import { valueText } from '../../model/value.ts';

/** A call that no trace of an agent holds together with others: what it shows of the calls before and after it. */
export interface Call {
  readonly traceId: string;
  readonly spanId: string;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  /** Keys of calls before it, the most telling first. Empty where it is the first one. */
  readonly before: readonly Key[];
  /** Hashes of messages that it goes on from, the longest first. */
  readonly prefixes: readonly string[];
  /** The tool call by which the session is named when this is its first call; '' when it makes none. */
  readonly first: string;
  /** The key of its trace: what else is told of the call has the same. */
  readonly own: string;
  /** Keys under which later calls find it. */
  readonly shown: readonly string[];
  /** The hash of all its messages, by which the next call goes on; '' when they are not known. */
  readonly whole: string;
}

export interface Key {
  readonly source: SessionSource;
  readonly key: string;
}

/** A call and the span of the batch that it stands on. */
export interface CallAt {
  readonly span: number;
  readonly call: Call;
}

/** What agents do and what is told of it; a run of an agent shows no keys. */
const loose = Category.llm | Category.tool | Category.mcp | Category.agent;

/**
 * Reads the calls of a batch that have no parent span and no conversation, in event order. Keys hold within what a resource says it
 * is, so that services with the same ids stay apart.
 */
export function createCallReader(fields: FieldTable): (events: SpanEvents) => CallAt[] {
  const conversation = fields.intern('gen_ai.conversation.id');
  const scope = scopeAttributes.map((name) => fields.intern(`resource.${name}`));
  const scopeOf = (events: SpanEvents, span: number): string => {
    const said = scope.map((field) => valueText(events.value(span, field) ?? ''));
    return hash('sha256', JSON.stringify(said), 'hex').slice(0, scopeDigits);
  };
  return (events) => {
    const { batch } = events;
    const calls: CallAt[] = [];
    /** Of the resource that was looked at last; spans of one stand together. */
    let known = { resource: -1, scope: '' };
    if (events.sessionKeys === undefined) return calls;
    for (let span = 0; span < batch.spanCount; span++) {
      const row = span * Span.stride;
      if (batch.spans[row + Span.parentSpanId]! >= 0) continue;
      if ((events.categories(span) & loose) === 0) continue;
      if (valueText(events.value(span, conversation) ?? '') !== '') continue;
      const keys = events.sessionKeys(span);
      if (keys === undefined) continue;
      const at = { start: batch.spans[row + Span.start]!, end: batch.spans[row + Span.end]! };
      const endNanos = at.end < 0 ? 0n : batch.nanos(at.end);
      const ids = {
        traceId: batch.hex(batch.spans[row + Span.traceId]!, 16),
        spanId: batch.hex(batch.spans[row + Span.spanId]!, 8),
        startNanos: at.start < 0 ? endNanos : batch.nanos(at.start),
        endNanos,
      };
      const resource = batch.spans[row + Span.resource]!;
      if (known.scope === '' || resource !== known.resource) known = { resource, scope: scopeOf(events, span) };
      calls.push({ span, call: { ...ids, ...keysOf(keys, known.scope, ids.traceId) } });
    }
    return calls.sort((a, b) => compareCalls(a.call, b.call));
  };
}

/** So many that nobody finds another service with the same. */
const scopeDigits = 32;

/** The last is the older name of the one before. */
const scopeAttributes = [
  'service.namespace',
  'service.name',
  'deployment.environment.name',
  'deployment.environment',
] as const;

/** Event order; what is told by another call comes after it. */
export function compareCalls(a: Call, b: Call): number {
  if (a.endNanos !== b.endNanos) return a.endNanos < b.endNanos ? -1 : 1;
  if (isTold(a) !== isTold(b)) return isTold(a) ? 1 : -1;
  if (a.startNanos !== b.startNanos) return a.startNanos < b.startNanos ? -1 : 1;
  return callId(a) < callId(b) ? -1 : 1;
}

function isTold({ before, own }: Call): boolean {
  return before.at(-1)?.key === own;
}

/** Which span it is. */
export function callId({ traceId, spanId }: Pick<Call, 'traceId' | 'spanId'>): string {
  return traceId + spanId;
}

function keysOf(
  keys: SessionKeys,
  scope: string,
  traceId: string,
): Omit<Call, 'traceId' | 'spanId' | 'startNanos' | 'endNanos'> {
  const before: Key[] = [];
  const shown: string[] = [];
  const show = (kind: string, id: string): string => {
    const key = `${kind}${scope}${id}`;
    shown.push(key);
    return key;
  };
  if (keys.previousResponse !== '') before.push({ source: 'response', key: show('r', keys.previousResponse) });
  const given = bounded(keys.givenCalls).map((id): Key => ({ source: 'tool_call', key: show('t', id) }));
  // The first tool call names the session; after it the newest lead most surely to a call that is remembered.
  if (given.length > 0) before.push(given[0]!, ...given.slice(1).reverse());
  const made = bounded(keys.madeCalls).map((id) => show('t', id));
  if (keys.response !== '' && keys.response !== keys.previousResponse) show('r', keys.response);
  const trace = show('x', traceId);
  if (keys.isTold) before.push({ source: 'trace', key: trace });
  return {
    own: trace,
    before,
    prefixes: keys.prefixes
      .slice(-limits.sessionKeysPerCallMax)
      .reverse()
      .map((text) => `p${scope}${text}`),
    first: made[0] ?? '',
    shown,
    whole: keys.whole === '' ? '' : `p${scope}${keys.whole}`,
  };
}

/** The first and the newest ones. */
function bounded(ids: readonly string[]): readonly string[] {
  const max = limits.sessionKeysPerCallMax;
  return ids.length <= max ? ids : [ids[0]!, ...ids.slice(1 - max)];
}
