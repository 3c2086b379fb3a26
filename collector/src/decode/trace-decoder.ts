import type { FieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { Event, Link, Span, type SpanBatch } from '../model/span-batch.ts';
import { AttributeReader } from './attributes.ts';
import { OtlpSpanBatch } from './batch.ts';
import { Envelope, type EnvelopeNames } from './envelope.ts';
import { Table } from './tables.ts';
import { type Decoded, isZero, orMalformed, WireReader, WireType } from './wire.ts';

/** What was left out of a batch because of a limit, by kind. */
export type DecodedBatch = SpanBatch & {
  readonly dropped: { readonly attributes: number; readonly events: number; readonly links: number };
  /** Takes spans that are marked out of the batch. */
  leaveOut(isOut: Uint8Array): void;
};

/**
 * ExportTraceServiceRequest (OTLP 1.11, the same wire form as TracesData) → a span batch of offsets.
 *
 * Nothing is turned into JavaScript strings but attribute names seen for the first time. The batch lives until the next
 * `decode`. Bytes that are no protobuf give `malformed`; single records that break a rule are left out and counted in
 * `batch.rejected`, so that the good ones land.
 */
export class TraceDecoder {
  readonly #reader = new WireReader();
  readonly #batch = new OtlpSpanBatch();
  readonly #spans = new Table(Span.stride, 1024, 'spans');
  readonly #attributes: AttributeReader;
  readonly #envelope: Envelope;
  readonly #events = new Table(Event.stride, 256, 'events');
  readonly #links = new Table(Link.stride, 64, 'links');

  constructor(fields: FieldTable) {
    this.#attributes = new AttributeReader(this.#reader, fields);
    this.#envelope = new Envelope(this.#reader, this.#attributes, names);
  }

  decode(bytes: Buffer): Decoded<DecodedBatch> {
    this.#begin(bytes);
    return orMalformed(() => {
      this.#envelope.read(bytes.length, (stop, resource, scope) => this.#span(stop, resource, scope));
      this.#envelope.reject(this.#batch.rejected);
      return { status: 'ok', batch: this.#finish() };
    });
  }

  #begin(bytes: Buffer): void {
    this.#reader.reset(bytes);
    this.#batch.bytes = bytes;
    this.#batch.begin();
    this.#batch.rejected = { count: 0, message: '' };
    this.#batch.dropped = { attributes: 0, events: 0, links: 0 };
    this.#attributes.reset();
    for (const table of [this.#spans, this.#events, this.#links]) table.reset(65_536);
    this.#envelope.reset();
  }

  #finish(): DecodedBatch {
    const batch = this.#batch;
    batch.spanCount = this.#spans.count;
    batch.spans = this.#spans.rows;
    batch.attributes = this.#attributes.table.rows;
    batch.dropped.attributes = this.#attributes.dropped;
    batch.events = this.#events.rows;
    batch.links = this.#links.rows;
    batch.resources = this.#envelope.resources.rows;
    batch.scopes = this.#envelope.scopes.rows;
    return batch;
  }

  /**
   * | Span | 1 trace_id, 2 span_id, 3 trace_state, 4 parent_span_id, 5 name, 6 kind, 7 start, 8 end (fixed64), 9 attributes, |
   * |---|---|
   * | | 10 dropped_attributes, 11 events, 12 dropped_events, 13 links, 14 dropped_links, 15 status, 16 flags (fixed32) |
   */
  #span(end: number, resource: number, scope: number): void {
    const before = [this.#attributes.table.count, this.#events.count, this.#links.count] as const;
    const at = this.#spans.add();
    const rows = this.#spans.rows;
    rows.fill(0, at, at + Span.stride);
    rows[at + Span.resource] = resource;
    rows[at + Span.scope] = scope;
    this.#reader.place(rows, at + Span.message, end);
    rows[at + Span.traceId] = rows[at + Span.spanId] = rows[at + Span.parentSpanId] = -1;
    rows[at + Span.start] = rows[at + Span.end] = -1;
    rows[at + Span.attributes] = before[0];
    rows[at + Span.events] = before[1];
    rows[at + Span.links] = before[2];
    this.#attributes.tooDeep = false;
    const problem = this.#spanFields(end, at, before[0]) ?? this.#nestedRecords(at);
    if (problem === undefined) return;
    this.#spans.count--;
    [this.#attributes.table.count, this.#events.count, this.#links.count] = before;
    this.#batch.rejected.count++;
    this.#batch.rejected.message ||= problem;
  }

  /** Reads the fields of one span; returns why the record must be refused, if so. */
  #spanFields(end: number, at: number, firstAttribute: number): string | undefined {
    const reader = this.#reader;
    const rows = this.#spans.rows;
    let problem: string | undefined;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      if (field > 16) {
        reader.skip(tag & 7, end);
        continue;
      }
      reader.expect(tag & 7, spanWireType[field]!, 'Span');
      if (field === 9) this.#attributes.read(reader.range(end), firstAttribute);
      else if (field === 7 || field === 8) rows[at + (field === 7 ? Span.start : Span.end)] = reader.fixed(8, end);
      else if (field === 6) rows[at + Span.kind] = reader.varint32(end);
      else if (field === 16) rows[at + Span.flags] = this.#batch.bytes.readInt32LE(reader.fixed(4, end));
      else if (field === 10 || field === 12 || field === 14) reader.varint32(end);
      else problem = this.#spanBytesField(field, end, at) ?? problem;
    }
    rows[at + Span.attributeCount] = this.#attributes.table.count - firstAttribute;
    if (this.#attributes.tooDeep) return `an attribute nests deeper than ${limits.nestingDepthMax} levels`;
    if (problem !== undefined) return problem;
    if (rows[at + Span.traceId] === -1) return 'a span has no trace_id';
    return rows[at + Span.spanId] === -1 ? 'a span has no span_id' : undefined;
  }

  #spanBytesField(field: number, end: number, at: number): string | undefined {
    const reader = this.#reader;
    const rows = this.#spans.rows;
    const stop = reader.range(end);
    const start = reader.pos;
    const length = stop - start;
    reader.pos = stop;
    if (field === 5 || field === 3) {
      const column = at + (field === 5 ? Span.name : Span.traceState);
      rows[column] = start;
      rows[column + 1] = length;
    } else if (field === 15) this.#status(start, stop, at);
    else if (field === 11)
      this.#remember(this.#events, Event.stride, start, stop, limits.eventsPerSpanMax, at, 'events');
    else if (field === 13) this.#remember(this.#links, Link.stride, start, stop, limits.linksPerSpanMax, at, 'links');
    else return this.#id(field, start, length, at);
    return undefined;
  }

  /** Ids have fixed sizes and are not all zero: https://opentelemetry.io/docs/specs/otel/trace/api/#spancontext */
  #id(field: number, start: number, length: number, at: number): string | undefined {
    const rows = this.#spans.rows;
    if (field === 4 && length === 0) return undefined;
    const wanted = field === 1 ? 16 : 8;
    const name = field === 1 ? 'trace_id' : field === 2 ? 'span_id' : 'parent_span_id';
    if (length !== wanted) return `${name} has ${length} bytes instead of ${wanted}`;
    const zero = isZero(this.#batch.bytes, start, length);
    if (zero) return field === 4 ? undefined : `${name} is all zero`;
    rows[at + (field === 1 ? Span.traceId : field === 2 ? Span.spanId : Span.parentSpanId)] = start;
    return undefined;
  }

  /** Status: 2 message, 3 code (1 is reserved). */
  #status(start: number, end: number, at: number): void {
    const reader = this.#reader;
    const rows = this.#spans.rows;
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      if (tag === 18) {
        const stop = reader.range(end);
        rows[at + Span.statusMessage] = reader.pos;
        rows[at + Span.statusMessageLength] = stop - reader.pos;
        reader.pos = stop;
      } else if (tag === 24) rows[at + Span.statusCode] = reader.varint32(end);
      else reader.skip(tag & 7, end);
    }
  }

  /** Events and links hold attributes of their own, so they are read after the span's: those stay in one run. */
  #remember(
    table: Table,
    stride: number,
    start: number,
    stop: number,
    max: number,
    at: number,
    kind: 'events' | 'links',
  ): void {
    const first = this.#spans.rows[at + (kind === 'events' ? Span.events : Span.links)]!;
    if (table.count - first >= max) {
      this.#batch.dropped[kind]++;
      return;
    }
    const row = table.add();
    table.rows.fill(0, row, row + stride);
    table.rows[row] = start;
    table.rows[row + 1] = stop;
  }

  #nestedRecords(at: number): string | undefined {
    const rows = this.#spans.rows;
    const firstEvent = rows[at + Span.events]!;
    const firstLink = rows[at + Span.links]!;
    for (let row = firstEvent; row < this.#events.count; row++) this.#event(row * Event.stride);
    for (let row = firstLink; row < this.#links.count; row++) {
      const problem = this.#link(row * Link.stride);
      if (problem !== undefined) return problem;
    }
    rows[at + Span.eventCount] = this.#events.count - firstEvent;
    rows[at + Span.linkCount] = this.#links.count - firstLink;
    return this.#attributes.tooDeep
      ? `an event or link attribute nests deeper than ${limits.nestingDepthMax} levels`
      : undefined;
  }

  /** Event: 1 time (fixed64), 2 name, 3 attributes, 4 dropped. */
  #event(at: number): void {
    const reader = this.#reader;
    const rows = this.#events.rows;
    const end = rows[at + 1]!;
    reader.pos = rows[at]!;
    rows.fill(0, at, at + Event.stride);
    rows[at + Event.time] = -1;
    const first = this.#attributes.table.count;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      if (field === 1) {
        reader.expect(tag & 7, WireType.fixed64, 'event time');
        rows[at + Event.time] = reader.fixed(8, end);
      } else if (field === 2) this.#text(tag, end, rows, at + Event.name);
      else if (field === 3) {
        reader.expect(tag & 7, WireType.bytes, 'event attributes');
        this.#attributes.read(reader.range(end), first);
      } else reader.skip(tag & 7, end);
    }
    rows[at + Event.attributes] = first;
    rows[at + Event.attributeCount] = this.#attributes.table.count - first;
  }

  /** Link: 1 trace_id, 2 span_id, 3 trace_state, 4 attributes, 5 dropped, 6 flags (fixed32). */
  #link(at: number): string | undefined {
    const reader = this.#reader;
    const rows = this.#links.rows;
    const end = rows[at + 1]!;
    reader.pos = rows[at]!;
    rows.fill(0, at, at + Link.stride);
    rows[at + Link.traceId] = rows[at + Link.spanId] = -1;
    const first = this.#attributes.table.count;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      const field = tag >>> 3;
      if (field > 4 || field < 1) {
        reader.skip(tag & 7, end);
        continue;
      }
      if (field === 3) this.#text(tag, end, rows, at + Link.traceState);
      else {
        reader.expect(tag & 7, WireType.bytes, 'link');
        const stop = reader.range(end);
        if (field === 4) this.#attributes.read(stop, first);
        else if (stop - reader.pos !== (field === 1 ? 16 : 8)) return 'a link has an id of the wrong length';
        else rows[at + (field === 1 ? Link.traceId : Link.spanId)] = reader.pos;
        reader.pos = stop;
      }
    }
    rows[at + Link.attributes] = first;
    rows[at + Link.attributeCount] = this.#attributes.table.count - first;
    return undefined;
  }

  #text(tag: number, end: number, rows: Int32Array, column: number): void {
    const reader = this.#reader;
    reader.expect(tag & 7, WireType.bytes, 'text');
    const stop = reader.range(end);
    reader.place(rows, column, stop);
    reader.pos = stop;
  }
}

const names: EnvelopeNames = {
  ...{ request: 'resource_spans', resource: 'ResourceSpans', scope: 'ScopeSpans', scopeFields: 2 },
  ...{ former: 'instrumentation_library_spans', records: 'spans', recordsAt: [[2]] },
};

/** Wire types of Span's fields by number; 0 is no field. */
const spanWireType: readonly number[] = [-1, 2, 2, 2, 2, 2, 0, 1, 1, 2, 0, 2, 0, 2, 0, 2, 5];
