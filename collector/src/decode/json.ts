import { ProtobufWriter } from '../model/protobuf-writer.ts';
import { formerField } from './envelope.ts';
import {
  type Translation,
  type WriteFields,
  writeAttributes,
  writeFixed32,
  writeFixed64,
  writeId,
  writeMessage,
  writeMessages,
  writeString,
  writeVarint,
} from './json-fields.ts';
import { type JsonKey, keys } from './json-keys.ts';
import { writeLogRecord } from './json-logs.ts';
import { writeMetric } from './json-metrics.ts';
import { JsonReader } from './json-reader.ts';
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
  const writer = new ProtobufWriter(Math.min(body.length, writtenBytesAtStart));
  return orMalformed(() => {
    translate(body, signal, writer);
    return { status: 'ok', bytes: writer.take() };
  });
}

function translate(body: Buffer, signal: Signal, writer: ProtobufWriter): void {
  try {
    writeRequest({ json, writer }, json.read(body), frames[signal]);
  } finally {
    json.release();
  }
}

/** One for all requests, each of which is done with it before the next begins. */
const json = new JsonReader();
/** As protobuf a body is shorter, but for the lengths of messages. */
const writtenBytesAtStart = 4 * 1024 * 1024;

/** A request in either encoding through the decoder of its signal. A batch is good until its decoder is given the next request. */
export function decodeAs<Batch>(
  decoder: { decode(bytes: Buffer): Decoded<Batch> },
  signal: Signal,
  encoding: 'protobuf' | 'json',
  body: Buffer,
): Decoded<Batch> {
  if (encoding === 'protobuf') return decoder.decode(body);
  const writer = writers.get(decoder) ?? new ProtobufWriter(0);
  writers.set(decoder, writer);
  writer.reset(writtenBytesAtStart);
  const translated = orMalformed(() => {
    translate(body, signal, writer);
    return { status: 'ok', bytes: writer.view() } as const;
  });
  return translated.status === 'malformed' ? translated : decoder.decode(translated.bytes);
}

/** What holds the batch of a decoder, which the next one takes the place of: megabytes of new memory for each make garbage collection hurry. */
const writers = new WeakMap<object, ProtobufWriter>();

interface Frame {
  readonly resources: JsonKey;
  readonly scopes: JsonKey;
  /** What stood in their place before OTLP 1.0. */
  readonly former: JsonKey;
  readonly records: JsonKey;
  readonly write: WriteFields;
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

function writeRequest(to: Translation, request: number, frame: Frame): void {
  const { json } = to;
  const writeScope: WriteFields = (_, scopeRecords) => {
    writeMessage(to, 1, json.object(scopeRecords, keys.scope), writeScopeFields);
    writeMessages(to, 2, json.list(scopeRecords, frame.records), frame.write);
    writeString(to, 3, scopeRecords, keys.schemaUrl);
  };
  writeMessages(to, 1, json.list(request, frame.resources), (_, resourceRecords) => {
    writeMessage(to, 1, json.object(resourceRecords, keys.resource), writeResourceFields);
    writeMessages(to, 2, json.list(resourceRecords, frame.scopes), writeScope);
    writeMessages(to, formerField, json.list(resourceRecords, frame.former), writeScope);
    writeString(to, 3, resourceRecords, keys.schemaUrl);
  });
}

function writeResourceFields(to: Translation, resource: number): void {
  writeAttributes(to, 1, resource);
}

function writeScopeFields(to: Translation, scope: number): void {
  writeString(to, 1, scope, keys.name);
  writeString(to, 2, scope, keys.version);
  writeAttributes(to, 3, scope);
}

function writeSpan(to: Translation, span: number): void {
  const { json } = to;
  writeId(to, 1, span, keys.traceId);
  writeId(to, 2, span, keys.spanId);
  writeString(to, 3, span, keys.traceState);
  writeId(to, 4, span, keys.parentSpanId);
  writeString(to, 5, span, keys.name);
  writeVarint(to, 6, span, keys.kind);
  writeFixed64(to, 7, span, keys.startTimeUnixNano);
  writeFixed64(to, 8, span, keys.endTimeUnixNano);
  writeAttributes(to, 9, span);
  writeMessages(to, 11, json.list(span, keys.events), writeEvent);
  writeMessages(to, 13, json.list(span, keys.links), writeLink);
  writeMessage(to, 15, json.object(span, keys.status), writeStatus);
  writeFixed32(to, 16, span, keys.flags);
}

function writeEvent(to: Translation, event: number): void {
  writeFixed64(to, 1, event, keys.timeUnixNano);
  writeString(to, 2, event, keys.name);
  writeAttributes(to, 3, event);
}

function writeLink(to: Translation, link: number): void {
  writeId(to, 1, link, keys.traceId);
  writeId(to, 2, link, keys.spanId);
  writeString(to, 3, link, keys.traceState);
  writeAttributes(to, 4, link);
}

function writeStatus(to: Translation, status: number): void {
  writeString(to, 2, status, keys.message);
  writeVarint(to, 3, status, keys.code);
}
