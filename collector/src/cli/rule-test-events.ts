import { otlpJsonToProtobuf } from '../decode/json.ts';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { type RuleTestOptions, type TestSpan, testSpanId } from '../detect/rule-tests.ts';
import type { FieldTable } from '../model/fields.ts';
import type { SpanEvents } from '../model/span-events.ts';
import { isList, type Value } from '../model/value.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { judgeOffline } from '../offline-judging.ts';
import { Prices } from '../prices/prices.ts';

const startNanos = 1_767_261_600_000_000_000n;
const traceId = '5eed0000000000000000000000000001';

/** Sends test spans the way real ones come: OTLP, decoded and normalised. One call's events end with the next call. */
export function createTestEvents(fields: FieldTable): (spans: readonly TestSpan[]) => SpanEvents {
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields, new Prices());
  return (spans) => {
    const json = otlpJsonToProtobuf(Buffer.from(JSON.stringify(requestOf(spans))));
    if (json.status !== 'ok') throw new Error(json.message);
    const outcome = decoder.decode(json.bytes);
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    return events.bind(outcome.batch);
  };
}

/** What tests of rules need to run as the stream does: a tool call counts once, wherever it is seen. */
export function createTestRun(fields: FieldTable): Pick<RuleTestOptions, 'fields' | 'eventsFrom' | 'shownBy'> {
  return {
    fields,
    eventsFrom: createTestEvents(fields),
    shownBy: (detector) => judgeOffline(detector, fields, new Prices()),
  };
}

function requestOf(spans: readonly TestSpan[]): object {
  return {
    resourceSpans: spans.map((span, index) => ({
      resource: { attributes: keyValues(span.resource) },
      scopeSpans: [{ scope: { name: 'rule-test' }, spans: [otlpSpan(span, index)] }],
    })),
  };
}

function otlpSpan(span: TestSpan, index: number): object {
  const end = startNanos + span.endNanos;
  return {
    traceId,
    spanId: testSpanId(span.number === undefined ? index : span.number - 1),
    ...(span.parent !== undefined && { parentSpanId: testSpanId(span.parent - 1) }),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: String(end - BigInt(Math.round(span.durationMs * 1e6))),
    endTimeUnixNano: String(end),
    attributes: keyValues(span.attributes),
    status: { code: span.statusCode },
  };
}

function keyValues(attributes: Readonly<Record<string, Value>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: Value): object {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint' || Number.isInteger(value)) return { intValue: String(value) };
  if (typeof value === 'number') return { doubleValue: value };
  if (isList(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { kvlistValue: { values: keyValues(value) } };
}
