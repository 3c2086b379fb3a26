import { otlpJsonToProtobuf } from '../decode/json.ts';
import { LogDecoder } from '../decode/log-decoder.ts';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { joinedEvent } from '../detect/joining/joined-event.ts';
import { spanAsEvent } from '../detect/joining/span-as-event.ts';
import { type AgentEvent, joinKeys } from '../model/agent-event.ts';
import type { FieldTable } from '../model/fields.ts';
import { Span, type SpanBatch } from '../model/span-batch.ts';
import { AgentEventReader } from '../normalise/log-events/agent-event-reader.ts';
import { encodeAgentEvents } from '../normalise/log-events/encode.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';

/** Spans and the log records about them, both OTLP JSON of one run, as the events that rules see: one batch, spans in their order. */
export function joinedSpans(spans: Buffer, logs: Buffer, fields: FieldTable): SpanBatch {
  const events = new NormalisedEvents(fields).bind(decoded(spans, fields));
  const records = recordsOf(logs, fields);
  const joined = Array.from({ length: events.batch.spanCount }, (_, span): AgentEvent => {
    const at = span * Span.stride;
    const { batch } = events;
    const ids = [batch.hex(batch.spans[at + Span.traceId]!, 16), batch.hex(batch.spans[at + Span.spanId]!, 8)] as const;
    const about = records.filter(({ joinKey }) => joinKey === joinKeys.span(...ids));
    const event = spanAsEvent(events, span, fields, false);
    return about.length === 0 ? event : joinedEvent(event, about);
  });
  const batch = new TraceDecoder(fields).decode(encodeAgentEvents(joined));
  if (batch.status !== 'ok') throw new Error(batch.message);
  return batch.batch;
}

function decoded(spans: Buffer, fields: FieldTable): SpanBatch {
  const request = otlpJsonToProtobuf(spans);
  if (request.status !== 'ok') throw new Error(request.message);
  const batch = new TraceDecoder(fields).decode(request.bytes);
  if (batch.status !== 'ok') throw new Error(batch.message);
  return batch.batch;
}

function recordsOf(logs: Buffer, fields: FieldTable): readonly AgentEvent[] {
  const request = otlpJsonToProtobuf(logs, 'logs');
  if (request.status !== 'ok') throw new Error(request.message);
  const batch = new LogDecoder(fields).decode(request.bytes);
  if (batch.status !== 'ok') throw new Error(batch.message);
  return new AgentEventReader(fields).read(batch.batch).events;
}
