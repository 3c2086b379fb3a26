import { createDetector } from '../detect/engine.ts';
import type { Rule } from '../detect/load.ts';
import { kindNumbers, statusNumbers } from '../detect/parse/test-file.ts';
import type { TestSpan } from '../detect/rule-tests.ts';
import { createFieldTable, type FieldTable } from '../model/fields.ts';
import { Attribute, Resource, Span } from '../model/span-batch.ts';
import { type Value, valueText } from '../model/value.ts';
import { createTestEvents } from './rule-test-events.ts';
import type { StoredSpan } from './stored-span.ts';

/** A span in the words of rule tests. */
export type Writable = Readonly<Record<string, unknown>>;

export interface CaseOptions {
  /** With the suppression, and without any filter. */
  readonly rule: Rule;
  readonly bare: Rule;
  readonly span: StoredSpan;
  readonly fields: FieldTable;
  /** Whether the suppression is for an agent, else for a service. */
  readonly byAgent: boolean;
}

/**
 * The span with only those attributes that it needs to match the rule and to be suppressed, and the same span of somebody
 * else, which is not. Undefined when it cannot be told so.
 */
export function minimalCase(options: CaseOptions): { harmless: Writable; elsewhere: Writable } | undefined {
  const { byAgent } = options;
  const fires = { bare: runner(options.bare), filtered: runner(options.rule) };
  const elsewhere = (span: TestSpan): TestSpan =>
    byAgent
      ? {
          ...span,
          attributes: { ...span.attributes, 'gen_ai.agent.name': otherName(span.attributes['gen_ai.agent.name']) },
        }
      : { ...span, resource: { ...span.resource, 'service.name': otherName(span.resource['service.name']) } };
  const holds = (span: TestSpan): boolean =>
    fires.bare(span) && !fires.filtered(span) && fires.filtered(elsewhere(span));
  let span = testSpanOf(options);
  if (!holds(span)) return undefined;
  for (const part of ['attributes', 'resource'] as const) {
    for (const key of Object.keys(span[part])) {
      const { [key]: _, ...rest } = span[part];
      const smaller = { ...span, [part]: rest };
      if (holds(smaller)) span = smaller;
    }
  }
  return { harmless: writable(span), elsewhere: writable(elsewhere(span)) };
}

function runner(rule: Rule): (span: TestSpan) => boolean {
  const fields = createFieldTable();
  const detector = createDetector({ rules: [rule], fields });
  const eventsFrom = createTestEvents(fields);
  return (span) => [...detector.detect(eventsFrom([span])), ...detector.flush()].length > 0;
}

function testSpanOf({ span: { events, index }, fields }: CaseOptions): TestSpan {
  const { batch } = events;
  const row = index * Span.stride;
  const at = (column: number): number => batch.spans[row + column]!;
  const resource = at(Span.resource) * Resource.stride;
  const [start, end] = [at(Span.start), at(Span.end)];
  const nanos = start < 0 || end < 0 ? 1_000_000n : batch.nanos(end) - batch.nanos(start);
  const read = (first: number, count: number): Record<string, Value> =>
    Object.fromEntries(
      Array.from({ length: count }, (_, offset) => first + offset).map((attribute) => [
        fields.name(batch.attributes[attribute * Attribute.stride + Attribute.field]!),
        batch.attributeValue(attribute),
      ]),
    );
  return {
    name: batch.text(at(Span.name), at(Span.nameLength)),
    kind: at(Span.kind),
    statusCode: at(Span.statusCode),
    durationMs: Math.min(Number(nanos) / 1e6, 1e9),
    endNanos: 0n,
    attributes: read(at(Span.attributes), at(Span.attributeCount)),
    resource:
      at(Span.resource) < 0
        ? {}
        : read(batch.resources[resource + Resource.attributes]!, batch.resources[resource + Resource.attributeCount]!),
  };
}

function writable({ name, kind, statusCode, durationMs, attributes, resource }: TestSpan): Writable {
  const word = (numbers: Readonly<Record<string, number>>, number: number) =>
    Object.keys(numbers).find((key) => numbers[key] === number);
  const [kindWord, statusWord] = [word(kindNumbers, kind), word(statusNumbers, statusCode)];
  return {
    span: name,
    ...(kindWord !== undefined && kindWord !== 'internal' && { kind: kindWord }),
    ...(statusWord !== undefined && statusWord !== 'unset' && { status: statusWord }),
    ...(durationMs > 0 && { duration_ms: durationMs }),
    attributes,
    ...(Object.keys(resource).length > 0 && { resource }),
  };
}

function otherName(name: Value | undefined): string {
  return `${valueText(name ?? '')}-other`;
}
