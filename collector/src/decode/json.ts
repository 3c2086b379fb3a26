import { limits } from '../model/limits.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';
import { formerField } from './envelope.ts';
import { writeAttributes, writeEnum, writeFixed64, writeId, writeString } from './json-fields.ts';
import { writeLogRecord } from './json-logs.ts';
import { writeMetric } from './json-metrics.ts';
import { JsonObject } from './json-object.ts';
import { hasMoreValues } from './json-values.ts';
import { type Decoded, type Malformed, MalformedError, orMalformed } from './wire.ts';

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
  const writer = new ProtobufWriter();
  return orMalformed(() => {
    writeRequest(writer, JsonObject.root(parseExact(body)), frames[signal]);
    return { status: 'ok', bytes: writer.take() };
  });
}

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

/** JSON.parse, but integers that a double cannot hold come back as strings with all their digits. */
function parseExact(body: Buffer): unknown {
  if (body.length > countedBytesMin && hasMoreValues(body, limits.jsonValuesMax)) {
    const message = `body holds more than ${limits.jsonValuesMax} JSON values; send smaller batches`;
    throw new MalformedError('SW_HTTP_BODY_TOO_LARGE', message);
  }
  const text = body.toString('utf8');
  try {
    if (!longDigits.test(text)) return JSON.parse(text);
    return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown);
  } catch (error) {
    if (error instanceof RangeError) throw new MalformedError('SW_OTLP_DEPTH', 'body nests too deeply to be parsed');
    throw new MalformedError('SW_OTLP_JSON', `body is not JSON: ${(error as Error).message}`);
  }
}

/** Smaller bodies cannot hold enough values to matter. */
const countedBytesMin = 4 * 1024 * 1024;

/** Sixteen digits that start a bare value: inside quotes they are safe anyway. */
const longDigits = /[[:,]\s{0,8}-?\d{16}/;

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    ? context!.source
    : value;
}

interface Frame {
  readonly resources: string;
  readonly scopes: string;
  /** What stood in their place before OTLP 1.0. */
  readonly former: string;
  readonly records: string;
  write(writer: ProtobufWriter, record: JsonObject): void;
}

const frames: Readonly<Record<Signal, Frame>> = {
  traces: {
    resources: 'resourceSpans',
    scopes: 'scopeSpans',
    former: 'instrumentationLibrarySpans',
    records: 'spans',
    write: writeSpan,
  },
  metrics: {
    resources: 'resourceMetrics',
    scopes: 'scopeMetrics',
    former: 'instrumentationLibraryMetrics',
    records: 'metrics',
    write: writeMetric,
  },
  logs: {
    resources: 'resourceLogs',
    scopes: 'scopeLogs',
    former: 'instrumentationLibraryLogs',
    records: 'logRecords',
    write: writeLogRecord,
  },
};

function writeRequest(writer: ProtobufWriter, request: JsonObject, frame: Frame): void {
  for (const resourceRecords of request.objects(frame.resources)) {
    writer.message(1, () => {
      const resource = resourceRecords.object('resource');
      if (resource) writer.message(1, () => writeAttributes(writer, 1, resource));
      for (const scopeRecords of resourceRecords.objects(frame.scopes)) {
        writer.message(2, () => writeScopeRecords(writer, scopeRecords, frame));
      }
      for (const former of resourceRecords.objects(frame.former)) {
        writer.message(formerField, () => writeScopeRecords(writer, former, frame));
      }
      writeString(writer, 3, resourceRecords, 'schemaUrl');
    });
  }
}

function writeScopeRecords(writer: ProtobufWriter, scopeRecords: JsonObject, frame: Frame): void {
  const scope = scopeRecords.object('scope');
  if (scope) {
    writer.message(1, () => {
      writeString(writer, 1, scope, 'name');
      writeString(writer, 2, scope, 'version');
      writeAttributes(writer, 3, scope);
    });
  }
  for (const record of scopeRecords.objects(frame.records)) writer.message(2, () => frame.write(writer, record));
  writeString(writer, 3, scopeRecords, 'schemaUrl');
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
