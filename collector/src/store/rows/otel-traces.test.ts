import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { createFieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { Attribute, Event, Link, Resource, Scope, Span, type SpanBatch, ValueType } from '../../model/span-batch.ts';
import type { Value } from '../../model/value.ts';
import { otelTracesColumns, ownTracesColumns, SpanRowEncoder } from './otel-traces.ts';

/**
 * Batches are built here by hand, because stages do not import each other; test/pipeline.test.ts runs the real decoder and
 * the real ClickHouse over the same rows.
 */
const fields = createFieldTable();
const range = { fromMs: 1_000_000_000_000, toMs: 2_000_000_000_000 };

interface Plain {
  readonly start?: bigint;
  readonly end?: bigint;
  readonly attributes?: readonly (readonly [string, Value])[];
  readonly events?: readonly { name: string; time: bigint }[];
}

/** A batch whose texts and numbers stand in one buffer, as the decoder leaves them. */
function batchOf(spans: readonly Plain[]): SpanBatch {
  const parts: Buffer[] = [];
  let length = 0;
  const put = (bytes: Buffer) => {
    parts.push(bytes);
    length += bytes.length;
    return length - bytes.length;
  };
  const put64 = (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    return put(bytes);
  };
  const attributes: number[] = [];
  const others = new Map<number, Value>();
  const putAttributes = (list: readonly (readonly [string, Value])[]) => {
    const first = attributes.length / Attribute.stride;
    for (const [name, value] of list) {
      const text = typeof value === 'string' ? Buffer.from(value) : undefined;
      if (text === undefined) others.set(attributes.length / Attribute.stride, value);
      attributes.push(
        fields.intern(name),
        text ? ValueType.string : ValueType.int,
        text ? put(text) : 0,
        text?.length ?? 0,
      );
    }
    return [first, list.length] as const;
  };
  const [resourceFirst, resourceCount] = putAttributes([
    ['service.name', 'svc'],
    ['host.name', 'h'],
  ]);
  const events: number[] = [];
  const rows = spans.flatMap((span) => {
    const row = new Array<number>(Span.stride).fill(0);
    row[Span.traceId] = put(Buffer.alloc(16, 0xab));
    row[Span.spanId] = put(Buffer.alloc(8, 0x01));
    row[Span.parentSpanId] = -1;
    row[Span.name] = put(Buffer.from('name'));
    row[Span.nameLength] = 4;
    row[Span.kind] = 3;
    row[Span.statusCode] = 2;
    row[Span.start] = span.start === undefined ? -1 : put64(span.start);
    row[Span.end] = span.end === undefined ? -1 : put64(span.end);
    [row[Span.attributes], row[Span.attributeCount]] = putAttributes(span.attributes ?? []);
    row[Span.events] = events.length / Event.stride;
    row[Span.eventCount] = span.events?.length ?? 0;
    for (const event of span.events ?? []) {
      events.push(put64(event.time), put(Buffer.from(event.name)), event.name.length, 0, 0);
    }
    return row;
  });
  const bytes = Buffer.concat(parts);
  return {
    bytes,
    spanCount: spans.length,
    spans: Int32Array.from(rows),
    attributes: Int32Array.from(attributes),
    events: Int32Array.from(events),
    links: new Int32Array(Link.stride),
    resources: (() => {
      const resource = new Int32Array(Resource.stride);
      resource[Resource.attributes] = resourceFirst;
      resource[Resource.attributeCount] = resourceCount;
      return resource;
    })(),
    scopes: new Int32Array(Scope.stride),
    rejected: { count: 0, message: '' },
    text: (start, size) => bytes.toString('utf8', start, start + size),
    hex: (start, size) => bytes.toString('hex', start, start + size),
    attributeValue: (row) => others.get(row) ?? null,
    findSpanAttribute: () => -1,
    findResourceAttribute: () => -1,
    nanos: (offset) => (offset < 0 ? 0n : bytes.readBigUInt64LE(offset)),
  };
}

type Cell = string | bigint | readonly Cell[] | { readonly [key: string]: string };

/** Reads the rows back column by column, as ClickHouse would. */
function rowsOf(bytes: Uint8Array): Record<string, Cell>[] {
  const buffer = Buffer.from(bytes);
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = buffer[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const text = () => {
    const size = varint();
    at += size;
    return buffer.toString('utf8', at - size, at);
  };
  const int64 = () => {
    at += 8;
    return buffer.readBigInt64LE(at - 8);
  };
  const map = () => {
    const entries: [string, string][] = [];
    for (let left = varint(); left > 0; left--) entries.push([text(), text()]);
    return Object.fromEntries(entries);
  };
  const list = (read: () => Cell) => Array.from({ length: varint() }, read);
  const readers: Record<string, () => Cell> = {
    Timestamp: int64,
    Duration: int64,
    ResourceAttributes: map,
    SpanAttributes: map,
    'Events.Timestamp': () => list(int64),
    'Events.Name': () => list(text),
    'Events.Attributes': () => list(map),
    'Links.TraceId': () => list(text),
    'Links.SpanId': () => list(text),
    'Links.TraceState': () => list(text),
    'Links.Attributes': () => list(map),
    FactsIn: map,
  };
  const columns = [...otelTracesColumns, ...ownTracesColumns];
  const rows: Record<string, Cell>[] = [];
  while (at < buffer.length) {
    rows.push(Object.fromEntries(columns.map((column) => [column, (readers[column] ?? text)()])));
  }
  return rows;
}

const start = 1_700_000_000_123_456_789n;

test('a span becomes the 22 columns of the exporter, in their order, and ours behind', () => {
  const [row, second] = rowsOf(
    new SpanRowEncoder(fields).encode(
      batchOf([
        {
          start,
          end: start + 5n,
          attributes: [
            ['b', 'two'],
            ['a', 7],
          ],
          events: [{ name: 'e', time: 9n }],
        },
        { start, end: start },
      ]),
      range,
    ).bytes,
  );
  assert.deepEqual(row, {
    Timestamp: start,
    TraceId: 'ab'.repeat(16),
    SpanId: '01'.repeat(8),
    ParentSpanId: '',
    TraceState: '',
    SpanName: 'name',
    SpanKind: 'Client',
    ServiceName: 'svc',
    ResourceAttributes: { 'host.name': 'h', 'service.name': 'svc' },
    ScopeName: '',
    ScopeVersion: '',
    SpanAttributes: { a: '7', b: 'two' },
    Duration: 5n,
    StatusCode: 'Error',
    StatusMessage: '',
    'Events.Timestamp': [9n],
    'Events.Name': ['e'],
    'Events.Attributes': [{}],
    'Links.TraceId': [],
    'Links.SpanId': [],
    'Links.TraceState': [],
    'Links.Attributes': [],
    AttributeTypesIn: 'is|',
    FactsIn: {},
  });
  assert.equal(second!.ServiceName, 'svc');
});

test('maps are sorted by key, and the last of duplicate keys wins, in every order of arrival', () => {
  const encoder = new SpanRowEncoder(fields);
  const orders: [string, Value][][] = [
    [
      ['z', '1'],
      ['a', '2'],
      ['z', '3'],
    ],
    [
      ['a', '2'],
      ['z', '1'],
      ['z', '3'],
    ],
    [
      ['z', '0'],
      ['z', '3'],
      ['a', '2'],
    ],
  ];
  const rows = rowsOf(
    encoder.encode(batchOf(orders.map((attributes) => ({ start, end: start, attributes }))), range).bytes,
  );
  for (const row of rows) assert.equal(JSON.stringify(row.SpanAttributes), '{"a":"2","z":"3"}');
});

test('lists, maps and numbers become text', () => {
  const attributes: [string, Value][] = [
    ['list', ['a', 1n, { b: true }]],
    ['big', 9_223_372_036_854_775_807n],
    ['half', 0.5],
    ['yes', true],
  ];
  const [row] = rowsOf(new SpanRowEncoder(fields).encode(batchOf([{ start, end: start, attributes }]), range).bytes);
  assert.deepEqual(row!.SpanAttributes, {
    big: '9223372036854775807',
    half: '0.5',
    list: '["a",1,{"b":true}]',
    yes: 'true',
  });
});

test('a start outside the range moves to its edge and is kept as an attribute', () => {
  const encoder = new SpanRowEncoder(fields);
  const spans = [5n, 3_000_000_000_000_000_000n, 2n ** 64n - 1n].map((time) => ({
    start: time,
    end: time,
    attributes: [
      ['a', '1'],
      ['t', '2'],
    ] as [string, Value][],
  }));
  const rows = rowsOf(encoder.encode(batchOf([...spans, {}]), range).bytes);
  const [from, to] = [BigInt(range.fromMs) * 1_000_000n, BigInt(range.toMs) * 1_000_000n];
  assert.deepEqual(
    rows.map((row) => row.Timestamp),
    [from, to, to, from],
  );
  assert.equal(JSON.stringify(rows[0]!.SpanAttributes), '{"a":"1","spanwarden.original_timestamp":"5","t":"2"}');
  assert.deepEqual(rows[3]!.SpanAttributes, { 'spanwarden.original_timestamp': '0' });
  assert.equal(encoder.clamped, 4);
});

test('a span that ends before it starts lasts 0; borrows across 32 bits are right', () => {
  const spans = [
    { start: 1_700_000_000_000_000_000n, end: 1_600_000_000_000_000_000n },
    { start: 0x1796_0000_ffff_ffffn, end: 0x1796_0001_0000_0000n },
  ];
  const rows = rowsOf(new SpanRowEncoder(fields).encode(batchOf(spans), range).bytes);
  assert.deepEqual(
    rows.map((row) => row.Duration),
    [0n, 1n],
  );
});

test('a value over the limit is cut between characters and says how long it was', () => {
  const encoder = new SpanRowEncoder(fields);
  const huge = 'ä'.repeat(limits.attributeValueBytesMax / 2 + 10);
  const [row] = rowsOf(encoder.encode(batchOf([{ start, end: start, attributes: [['huge', huge]] }]), range).bytes);
  const stored = (row!.SpanAttributes as Record<string, string>).huge!;
  assert.ok(Buffer.byteLength(stored) <= limits.attributeValueBytesMax);
  const digest = hash('sha256', huge, 'hex').slice(0, 16);
  assert.ok(stored.endsWith(`ä…[spanwarden: cut, sha256 ${digest}, ${Buffer.byteLength(huge)} bytes in all]`));
  assert.equal(encoder.truncatedValues, 1);
});
