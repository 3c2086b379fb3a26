import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { TraceDecoder } from '../../decode/trace-decoder.ts';
import { createFieldTable, type FieldTable } from '../../model/fields.ts';
import type { SpanBatch } from '../../model/span-batch.ts';
import { Attribute, Event, Link, Resource, Span } from '../../model/span-batch.ts';
import type { SpanEvents } from '../../model/span-events.ts';
import { NormalisedEvents } from '../../normalise/span-events.ts';
import { storedFacts } from '../../normalise/stored-facts.ts';
import { otlpProtobuf, type Plain, type TestSpan } from '../../testing/otlp.ts';
import { SpanRowEncoder } from '../rows/otel-traces.ts';
import { openTestStore, type TestStore } from '../testing/embedded.ts';
import { planHistory, readHistory } from './read.ts';

const base = (BigInt(Date.now()) - 3_600_000n) * 1_000_000n;
const range = { fromNanos: base - 86_400_000_000_000n, toNanos: base + 86_400_000_000_000n };
const accepted = { fromMs: Number(base / 1_000_000n) - 9e9, toMs: Number(base / 1_000_000n) + 9e9 };

let db: TestStore;
before(async () => {
  db = await openTestStore();
});
after(() => db.close());

/** Stores spans as the pipeline does; gives what the stream saw of them. */
async function stored(requests: readonly Buffer[]): Promise<object[]> {
  await db.store.client.command({ query: 'TRUNCATE TABLE otel_traces' });
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const encoder = new SpanRowEncoder(fields, storedFacts);
  const events = new NormalisedEvents(fields);
  const seen: object[] = [];
  for (const request of requests) {
    const outcome = decoder.decode(request);
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    events.bind(outcome.batch);
    seen.push(...views(events, fields));
    await db.insert(encoder.encode(outcome.batch, accepted, events));
  }
  return seen;
}

async function readBack(sliceSpansMax?: number, wanted: Parameters<typeof planHistory>[1] = range) {
  const fields = createFieldTable();
  const events = new NormalisedEvents(fields);
  const plan = await planHistory(db.store.client, wanted, sliceSpansMax);
  const { batches, losses } = readHistory(db.store.client, plan, { fields });
  const seen: object[] = [];
  for await (const batch of batches) seen.push(...views(events.bind(batch), fields));
  return { seen, losses, plan };
}

const asked = [
  'span.duration_ms',
  'span.start_time',
  'span.end_time',
  'service.name',
  'span.scope_name',
  'm.x',
  'm.y.z',
  'gen_ai.operation.name',
  'gen_ai.request.model',
  'gen_ai.input.messages',
  'gen_ai.usage.input_tokens',
  'spanwarden.dialect',
  'spanwarden.text.user',
];

/** Everything that rules can ask of each span. */
function views(events: SpanEvents, fields: FieldTable): object[] {
  const { batch } = events;
  return Array.from({ length: batch.spanCount }, (_, span) => {
    const at = span * Span.stride;
    const resource = batch.spans[at + Span.resource]! * Resource.stride;
    const names = ['span.name', 'span.kind', 'span.status_code', 'span.status_message', 'trace_id', 'span_id'];
    const facts = [...names, 'parent_span_id', ...asked, ...storedFacts].map((name) => [
      name,
      events.value(span, fields.intern(name)),
    ]);
    const end = batch.spans[at + Span.end]!;
    return {
      facts,
      endNanos: end < 0 ? undefined : batch.nanos(end),
      categories: events.categories(span),
      attributes: attributesOf(
        batch,
        fields,
        batch.spans[at + Span.attributes]!,
        batch.spans[at + Span.attributeCount]!,
      ),
      resource: attributesOf(
        batch,
        fields,
        batch.resources[resource + Resource.attributes]!,
        batch.resources[resource + Resource.attributeCount]!,
      ),
      texts: [...events.texts(span)].sort(),
      events: rowsOf(batch.spans[at + Span.events]!, batch.spans[at + Span.eventCount]!).map((row) => [
        batch.nanos(batch.events[row * Event.stride + Event.time]!),
        batch.text(
          batch.events[row * Event.stride + Event.name]!,
          batch.events[row * Event.stride + Event.nameLength]!,
        ),
        attributesOf(
          batch,
          fields,
          batch.events[row * Event.stride + Event.attributes]!,
          batch.events[row * Event.stride + Event.attributeCount]!,
        ),
      ]),
      links: rowsOf(batch.spans[at + Span.links]!, batch.spans[at + Span.linkCount]!).map((row) => [
        batch.hex(batch.links[row * Link.stride + Link.traceId]!, 16),
        batch.hex(batch.links[row * Link.stride + Link.spanId]!, 8),
        attributesOf(
          batch,
          fields,
          batch.links[row * Link.stride + Link.attributes]!,
          batch.links[row * Link.stride + Link.attributeCount]!,
        ),
      ]),
    };
  });
}

function rowsOf(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

/** By name; of duplicate names the last. Maps lose their prototypes, which assert compares and rules do not. */
function attributesOf(batch: SpanBatch, fields: FieldTable, first: number, count: number): object {
  const entries = rowsOf(first, count).map((row) => {
    const value = batch.attributeValue(row);
    const plain = typeof value === 'object' && value !== null ? plainOf(value) : value;
    return [fields.name(batch.attributes[row * Attribute.stride]!), plain] as const;
  });
  return Object.fromEntries([...new Map(entries)].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function plainOf(value: object): unknown {
  const replacer = (_: string, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each);
  return JSON.parse(JSON.stringify(value, replacer));
}

const scalar: fc.Arbitrary<Plain> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', 'true', '42', '[1]', 'null', '@1,2', '|s|'),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer(),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .filter((number) => !Object.is(number, -0) && !(Number.isInteger(number) && Math.abs(number) > 1e15)),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 6 }),
);
const { value } = fc.letrec<{ value: Plain }>((tie) => ({
  value: fc.oneof(
    { weight: 6, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.constantFrom('x', 'y', 'z', 'y.z', '__proto__'), tie('value'), { maxKeys: 2 }),
    },
  ),
}));
const attributes = fc.dictionary(
  fc.constantFrom(
    'm',
    'gen_ai.tool.name',
    'gen_ai.operation.name',
    'file.path',
    'a.b',
    'é',
    'spanwarden.original_timestamp',
    'openinference.span.kind',
    'llm.model_name',
    'llm.token_count.prompt',
    'llm.input_messages.0.message.role',
    'llm.input_messages.0.message.content',
    'gen_ai.prompt.0.content',
  ),
  value,
  { maxKeys: 6 },
);
const nanos = fc.bigInt({ min: base - 1_000_000_000_000n, max: base + 1_000_000_000_000n });
const span: fc.Arbitrary<TestSpan> = fc.record({
  traceId: fc.constantFrom('ab'.repeat(16), 'cd'.repeat(16)),
  parentSpanId: fc.constantFrom('', '11'.repeat(8)),
  name: fc.constantFrom('', 'chat', 'execute_tool é'),
  kind: fc.integer({ min: 0, max: 5 }),
  startNanos: nanos,
  endNanos: nanos,
  attributes,
  events: fc.array(fc.record({ name: fc.string(), nanos, attributes }), { maxLength: 2 }),
  links: fc.array(
    fc.record({ traceId: fc.constant('ef'.repeat(16)), spanId: fc.constant('22'.repeat(8)), attributes }),
    {
      maxLength: 2,
    },
  ),
  status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: fc.constantFrom('', 'no') }),
});

function byText(seen: readonly object[]): string[] {
  const replacer = (_: string, each: unknown) =>
    each === undefined ? 'absent' : typeof each === 'bigint' ? `${each}n` : each;
  return seen.map((each) => JSON.stringify(each, replacer)).sort();
}

describe('reading back', () => {
  it('gives the rules what the stream gave them, for any spans', async () => {
    const request = fc.tuple(fc.array(span, { minLength: 1, maxLength: 40 }), attributes);
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 3 }), async (requests) => {
        const seen = await stored(requests.map(([spans, resource]) => otlpProtobuf(spans, resource)));
        const back = await readBack();
        assert.deepEqual(byText(back.seen), byText(seen));
        assert.equal(back.losses.untyped, 0);
      }),
      { numRuns: 25 },
    );
  });

  it('what a span says in another dialect is stored beside what it sent, and read from that again', async () => {
    const attributes = {
      'openinference.span.kind': 'LLM',
      'llm.model_name': 'gpt-5',
      'llm.token_count.prompt': 7,
      'llm.input_messages.0.message.role': 'user',
      'llm.input_messages.0.message.content': 'hello',
      'spanwarden.dialect': 'mine',
    };
    const seen = await stored([otlpProtobuf([{ startNanos: base, attributes }])]);
    const answer = await db.store.client.query({
      query: 'SELECT SpanAttributes, RequestModel, InputTokens, OperationName FROM otel_traces',
      format: 'JSONEachRow',
    });
    const [row] = await answer.json<{ SpanAttributes: Record<string, string> } & Record<string, unknown>>();
    assert.deepEqual(
      { ...row, SpanAttributes: Object.entries(row!.SpanAttributes) },
      {
        SpanAttributes: [
          ['gen_ai.input.messages', '[{"role":"user","parts":[{"type":"text","content":"hello"}]}]'],
          ['gen_ai.operation.name', 'chat'],
          ['gen_ai.request.model', 'gpt-5'],
          ['gen_ai.response.model', 'gpt-5'],
          ['gen_ai.usage.input_tokens', '7'],
          ['llm.input_messages.0.message.content', 'hello'],
          ['llm.input_messages.0.message.role', 'user'],
          ['llm.model_name', 'gpt-5'],
          ['llm.token_count.prompt', '7'],
          ['openinference.span.kind', 'LLM'],
          ['spanwarden.dialect', 'openinference'],
          ['spanwarden.dialect_version', '1.0'],
        ],
        RequestModel: 'gpt-5',
        InputTokens: '7',
        OperationName: 'chat',
      },
    );
    const back = await readBack();
    const facts = (views: readonly object[]) => views.map((view) => (view as { facts: unknown }).facts);
    assert.deepEqual(facts(back.seen), facts(seen));
  });

  it('what a dialect corrects is stored beside what was sent, and read from that again', async () => {
    const attributes = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.response.finish_reasons': ['tool_calls'],
      'gen_ai.tool.name': 'refund',
      'openlit.x': true,
      // Senders may use our names: it is theirs and nothing else.
      'spanwarden.original.gen_ai.operation.name': 'execute_tool',
      'spanwarden.original.gen_ai.tool.name': 'mine',
    };
    const seen = await stored([otlpProtobuf([{ startNanos: base, attributes }])]);
    const answer = await db.store.client.query({
      query: 'SELECT SpanAttributes FROM otel_traces',
      format: 'JSONEachRow',
    });
    const [row] = await answer.json<{ SpanAttributes: Record<string, string> }>();
    assert.deepEqual(Object.entries(row!.SpanAttributes), [
      ['gen_ai.operation.name', 'chat'],
      ['gen_ai.response.finish_reasons', '["tool_call"]'],
      ['openlit.x', 'true'],
      ['spanwarden.dialect', 'openlit'],
      ['spanwarden.dialect_version', '1.0'],
      ['spanwarden.original.gen_ai.operation.name', 'execute_tool'],
      ['spanwarden.original.gen_ai.response.finish_reasons', '["tool_calls"]'],
      ['spanwarden.original.gen_ai.tool.name', 'refund'],
    ]);
    const back = await readBack();
    const facts = (views: readonly object[]) => views.map((view) => (view as { facts: unknown }).facts);
    assert.deepEqual(facts(back.seen), facts(seen));
  });

  it('comes in event order across slices, one agent alone where asked', async () => {
    const spans = Array.from({ length: 300 }, (_, i): TestSpan => {
      const endNanos = base + BigInt((i * 7919) % 300) * 60_000_000_000n;
      return {
        startNanos: endNanos - BigInt(i) * 1_000_000_000n,
        endNanos,
        attributes: { 'gen_ai.agent.name': `a${i % 3}` },
      };
    });
    await stored([otlpProtobuf(spans)]);
    const { seen, plan } = await readBack(50);
    assert.ok(plan.slices.length >= 6);
    const ends = (seen as { endNanos: bigint }[]).map(({ endNanos }) => endNanos);
    assert.deepEqual(
      ends,
      [...ends].sort((a, b) => (a < b ? -1 : 1)),
    );
    assert.equal(ends.length, 300);
    assert.equal((await readBack(50, { ...range, agent: 'a1' })).seen.length, 100);
    assert.equal((await readBack(50, { ...range, agent: "' OR 1 = 1 --" })).seen.length, 0);
  });

  it('takes rows of other exporters for text, and says so', async () => {
    await stored([]);
    await db.store.client.command({
      query: `INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, SpanKind, SpanAttributes)
VALUES (fromUnixTimestamp64Nano(${base}), 'x', '${'12'.repeat(8)}', 'n', 'SPAN_KIND_SERVER', map('n', '42'))`,
      clickhouse_settings: { async_insert: 0 },
    });
    const { seen, losses } = await readBack();
    assert.equal(losses.untyped, 1);
    const [only] = seen as { attributes: object; facts: [string, unknown][] }[];
    assert.deepEqual(only!.attributes, { n: '42' });
    assert.deepEqual(
      only!.facts.filter(([name]) => ['trace_id', 'span_id', 'span.kind'].includes(name)),
      [
        ['span.kind', 'Unspecified'],
        ['trace_id', ''],
        ['span_id', '12'.repeat(8)],
      ],
    );
  });

  it('reads a span that is longer than a batch', async () => {
    const long = 'x'.repeat(3_000_000);
    await stored([otlpProtobuf([{ startNanos: base, endNanos: base, attributes: { long, short: 'y' } }])]);
    const { seen } = await readBack();
    assert.deepEqual((seen[0] as { attributes: object }).attributes, { long, short: 'y' });
  });
});
