import type { ProtobufWriter } from '../model/protobuf-writer.ts';
import { writeAnyValue, writeAttributes, writeEnum, writeFixed64, writeId, writeString } from './json-fields.ts';
import { keys } from './json-keys.ts';
import type { JsonObject } from './json-object.ts';

/** A LogRecord of OTLP/JSON as protobuf. */
export function writeLogRecord(writer: ProtobufWriter, record: JsonObject): void {
  writeFixed64(writer, 1, record, keys.timeUnixNano);
  writeFixed64(writer, 11, record, keys.observedTimeUnixNano);
  writeEnum(writer, 2, record, keys.severityNumber);
  writeString(writer, 3, record, keys.severityText);
  const body = record.object(keys.body);
  if (body) writer.message(5, () => writeAnyValue(writer, body, 0));
  writeAttributes(writer, 6, record);
  const flags = record.integer(keys.flags);
  if (flags !== undefined) writer.fixed32(8, Number(BigInt.asUintN(32, BigInt(flags))));
  writeId(writer, 9, record, keys.traceId);
  writeId(writer, 10, record, keys.spanId);
  writeString(writer, 12, record, keys.eventName);
}
