import { ProtobufWriter } from '../model/protobuf-writer.ts';
import { formerField } from './envelope.ts';
import { writeAttributes, writeEnum, writeFixed64, writeId, writeString } from './json-fields.ts';
import { type JsonKey, keys } from './json-keys.ts';
import { writeLogRecord } from './json-logs.ts';
import { writeMetric } from './json-metrics.ts';
import { JsonObject } from './json-object.ts';
import { JsonTape } from './json-tape.ts';
import { type Decoded, type Malformed, orMalformed } from './wire.ts';

export type JsonOutcome = { readonly status: 'ok'; readonly bytes: Buffer } | Malformed;

/** Which request it is: Export{Trace,Metrics,Logs}ServiceRequest. They have the same frame. */
export type Signal = 'traces' | 'metrics' | 'logs';

/**
 * OTLP/JSON → the same message as protobuf bytes, so that one decoder reads both.
 *
 * Follows https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: ids are hex, 64-bit integers are decimal
 * strings or numbers and keep all 64 bits, enums are integers, unknown fields are ignored. Keys may also be snake_case,
 * because the OpenTelemetry Collector takes them. Ids of the wrong length are passed on: the decoder refuses such records
 * one by one.
 */
export function otlpJsonToProtobuf(body: Buffer, signal: Signal = 'traces'): JsonOutcome {
  // As protobuf it is shorter, but for the lengths of messages.
  const writer = new ProtobufWriter(Math.min(body.length, writtenBytesAtStart));
  try {
    return orMalformed(() => {
      tape.parse(body);
      writeRequest(writer, JsonObject.root(tape), frames[signal]);
      return { status: 'ok', bytes: writer.take() };
    });
  } finally {
    tape.bytes = empty;
  }
}

/** One for all requests, each of which is done with it before the next begins. */
const tape = new JsonTape();
const empty = Buffer.alloc(0);
const writtenBytesAtStart = 4 * 1024 * 1024;

/** A request in either encoding through the decoder of its signal. */
export function decodeAs<Batch>(
  decoder: { decode(bytes: Buffer): Decoded<Batch> },
  signal: Signal,
  encoding: 'protobuf' | 'json',
  body: Buffer,
): Decoded<Batch> {
  if (encoding === 'protobuf') return decoder.decode(body);
  const translated = otlpJsonToProtobuf(body, signal);
  return translated.status === 'malformed' ? translated : decoder.decode(translated.bytes);
}

interface Frame {
  readonly resources: JsonKey;
  readonly scopes: JsonKey;
  /** What stood in their place before OTLP 1.0. */
  readonly former: JsonKey;
  readonly records: JsonKey;
  write(writer: ProtobufWriter, record: JsonObject): void;
}

const frames: Readonly<Record<Signal, Frame>> = {
  traces: {
    resources: keys.resourceSpans,
    scopes: keys.scopeSpans,
    former: keys.instrumentationLibrarySpans,
    records: keys.spans,
    write: writeSpan,
  },
  metrics: {
    resources: keys.resourceMetrics,
    scopes: keys.scopeMetrics,
    former: keys.instrumentationLibraryMetrics,
    records: keys.metrics,
    write: writeMetric,
  },
  logs: {
    resources: keys.resourceLogs,
    scopes: keys.scopeLogs,
    former: keys.instrumentationLibraryLogs,
    records: keys.logRecords,
    write: writeLogRecord,
  },
};

function writeRequest(writer: ProtobufWriter, request: JsonObject, frame: Frame): void {
  for (const resourceRecords of request.objects(frame.resources)) {
    writer.message(1, () => {
      const resource = resourceRecords.object(keys.resource);
      if (resource) writer.message(1, () => writeAttributes(writer, 1, resource));
      for (const scopeRecords of resourceRecords.objects(frame.scopes)) {
        writer.message(2, () => writeScopeRecords(writer, scopeRecords, frame));
      }
      for (const former of resourceRecords.objects(frame.former)) {
        writer.message(formerField, () => writeScopeRecords(writer, former, frame));
      }
      writeString(writer, 3, resourceRecords, keys.schemaUrl);
    });
  }
}

function writeScopeRecords(writer: ProtobufWriter, scopeRecords: JsonObject, frame: Frame): void {
  const scope = scopeRecords.object(keys.scope);
  if (scope) {
    writer.message(1, () => {
      writeString(writer, 1, scope, keys.name);
      writeString(writer, 2, scope, keys.version);
      writeAttributes(writer, 3, scope);
    });
  }
  for (const record of scopeRecords.objects(frame.records)) writer.message(2, () => frame.write(writer, record));
  writeString(writer, 3, scopeRecords, keys.schemaUrl);
}

function writeSpan(writer: ProtobufWriter, span: JsonObject): void {
  writeId(writer, 1, span, keys.traceId);
  writeId(writer, 2, span, keys.spanId);
  writeString(writer, 3, span, keys.traceState);
  writeId(writer, 4, span, keys.parentSpanId);
  writeString(writer, 5, span, keys.name);
  writeEnum(writer, 6, span, keys.kind);
  writeFixed64(writer, 7, span, keys.startTimeUnixNano);
  writeFixed64(writer, 8, span, keys.endTimeUnixNano);
  writeAttributes(writer, 9, span);
  for (const event of span.objects(keys.events)) {
    writer.message(11, () => {
      writeFixed64(writer, 1, event, keys.timeUnixNano);
      writeString(writer, 2, event, keys.name);
      writeAttributes(writer, 3, event);
    });
  }
  for (const link of span.objects(keys.links)) {
    writer.message(13, () => {
      writeId(writer, 1, link, keys.traceId);
      writeId(writer, 2, link, keys.spanId);
      writeString(writer, 3, link, keys.traceState);
      writeAttributes(writer, 4, link);
    });
  }
  const status = span.object(keys.status);
  if (status) {
    writer.message(15, () => {
      writeString(writer, 2, status, keys.message);
      writeEnum(writer, 3, status, keys.code);
    });
  }
  const flags = span.integer(keys.flags);
  if (flags !== undefined) writer.fixed32(16, Number(BigInt.asUintN(32, BigInt(flags))));
}
