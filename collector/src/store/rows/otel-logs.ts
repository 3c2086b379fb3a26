import type { FieldTable } from '../../model/fields.ts';
import { Log, type LogBatch } from '../../model/log-batch.ts';
import type { Redactor } from '../../model/redaction.ts';
import { Resource, Scope } from '../../model/span-batch.ts';
import type { AddedAttribute } from '../../model/span-events.ts';
import type { Rows } from '../../model/spool.ts';
import { AttributeMapWriter } from './attribute-map.ts';
import { type KeyBudget, KeyPlace, type ServiceKeys } from './key-budget.ts';
import { RowWriter } from './rowbinary.ts';
import { edgesOf, type TimeEdges, type TimeRange, withOriginal, writeTime } from './times.ts';

/**
 * The columns of otel_logs that the OpenTelemetry Collector's ClickHouse exporter inserts, in this order.
 * https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
 */
export const otelLogsColumns = [
  'Timestamp',
  'TraceId',
  'SpanId',
  'TraceFlags',
  'SeverityText',
  'SeverityNumber',
  'ServiceName',
  'Body',
  'ResourceSchemaUrl',
  'ResourceAttributes',
  'ScopeSchemaUrl',
  'ScopeName',
  'ScopeVersion',
  'ScopeAttributes',
  'LogAttributes',
  'EventName',
] as const;

/** What a record says in canonical attributes, to be stored with it; sorted by name. */
export type AddedToLog = (log: number) => readonly AddedAttribute[];

/** Log batches → RowBinary rows, by the rules of `SpanRowEncoder`. A record without a time has the one it was observed at. */
export class LogRowEncoder {
  /** Records whose time was moved, since the start. */
  clamped = 0;
  readonly #writer = new RowWriter(256 * 1024);
  readonly #maps: AttributeMapWriter;
  readonly #serviceName: number;
  readonly #scratch = new RowWriter(16 * 1024);
  /** What stands in every row of a resource or scope, encoded once per batch. */
  #services: Buffer[] = [];
  #resources: Buffer[] = [];
  #scopes: Buffer[] = [];
  readonly #budget: KeyBudget | undefined;
  #keys: (ServiceKeys | undefined)[] = [];

  /** @param redactor takes out what must not be stored; without one everything is stored as it came. */
  constructor(fields: FieldTable, redactor?: Redactor, budget?: KeyBudget) {
    this.#budget = budget;
    this.#maps = new AttributeMapWriter(fields, redactor);
    this.#serviceName = fields.intern('service.name');
  }

  /** Values cut because they were over `limits.attributeValueBytesMax`, since the start. */
  get truncatedValues(): number {
    return this.#maps.truncated;
  }

  encode(batch: LogBatch, range: TimeRange, added: AddedToLog): Rows {
    this.#services = [];
    this.#resources = [];
    this.#scopes = [];
    this.#keys = [];
    this.#maps.begin(batch);
    const edges = edgesOf(range);
    for (let log = 0; log < batch.logCount; log++) this.#row(batch, log * Log.stride, edges, added(log));
    return { table: 'otel_logs', bytes: this.#writer.take(), count: batch.logCount };
  }

  #row(batch: LogBatch, at: number, edges: TimeEdges, added: readonly AddedAttribute[]): void {
    const writer = this.#writer;
    const { logs, bytes } = batch;
    const sent = logs[at + Log.time]!;
    const isTimed = sent >= 0 && batch.nanos(sent) !== 0n;
    const original = writeTime(writer, batch, isTimed ? sent : logs[at + Log.observedTime]!, edges);
    if (original !== undefined) this.clamped++;
    writer.hex(bytes, logs[at + Log.traceId]!, 16);
    writer.hex(bytes, logs[at + Log.spanId]!, 8);
    writer.u8(logs[at + Log.flags]! & 0xff);
    this.#text(bytes, logs, at + Log.severityText);
    writer.u8(logs[at + Log.severityNumber]! & 0xff);
    const resource = logs[at + Log.resource]!;
    const scope = logs[at + Log.scope]!;
    this.#encodeOwners(batch, resource, scope);
    this.#copy(this.#services[resource]!);
    const body = logs[at + Log.body]!;
    if (body >= 0) this.#maps.writeBody(writer, body);
    else writer.u8(0);
    this.#copy(this.#resources[resource]!);
    this.#copy(this.#scopes[scope]!);
    this.#maps.notes.reset();
    const keys = this.#keys[resource];
    this.#maps.keys = keys && { of: keys, place: KeyPlace.log };
    const first = logs[at + Log.attributes]!;
    this.#maps.write(writer, first, logs[at + Log.attributeCount]!, withOriginal(added, original));
    this.#text(bytes, logs, at + Log.eventName);
  }

  #copy(encoded: Buffer): void {
    this.#writer.raw(encoded, 0, encoded.length);
  }

  #text(bytes: Buffer, rows: ArrayLike<number>, column: number, writer = this.#writer): void {
    this.#maps.writePlain(writer, bytes, rows[column]!, rows[column + 1]!);
  }

  #encodeOwners(batch: LogBatch, resource: number, scope: number): void {
    if (this.#resources[resource] === undefined) {
      const at = resource * Resource.stride;
      const first = batch.resources[at + Resource.attributes]!;
      const count = batch.resources[at + Resource.attributeCount]!;
      const keys = this.#budget?.of(this.#maps.textOf(first, count, this.#serviceName));
      this.#keys[resource] = keys;
      this.#maps.keys = keys && { of: keys, place: KeyPlace.resource };
      this.#services[resource] = this.#encoded((into) =>
        this.#maps.writeValueOf(into, first, count, this.#serviceName),
      );
      this.#resources[resource] = this.#encoded((into) => {
        this.#text(batch.bytes, batch.resources, at + Resource.schemaUrl, into);
        this.#maps.write(into, first, count);
      });
    }
    const keys = this.#keys[resource];
    this.#maps.keys = keys && { of: keys, place: KeyPlace.resource };
    this.#scopes[scope] ??= this.#encoded((into) => {
      const at = scope * Scope.stride;
      this.#text(batch.bytes, batch.scopes, at + Scope.schemaUrl, into);
      this.#text(batch.bytes, batch.scopes, at + Scope.name, into);
      this.#text(batch.bytes, batch.scopes, at + Scope.version, into);
      this.#maps.write(into, batch.scopes[at + Scope.attributes]!, batch.scopes[at + Scope.attributeCount]!);
    });
  }

  #encoded(write: (into: RowWriter) => void): Buffer {
    this.#maps.notes.reset();
    this.#scratch.reset();
    write(this.#scratch);
    return Buffer.from(this.#scratch.buffer.subarray(0, this.#scratch.length));
  }
}
