import type { AgentEvent, NamedValue } from '../model/agent-event.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';
import { isList, type Value } from '../model/value.ts';

/**
 * Events of agents as an ExportTraceServiceRequest: what reads spans then reads them, too. Status and times as in `Span`;
 * see the trace decoder for the fields.
 */
export function encodeAgentEvents(events: readonly AgentEvent[]): Buffer {
  const writer = new ProtobufWriter();
  for (const event of events) {
    writer.message(1, () => {
      writer.message(1, () => writeAttributes(writer, 1, event.resource));
      writer.message(2, () => {
        writer.message(1, () => {
          writer.string(1, event.scopeName);
          writer.string(2, event.scopeVersion);
        });
        writer.message(2, () => writeSpan(writer, event));
      });
    });
  }
  return writer.take();
}

function writeSpan(writer: ProtobufWriter, event: AgentEvent): void {
  writer.bytes(1, Buffer.from(event.traceId, 'hex'));
  writer.bytes(2, Buffer.from(event.spanId, 'hex'));
  if (event.parentSpanId !== '') writer.bytes(4, Buffer.from(event.parentSpanId, 'hex'));
  writer.string(5, event.name);
  writer.varint(6, event.kind ?? 1);
  writer.fixed64(7, event.startNanos);
  writer.fixed64(8, event.endNanos);
  writeAttributes(writer, 9, event.attributes);
  if (event.failed) writer.message(15, () => writer.varint(3, 2));
}

function writeAttributes(writer: ProtobufWriter, field: number, attributes: readonly NamedValue[]): void {
  for (const [name, value] of attributes) writer.message(field, () => writeKeyValue(writer, name, value));
}

function writeKeyValue(writer: ProtobufWriter, name: string, value: Value): void {
  writer.string(1, name);
  writer.message(2, () => writeAnyValue(writer, value));
}

function writeAnyValue(writer: ProtobufWriter, value: Value): void {
  if (value === null) return;
  if (typeof value === 'string') writer.string(1, value);
  else if (typeof value === 'boolean') writer.varint(2, value ? 1 : 0);
  else if (typeof value === 'bigint') writer.varint(3, value);
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) writer.varint(3, value);
    else writer.double(4, value);
  } else if (isList(value)) {
    writer.message(5, () => {
      for (const member of value) writer.message(1, () => writeAnyValue(writer, member));
    });
  } else {
    writer.message(6, () => {
      for (const [name, member] of Object.entries(value)) writer.message(1, () => writeKeyValue(writer, name, member));
    });
  }
}
