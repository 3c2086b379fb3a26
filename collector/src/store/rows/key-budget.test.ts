import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeAs } from '../../decode/json.ts';
import { LogDecoder } from '../../decode/log-decoder.ts';
import { MetricDecoder } from '../../decode/metric-decoder.ts';
import { TraceDecoder } from '../../decode/trace-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import type { RedactionProfile } from '../../model/redaction.ts';
import { Span } from '../../model/span-batch.ts';
import { createRedactor } from '../../redact/row-redactor.ts';
import { otlpProtobuf, type Plain, type TestSpan } from '../../testing/otlp.ts';
import { AttributeMapWriter } from './attribute-map.ts';
import { KeyBudget, type KeyBudgetOptions, KeyPlace } from './key-budget.ts';
import { LogRowEncoder } from './otel-logs.ts';
import { MetricRowEncoder } from './otel-metrics.ts';
import { SpanRowEncoder } from './otel-traces.ts';
import { OverflowText, overflowKey } from './overflow-text.ts';
import { RowWriter } from './rowbinary.ts';

const range = { fromMs: 0, toMs: 4_000_000_000_000 };

function storing(options: Omit<KeyBudgetOptions, 'fields'>) {
  const fields = createFieldTable();
  for (const name of ['service.name', 'gen_ai.request.model']) fields.intern(name);
  const budget = new KeyBudget({ fields, now: () => 0, ...options });
  const decoder = new TraceDecoder(fields);
  const maps = new AttributeMapWriter(fields);
  const decode = (spans: readonly TestSpan[], resource?: Record<string, Plain>) => {
    const decoded = decoder.decode(otlpProtobuf(spans, resource));
    assert.ok(decoded.status === 'ok');
    return decoded.batch;
  };
  const store = (spans: readonly TestSpan[], service = 'shop') => {
    const batch = decode(spans);
    maps.begin(batch);
    maps.keys = { of: budget.of(service), place: KeyPlace.span };
    return spans.map((_, i) => {
      const writer = new RowWriter();
      const at = i * Span.stride;
      maps.write(writer, batch.spans[at + Span.attributes]!, batch.spans[at + Span.attributeCount]!);
      return { attributes: readMap(writer.take()) };
    });
  };
  return { budget, store, fields, decode };
}

function readMap(bytes: Buffer): Record<string, string> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const text = () => {
    const length = varint();
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const entries = Array.from({ length: varint() }, () => [text(), text()] as const);
  assert.equal(at, bytes.length);
  assert.deepEqual(
    entries.map(([name]) => name),
    entries.map(([name]) => name).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    'sorted by name',
  );
  assert.equal(new Set(entries.map(([name]) => name)).size, entries.length, 'each name once');
  return Object.fromEntries(entries);
}

test('the first keys stay, further new ones go into one; known names and what was there before are never touched', () => {
  const { store, budget } = storing({ keysMax: 2 });
  const [first] = store([{ attributes: { b: '1', a: '2', 'gen_ai.request.model': 'm' } }]);
  assert.deepEqual(first!.attributes, { a: '2', b: '1', 'gen_ai.request.model': 'm' });
  const [second] = store([{ attributes: { c: 'x', a: 3, 'gen_ai.request.model': 'm', d: [1, 'y'] } }]);
  assert.deepEqual(Object.keys(second!.attributes), ['a', 'gen_ai.request.model', overflowKey]);
  assert.deepEqual(JSON.parse(second!.attributes[overflowKey]!), { c: 'x', d: '[1,"y"]' });
  assert.deepEqual(budget.overflowed, { service: 2, total: 0 });
  assert.equal(budget.fullServices, 1);
  const [again] = store([{ attributes: { b: '1', a: '2' } }]);
  assert.deepEqual(again!.attributes, { a: '2', b: '1' });
});

test('services do not take each other their keys, until all have too many together', () => {
  const { store, budget } = storing({ keysMax: 2, totalMax: 3 });
  store([{ attributes: { a: '', b: '' } }], 'one');
  const [other] = store([{ attributes: { c: '', d: '' } }], 'other');
  assert.deepEqual(Object.keys(other!.attributes), ['c', overflowKey]);
  assert.deepEqual(budget.overflowed, { service: 0, total: 1 });
});

test('a service that is silent for a day begins anew, and makes room; services beyond their number share', () => {
  let now = 0;
  const { store, budget } = storing({ keysMax: 1, servicesMax: 1, now: () => now });
  store([{ attributes: { a: '' } }], 'one');
  assert.deepEqual(Object.keys(store([{ attributes: { x: '' } }], 'two')[0]!.attributes), ['x']);
  assert.deepEqual(Object.keys(store([{ attributes: { y: '' } }], 'three')[0]!.attributes), [overflowKey]);
  now = 24 * 3_600_000;
  assert.deepEqual(Object.keys(store([{ attributes: { y: '' } }], 'three')[0]!.attributes), ['y']);
  assert.equal(budget.keys, 2);
  now *= 2;
  assert.deepEqual(
    Object.keys(store([{ attributes: { z: '' } }], 'three')[0]!.attributes),
    ['z'],
    'it was silent itself',
  );
});

test('a service that goes on sending stays known, however old it is, and others go before it', () => {
  const hour = 3_600_000;
  let now = 0;
  const { store, budget } = storing({ keysMax: 1, servicesMax: 2, now: () => now });
  const keysOf = (service: string, key: string) =>
    Object.keys(store([{ attributes: { [key]: '' } }], service)[0]!.attributes);
  keysOf('old', 'a');
  now = hour;
  keysOf('silent', 'b');
  now = 23 * hour;
  assert.deepEqual(keysOf('old', 'a'), ['a']);
  now = 26 * hour;
  assert.deepEqual(keysOf('new', 'c'), ['c'], 'the silent one made room');
  assert.deepEqual(keysOf('old', 'd'), [overflowKey], 'it has had its key all the time');
  assert.deepEqual([budget.keys, budget.fullServices], [2, 2]);
});

test('services with long names are told apart by how they begin, and those that share a place can be full', () => {
  const { budget } = storing({ keysMax: 1, servicesMax: 1 });
  const long = 'n'.repeat(256);
  assert.equal(budget.of(`${long}1`), budget.of(`${long}2`));
  const shared = budget.of('one more');
  assert.equal(shared.name, undefined);
  shared.known(KeyPlace.log).add(1);
  assert.equal(budget.fullServices, 1);
});

test('hashes are of more than 32 bits, exact, and other ones in each collector', () => {
  const learnt = (name: string) => {
    const { budget, store } = storing({ keysMax: 100 });
    const hashes: number[] = [];
    budget.listener = { learned: (_service, _place, hash) => hashes.push(hash), forgot: () => undefined };
    store([{ attributes: Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`${name}${i}`, ''])) }]);
    return hashes;
  };
  const hashes = learnt('k');
  assert.ok(hashes.every(Number.isSafeInteger));
  assert.ok(new Set(hashes.map((hash) => Math.floor(hash / 2 ** 32))).size > 32);
  assert.notDeepEqual(learnt('k'), hashes);
});

test('the one for what is over says exactly how much it leaves out, cuts values and stays well-formed', () => {
  const text = new OverflowText();
  const value = 'v'.repeat(limits.overflowValueCharsMax);
  text.add('exact', value);
  text.add('cut', `${value}w`);
  text.add('\ud800', 'half \udc00');
  const three = JSON.parse(text.end()) as Record<string, string>;
  assert.deepEqual(three, { exact: value, cut: `${value}…`, '\ufffd': 'half \ufffd' });
  const full = new OverflowText();
  let added = 0;
  while (!full.isFull) full.add(`key ${added++}`, value);
  full.skip();
  const { '': rest, ...kept } = JSON.parse(full.end()) as Record<string, string>;
  assert.equal(rest, `and ${added + 1 - Object.keys(kept).length} more`);
});

test('a sender that uses the name of the one for what is over gets it into that one', () => {
  const { store } = storing({ keysMax: 2 });
  const mine = { [overflowKey]: 'mine' };
  const [alone, among] = store([{ attributes: mine }, { attributes: { ...mine, a: '', b: '', c: '' } }]);
  assert.deepEqual(JSON.parse(alone!.attributes[overflowKey]!), mine);
  assert.deepEqual(Object.keys(among!.attributes), ['a', 'b', overflowKey]);
  assert.deepEqual(JSON.parse(among!.attributes[overflowKey]!), { ...mine, c: '' });
});

test('places count apart, and hold in every batch though names were forgotten between', () => {
  const fields = createFieldTable(3);
  const budget = new KeyBudget({ fields, keysMax: 1, now: () => 0 });
  const service = budget.of('shop');
  const shape = (name: string) => {
    const bytes = Buffer.from(name);
    return { fields: Int32Array.of(fields.internBytes(bytes, 0, bytes.length)), order: Uint16Array.of(0) };
  };
  assert.equal(service.split(KeyPlace.span, shape('a')).over.length, 0);
  assert.equal(service.split(KeyPlace.event, shape('b')).over.length, 0);
  assert.equal(service.split(KeyPlace.span, shape('b')).over.length, 1);
  assert.equal(service.split(KeyPlace.span, shape('a')).over.length, 0, 'another run of the same name');
  // Ids are given anew: other names have that of the first one then.
  const first = shape('a').fields[0];
  for (const name of ['c', 'd']) shape(name);
  fields.trim();
  const others = ['b', 'c', 'd', 'e'].map(shape);
  assert.ok(others.some((other) => other.fields[0] === first));
  for (const other of others) assert.equal(service.split(KeyPlace.span, other).over.length, 1);
  assert.equal(service.split(KeyPlace.span, shape('a')).over.length, 0);
});

test('spans, their resources and their events are held to it, each for itself', () => {
  const { budget, decode, fields } = storing({ keysMax: 1 });
  const encoder = new SpanRowEncoder(fields, [], undefined, 'full', budget);
  const overflows = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1').split(overflowKey).length - 1;
  const span = (name: string) => ({ attributes: { [name]: '' }, events: [{ name: 'e', attributes: { [name]: '' } }] });
  const rows = (name: string) => encoder.encode(decode([span(name)], { 'service.name': 'shop', [name]: '' }), range);
  assert.equal(overflows(rows('a').bytes), 0);
  assert.equal(overflows(rows('b').bytes), 3);
  assert.equal(overflows(rows('a').bytes), 0);
});

test('log records and data points are held to it, with their resources, scopes and exemplars', () => {
  const fields = createFieldTable();
  const budget = new KeyBudget({ fields, keysMax: 1, now: () => 0 });
  const [logs, metrics] = [
    new LogRowEncoder(fields, undefined, budget),
    new MetricRowEncoder(fields, undefined, budget),
  ];
  const [logDecoder, metricDecoder] = [new LogDecoder(fields), new MetricDecoder(fields)];
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const overflows = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1').split(overflowKey).length - 1;
  const rows = (name: string) => {
    const attributes = [{ key: name, value: { stringValue: '' } }];
    const resource = { attributes: [...attributes, { key: 'service.name', value: { stringValue: 'shop' } }] };
    const scope = { attributes };
    const dataPoints = [{ timeUnixNano: '1', asInt: '1', attributes, exemplars: [{ filteredAttributes: attributes }] }];
    const scopeMetrics = [{ scope, metrics: [{ name: 'm', gauge: { dataPoints } }] }];
    const scopeLogs = [{ scope, logRecords: [{ attributes }] }];
    const logBatch = decodeAs(logDecoder, 'logs', 'json', json({ resourceLogs: [{ resource, scopeLogs }] }));
    const metricBatch = decodeAs(
      metricDecoder,
      'metrics',
      'json',
      json({ resourceMetrics: [{ resource, scopeMetrics }] }),
    );
    assert.ok(logBatch.status === 'ok' && metricBatch.status === 'ok');
    return [
      overflows(logs.encode(logBatch.batch, range, () => []).bytes),
      overflows(metrics.encode(metricBatch.batch, range)[0]!.bytes),
    ];
  };
  assert.deepEqual(rows('a'), [0, 0]);
  assert.deepEqual(rows('b'), [3, 4]);
  assert.deepEqual(rows('a'), [0, 0]);
});

test('what the profile forbids is not in the one for what is over either', () => {
  const secret = 'AKIAIOSFODNN7EXAMPLQ';
  const row = (profile: RedactionProfile) => {
    const { budget, decode, fields } = storing({ keysMax: 1 });
    const redactor = createRedactor({ profile, key: Buffer.alloc(32), fields });
    const encoder = new SpanRowEncoder(fields, [], redactor, 'full', budget);
    const attributes = {
      a: '',
      prompt: `use ${secret}`,
      [`n ${secret}`]: 1,
      list: ['x', secret],
      password: 'hunter2-hunter2',
    };
    return Buffer.from(encoder.encode(decode([{ attributes }]), range).bytes);
  };
  assert.ok(row('off').includes(`"prompt":"use ${secret}"`));
  assert.ok(row('secrets').includes(overflowKey));
  assert.ok(!row('secrets').includes(secret));
  for (const text of [secret, 'hunter2', 'use ']) assert.ok(!row('metadata_only').includes(text), text);
});

test('property: however keys come, each place has at most so many, nothing is lost, and all stays bounded', () => {
  const key = fc.oneof(
    fc.constantFrom('a', 'b', 'c', 'gen_ai.request.model'),
    fc.string({ unit: 'binary', maxLength: 9 }),
  );
  const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer(), fc.boolean());
  const attributes = fc.dictionary(key, value, { maxKeys: 12, noNullPrototype: true });
  const request = fc.record({
    service: fc.constantFrom('one', 'two', 'three'),
    spans: fc.array(attributes, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
      const { store, budget } = storing({ keysMax: 5, totalMax: 9, servicesMax: 2 });
      const stored = new Map<string, Set<string>>();
      for (const { service, spans } of requests) {
        const rows = store(
          spans.map((each) => ({ attributes: each })),
          service,
        );
        for (const [i, row] of rows.entries()) {
          const sent = new Set(Object.keys(spans[i]!).map((name) => name.toWellFormed()));
          const over = JSON.parse(row.attributes[overflowKey] ?? '{}') as Record<string, string>;
          assert.ok((row.attributes[overflowKey] ?? '').length <= limits.overflowCharsMax + 1000);
          const kept = Object.keys(row.attributes).filter((name) => name !== overflowKey);
          assert.deepEqual([...kept, ...Object.keys(over)].sort(), [...sent].sort(), 'each key is in one of the two');
          const group = service === 'three' ? 'others' : service;
          const seen = stored.get(group) ?? new Set();
          for (const name of kept) if (name !== 'gen_ai.request.model') seen.add(name);
          stored.set(group, seen);
        }
      }
      for (const [group, names] of stored) assert.ok(names.size <= 5, group);
      assert.ok(budget.keys <= 9);
    }),
    { numRuns: 100 },
  );
});

test('a flood of keys, each once, is stored in bounded memory and text', () => {
  const { store, budget } = storing({ keysMax: 100 });
  for (let i = 0; i < 50; i++) {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, k) => [`flood.${i}.${k}`, 'v'.repeat(100)]));
    const [row] = store([{ attributes: many }]);
    assert.ok(Object.keys(row!.attributes).length <= 101);
    if (i > 0) assert.ok(row!.attributes[overflowKey]!.length < limits.overflowCharsMax + 100);
    if (i > 0) assert.match(row!.attributes[overflowKey]!, /and \d+ more"}$/);
  }
  assert.equal(budget.keys, 100);
  assert.equal(budget.overflowed.service, 50 * 1000 - 100);
});
