import {
  type Translation,
  writeAnyValue,
  writeAttributes,
  writeFixed32,
  writeFixed64,
  writeId,
  writeMessage,
  writeString,
  writeVarint,
} from './json-fields.ts';
import { keys } from './json-keys.ts';

/** A LogRecord of OTLP/JSON as protobuf. */
export function writeLogRecord(to: Translation, record: number): void {
  writeFixed64(to, 1, record, keys.timeUnixNano);
  writeFixed64(to, 11, record, keys.observedTimeUnixNano);
  writeVarint(to, 2, record, keys.severityNumber);
  writeString(to, 3, record, keys.severityText);
  writeMessage(to, 5, to.json.object(record, keys.body), writeAnyValue);
  writeAttributes(to, 6, record);
  writeFixed32(to, 8, record, keys.flags);
  writeId(to, 9, record, keys.traceId);
  writeId(to, 10, record, keys.spanId);
  writeString(to, 12, record, keys.eventName);
}
