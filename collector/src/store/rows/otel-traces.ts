import type { FieldTable } from '../../model/fields.ts';
import type { Redactor } from '../../model/redaction.ts';
import { Event, Link, Resource, Scope, Span, type SpanBatch } from '../../model/span-batch.ts';
import type { AddedAttribute, SpanEvents } from '../../model/span-events.ts';
import type { Rows } from '../../model/spool.ts';
import { AttributeMapWriter } from './attribute-map.ts';
import { redactedMark } from './attribute-types.ts';
import { type KeyBudget, KeyPlace, type ServiceKeys } from './key-budget.ts';
import { type MessageRows, MessageRowWriter } from './messages.ts';
import { RowWriter } from './rowbinary.ts';
import { SpanConversation } from './span-conversation.ts';
import { FactMapWriter } from './span-facts.ts';
import { edgesOf, type TimeEdges, type TimeRange, withOriginal, writeTime } from './times.ts';

/**
 * The columns of otel_traces that the OpenTelemetry Collector's ClickHouse exporter inserts, in this order.
 * https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/clickhouseexporter
 */
export const otelTracesColumns = [
  'Timestamp',
  'TraceId',
  'SpanId',
  'ParentSpanId',
  'TraceState',
  'SpanName',
  'SpanKind',
  'ServiceName',
  'ResourceAttributes',
  'ScopeName',
  'ScopeVersion',
  'SpanAttributes',
  'Duration',
  'StatusCode',
  'StatusMessage',
  'Events.Timestamp',
  'Events.Name',
  'Events.Attributes',
  'Links.TraceId',
  'Links.SpanId',
  'Links.TraceState',
  'Links.Attributes',
] as const;

/** What our rows carry behind them, into EPHEMERAL columns: see migration 6. */
export const ownTracesColumns = ['AttributeTypesIn', 'FactsIn'] as const;

/**
 * Span batches → RowBinary rows, mostly by copying bytes: protobuf and RowBinary write strings alike, and a fixed64 of
 * nanoseconds is a DateTime64(9).
 *
 * A start outside the accepted range is moved to its edge, because every distinct day is a partition and a sender with
 * a broken clock could open thousands; the original stays in the attribute `spanwarden.original_timestamp`.
 */
export class SpanRowEncoder {
  /** Spans whose time was moved, since the start. */
  clamped = 0;
  readonly #writer = new RowWriter(1 << 20);
  readonly #maps: AttributeMapWriter;
  readonly #serviceName: number;
  /** Encoded once per resource: service name and attribute map as they stand in every row of it. */
  readonly #resources = new RowWriter(16 * 1024);
  #resourceEnds: number[] = [];
  #resourceTypes: Buffer[] = [];
  /** Whether something of the resource was redacted. */
  #resourceRedacted: boolean[] = [];
  readonly #budget: KeyBudget | undefined;
  #resourceKeys: (ServiceKeys | undefined)[] = [];
  readonly #facts: FactMapWriter;
  readonly #messages: MessageRowWriter | undefined;
  readonly #conversation: SpanConversation;
  readonly #redactor: Redactor | undefined;

  /**
   * @param facts names of the derived facts that are stored with a span, where `encode` is given events.
   * @param redactor takes out what must not be stored; without one everything is stored as it came.
   * @param messages `once`: messages of calls become rows of their own, which `takeMessages` gives after each batch.
   * @param budget how many different keys a service may have; without one all are stored.
   */
  constructor(
    fields: FieldTable,
    facts: readonly string[] = [],
    redactor?: Redactor,
    messages: 'full' | 'once' = 'full',
    budget?: KeyBudget,
  ) {
    this.#budget = budget;
    this.#messages = messages === 'once' ? new MessageRowWriter() : undefined;
    this.#conversation = new SpanConversation(fields, redactor);
    this.#redactor = redactor;
    this.#maps = new AttributeMapWriter(fields, redactor);
    this.#facts = new FactMapWriter(fields, facts, redactor);
    this.#serviceName = fields.intern('service.name');
  }

  /** Values cut because they were over `limits.attributeValueBytesMax`, since the start. */
  get truncatedValues(): number {
    return this.#maps.truncated;
  }

  encode(batch: SpanBatch, range: TimeRange, events?: SpanEvents): Rows {
    this.#resources.reset();
    this.#resourceEnds = [];
    this.#resourceTypes = [];
    this.#resourceRedacted = [];
    this.#resourceKeys = [];
    const edges = edgesOf(range);
    this.#maps.begin(batch);
    for (let span = 0; span < batch.spanCount; span++) {
      this.#row(batch, span * Span.stride, edges, addedTo(span, events));
      this.#facts.write(this.#writer, events, span);
    }
    return { table: 'otel_traces', bytes: this.#writer.take(), count: batch.spanCount };
  }

  /** The messages of the last batch that have no row yet. */
  takeMessages(): MessageRows | undefined {
    return this.#messages?.take();
  }

  /** Takes back the bytes of rows that are on disk, to write the next ones into. */
  release(rows: Rows): void {
    this.#writer.giveBack(rows.bytes as Buffer);
  }

  #row(batch: SpanBatch, at: number, edges: TimeEdges, added: readonly AddedAttribute[]): void {
    const writer = this.#writer;
    const spans = batch.spans;
    const bytes = batch.bytes;
    const rowStart = writer.length;
    const original = this.#timestamp(batch, at, edges);
    const day = this.#messages === undefined ? 0 : dayOf(writer.buffer.readBigInt64LE(rowStart));
    const replaced = this.#redactor?.replaced;
    this.#redactor?.turn();
    writer.hex(bytes, spans[at + Span.traceId]!, 16);
    writer.hex(bytes, spans[at + Span.spanId]!, 8);
    writer.hex(bytes, spans[at + Span.parentSpanId]!, 8);
    this.#text(bytes, spans, at + Span.traceState);
    this.#text(bytes, spans, at + Span.name);
    const kind = spanKinds[spans[at + Span.kind]!] ?? spanKinds[0]!;
    writer.raw(kind, 0, kind.length);
    this.#resource(batch, spans[at + Span.resource]!);
    const scope = spans[at + Span.scope]! * Scope.stride;
    this.#text(bytes, batch.scopes, scope + Scope.name);
    this.#text(bytes, batch.scopes, scope + Scope.version);
    const { notes } = this.#maps;
    notes.reset();
    const keys = this.#resourceKeys[spans[at + Span.resource]!];
    this.#maps.keys = keys && { of: keys, place: KeyPlace.span };
    this.#maps.refer = this.#referOf(batch, at, day, added);
    this.#maps.write(
      writer,
      spans[at + Span.attributes]!,
      spans[at + Span.attributeCount]!,
      withOriginal(added, original),
    );
    this.#maps.refer = undefined;
    notes.endFirst();
    notes.append(this.#resourceTypes[spans[at + Span.resource]!]!);
    notes.end();
    const exact = this.#duration(bytes, spans[at + Span.start]!, spans[at + Span.end]!) && original === undefined;
    const status = statusCodes[spans[at + Span.statusCode]!] ?? statusCodes[0]!;
    writer.raw(status, 0, status.length);
    this.#text(bytes, spans, at + Span.statusMessage);
    this.#maps.keys = keys && { of: keys, place: KeyPlace.event };
    this.#events(batch, spans[at + Span.events]!, spans[at + Span.eventCount]!);
    this.#links(batch, spans[at + Span.links]!, spans[at + Span.linkCount]!);
    const isRedacted = this.#redactor?.replaced !== replaced || this.#resourceRedacted[spans[at + Span.resource]!]!;
    const times = exact ? '' : timesText(batch, spans[at + Span.start]!, spans[at + Span.end]!);
    notes.finish(isRedacted ? `${redactedMark}${times}` : times);
    writer.bytes(notes.bytes, 0, notes.length);
  }

  #referOf(batch: SpanBatch, at: number, day: number, added: readonly AddedAttribute[]): AttributeMapWriter['refer'] {
    const messages = this.#messages;
    if (messages === undefined) return undefined;
    let known: string | undefined;
    const conversation = () => {
      known ??= this.#conversation.of(batch, at / Span.stride, added);
      return known;
    };
    return {
      conversation,
      list: (name, bytes, start, end) => {
        const place = { conversation: conversation(), day, name };
        const isObject = bytes[start] === 0x7b;
        const hashes = isObject
          ? messages.referWithin(place, bytes, start, end)
          : messages.refer(place, bytes, start, end);
        return hashes === undefined ? undefined : { hashes, how: isObject ? 'messagesWithin' : 'messages' };
      },
    };
  }

  /** Writes the start, moved into the accepted range; returns the attribute that keeps the original if it was moved. */
  #timestamp(batch: SpanBatch, at: number, edges: TimeEdges): AddedAttribute | undefined {
    const start = batch.spans[at + Span.start]!;
    const moved = writeTime(this.#writer, batch, start >= 0 ? start : batch.spans[at + Span.end]!, edges);
    if (moved !== undefined) this.clamped++;
    return moved;
  }

  #text(bytes: Buffer, rows: ArrayLike<number>, column: number): void {
    this.#maps.writePlain(this.#writer, bytes, rows[column]!, rows[column + 1]!);
  }

  #resource(batch: SpanBatch, resource: number): void {
    while (this.#resourceEnds.length <= resource) this.#encodeResource(batch, this.#resourceEnds.length);
    const start = resource === 0 ? 0 : this.#resourceEnds[resource - 1]!;
    this.#writer.raw(this.#resources.buffer, start, this.#resourceEnds[resource]!);
  }

  #encodeResource(batch: SpanBatch, resource: number): void {
    const at = resource * Resource.stride;
    const first = batch.resources[at + Resource.attributes]!;
    const count = batch.resources[at + Resource.attributeCount]!;
    const { notes } = this.#maps;
    const replaced = this.#redactor?.replaced;
    this.#maps.writeValueOf(this.#resources, first, count, this.#serviceName);
    const keys = this.#budget?.of(this.#maps.textOf(first, count, this.#serviceName));
    this.#resourceKeys.push(keys);
    this.#maps.keys = keys && { of: keys, place: KeyPlace.resource };
    notes.reset();
    this.#maps.write(this.#resources, first, count);
    notes.trim();
    this.#resourceEnds.push(this.#resources.length);
    this.#resourceRedacted.push(this.#redactor?.replaced !== replaced);
    this.#resourceTypes.push(Buffer.from(notes.bytes.subarray(0, notes.length)));
  }

  /** End minus start on 32-bit halves; 0, and false, when the span ends before it starts or a time is missing. */
  #duration(bytes: Buffer, start: number, end: number): boolean {
    const known = start >= 0 && end >= 0;
    const low = known ? bytes.readUInt32LE(end) - bytes.readUInt32LE(start) : 0;
    const high = known ? bytes.readUInt32LE(end + 4) - bytes.readUInt32LE(start + 4) - (low < 0 ? 1 : 0) : -1;
    if (high < 0) this.#writer.u64Halves(0, 0);
    else this.#writer.u64Halves(low >>> 0, high);
    return high >= 0;
  }

  #events(batch: SpanBatch, first: number, count: number): void {
    const writer = this.#writer;
    const rows = batch.events;
    const end = (first + count) * Event.stride;
    writer.varint(count);
    for (let at = first * Event.stride; at < end; at += Event.stride) writer.i64(batch.nanos(rows[at + Event.time]!));
    writer.varint(count);
    for (let at = first * Event.stride; at < end; at += Event.stride) this.#text(batch.bytes, rows, at + Event.name);
    writer.varint(count);
    for (let at = first * Event.stride; at < end; at += Event.stride) {
      this.#maps.write(writer, rows[at + Event.attributes]!, rows[at + Event.attributeCount]!);
      this.#maps.notes.end();
    }
  }

  #links(batch: SpanBatch, first: number, count: number): void {
    const writer = this.#writer;
    const rows = batch.links;
    const end = (first + count) * Link.stride;
    writer.varint(count);
    for (let at = first * Link.stride; at < end; at += Link.stride)
      writer.hex(batch.bytes, rows[at + Link.traceId]!, 16);
    writer.varint(count);
    for (let at = first * Link.stride; at < end; at += Link.stride) writer.hex(batch.bytes, rows[at + Link.spanId]!, 8);
    writer.varint(count);
    for (let at = first * Link.stride; at < end; at += Link.stride) this.#text(batch.bytes, rows, at + Link.traceState);
    writer.varint(count);
    for (let at = first * Link.stride; at < end; at += Link.stride) {
      this.#maps.write(writer, rows[at + Link.attributes]!, rows[at + Link.attributeCount]!);
      this.#maps.notes.end();
    }
  }
}

/** The times as they were sent, as AttributeTypes keeps them. */
function timesText(batch: SpanBatch, start: number, end: number): string {
  return `@${start < 0 ? '' : batch.nanos(start)},${end < 0 ? '' : batch.nanos(end)}`;
}

/** What the span says in another dialect. A fault in working it out must not cost the span. */
function addedTo(span: number, events: SpanEvents | undefined): readonly AddedAttribute[] {
  try {
    return events?.added?.(span) ?? none;
  } catch {
    return none;
  }
}

function dayOf(nanos: bigint): number {
  return Number(nanos / 86_400_000_000_000n);
}

const none: readonly AddedAttribute[] = [];

const spanKinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'].map(encoded);
const statusCodes = ['Unset', 'Ok', 'Error'].map(encoded);

function encoded(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}
