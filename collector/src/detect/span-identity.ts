import type { FieldTable } from '../model/fields.ts';
import type { Session } from '../model/session.ts';
import { Span } from '../model/span-batch.ts';
import { type Value, valueText } from '../model/value.ts';
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
  readonly session?: Session | undefined;
}

/** Reads the identity of the span that the cursor stands on. */
export function createIdentity(fields: FieldTable): (cursor: Cursor) => SpanIdentity {
  const [traceId, spanId, spanName] = [fields.intern('trace_id'), fields.intern('span_id'), fields.intern('span.name')];
  const [serviceName, agentName] = [fields.intern('service.name'), fields.intern('gen_ai.agent.name')];
  const [conversationId, userId] = [fields.intern('gen_ai.conversation.id'), fields.intern('user.id')];
  const toolName = fields.intern('gen_ai.tool.name');
  return ({ events, span }) => {
    const end = events.batch.spans[span * Span.stride + Span.end]!;
    const identity = {
      traceId: textOf(events.value(span, traceId)),
      spanId: textOf(events.value(span, spanId)),
      spanName: textOf(events.value(span, spanName)),
      serviceName: textOf(events.value(span, serviceName)),
      agentName: textOf(events.value(span, agentName)),
      conversationId: textOf(events.value(span, conversationId)),
      userId: textOf(events.value(span, userId)),
      toolName: textOf(events.value(span, toolName)),
      endNanos: end < 0 ? 0n : events.batch.nanos(end),
    };
    const session = events.sessions?.get(span);
    return session === undefined ? identity : { ...identity, session };
  };
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : valueText(value ?? '');
}
