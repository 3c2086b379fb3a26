import type { AgentEvent, NamedValue } from '../../model/agent-event.ts';
import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Attribute, Resource, Scope, Span, type SpanBatch } from '../../model/span-batch.ts';
import { Category, type SpanEvents } from '../../model/span-events.ts';
import { type Value, valueJson } from '../../model/value.ts';

/** Whether a model call has messages on it, or a tool call its arguments and its result. */
export function hasContent(events: SpanEvents, span: number, fields: FieldTable): boolean {
  const has = (name: string) => {
    const field = fields.intern(name);
    return events.batch.findSpanAttribute(span, field) >= 0 || events.value(span, field) !== undefined;
  };
  if ((events.categories(span) & Category.llm) !== 0)
    return has('gen_ai.input.messages') && has('gen_ai.output.messages');
  return has('gen_ai.tool.call.arguments') && has('gen_ai.tool.call.result');
}

/** Canonical fields by which records find the span, and those that it may say in another dialect. */
const canonicalNames = [
  'gen_ai.operation.name',
  'gen_ai.conversation.id',
  'gen_ai.response.id',
  'gen_ai.tool.call.id',
  'gen_ai.tool.name',
  'gen_ai.agent.name',
];

/**
 * A span as it is remembered until the records about it have come. One that is covered needs none: only what it is found by is kept.
 */
export function spanAsEvent(events: SpanEvents, span: number, fields: FieldTable, covered: boolean): AgentEvent {
  const { batch } = events;
  const at = span * Span.stride;
  const { spans, scopes } = batch;
  const scope = spans[at + Span.scope]! * Scope.stride;
  const end = batch.nanos(spans[at + Span.end]!);
  const canonical: NamedValue[] = [];
  for (const [name, field] of canonicalFields(fields)) {
    const value = events.value(span, field);
    if (value !== undefined) canonical.push([name, bounded(value)]);
  }
  const own = covered
    ? []
    : named(batch, fields, spans[at + Span.attributes]!, spans[at + Span.attributeCount]!, limits.logJoinAttributesMax);
  return {
    traceId: batch.hex(spans[at + Span.traceId]!, 16),
    spanId: batch.hex(spans[at + Span.spanId]!, 8),
    parentSpanId: batch.hex(spans[at + Span.parentSpanId]!, 8),
    name: batch.text(spans[at + Span.name]!, Math.min(spans[at + Span.nameLength]!, limits.logJoinValueCharsMax)),
    startNanos: batch.nanos(spans[at + Span.start]!),
    endNanos: end,
    failed: spans[at + Span.statusCode] === 2,
    kind: spans[at + Span.kind]!,
    resource: resourceOf(batch, fields, spans[at + Span.resource]! * Resource.stride),
    scopeName: batch.text(scopes[scope + Scope.name]!, scopes[scope + Scope.nameLength]!),
    scopeVersion: batch.text(scopes[scope + Scope.version]!, scopes[scope + Scope.versionLength]!),
    attributes: covered ? canonical : [...own.filter(([name]) => !canonicalNames.includes(name)), ...canonical],
    joinKey: '',
    final: true,
    place: 0,
  };
}

/** Attributes of a resource, by its row. */
export function resourceOf(batch: SpanBatch, fields: FieldTable, row: number): readonly NamedValue[] {
  const { resources } = batch;
  const count = resources[row + Resource.attributeCount]!;
  return named(batch, fields, resources[row + Resource.attributes]!, count, limits.logJoinAttributesMax);
}

/** Interning a name costs more than reading most values. */
const canonicalIds = new WeakMap<FieldTable, readonly (readonly [name: string, field: FieldId])[]>();

/** Fields by which log records find a span. */
export function canonicalFields(fields: FieldTable): readonly (readonly [name: string, field: FieldId])[] {
  let known = canonicalIds.get(fields);
  if (known === undefined) {
    known = canonicalNames.map((name) => [name, fields.intern(name)] as const);
    canonicalIds.set(fields, known);
  }
  return known;
}

function named(batch: SpanBatch, fields: FieldTable, first: number, count: number, max: number): NamedValue[] {
  const found = new Map<string, Value>();
  for (let row = first; row < first + Math.min(count, max); row++) {
    const name = fields.name(batch.attributes[row * Attribute.stride]!);
    found.set(name, bounded(batch.attributeValue(row)));
  }
  return [...found];
}

/** Long texts are content; records have them, too, or they are not what a rule tells spans apart by. */
export function bounded(value: Value): Value {
  const text = typeof value === 'object' && value !== null ? valueJson(value) : value;
  if (typeof text !== 'string') return value;
  return text.length <= limits.logJoinValueCharsMax ? value : text.slice(0, limits.logJoinValueCharsMax);
}
