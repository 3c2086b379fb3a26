import type { FieldTable } from '../model/fields.ts';
import type { Session } from '../model/session.ts';
import { Span } from '../model/span-batch.ts';
import { valueText } from '../model/value.ts';
import type { Cursor } from './reader.ts';

/** What a finding says about a span; texts of its own, so that it may outlive the batch. */
export interface SpanIdentity {
  readonly traceId: string;
  readonly spanId: string;
  readonly spanName: string;
  readonly serviceName: string;
  readonly agentName: string;
  readonly conversationId: string;
  readonly userId: string;
  readonly toolName: string;
  /** Event time: the end of the span. */
  readonly endNanos: bigint;
  /** Its session where that is neither its conversation nor its trace. */
  readonly session?: Session;
}

const identityFields = {
  traceId: 'trace_id',
  spanId: 'span_id',
  spanName: 'span.name',
  serviceName: 'service.name',
  agentName: 'gen_ai.agent.name',
  conversationId: 'gen_ai.conversation.id',
  userId: 'user.id',
  toolName: 'gen_ai.tool.name',
} as const;

/** Reads the identity of the span that the cursor stands on. */
export function createIdentity(fields: FieldTable): (cursor: Cursor) => SpanIdentity {
  const ids = Object.entries(identityFields).map(([key, name]) => [key, fields.intern(name)] as const);
  return ({ events, span }) => {
    const texts: Record<string, string> = {};
    for (const [key, id] of ids) texts[key] = valueText(events.value(span, id) ?? '');
    const session = events.sessions?.get(span);
    const end = events.batch.spans[span * Span.stride + Span.end]!;
    return {
      ...(texts as Record<keyof typeof identityFields, string>),
      endNanos: end < 0 ? 0n : events.batch.nanos(end),
      ...(session && { session }),
    };
  };
}
