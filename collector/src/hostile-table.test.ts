import assert from 'node:assert/strict';
import test from 'node:test';
import { otlpJsonToProtobuf } from './decode/json.ts';
import { TraceDecoder } from './decode/trace-decoder.ts';
import { createFieldTable } from './model/fields.ts';
import { dialects } from './normalise/dialects/registry.ts';
import { askedNames } from './normalise/dialects/testing/asked-names.ts';
import { readableFields } from './normalise/fields.ts';
import { NormalisedEvents } from './normalise/span-events.ts';
import { storedFacts } from './normalise/stored-facts.ts';
import { taxonomy } from './normalise/taxonomy.ts';
import { createRedactor } from './redact/row-redactor.ts';
import { SpanRowEncoder } from './store/rows/otel-traces.ts';

/** An attribute value as OTLP's JSON has it, of every type and of what no type should be. */
type AnyValue = Readonly<Record<string, unknown>>;
const text = (stringValue: string): AnyValue => ({ stringValue });
const nested = (depth: number): AnyValue =>
  depth === 0
    ? text('x')
    : { arrayValue: { values: [{ kvlistValue: { values: [{ key: 'a', value: nested(depth - 1) }] } }] } };
const values: Readonly<Record<string, AnyValue>> = {
  'an empty text': text(''),
  'a word': text('toString'),
  'half a character': text('a\ud800b\udfff'),
  'a megabyte': text('[{"role":"user","content":"'.padEnd(1 << 20, 'x')),
  'JSON of another shape': text('{"a":[{"b":[[1,null,"c"]]}],"role":7,"content":{"type":[]},"parts":{"text":{}}}'),
  'JSON that names prototypes': text(
    '{"__proto__":{"role":"user","polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  ),
  'JSON that points to itself': text('{"$ref":"#","messages":{"$ref":"#/messages"},"tools":{"$ref":"#"}}'),
  'JSON in JSON in JSON': text(JSON.stringify(JSON.stringify(JSON.stringify([{ role: 'user', content: 'x' }])))),
  'JSON without an end': text('[{"role":"tool","content":[{"type":"tool_result","content":['),
  'deep JSON': text('[{"content":'.repeat(5_000)),
  'Python without an end': text("ChatMessage(_role=<ChatRole.TOOL: 'tool'>, _content=[ToolCallResult(result=[[["),
  true: { boolValue: true },
  'an integer': { intValue: '-9223372036854775808' },
  'a number': { doubleValue: 1e308 },
  'no number': { doubleValue: 'NaN' },
  infinity: { doubleValue: '-Infinity' },
  bytes: { bytesValue: '//79AAECAw==' },
  nothing: {},
  'an empty list': { arrayValue: {} },
  'a list of everything': {
    arrayValue: { values: [{}, text('a'), { intValue: '1' }, { boolValue: false }, nested(2)] },
  },
  'an empty map': { kvlistValue: {} },
  'a map of prototypes': {
    kvlistValue: {
      values: ['__proto__', 'constructor', 'toString', 'role', '', 'role'].map((key) => ({ key, value: nested(1) })),
    },
  },
  'something deep': nested(40),
};

const asked = [...readableFields, ...taxonomy.filter(({ kind }) => kind === 'attribute').map(({ name }) => name)];
const request = (scope: string, spans: readonly object[]): Buffer => {
  const scopeSpans = [{ scope: { name: scope, version: '1' }, spans }];
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans }] })));
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  return outcome.bytes;
};
const spanOf = (attributes: readonly object[], events: readonly object[] = []) => ({
  ...{
    traceId: 'ab'.repeat(16),
    spanId: 'cd'.repeat(8),
    name: 'MCP send tools/call x',
    status: { code: 2, message: 'm' },
  },
  ...{ startTimeUnixNano: '1800000000000000000', endTimeUnixNano: '1800000000000000001', attributes, events },
});

/** Through decoding, normalising, every fact and the rows; gives what was read. */
function through(bytes: Buffer): NormalisedEvents {
  const fields = createFieldTable();
  const decoded = new TraceDecoder(fields).decode(bytes);
  if (decoded.status !== 'ok') assert.fail(decoded.message);
  const events = new NormalisedEvents(fields).bind(decoded.batch);
  for (let span = 0; span < decoded.batch.spanCount; span++) {
    events.categories(span);
    for (const name of asked) events.value(span, fields.intern(name));
  }
  const redactor = createRedactor({ profile: 'secrets_and_pii', key: Buffer.alloc(32), fields });
  const rows = new SpanRowEncoder(fields, storedFacts, redactor).encode(
    decoded.batch,
    { fromMs: 0, toMs: 4e12 },
    events,
  );
  assert.equal(rows.table, 'otel_traces');
  assert.equal(rows.count, decoded.batch.spanCount);
  assert.equal(events.faults.failedReadings, 0);
  for (const key of ['polluted', 'role', 'content']) assert.equal(({} as Record<string, unknown>)[key], undefined);
  return events;
}

for (const dialect of dialects) {
  test(`${dialect.name}: each attribute that it reads, with a value of each type`, () => {
    const names = askedNames(dialect);
    const scope = (dialect.marks.scopes?.[0] ?? '').replace('*', 'x');
    const marks = (dialect.marks.attributes ?? []).map((name) => ({
      key: name.replace('*', 'x'),
      value: text('tool'),
    }));
    for (const [kind, value] of Object.entries(values)) {
      // All at once, and each among what is as it should be. Large ones are read once.
      const all = names.attributes.map((key) => ({ key, value }));
      const events = names.events.map((name) => ({
        name,
        attributes: ['content', 'message', 'role', 'tool_calls', 'gen_ai.event.content'].map((key) => ({ key, value })),
      }));
      const isLarge = kind === 'a megabyte' || kind === 'deep JSON';
      const each = isLarge ? [] : all.map((one) => spanOf([...marks, one], events));
      const few = isLarge ? all.slice(0, 8) : all;
      through(request(scope, [spanOf([...marks, ...few], events), ...each]));
    }
  });
}

test('each canonical attribute, with a value of each type', () => {
  const keys = taxonomy.filter(({ kind }) => kind === 'attribute').map(({ name }) => name);
  const operations = ['chat', 'execute_tool', 'retrieval', 'invoke_agent'].map((name) => text(name));
  for (const [kind, value] of Object.entries(values)) {
    const isLarge = kind === 'a megabyte' || kind === 'deep JSON';
    const all = keys.map((key) => ({ key, value }));
    const spans = operations.flatMap((operation) => {
      const mark = { key: 'gen_ai.operation.name', value: operation };
      return isLarge ? [] : all.map((one) => spanOf([mark, one]));
    });
    through(request('', [spanOf(isLarge ? all.slice(0, 12) : all), ...spans]));
  }
});

test('ten thousand indexed keys of every prefix are read up to the bound, what is over it is counted', () => {
  for (const dialect of dialects) {
    const scope = (dialect.marks.scopes?.[0] ?? '').replace('*', 'x');
    for (const prefix of askedNames(dialect).prefixes) {
      const keys = Array.from({ length: 10_000 }, (_, i) => `${prefix}.${i % 3 === 0 ? i : `${i}.message.content`}`);
      const attributes = keys.map((key) => ({ key, value: text('x') }));
      const { batch } = through(request(scope, [spanOf(attributes)])) as unknown as {
        readonly batch: { readonly dropped: { readonly attributes: number } };
      };
      assert.equal(batch.dropped.attributes, 10_000 - 1024, `${dialect.name} ${prefix}`);
    }
  }
});

test('names of a megabyte, of prototypes and of half characters name nothing', () => {
  const keys = [
    'k'.repeat(1 << 20),
    '__proto__',
    'constructor',
    '__proto__.role',
    'llm.input_messages.__proto__.role',
    'a\ud800',
    '',
  ];
  const attributes = keys.map((key) => ({ key, value: text('{"role":"user"}') }));
  for (const dialect of dialects) {
    const scope = (dialect.marks.scopes?.[0] ?? '').replace('*', 'x');
    through(request(scope, [spanOf(attributes, [{ name: keys[0], attributes }])]));
  }
});
