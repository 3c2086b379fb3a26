import { randomBytes } from 'node:crypto';
import { ProtobufWriter } from '../model/protobuf-writer.ts';

export type Signal = 'traces' | 'metrics' | 'logs';

export const signals: readonly Signal[] = ['traces', 'metrics', 'logs'];

export const httpPaths: Readonly<Record<Signal, string>> = {
  traces: '/v1/traces',
  metrics: '/v1/metrics',
  logs: '/v1/logs',
};

export const grpcPaths: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
};

type Write = (writer: ProtobufWriter) => void;

export function protobuf(write: Write): Buffer {
  const writer = new ProtobufWriter();
  write(writer);
  return writer.take();
}

/** What checks put into a request, instead of or beside what it holds otherwise. Numbers of fields are those of the signal. */
export interface Contents {
  /** The id of the trace, in the record. */
  readonly traceId?: Buffer;
  readonly spanId?: Buffer;
  /** Written into each record, behind everything. */
  readonly record?: Write;
  /** Written into the resource. */
  readonly resource?: Write;
  /** Written into Resource…, Scope… and the request itself: fields that only the future knows. */
  readonly around?: Write;
  /** The field of Resource… that holds Scope…; 2 unless said otherwise. */
  readonly scopeField?: number;
  /** How many records. */
  readonly count?: number;
}

/** A valid Export…ServiceRequest with one resource, one scope and `count` records. */
export function requestOf(signal: Signal, contents: Contents = {}): Buffer {
  const around = contents.around ?? (() => undefined);
  return protobuf((writer) => {
    writer.message(1, () => {
      writer.message(1, () => {
        writer.message(1, () => keyValue(writer, 'service.name', (value) => value.string(1, 'spanwarden-otlp-check')));
        contents.resource?.(writer);
      });
      writer.message(contents.scopeField ?? 2, () => {
        writer.message(1, () => writer.string(1, 'spanwarden.otlp-check'));
        for (let i = 0; i < (contents.count ?? 1); i++) writer.message(2, () => records[signal](writer, contents));
        around(writer);
      });
      around(writer);
    });
    around(writer);
  });
}

/** KeyValue: 1 key, 2 value. */
export function keyValue(writer: ProtobufWriter, key: string, value: Write): void {
  writer.string(1, key);
  writer.message(2, () => value(writer));
}

export function nowNanos(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

const records: Readonly<Record<Signal, (writer: ProtobufWriter, contents: Contents) => void>> = {
  /** Span: 1 trace_id, 2 span_id, 5 name, 6 kind, 7 start, 8 end. */
  traces(writer, { traceId, spanId, record }) {
    writer.bytes(1, traceId ?? randomBytes(16));
    writer.bytes(2, spanId ?? randomBytes(8));
    writer.string(5, 'otlp check');
    writer.varint(6, 1);
    writer.fixed64(7, nowNanos());
    writer.fixed64(8, nowNanos() + 1_000_000n);
    record?.(writer);
  },
  /** Metric: 1 name, 5 gauge (1 data_points); NumberDataPoint: 3 time, 6 as_int (sfixed64), 7 attributes. */
  metrics(writer, { record }) {
    writer.string(1, 'spanwarden.otlp_check');
    writer.message(5, () =>
      writer.message(1, () => {
        writer.fixed64(3, nowNanos());
        writer.fixed64(6, 1n);
      }),
    );
    record?.(writer);
  },
  /** LogRecord: 1 time, 2 severity_number, 5 body, 9 trace_id, 10 span_id. */
  logs(writer, { traceId, spanId, record }) {
    writer.fixed64(1, nowNanos());
    writer.varint(2, 9);
    writer.message(5, () => writer.string(1, 'otlp check'));
    writer.bytes(9, traceId ?? randomBytes(16));
    writer.bytes(10, spanId ?? randomBytes(8));
    record?.(writer);
  },
};

type JsonRecord = Readonly<Record<string, unknown>>;

const jsonNames = {
  traces: { resources: 'resourceSpans', scopes: 'scopeSpans', records: 'spans' },
  metrics: { resources: 'resourceMetrics', scopes: 'scopeMetrics', records: 'metrics' },
  logs: { resources: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' },
} as const;

/** The same in JSON; `record` adds to a record or replaces what is in it, `around` goes into every object around it. */
export function jsonRequestOf(signal: Signal, record: JsonRecord = {}, around: JsonRecord = {}): JsonRecord {
  const names = jsonNames[signal];
  const attributes = [{ key: 'service.name', value: { stringValue: 'spanwarden-otlp-check', ...around }, ...around }];
  const scope = { name: 'spanwarden.otlp-check', ...around };
  const scopes = [{ scope, [names.records]: [{ ...jsonRecord(signal), ...record, ...around }], ...around }];
  return {
    [names.resources]: [{ resource: { attributes, ...around }, [names.scopes]: scopes, ...around }],
    ...around,
  };
}

function jsonRecord(signal: Signal): JsonRecord {
  const ids = { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
  const time = String(nowNanos());
  if (signal === 'logs') return { ...ids, timeUnixNano: time, severityNumber: 9, body: { stringValue: 'otlp check' } };
  if (signal === 'traces') {
    return { ...ids, name: 'otlp check', kind: 1, startTimeUnixNano: time, endTimeUnixNano: time };
  }
  return { name: 'spanwarden.otlp_check', gauge: { dataPoints: [{ timeUnixNano: time, asInt: '1' }] } };
}

/** The keys of an object and of all in it, as protobuf's own JSON could have them too. */
export function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value !== 'object' || value === null) return value;
  const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [snake(key), snakeCased(each)]));
}
