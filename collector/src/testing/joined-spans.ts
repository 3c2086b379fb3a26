import { otlpJsonToProtobuf } from '../decode/json.ts';
import { LogDecoder } from '../decode/log-decoder.ts';
import { joinedEvent } from '../detect/joining/joined-event.ts';
import { hasContent, spanAsEvent } from '../detect/joining/span-as-event.ts';
import { type AgentEvent, joinKeys } from '../model/agent-event.ts';
import type { FieldTable } from '../model/fields.ts';
import { Span } from '../model/span-batch.ts';
import { keyValues, receiveJson } from '../normalise/dialects/testing/sent-span.ts';
import { AgentEventReader } from '../normalise/log-events/agent-event-reader.ts';

interface Traces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[] }[];
}

interface SentSpan {
  attributes?: object[];
}

/**
 * The spans of an OTLP JSON request with what log records, OTLP JSON too, tell about them: as rules see both after the joining. Spans that
 * have their content themselves need no records.
 */
export function joinedSpans(traces: Buffer, logs: Buffer): Buffer {
  const { events, fields } = receiveJson(traces);
  const records = recordsOf(logs, fields);
  const request = JSON.parse(traces.toString()) as Traces;
  const sent = request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  sent.forEach((span, i) => {
    const { spans } = events.batch;
    const id = (column: number, bytes: number) => events.batch.hex(spans[i * Span.stride + column]!, bytes);
    const key = joinKeys.span(id(Span.traceId, 16), id(Span.spanId, 8));
    const about = records.filter(({ joinKey }) => joinKey === key);
    if (about.length === 0 || hasContent(events, i, fields)) return;
    const event = spanAsEvent(events, i, fields, false);
    const added = joinedEvent(event, about).attributes.slice(event.attributes.length);
    span.attributes = [...(span.attributes ?? []), ...keyValues(Object.fromEntries(added))];
  });
  return Buffer.from(JSON.stringify(request));
}

function recordsOf(logs: Buffer, fields: FieldTable): readonly AgentEvent[] {
  const request = otlpJsonToProtobuf(logs, 'logs');
  if (request.status !== 'ok') throw new Error(request.message);
  const batch = new LogDecoder(fields).decode(request.bytes);
  if (batch.status !== 'ok') throw new Error(batch.message);
  return new AgentEventReader(fields).read(batch.batch).events;
}
