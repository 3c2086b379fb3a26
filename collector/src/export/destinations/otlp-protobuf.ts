import { ProtobufWriter } from '../../model/protobuf-writer.ts';
import type { EncodedEvent } from '../contract.ts';

// OTLP's protobuf of what the format writes as JSON.
// https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/logs/v1/logs.proto

/** A LogRecord in the JSON of OTLP, as our own format writes it: it is not checked. */
export interface JsonLogRecord {
  readonly timeUnixNano: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: JsonAnyValue;
  readonly attributes: readonly { readonly key: string; readonly value: JsonAnyValue }[];
  readonly traceId?: string;
  readonly spanId?: string;
}

export interface JsonAnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly arrayValue?: { readonly values: readonly JsonAnyValue[] };
}

/**
 * | field | number | type |
 * | --- | --- | --- |
 * | time_unix_nano | 1 | fixed64 |
 * | severity_number | 2 | enum |
 * | severity_text | 3 | string |
 * | body | 5 | AnyValue |
 * | attributes | 6 | repeated KeyValue |
 * | trace_id | 9 | bytes |
 * | span_id | 10 | bytes |
 * | observed_time_unix_nano | 11 | fixed64 |
 * | event_name | 12 | string |
 */
export function logRecordBytes(record: JsonLogRecord): Buffer {
  const writer = new ProtobufWriter();
  writer.fixed64(1, BigInt(record.timeUnixNano));
  writer.varint(2, record.severityNumber);
  writer.string(3, record.severityText);
  writer.message(5, () => anyValue(writer, record.body));
  for (const { key, value } of record.attributes) keyValue(writer, 6, key, value);
  if (record.traceId !== undefined) writer.bytes(9, Buffer.from(record.traceId, 'hex'));
  if (record.spanId !== undefined) writer.bytes(10, Buffer.from(record.spanId, 'hex'));
  writer.fixed64(11, BigInt(record.observedTimeUnixNano));
  writer.string(12, record.eventName);
  return writer.take();
}

/**
 * ExportLogsServiceRequest.resource_logs 1, ResourceLogs.resource 1 and scope_logs 2, ScopeLogs.scope 1 and log_records 2,
 * InstrumentationScope.name 1 and version 2, Resource.attributes 1.
 */
export function logsRequest(
  batch: readonly EncodedEvent[],
  { name, version, host }: { readonly name: string; readonly version: string; readonly host: string },
): Buffer {
  const writer = new ProtobufWriter();
  writer.message(1, () => {
    writer.message(1, () => {
      for (const [key, value] of Object.entries({
        'service.name': name,
        'service.version': version,
        'host.name': host,
      })) {
        keyValue(writer, 1, key, { stringValue: value });
      }
    });
    writer.message(2, () => {
      writer.message(1, () => {
        writer.string(1, name);
        writer.string(2, version);
      });
      for (const { body } of batch) writer.bytes(2, body);
    });
  });
  return writer.take();
}

/** KeyValue: key 1, value 2. */
function keyValue(writer: ProtobufWriter, field: number, key: string, value: JsonAnyValue): void {
  writer.message(field, () => {
    writer.string(1, key);
    writer.message(2, () => anyValue(writer, value));
  });
}

/** AnyValue: string_value 1, bool_value 2, int_value 3, array_value 5; ArrayValue: values 1. */
function anyValue(writer: ProtobufWriter, { stringValue, boolValue, intValue, arrayValue }: JsonAnyValue): void {
  if (stringValue !== undefined) writer.string(1, stringValue);
  else if (boolValue !== undefined) writer.varint(2, boolValue ? 1 : 0);
  else if (intValue !== undefined) writer.varint(3, BigInt(intValue));
  else if (arrayValue !== undefined) {
    writer.message(5, () => {
      for (const value of arrayValue.values) writer.message(1, () => anyValue(writer, value));
    });
  }
}
