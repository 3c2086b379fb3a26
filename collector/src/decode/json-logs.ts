import type { ProtobufWriter } from '../model/protobuf-writer.ts';
import { writeAnyValue, writeAttributes, writeEnum, writeFixed64, writeId, writeString } from './json-fields.ts';
import type { JsonObject } from './json-object.ts';

/** A LogRecord of OTLP/JSON as protobuf. */
export function writeLogRecord(writer: ProtobufWriter, record: JsonObject): void {
  writeFixed64(writer, 1, record, 'timeUnixNano');
  writeFixed64(writer, 11, record, 'observedTimeUnixNano');
  writeEnum(writer, 2, record, 'severityNumber');
  writeString(writer, 3, record, 'severityText');
  const body = record.object('body');
  if (body) writer.message(5, () => writeAnyValue(writer, body, 0));
  writeAttributes(writer, 6, record);
  const flags = record.integer('flags');
  if (flags !== undefined) writer.fixed32(8, Number(BigInt.asUintN(32, flags)));
  writeId(writer, 9, record, 'traceId');
  writeId(writer, 10, record, 'spanId');
  writeString(writer, 12, record, 'eventName');
}
