import type { ErrorCode } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';
import { JsonObject } from './json-object.ts';
import { MalformedError } from './wire.ts';

export type JsonOutcome =
  | { readonly status: 'ok'; readonly bytes: Buffer }
  | { readonly status: 'malformed'; readonly code: ErrorCode; readonly message: string };

/**
 * OTLP/JSON (ExportTraceServiceRequest) → the same message as protobuf bytes, so that one decoder reads both.
 *
 * Follows https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids are hex, 64-bit integers are decimal
 * strings or numbers and keep all 64 bits, enums are integers, unknown fields are ignored. Keys may also be snake_case,
 * because the OpenTelemetry Collector takes them. Ids of the wrong length are passed on: the decoder refuses such records
 * one by one.
 */
export function otlpJsonToProtobuf(body: Buffer): JsonOutcome {
  const writer = new ProtobufWriter();
  try {
    writeRequest(writer, JsonObject.root(parseExact(body.toString('utf8'))));
  } catch (error) {
    if (error instanceof MalformedError) return { status: 'malformed', code: error.code, message: error.message };
    throw error;
  }
  return { status: 'ok', bytes: writer.take() };
}

/** JSON.parse, but integers that a double cannot hold come back as strings with all their digits. */
function parseExact(text: string): unknown {
  try {
    if (!longDigits.test(text)) return JSON.parse(text);
    return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown);
  } catch (error) {
    if (error instanceof RangeError) throw new MalformedError('SW_OTLP_DEPTH', 'body nests too deeply to be parsed');
    throw new MalformedError('SW_OTLP_JSON', `body is not JSON: ${(error as Error).message}`);
  }
}

/** Sixteen digits that start a bare value: inside quotes they are safe anyway. */
const longDigits = /[[:,]\s{0,8}-?\d{16}/;

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    ? context!.source
    : value;
}

function writeRequest(writer: ProtobufWriter, request: JsonObject): void {
  for (const resourceSpans of request.objects('resourceSpans')) {
    writer.message(1, () => {
      const resource = resourceSpans.object('resource');
      if (resource) writer.message(1, () => writeAttributes(writer, 1, resource));
      for (const scopeSpans of resourceSpans.objects('scopeSpans')) {
        writer.message(2, () => writeScopeSpans(writer, scopeSpans));
      }
      writeString(writer, 3, resourceSpans, 'schemaUrl');
    });
  }
}

function writeScopeSpans(writer: ProtobufWriter, scopeSpans: JsonObject): void {
  const scope = scopeSpans.object('scope');
  if (scope) {
    writer.message(1, () => {
      writeString(writer, 1, scope, 'name');
      writeString(writer, 2, scope, 'version');
      writeAttributes(writer, 3, scope);
    });
  }
  for (const span of scopeSpans.objects('spans')) writer.message(2, () => writeSpan(writer, span));
}

function writeSpan(writer: ProtobufWriter, span: JsonObject): void {
  writeId(writer, 1, span, 'traceId');
  writeId(writer, 2, span, 'spanId');
  writeString(writer, 3, span, 'traceState');
  writeId(writer, 4, span, 'parentSpanId');
  writeString(writer, 5, span, 'name');
  writeEnum(writer, 6, span, 'kind');
  writeFixed64(writer, 7, span, 'startTimeUnixNano');
  writeFixed64(writer, 8, span, 'endTimeUnixNano');
  writeAttributes(writer, 9, span);
  for (const event of span.objects('events')) {
    writer.message(11, () => {
      writeFixed64(writer, 1, event, 'timeUnixNano');
      writeString(writer, 2, event, 'name');
      writeAttributes(writer, 3, event);
    });
  }
  for (const link of span.objects('links')) {
    writer.message(13, () => {
      writeId(writer, 1, link, 'traceId');
      writeId(writer, 2, link, 'spanId');
      writeString(writer, 3, link, 'traceState');
      writeAttributes(writer, 4, link);
    });
  }
  const status = span.object('status');
  if (status) {
    writer.message(15, () => {
      writeString(writer, 2, status, 'message');
      writeEnum(writer, 3, status, 'code');
    });
  }
  const flags = span.integer('flags');
  if (flags !== undefined) writer.fixed32(16, Number(BigInt.asUintN(32, flags)));
}

function writeAttributes(writer: ProtobufWriter, field: number, owner: JsonObject): void {
  for (const attribute of owner.objects('attributes')) writer.message(field, () => writeKeyValue(writer, attribute, 0));
}

function writeKeyValue(writer: ProtobufWriter, attribute: JsonObject, depth: number): void {
  writeString(writer, 1, attribute, 'key');
  const value = attribute.object('value');
  if (value) writer.message(2, () => writeAnyValue(writer, value, depth));
}

/** Stops one level below the limit: the decoder then sees that the record is too deep and refuses it alone. */
function writeAnyValue(writer: ProtobufWriter, value: JsonObject, depth: number): void {
  if (depth > limits.nestingDepthMax + 1) return;
  const text = value.text('stringValue');
  if (text !== undefined) writer.string(1, text);
  const flag = value.boolean('boolValue');
  if (flag !== undefined) writer.varint(2, flag ? 1 : 0);
  const integer = value.integer('intValue');
  if (integer !== undefined) writer.varint(3, integer);
  const double = value.double('doubleValue');
  if (double !== undefined) writer.double(4, double);
  const list = value.object('arrayValue');
  if (list) {
    writer.message(5, () => {
      for (const member of list.objects('values')) writer.message(1, () => writeAnyValue(writer, member, depth + 1));
    });
  }
  const map = value.object('kvlistValue');
  if (map) {
    writer.message(6, () => {
      for (const member of map.objects('values')) writer.message(1, () => writeKeyValue(writer, member, depth + 1));
    });
  }
  const bytes = value.text('bytesValue');
  if (bytes !== undefined) writer.bytes(7, Buffer.from(bytes, 'base64'));
}

function writeString(writer: ProtobufWriter, field: number, from: JsonObject, key: string): void {
  const text = from.text(key);
  if (text) writer.string(field, text);
}

function writeId(writer: ProtobufWriter, field: number, from: JsonObject, key: string): void {
  const text = from.text(key);
  if (!text) return;
  if (!/^[0-9a-fA-F]*$/.test(text)) from.fail(key, 'must be hexadecimal');
  writer.bytes(field, Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex'));
}

function writeEnum(writer: ProtobufWriter, field: number, from: JsonObject, key: string): void {
  const value = from.integer(key);
  if (value !== undefined) writer.varint(field, value);
}

function writeFixed64(writer: ProtobufWriter, field: number, from: JsonObject, key: string): void {
  const value = from.integer(key);
  if (value !== undefined) writer.fixed64(field, value);
}
