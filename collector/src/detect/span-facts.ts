import type { FieldTable } from '../model/fields.ts';
import { Span } from '../model/span-batch.ts';
import { valueText } from '../model/value.ts';
import type { Cursor } from './reader.ts';

/** What a finding says about a span; texts of its own, so that it may outlive the batch. */
export interface SpanFacts {
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
}

const factFields = {
  traceId: 'trace_id',
  spanId: 'span_id',
  spanName: 'span.name',
  serviceName: 'service.name',
  agentName: 'gen_ai.agent.name',
  conversationId: 'gen_ai.conversation.id',
  userId: 'user.id',
  toolName: 'gen_ai.tool.name',
} as const;

/** Reads the facts of the span that the cursor stands on. */
export function createFacts(fields: FieldTable): (cursor: Cursor) => SpanFacts {
  const ids = Object.entries(factFields).map(([key, name]) => [key, fields.intern(name)] as const);
  return ({ events, span }) => {
    const facts: Record<string, string> = {};
    for (const [key, id] of ids) facts[key] = valueText(events.value(span, id) ?? '');
    const end = events.batch.spans[span * Span.stride + Span.end]!;
    const texts = facts as Record<keyof typeof factFields, string>;
    return { ...texts, endNanos: end < 0 ? 0n : events.batch.nanos(end) };
  };
}
