import type { FieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { Log, type LogBatch } from '../model/log-batch.ts';
import { AttributeReader } from './attributes.ts';
import { OtlpLogBatch } from './batch.ts';
import { Envelope, type EnvelopeNames } from './envelope.ts';
import { Table } from './tables.ts';
import { type Decoded, isZero, orMalformed, WireReader } from './wire.ts';

/** What was left out of a batch because of a limit, by kind. */
export type DecodedLogs = LogBatch & {
  readonly dropped: { readonly attributes: number };
  /** Takes records that are marked out of the batch. */
  leaveOut(isOut: Uint8Array): void;
};

/**
 * ExportLogsServiceRequest (OTLP 1.11, the same wire form as LogsData) → a log batch of offsets. As the trace decoder: bytes
 * that are no protobuf give `malformed`, records that break a rule are left out one by one and counted.
 *
 * | message | fields |
 * |---|---|
 * | LogRecord | 1 time, 11 observed_time (fixed64), 2 severity_number, 3 severity_text, 5 body, 6 attributes, 7 dropped, |
 * | | 8 flags (fixed32), 9 trace_id, 10 span_id, 12 event_name |
 */
export class LogDecoder {
  readonly #reader = new WireReader();
  readonly #batch = new OtlpLogBatch();
  readonly #logs = new Table(Log.stride, 1024, 'log records');
  readonly #attributes: AttributeReader;
  readonly #envelope: Envelope;

  constructor(fields: FieldTable) {
    this.#attributes = new AttributeReader(this.#reader, fields);
    this.#envelope = new Envelope(this.#reader, this.#attributes, names);
  }

  decode(bytes: Buffer): Decoded<DecodedLogs> {
    this.#reader.reset(bytes);
    this.#batch.bytes = bytes;
    this.#batch.rejected = { count: 0, message: '' };
    this.#attributes.reset();
    this.#logs.reset(65_536);
    this.#envelope.reset();
    return orMalformed(() => {
      this.#envelope.read(bytes.length, (stop, resource, scope) => this.#log(stop, resource, scope));
      this.#envelope.reject(this.#batch.rejected);
      return { status: 'ok', batch: this.#finish() };
    });
  }

  #finish(): DecodedLogs {
    const batch = this.#batch;
    batch.logCount = this.#logs.count;
    batch.logs = this.#logs.rows;
    batch.attributes = this.#attributes.table.rows;
    batch.dropped.attributes = this.#attributes.dropped;
    batch.resources = this.#envelope.resources.rows;
    batch.scopes = this.#envelope.scopes.rows;
    return batch;
  }

  #log(end: number, resource: number, scope: number): void {
    const attributesBefore = this.#attributes.table.count;
    const at = this.#logs.add();
    const rows = this.#logs.rows;
    rows.fill(0, at, at + Log.stride);
    rows[at + Log.resource] = resource;
    rows[at + Log.scope] = scope;
    rows[at + Log.traceId] = rows[at + Log.spanId] = rows[at + Log.time] = rows[at + Log.observedTime] = -1;
    rows[at + Log.body] = -1;
    this.#reader.place(rows, at + Log.message, end);
    rows[at + Log.attributes] = attributesBefore;
    this.#attributes.tooDeep = false;
    const problem = this.#fields(end, at, attributesBefore);
    if (problem === undefined) return;
    this.#logs.count--;
    this.#attributes.table.count = attributesBefore;
    this.#batch.rejected.count++;
    this.#batch.rejected.message ||= problem;
  }

  /** Reads the fields of one record; returns why it must be refused, if so. */
  #fields(end: number, at: number, first: number): string | undefined {
    const reader = this.#reader;
    const rows = this.#logs.rows;
    let problem: string | undefined;
    // The body lies behind the attributes, which must stay in one run.
    let body: readonly [start: number, stop: number] | undefined;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      if (field > 12 || field === 4) {
        reader.skip(tag & 7, end);
        continue;
      }
      reader.expect(tag & 7, logWireType[field]!, 'LogRecord');
      if (field === 6) this.#attributes.read(reader.range(end), first);
      else if (field === 1) rows[at + Log.time] = reader.fixed(8, end);
      else if (field === 11) rows[at + Log.observedTime] = reader.fixed(8, end);
      else if (field === 2) rows[at + Log.severityNumber] = reader.varint32(end);
      else if (field === 7) reader.varint32(end);
      else if (field === 8) rows[at + Log.flags] = this.#batch.bytes.readInt32LE(reader.fixed(4, end));
      else {
        const stop = reader.range(end);
        if (field === 5) body = [reader.pos, stop];
        else if (field === 3) reader.place(rows, at + Log.severityText, stop);
        else if (field === 12) reader.place(rows, at + Log.eventName, stop);
        else problem = this.#id(field, stop, at) ?? problem;
        reader.pos = stop;
      }
    }
    rows[at + Log.attributeCount] = this.#attributes.table.count - first;
    if (body !== undefined) {
      reader.pos = body[0];
      rows[at + Log.body] = this.#attributes.readBare(body[1]);
      reader.pos = end;
    }
    return this.#attributes.tooDeep ? `a log record nests deeper than ${limits.nestingDepthMax} levels` : problem;
  }

  /** Ids are optional in logs; zeros are none: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-traceid */
  #id(field: number, stop: number, at: number): string | undefined {
    const start = this.#reader.pos;
    const length = stop - start;
    const wanted = field === 9 ? 16 : 8;
    if (length !== 0 && length !== wanted) {
      return `${field === 9 ? 'trace_id' : 'span_id'} has ${length} bytes instead of ${wanted}`;
    }
    const absent = length === 0 || isZero(this.#batch.bytes, start, length);
    this.#logs.rows[at + (field === 9 ? Log.traceId : Log.spanId)] = absent ? -1 : start;
    return undefined;
  }
}

const names: EnvelopeNames = {
  ...{ request: 'resource_logs', resource: 'ResourceLogs', scope: 'ScopeLogs', scopeFields: 3 },
  ...{ former: 'instrumentation_library_logs', records: 'log records', recordsAt: [[2]] },
};

/** Wire types of LogRecord's fields by number; 4 is reserved. */
const logWireType: readonly number[] = [-1, 1, 0, 2, -1, 2, 2, 0, 5, 2, 2, 1, 2];
