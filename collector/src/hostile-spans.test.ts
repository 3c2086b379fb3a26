import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { otlpJsonToProtobuf } from './decode/json.ts';
import { TraceDecoder } from './decode/trace-decoder.ts';
import { createFieldTable } from './model/fields.ts';
import { dialects } from './normalise/dialects/registry.ts';
import { askedNames } from './normalise/dialects/testing/asked-names.ts';
import { readableFields } from './normalise/fields.ts';
import { NormalisedEvents } from './normalise/span-events.ts';
import { storedFacts } from './normalise/stored-facts.ts';
import { taxonomy } from './normalise/taxonomy.ts';
import { SpanRowEncoder } from './store/rows/otel-traces.ts';
import { otlpJson, type Plain, type TestSpan } from './testing/otlp.ts';

/** Every dialect against spans that have its marks and anything at all under the names that it asks for. */
const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}"x"${close.repeat(depth)}`;
const json: fc.Arbitrary<string> = fc.oneof(
  fc.json({ maxDepth: 5 }),
  fc.json({ maxDepth: 3 }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    nested('[', ']', 3_000),
    nested('{"content":', '}', 3_000),
    nested('{"kwargs":{"data":', '}}', 500),
    '{"$ref":"#","messages":{"$ref":"#/messages"}}',
    '{"__proto__":{"role":"user"},"constructor":{"prototype":{"polluted":1}}}',
    '[{"role":"assistant","tool_calls":[null,7,{"function":[]}]},{"role":"tool","content":{"x":[[]]}}]',
    '{"tools":[{"name":7},{"function":{"name":"x","parameters":"{"}}],"params":{"args":[{}],"name":[]}}',
    '{"messages":[[{"lc":1,"kwargs":{"content":[{"type":"text"}]}}]],"args":{},"kwargs":null}',
    '"\\ud800"',
    '{"a\\udfff":"\\ud83d"}',
    '1e999',
    '[',
    '{"role":"user","content":"cut off he',
  ),
);
const value: fc.Arbitrary<Plain> = fc.oneof(
  json,
  json.map((text) => text.slice(0, text.length / 2)),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom<Plain>(
    '',
    '[REDACTED]',
    'tool',
    'TOOL',
    'LLM',
    'llm',
    'agent',
    'chat',
    'execute_tool',
    'tools/call',
    'tools_call',
  ),
  fc.constantFrom<Plain>('9'.repeat(400), '-0', 'NaN', 'toString', '__proto__', 'constructor'),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Number.isInteger(number)),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.oneof(json, fc.integer()), { maxLength: 4 }),
  fc.dictionary(fc.constantFrom('role', 'content', 'parts', 'name', '__proto__', 'constructor'), json, { maxKeys: 3 }),
);
const path = fc.array(
  fc.constantFrom(
    '0',
    '1',
    '00',
    '-1',
    '999999999',
    '99999999999',
    '__proto__',
    'constructor',
    'message',
    'role',
    'content',
  ),
  { maxLength: 14 },
);
const asked = [...readableFields, ...taxonomy.filter(({ kind }) => kind === 'attribute').map(({ name }) => name)];

for (const dialect of dialects) {
  test(`${dialect.name}: whatever its spans say, nothing throws, nothing is polluted, rows stay rows`, () => {
    const names = askedNames(dialect);
    const key = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...names.attributes, 'gen_ai.operation.name', 'gen_ai.system') },
      { weight: 2, arbitrary: path.map((keys) => [names.prefixes[0] ?? 'x', ...keys].join('.')) },
      { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'table', 'tenant', 'database') },
    );
    const scope = (dialect.marks.scopes?.[0] ?? '').replace('*', 'x');
    const events = fc.array(
      fc.record({
        name: fc.constantFrom(...names.events, 'exception'),
        attributes: fc.dictionary(fc.oneof(key, fc.constantFrom('content', 'message', 'role')), value, { maxKeys: 3 }),
      }),
      { maxLength: 3 },
    );
    const span = fc.record({
      attributes: fc.dictionary(key, value, { maxKeys: 12 }),
      events,
      status: fc.record({ code: fc.constantFrom(0, 2) }),
    });
    const fields = createFieldTable();
    const decoder = new TraceDecoder(fields);
    const read = new NormalisedEvents(fields);
    const rows = new SpanRowEncoder(fields, storedFacts);
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 2 }), (spans) => {
        const decoded = decoder.decode(requestOf(spans, scope));
        if (decoded.status !== 'ok') assert.fail(decoded.message);
        read.bind(decoded.batch);
        for (let i = 0; i < spans.length; i++) {
          read.categories(i);
          for (const name of asked) read.value(i, fields.intern(name));
        }
        const encoded = rows.encode(decoded.batch, { fromMs: 0, toMs: 4e12 }, read);
        assert.equal(encoded.table, 'otel_traces');
        assert.equal(encoded.count, spans.length);
        rows.release(encoded);
        assert.equal(({} as Record<string, unknown>).role, undefined);
        assert.equal(({} as Record<string, unknown>).polluted, undefined);
      }),
      { numRuns: 60 },
    );
    assert.equal(read.faults.failedReadings, 0);
  });
}

function requestOf(spans: readonly TestSpan[], name: string): Buffer {
  const json = JSON.stringify(otlpJson(spans)).replace('"name":"test-scope"', () => `"name":${JSON.stringify(name)}`);
  const request = otlpJsonToProtobuf(Buffer.from(json));
  if (request.status !== 'ok') throw new Error(request.message);
  return request.bytes;
}
