import type { AgentEvent, NamedValue } from '../../model/agent-event.ts';
import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Resource, Scope, Span } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import type { Value } from '../../model/value.ts';
import { StateReader, StateWriter } from '../correlate/state-bytes.ts';
import { bounded, canonicalFields, resourceOf } from '../joining/span-as-event.ts';
import type { Sight } from './view.ts';
import { readValue, writeValue } from './view-values.ts';

/**
 * What may be told of a span, as it stands in its views: written once for all of them, as it is most of what they take. Ids and times are
 * those of the view.
 */
export interface EventBytes {
  /** `head` bytes of what it is and where it was, then its attributes, each with name and value. */
  readonly bytes: Buffer;
  readonly head: number;
  readonly attributes: number;
}

export function eventBytes(event: AgentEvent): EventBytes {
  const writer = new StateWriter();
  writeWhat(writer, event);
  writeNamed(writer, event.resource);
  const head = writer.length;
  for (const [name, value] of event.attributes) writeOne(writer, name, value);
  return { bytes: writer.done(), head, attributes: event.attributes.length };
}

/** Model calls as events, of which only what they are found by is told, and identity. */
export class ModelCallWriter {
  readonly #fields: FieldTable;
  readonly #told: readonly (readonly [name: string, field: FieldId])[];
  readonly #writer = new StateWriter();
  /** Spans that stand together mostly are of one resource. */
  readonly #resource = { row: -1, bytes: Buffer.alloc(0) };

  /** @param identity fields beside those by which log records find the span; others than those */
  constructor(fields: FieldTable, identity: readonly (readonly [name: string, field: FieldId])[]) {
    this.#fields = fields;
    this.#told = [...canonicalFields(fields), ...identity];
  }

  /** To be called before the spans of another batch. */
  begin(): void {
    this.#resource.row = -1;
  }

  /** Good until the next call. */
  write(events: SpanEvents, span: number): EventBytes {
    const { batch } = events;
    const { spans, scopes } = batch;
    const at = span * Span.stride;
    const scope = spans[at + Span.scope]! * Scope.stride;
    const writer = this.#writer;
    writer.length = 0;
    writeWhat(writer, {
      name: batch.text(spans[at + Span.name]!, Math.min(spans[at + Span.nameLength]!, limits.logJoinValueCharsMax)),
      failed: spans[at + Span.statusCode] === 2,
      kind: spans[at + Span.kind]!,
      scopeName: batch.text(scopes[scope + Scope.name]!, scopes[scope + Scope.nameLength]!),
      scopeVersion: batch.text(scopes[scope + Scope.version]!, scopes[scope + Scope.versionLength]!),
    });
    this.#writeResource(events, spans[at + Span.resource]! * Resource.stride);
    const head = writer.length;
    let attributes = 0;
    for (const [name, field] of this.#told) {
      const value = events.value(span, field);
      if (value === undefined) continue;
      writeOne(writer, name, bounded(value));
      attributes++;
    }
    return { bytes: writer.done(), head, attributes };
  }

  #writeResource({ batch }: SpanEvents, row: number): void {
    const known = this.#resource;
    if (known.row !== row) {
      const before = this.#writer.length;
      writeNamed(this.#writer, resourceOf(batch, this.#fields, row));
      known.bytes = Buffer.from(this.#writer.done().subarray(before));
      known.row = row;
    } else this.#writer.raw(known.bytes, 0, known.bytes.length);
  }
}

/** @param more attributes beside those of the event */
export function writeEvent(writer: StateWriter, event: EventBytes, more: readonly NamedValue[]): void {
  writer.raw(event.bytes, 0, event.head);
  writer.varint(event.attributes + more.length);
  writer.raw(event.bytes, event.head, event.bytes.length);
  for (const [name, value] of more) writeOne(writer, name, value);
}

/** Of the resource that was read last, which many views have: its bytes, and what they say. */
const lastResource = { bytes: Buffer.alloc(0), value: [] as readonly NamedValue[] };

/** What `writeEvent` wrote, with ids and times of the view. */
export function readEvent(bytes: Uint8Array, at: number, view: Sight): AgentEvent {
  const reader = new StateReader(bytes);
  reader.seek(at);
  const { traceId, spanId, parentSpanId, startNanos, endNanos } = view;
  return {
    traceId,
    spanId,
    parentSpanId,
    startNanos,
    endNanos,
    name: reader.text(),
    failed: reader.byte() === 1,
    kind: reader.varint(),
    scopeName: reader.text(),
    scopeVersion: reader.text(),
    resource: readResource(reader, bytes),
    attributes: readNamed(reader),
    joinKey: '',
    final: true,
    place: 0,
  };
}

/** Bytes of a resource end where they say, so that those that begin like it are the same. */
function readResource(reader: StateReader, bytes: Uint8Array): readonly NamedValue[] {
  const [from, { length }] = [reader.at, lastResource.bytes];
  const end = from + length;
  if (length > 0 && end <= bytes.length && lastResource.bytes.compare(bytes, from, end) === 0) {
    reader.seek(end);
    return lastResource.value;
  }
  lastResource.value = readNamed(reader);
  lastResource.bytes = Buffer.from(bytes.subarray(from, reader.at));
  return lastResource.value;
}

type What = Pick<AgentEvent, 'name' | 'failed' | 'kind' | 'scopeName' | 'scopeVersion'>;

function writeWhat(writer: StateWriter, { name, failed, kind, scopeName, scopeVersion }: What): void {
  writer.text(name);
  writer.byte(failed ? 1 : 0);
  writer.varint(kind ?? 1);
  writer.text(scopeName);
  writer.text(scopeVersion);
}

function writeNamed(writer: StateWriter, values: readonly NamedValue[]): void {
  writer.varint(values.length);
  for (const [name, value] of values) writeOne(writer, name, value);
}

function writeOne(writer: StateWriter, name: string, value: Value): void {
  writer.text(name);
  writeValue(writer, value);
}

function readNamed(reader: StateReader): NamedValue[] {
  const values: NamedValue[] = [];
  for (let left = reader.count(); left > 0; left--) values.push([reader.text(), readValue(reader)]);
  return values;
}
