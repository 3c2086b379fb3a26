import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AgentEvent, NamedValue } from '../model/agent-event.ts';
import { createFieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { Attribute, Resource, Scope, Span, type SpanBatch } from '../model/span-batch.ts';
import type { Value } from '../model/value.ts';
import { encodeAgentEvents } from '../testing/agent-events.ts';
import { AgentEventBatches } from './agent-events.ts';
import { TraceDecoder } from './trace-decoder.ts';

const fields = createFieldTable();
for (const name of ['gen_ai.tool.name', 'service.name', 'a']) fields.intern(name);
const batches = new AgentEventBatches(fields);
const decoder = new TraceDecoder(fields);

/** All that can be asked of a batch. */
function shown(batch: SpanBatch): object[] {
  const attributesOf = (first: number, count: number) =>
    Array.from({ length: count }, (_, i) => {
      const at = (first + i) * Attribute.stride;
      const [field, type] = [batch.attributes[at]!, batch.attributes[at + Attribute.type]!];
      return [fields.name(field), type, batch.attributeValue(first + i)];
    });
  return Array.from({ length: batch.spanCount }, (_, span) => {
    const at = (column: number) => batch.spans[span * Span.stride + column]!;
    const resource = at(Span.resource) * Resource.stride;
    const scope = at(Span.scope) * Scope.stride;
    const { resources, scopes } = batch;
    return {
      ids: [batch.hex(at(Span.traceId), 16), batch.hex(at(Span.spanId), 8), batch.hex(at(Span.parentSpanId), 8)],
      name: batch.text(at(Span.name), at(Span.nameLength)),
      said: [at(Span.kind), at(Span.statusCode), at(Span.flags), at(Span.eventCount), at(Span.linkCount)],
      empty: [batch.text(at(Span.traceState), at(Span.traceStateLength)), at(Span.statusMessageLength)],
      times: [batch.nanos(at(Span.start)), batch.nanos(at(Span.end))],
      scope: [
        batch.text(scopes[scope + Scope.name]!, scopes[scope + Scope.nameLength]!),
        batch.text(scopes[scope + Scope.version]!, scopes[scope + Scope.versionLength]!),
      ],
      attributes: attributesOf(at(Span.attributes), at(Span.attributeCount)),
      resource: attributesOf(
        resources[resource + Resource.attributes]!,
        resources[resource + Resource.attributeCount]!,
      ),
      found: batch.findSpanAttribute(span, fields.intern('a')) >= 0,
      foundInResource: batch.findResourceAttribute(span, fields.intern('service.name')) >= 0,
    };
  });
}

function check(events: readonly AgentEvent[]): object[] {
  const decoded = decoder.decode(encodeAgentEvents(events));
  assert.equal(decoded.status, 'ok');
  const expected = shown((decoded as { batch: SpanBatch }).batch);
  const got = shown(batches.of(events));
  assert.deepEqual(got, expected);
  return got;
}

const event: AgentEvent = {
  ...{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), parentSpanId: '', name: 'execute_tool' },
  ...{ startNanos: 1n, endNanos: 2n, failed: false, resource: [], scopeName: '', scopeVersion: '', attributes: [] },
  ...{ joinKey: '', final: true, place: 0 },
};

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom('', 'a', 'ä€\ud83d\ude00', '\ud800x'),
);
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.oneof(text, fc.double(), fc.integer(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
}));
const name = fc.oneof(text, fc.constantFrom('a', 'gen_ai.tool.name', 'service.name'));
const named: fc.Arbitrary<NamedValue[]> = fc.array(fc.tuple(name, value), { maxLength: 5 });
const id = (length: number) => fc.constantFrom('', 'ab'.repeat(length), '00'.repeat(length), 'ab'.repeat(length - 1));
const nanos = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const any: fc.Arbitrary<AgentEvent> = fc
  .record({
    ...{ traceId: fc.oneof(fc.constant(event.traceId), id(16)), spanId: fc.oneof(fc.constant(event.spanId), id(8)) },
    ...{ parentSpanId: id(8), name: text, startNanos: nanos, endNanos: nanos, failed: fc.boolean() },
    ...{
      kind: fc.integer({ min: 0, max: 9 }),
      resource: named,
      scopeName: text,
      scopeVersion: text,
      attributes: named,
    },
  })
  .map((made) => ({ ...event, ...made }));

test('fuzz: events are the batch that they would be decoded to as a request', () => {
  fc.assert(
    fc.property(fc.array(any, { maxLength: 5 }), (events) => void check(events)),
    { numRuns: 2000 },
  );
});

test('what is too deep, too long or too much is left out as a decoder leaves it out', () => {
  const nested = (depth: number): Value =>
    depth === 0 ? 'end' : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) };
  const deepest = nested(limits.nestingDepthMax);
  const tooDeep = nested(limits.nestingDepthMax + 1);
  const longest = 'x'.repeat(limits.attributeKeyBytesMax);
  const many = Array.from({ length: limits.attributesPerSpanMax + 1 }, (_, i): NamedValue => [`n${i % 7}`, i]);
  const ends = Array.from({ length: 30_000 }, (_, i) => `é${i}`).join('');
  const got = check([
    { ...event, attributes: [['deepest', deepest]] },
    {
      ...event,
      attributes: [
        ['a', 1],
        ['too deep', tooDeep],
      ],
    },
    {
      ...event,
      resource: [
        ['too deep', tooDeep],
        ['service.name', 's'],
      ],
    },
    {
      ...event,
      attributes: [
        [longest, 1],
        [`${longest}x`, 2],
        ['a', ends],
      ],
    },
    { ...event, attributes: many },
  ]);
  assert.equal(got.length, 4);
});

test('a name that becomes one of those that are asked for is found, and one that was forgotten', () => {
  const before = check([{ ...event, attributes: [['asked for later', 1]] }]);
  fields.intern('asked for later');
  assert.deepEqual(check([{ ...event, attributes: [['asked for later', 1]] }]), before);
  for (let i = 0; i < limits.fieldNamesMax + 10; i++) batches.of([{ ...event, attributes: [[`dynamic ${i}`, 1]] }]);
  assert.deepEqual(check([{ ...event, attributes: [['asked for later', 1]] }]), before);
  assert.deepEqual(check([{ ...event, attributes: [['dynamic 0', 1]] }]).length, 1);
});
