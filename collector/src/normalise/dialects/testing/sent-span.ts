import { otlpJsonToProtobuf } from '../../../decode/json.ts';
import { TraceDecoder } from '../../../decode/trace-decoder.ts';
import { createFieldTable, type FieldTable } from '../../../model/fields.ts';
import { isList, type Value } from '../../../model/value.ts';
import { NormalisedEvents } from '../../span-events.ts';

/** A span as an emitter sends it. Numbers without a fraction are sent as integers. */
export interface SentSpan {
  readonly name: string;
  readonly scope?: { readonly name: string; readonly version?: string };
  readonly resource?: Readonly<Record<string, Value>>;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly events?: readonly { readonly name: string; readonly attributes: Readonly<Record<string, Value>> }[];
  readonly failed?: boolean;
}

export interface Received {
  readonly events: NormalisedEvents;
  readonly fields: FieldTable;
  /** A field of a span by its name. */
  value(span: number, name: string): Value | undefined;
}

/** Sends spans the way real ones come: OTLP JSON, decoded, normalised. */
export function receive(spans: readonly SentSpan[]): Received {
  return receiveJson(Buffer.from(JSON.stringify({ resourceSpans: spans.map(resourceSpans) })));
}

/** The same for an OTLP request as JSON. */
export function receiveJson(json: Buffer): Received {
  const fields = createFieldTable();
  const request = otlpJsonToProtobuf(json);
  if (request.status !== 'ok') throw new Error(request.message);
  const decoded = new TraceDecoder(fields).decode(request.bytes);
  if (decoded.status !== 'ok') throw new Error(decoded.message);
  const events = new NormalisedEvents(fields).bind(decoded.batch);
  return { events, fields, value: (span, name) => events.value(span, fields.intern(name)) };
}

function resourceSpans(span: SentSpan, index: number): object {
  return {
    resource: { attributes: keyValues(span.resource ?? {}) },
    scopeSpans: [{ scope: span.scope ?? {}, spans: [otlpSpan(span, index)] }],
  };
}

function otlpSpan(span: SentSpan, index: number): object {
  const start = 1_767_261_600_000_000_000n + BigInt(index) * 1_000_000_000n;
  return {
    traceId: '5eed0000000000000000000000000001',
    spanId: (index + 1).toString(16).padStart(16, '0'),
    name: span.name,
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 500_000_000n),
    attributes: keyValues(span.attributes),
    events: (span.events ?? []).map(({ name, attributes }) => ({
      name,
      timeUnixNano: String(start),
      attributes: keyValues(attributes),
    })),
    status: { code: span.failed ? 2 : 0 },
  };
}

/** Attributes as OTLP JSON has them. */
export function keyValues(attributes: Readonly<Record<string, Value>>): object[] {
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
