import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { createFieldTable } from '../model/fields.ts';
import { Span, type SpanBatch } from '../model/span-batch.ts';
import { valueText } from '../model/value.ts';
import { otlpJson } from '../testing/otlp.ts';
import { decodeAs, otlpJsonToProtobuf } from './json.ts';
import { TraceDecoder } from './trace-decoder.ts';

const fields = createFieldTable();

function translate(body: unknown): Buffer {
  const outcome = otlpJsonToProtobuf(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
  assert.equal(outcome.status, 'ok', outcome.status === 'malformed' ? outcome.message : '');
  return (outcome as { bytes: Buffer }).bytes;
}

function view(bytes: Buffer): object[] {
  const outcome = new TraceDecoder(fields).decode(bytes);
  assert.equal(outcome.status, 'ok');
  const batch = (outcome as { batch: SpanBatch }).batch;
  return Array.from({ length: batch.spanCount }, (_, span) => {
    const at = (column: number) => batch.spans[span * Span.stride + column]!;
    const attributes: Record<string, string> = {};
    for (let row = at(Span.attributes); row < at(Span.attributes) + at(Span.attributeCount); row++) {
      attributes[fields.name(batch.attributes[row * 4]!)] = valueText(batch.attributeValue(row));
    }
    return {
      ids: [batch.hex(at(Span.traceId), 16), batch.hex(at(Span.spanId), 8), batch.hex(at(Span.parentSpanId), 8)],
      name: batch.text(at(Span.name), at(Span.nameLength)),
      kind: at(Span.kind),
      times: [batch.nanos(at(Span.start)), batch.nanos(at(Span.end))],
      status: [at(Span.statusCode), batch.text(at(Span.statusMessage), at(Span.statusMessageLength))],
      counts: [at(Span.eventCount), at(Span.linkCount)],
      attributes,
    };
  });
}

test("what OpenTelemetry's own serialisers write in JSON and in protobuf decodes to the same spans", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'real' }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('real', '2');
  const span = tracer.startSpan('chat', {
    kind: 2,
    attributes: { text: 'ä', n: 7, big: 2 ** 53 - 1, list: ['a', 'b'], half: 0.5 },
  });
  span.addEvent('event', { a: true });
  span.setStatus({ code: 2, message: 'no' });
  span.end();
  const spans = exporter.getFinishedSpans();
  const protobuf = view(Buffer.from(ProtobufTraceSerializer.serializeRequest(spans)!));
  const json = view(translate(Buffer.from(JsonTraceSerializer.serializeRequest(spans)!).toString()));
  assert.deepEqual(json, protobuf);
  assert.equal(protobuf.length, 1);
});

test('64-bit integers keep all digits as strings and as bare numbers', () => {
  const body = JSON.stringify(otlpJson([{ attributes: { n: 9_007_199_254_740_993n } }]));
  for (const text of [body, body.replace('"9007199254740993"', '9007199254740993')]) {
    assert.match(
      JSON.stringify(view(translate(text))[0], (_k, v) => (typeof v === 'bigint' ? String(v) : v)),
      /9007199254740993/,
    );
  }
});

test('times keep all 64 bits, however many digits they have', () => {
  const nines = Array.from({ length: 19 }, (_, i) => BigInt('9'.repeat(i + 1)));
  const powers = Array.from({ length: 64 }, (_, i) => 1n << BigInt(i));
  for (const nanos of [0n, 1_795_949_386_994_007_121n, ...nines, ...powers, ...powers.map((power) => power - 1n)]) {
    for (const written of [`"${nanos}"`, `"${String(nanos).padStart(20, '0')}"`, String(nanos)]) {
      const body = JSON.stringify(otlpJson([{ name: 'x' }])).replace(
        /"startTimeUnixNano":"?\d+"?/,
        `"startTimeUnixNano":${written}`,
      );
      const [span] = view(translate(body)) as { times: bigint[] }[];
      assert.equal(BigInt.asUintN(64, span!.times[0]!), nanos, written);
    }
  }
});

test('texts with escapes are what JSON.parse says, long and short', () => {
  for (const text of [
    '"',
    '\n'.repeat(3),
    `${'long '.repeat(40)}"${'x'.repeat(30)}\\`,
    '\u0001 and "more"',
    '\ud800"',
    '',
  ]) {
    const [span] = view(translate(otlpJson([{ name: text, attributes: { text } }]))) as {
      name: string;
      attributes: object;
    }[];
    assert.deepEqual([span!.name, span!.attributes], [text.toWellFormed(), { text: text.toWellFormed() }]);
  }
});

test('the batch of one decoder stays while others decode, until its own next request', () => {
  const body = (name: string) => Buffer.from(JSON.stringify(otlpJson([{ name }])));
  const decoded = (decoder: TraceDecoder, name: string) => {
    const outcome = decodeAs(decoder, 'traces', 'json', body(name));
    assert.equal(outcome.status, 'ok');
    return (outcome as { batch: SpanBatch }).batch;
  };
  const nameIn = (batch: SpanBatch) => batch.text(batch.spans[Span.name]!, batch.spans[Span.nameLength]!);
  const [one, other] = [new TraceDecoder(fields), new TraceDecoder(fields)];
  const batch = decoded(one, 'first');
  decoded(other, 'other');
  const bytes = translate(otlpJson([{ name: 'third' }]));
  assert.equal(nameIn(batch), 'first');
  assert.equal(decodeAs(one, 'traces', 'json', Buffer.from('{')).status, 'malformed');
  assert.equal(nameIn(decoded(one, 'second')), 'second');
  assert.ok(bytes.includes('third'));
});

test('snake_case, upper-case ids, nulls and unknown fields are accepted', () => {
  const [span] = view(
    translate({
      resource_spans: [
        {
          resource: null,
          unknown: [[[1]]],
          scope_spans: [
            {
              spans: [
                {
                  trace_id: '0AF7651916CD43DD8448EB211C80319C',
                  span_id: 'B7AD6B7169203331',
                  parent_span_id: null,
                  name: 'x',
                },
              ],
            },
          ],
        },
      ],
    }),
  ) as { ids: string[] }[];
  assert.deepEqual(span!.ids, ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', '']);
});

test('a wrong value is named with its path', () => {
  const cases: [unknown, RegExp][] = [
    ['{"resourceSpans":', /body is not JSON/],
    ['[]', /must be a JSON object/],
    [{ resourceSpans: {} }, /^resourceSpans must be an array/],
    [
      { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 7 }] }] }] },
      /resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.name must be a string/,
    ],
    [{ resourceSpans: [{ scopeSpans: [{ spans: [{ kind: 'SERVER' }] }] }] }, /spans\[0\]\.kind must be an integer/],
    [{ resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: 'xyz' }] }] }] }, /traceId must be hexadecimal/],
    [{ resourceSpans: [{ scopeSpans: [{ spans: [{ spanId: '0123456789abcdeg' }] }] }] }, /spanId must be hexadecimal/],
    [{ resourceSpans: [{ scopeSpans: [{ spans: [{ spanId: 'ab\u00e9' }] }] }] }, /spanId must be hexadecimal/],
  ];
  for (const [body, message] of cases) {
    const outcome = otlpJsonToProtobuf(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
    assert.match(outcome.status === 'malformed' ? outcome.message : 'ok', message);
  }
});

test('ids of a wrong length are passed on, and so cost their span and no other', () => {
  const ids = ['b7ad6b7169203331', 'b7ad6b716920333', 'b7ad', ''];
  const body = otlpJson(ids.map((spanId, i) => ({ spanId, name: `span ${i}` })));
  const outcome = new TraceDecoder(fields).decode(translate(body));
  assert.equal(outcome.status, 'ok');
  const batch = (outcome as { batch: SpanBatch }).batch;
  assert.deepEqual([batch.spanCount, batch.rejected.count], [2, 2]);
});

test('extreme nesting neither throws nor costs the other records', () => {
  const body = JSON.stringify(otlpJson([{ name: 'good' }, { name: 'deep', attributes: { d: 'PLACE' } }]));
  const deep = `${'{"arrayValue":{"values":['.repeat(20_000)}${']}}'.repeat(20_000)}`;
  const outcome = new TraceDecoder(fields).decode(translate(body.replace('{"stringValue":"PLACE"}', deep)));
  assert.equal(outcome.status, 'ok');
  const batch = (outcome as { batch: SpanBatch }).batch;
  assert.deepEqual([batch.spanCount, batch.rejected.count], [1, 1]);
  const exact = otlpJsonToProtobuf(Buffer.from(`[12345678901234567,${'['.repeat(200_000)}${']'.repeat(200_000)}]`));
  assert.equal(exact.status === 'malformed' && exact.code, 'SW_OTLP_DEPTH');
});

test('fuzz: any JSON gives protobuf or a known error', () => {
  const shape = fc.anything({
    withNullPrototype: false,
    maxDepth: 6,
    values: [fc.string(), fc.double(), fc.boolean(), fc.constant(null)],
  });
  fc.assert(
    fc.property(shape, fc.constantFrom('resourceSpans', 'scopeSpans', 'spans', 'attributes', 'x'), (value, key) => {
      const bodies = [value, { [key]: value }, { resourceSpans: [{ scopeSpans: [{ spans: [{ [key]: value }] }] }] }];
      for (const body of bodies) otlpJsonToProtobuf(Buffer.from(JSON.stringify(body) ?? 'null'));
    }),
    { numRuns: 2000 },
  );
});
