import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';
import { Event, Link, Scope, Span } from '../model/span-batch.ts';
import type { Value } from '../model/value.ts';
import { otlpJson, otlpProtobuf, type Plain } from '../testing/otlp.ts';
import { otlpJsonToProtobuf } from './json.ts';
import { type DecodedBatch, TraceDecoder } from './trace-decoder.ts';

const fields = createFieldTable();

function decode(bytes: Buffer): DecodedBatch {
  const outcome = new TraceDecoder(fields).decode(bytes);
  assert.equal(outcome.status, 'ok', outcome.status === 'malformed' ? outcome.message : '');
  return (outcome as { batch: DecodedBatch }).batch;
}

function attribute(batch: DecodedBatch, span: number, name: string): Value | undefined {
  const row = batch.findSpanAttribute(span, fields.intern(name));
  return row < 0 ? undefined : batch.attributeValue(row);
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

test('every field of a span is found where the protocol puts it', () => {
  const batch = decode(
    otlpProtobuf(
      [
        {
          traceId,
          spanId,
          parentSpanId: '00f067aa0ba902b7',
          name: 'chat gpt',
          kind: 3,
          startNanos: 1_700_000_000_123_456_789n,
          endNanos: 1_700_000_001_123_456_789n,
          events: [{ name: 'e', nanos: 5n, attributes: { a: 1 } }],
          links: [{ traceId, spanId, attributes: { why: 'retry' } }],
          status: { code: 2, message: 'boom' },
        },
      ],
      { 'service.name': 'support' },
    ),
  );
  assert.equal(batch.spanCount, 1);
  const at = batch.spans;
  assert.equal(batch.hex(at[Span.traceId]!, 16), traceId);
  assert.equal(batch.hex(at[Span.spanId]!, 8), spanId);
  assert.equal(batch.hex(at[Span.parentSpanId]!, 8), '00f067aa0ba902b7');
  assert.equal(batch.text(at[Span.name]!, at[Span.nameLength]!), 'chat gpt');
  assert.equal(at[Span.kind], 3);
  assert.equal(batch.nanos(at[Span.start]!), 1_700_000_000_123_456_789n);
  assert.equal(batch.nanos(at[Span.end]!), 1_700_000_001_123_456_789n);
  assert.equal(at[Span.statusCode], 2);
  assert.equal(batch.text(at[Span.statusMessage]!, at[Span.statusMessageLength]!), 'boom');
  assert.equal(batch.text(batch.scopes[Scope.name]!, batch.scopes[Scope.nameLength]!), 'test-scope');
  assert.equal(batch.text(batch.events[Event.name]!, batch.events[Event.nameLength]!), 'e');
  assert.equal(batch.nanos(batch.events[Event.time]!), 5n);
  assert.equal(batch.attributeValue(batch.events[Event.attributes]!), 1);
  assert.equal(batch.hex(batch.links[Link.traceId]!, 16), traceId);
  assert.equal(batch.attributeValue(batch.links[Link.attributes]!), 'retry');
  assert.equal(batch.attributeValue(batch.findResourceAttribute(0, fields.intern('service.name'))), 'support');
});

test('values keep their type and all 64 bits', () => {
  const values: Record<string, Plain> = {
    text: 'ä€😀',
    empty: '',
    yes: true,
    no: false,
    small: -1,
    largest: 9_223_372_036_854_775_807n,
    smallest: -9_223_372_036_854_775_808n,
    half: 0.5,
    list: ['a', 2, [true]],
    map: { a: { b: 'c' }, __proto__x: 1 },
    nothing: null,
    bytes: new Uint8Array([1, 2, 255]),
  };
  const batch = decode(otlpProtobuf([{ attributes: values }]));
  for (const name of ['text', 'empty', 'yes', 'no', 'small', 'largest', 'smallest', 'half', 'nothing']) {
    assert.equal(attribute(batch, 0, name), values[name], name);
  }
  assert.deepEqual(attribute(batch, 0, 'list'), ['a', 2, [true]]);
  assert.equal(attribute(batch, 0, 'bytes'), 'AQL/');
  assert.equal(JSON.stringify(attribute(batch, 0, 'map')), '{"a":{"b":"c"},"__proto__x":1}');
});

test('a key named __proto__ is an ordinary key', () => {
  const body = JSON.parse(JSON.stringify(otlpJson([{}])));
  const member = { key: '__proto__', value: { stringValue: 'x' } };
  body.resourceSpans[0].scopeSpans[0].spans[0].attributes = [
    { key: 'map', value: { kvlistValue: { values: [member] } } },
    member,
  ];
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify(body)));
  assert.equal(outcome.status, 'ok');
  const batch = decode((outcome as { bytes: Buffer }).bytes);
  assert.equal(attribute(batch, 0, '__proto__'), 'x');
  assert.deepEqual(Object.keys(attribute(batch, 0, 'map') as object), ['__proto__']);
  assert.equal(({} as Record<string, unknown>).x, undefined);
});

test('of duplicate keys the last counts', () => {
  const writer = new ProtobufWriter();
  writer.message(1, () =>
    writer.message(2, () =>
      writer.message(2, () => {
        writer.bytes(1, Buffer.from(traceId, 'hex'));
        writer.bytes(2, Buffer.from(spanId, 'hex'));
        for (const text of ['first', 'second']) {
          writer.message(9, () => {
            writer.string(1, 'k');
            writer.message(2, () => writer.string(1, text));
          });
        }
      }),
    ),
  );
  assert.equal(attribute(decode(writer.take()), 0, 'k'), 'second');
});

test('a resource in two pieces is merged, and fields may come in any order', () => {
  const writer = new ProtobufWriter();
  const resource = (key: string) =>
    writer.message(1, () =>
      writer.message(1, () => {
        writer.string(1, key);
        writer.message(2, () => writer.string(1, key));
      }),
    );
  writer.message(1, () => {
    resource('a');
    writer.message(2, () =>
      writer.message(2, () => {
        writer.string(5, 'late ids');
        writer.bytes(2, Buffer.from(spanId, 'hex'));
        writer.bytes(1, Buffer.from(traceId, 'hex'));
      }),
    );
    resource('b');
  });
  const batch = decode(writer.take());
  for (const key of ['a', 'b']) {
    assert.equal(batch.attributeValue(batch.findResourceAttribute(0, fields.intern(key))), key);
  }
});

test('a record that breaks a rule is refused alone', () => {
  let deep: Plain = 'bottom';
  for (let i = 0; i < limits.nestingDepthMax + 1; i++) deep = [deep];
  const cases: [string, object][] = [
    ['trace_id has 15 bytes instead of 16', { traceId: traceId.slice(2) }],
    ['span_id has 9 bytes instead of 8', { spanId: `${spanId}aa` }],
    ['trace_id is all zero', { traceId: '0'.repeat(32) }],
    [`an attribute nests deeper than ${limits.nestingDepthMax} levels`, { attributes: { deep } }],
  ];
  for (const [message, broken] of cases) {
    const batch = decode(otlpProtobuf([{ name: 'before' }, { name: 'broken', ...broken }, { name: 'after' }]));
    assert.deepEqual(batch.rejected, { count: 1, message });
    const names = [0, 1].map((i) =>
      batch.text(batch.spans[i * Span.stride + Span.name]!, batch.spans[i * Span.stride + Span.nameLength]!),
    );
    assert.deepEqual([batch.spanCount, ...names], [2, 'before', 'after']);
  }
});

test('the deepest allowed nesting passes', () => {
  let deep: Plain = 'bottom';
  for (let i = 0; i < limits.nestingDepthMax; i++) deep = [deep];
  assert.equal(decode(otlpProtobuf([{ attributes: { deep } }])).spanCount, 1);
});

test('too many attributes are left out and counted', () => {
  const attributes = Object.fromEntries(
    Array.from({ length: limits.attributesPerSpanMax + 3 }, (_, i) => [`k${i}`, i]),
  );
  const batch = decode(otlpProtobuf([{ attributes }]));
  assert.equal(batch.dropped.attributes, 3);
  assert.equal(batch.spans[Span.attributeCount], limits.attributesPerSpanMax);
});

test('another message sent to the wrong place is malformed, not an empty success', () => {
  const writer = new ProtobufWriter();
  writer.varint(1, 7);
  const outcome = new TraceDecoder(fields).decode(writer.take());
  assert.equal(outcome.status === 'malformed' && outcome.code, 'SW_OTLP_PROTOBUF');
});

test('unknown fields are ignored at any depth', () => {
  const writer = new ProtobufWriter();
  writer.string(99, 'unknown');
  writer.message(1, () => {
    writer.fixed32(77, 1);
    writer.message(2, () => {
      writer.fixed64(70, 1n);
      writer.message(2, () => {
        writer.varint(300, 1);
        writer.bytes(1, Buffer.from(traceId, 'hex'));
        writer.bytes(2, Buffer.from(spanId, 'hex'));
      });
    });
  });
  assert.equal(decode(writer.take()).spanCount, 1);
});

test('a cut request is malformed at every byte or shorter, never a throw', () => {
  const whole = otlpProtobuf([{ attributes: { a: 'text', b: [1, { c: 2 }] }, events: [{ name: 'e' }] }]);
  const decoder = new TraceDecoder(fields);
  for (let length = 1; length < whole.length; length++) {
    assert.equal(decoder.decode(Buffer.from(whole.subarray(0, length))).status, 'malformed', `cut at ${length}`);
  }
});

test('fuzz: any bytes give a batch or a known error', () => {
  const whole = otlpProtobuf([{ attributes: { a: 'text', b: [1, { c: 2n }] }, links: [{ traceId, spanId }] }]);
  const decoder = new TraceDecoder(fields);
  const readAll = (bytes: Buffer) => {
    const outcome = decoder.decode(bytes);
    if (outcome.status === 'malformed') return;
    for (let span = 0; span < outcome.batch.spanCount; span++) {
      const first = outcome.batch.spans[span * Span.stride + Span.attributes]!;
      const count = outcome.batch.spans[span * Span.stride + Span.attributeCount]!;
      for (let row = first; row < first + count; row++) outcome.batch.attributeValue(row);
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => readAll(Buffer.from(bytes))),
    { numRuns: 2000 },
  );
  const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(flips, (changes) => {
      const copy = Buffer.from(whole);
      for (const [at, byte] of changes) copy[at] = byte;
      readAll(copy);
    }),
    { numRuns: 5000 },
  );
});
