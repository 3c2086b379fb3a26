import { randomBytes } from 'node:crypto';
import { otlpJsonToProtobuf } from '../decode/json.ts';

/** An attribute value as one writes it in a test; plain objects become OTel maps. */
export type Plain =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Plain[]
  | { readonly [key: string]: Plain };

export interface TestSpan {
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentSpanId?: string;
  readonly name?: string;
  /** SpanKind: 1 internal, 2 server, 3 client. */
  readonly kind?: number;
  readonly startNanos?: bigint;
  readonly endNanos?: bigint;
  readonly attributes?: Readonly<Record<string, Plain>>;
  readonly events?: readonly { name: string; nanos?: bigint; attributes?: Readonly<Record<string, Plain>> }[];
  readonly links?: readonly { traceId: string; spanId: string; attributes?: Readonly<Record<string, Plain>> }[];
  readonly status?: { code?: number; message?: string };
}

/** An ExportTraceServiceRequest in OTLP/JSON with one resource and one scope. */
export function otlpJson(
  spans: readonly TestSpan[],
  resource: Readonly<Record<string, Plain>> = { 'service.name': 'test' },
): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: keyValues(resource) },
        scopeSpans: [{ scope: { name: 'test-scope', version: '1.0' }, spans: spans.map(jsonSpan) }],
      },
    ],
  };
}

/** The same in protobuf. */
export function otlpProtobuf(spans: readonly TestSpan[], resource?: Readonly<Record<string, Plain>>): Buffer {
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify(otlpJson(spans, resource))));
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  return outcome.bytes;
}

export interface TestLog {
  readonly eventName?: string;
  readonly nanos?: bigint;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly severity?: number;
  readonly body?: Plain;
  readonly attributes?: Readonly<Record<string, Plain>>;
}

/** An ExportLogsServiceRequest in OTLP/JSON with one resource and one scope. */
export function otlpLogsJson(
  logs: readonly TestLog[],
  resource: Readonly<Record<string, Plain>> = { 'service.name': 'test' },
): object {
  const scopeLogs = [{ scope: { name: 'test-scope', version: '1.0' }, logRecords: logs.map(jsonLog) }];
  return { resourceLogs: [{ resource: { attributes: keyValues(resource) }, scopeLogs }] };
}

/** The same in protobuf. */
export function otlpLogsProtobuf(logs: readonly TestLog[], resource?: Readonly<Record<string, Plain>>): Buffer {
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify(otlpLogsJson(logs, resource))), 'logs');
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  return outcome.bytes;
}

function jsonLog(log: TestLog): object {
  return {
    timeUnixNano: String(log.nanos ?? BigInt(Date.now()) * 1_000_000n),
    severityNumber: log.severity,
    eventName: log.eventName,
    traceId: log.traceId,
    spanId: log.spanId,
    ...(log.body !== undefined && { body: anyValue(log.body) }),
    attributes: keyValues(log.attributes ?? {}),
  };
}

function jsonSpan(span: TestSpan): object {
  const start = span.startNanos ?? BigInt(Date.now()) * 1_000_000n;
  return {
    traceId: span.traceId ?? randomBytes(16).toString('hex'),
    spanId: span.spanId ?? randomBytes(8).toString('hex'),
    parentSpanId: span.parentSpanId,
    name: span.name ?? 'span',
    kind: span.kind ?? 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(span.endNanos ?? start + 1_000_000n),
    attributes: keyValues(span.attributes ?? {}),
    events: span.events?.map((event) => ({
      name: event.name,
      timeUnixNano: String(event.nanos ?? start),
      attributes: keyValues(event.attributes ?? {}),
    })),
    links: span.links?.map((link) => ({ ...link, attributes: keyValues(link.attributes ?? {}) })),
    status: span.status,
  };
}

function keyValues(attributes: Readonly<Record<string, Plain>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: Plain): object {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: String(value) };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: keyValues(value as Readonly<Record<string, Plain>>) } };
}
