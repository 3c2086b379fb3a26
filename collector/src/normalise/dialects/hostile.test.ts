import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { TraceDecoder } from '../../decode/trace-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import type { Value } from '../../model/value.ts';
import { otlpProtobuf, type Plain } from '../../testing/otlp.ts';
import { readableFields } from '../fields.ts';
import { NormalisedEvents } from '../span-events.ts';
import { taxonomy } from '../taxonomy.ts';
import { dialects } from './registry.ts';
import { receive } from './testing/sent-span.ts';
import { tellings } from './testing/tellings.ts';

/** Names that tellings send, so that every reading is reached, and marks of every dialect. */
const names = [
  ...new Set([
    ...tellings
      .flatMap((telling) => [...telling.chatWithTool, ...telling.agentWithMcpError, ...telling.streamedRetrieval])
      .flatMap(({ attributes }) => Object.keys(attributes)),
    ...dialects.flatMap(({ marks }) => marks.attributes ?? []).map((name) => name.replace('*', 'x')),
  ]),
];
const indexed = fc
  .tuple(
    fc.constantFrom('llm.input_messages', 'gen_ai.prompt', 'gen_ai.completion', 'llm.tools', 'retrieval.documents'),
    fc.array(fc.constantFrom('0', '1', '99999999999', '-1', '__proto__', 'message', 'role', 'content', 'tool_calls'), {
      maxLength: 6,
    }),
  )
  .map(([prefix, path]) => [prefix, ...path].join('.'));
const json: fc.Arbitrary<string> = fc.oneof(
  fc.json({ maxDepth: 4 }),
  fc.constantFrom(
    '[[[[[[',
    '{"__proto__":{"role":"user"}}',
    '[{"role":{}}]',
    '{"messages":{"messages":{}}}',
    '"\\"[1]\\""',
  ),
);
const value: fc.Arbitrary<Plain> = fc.oneof(
  json,
  json.map((text) => text.slice(0, text.length / 2)),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Number.isInteger(number)),
  fc.boolean(),
  fc.constant(null),
  fc.array(json, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('role', 'content', 'parts', '__proto__', 'constructor'), json, { maxKeys: 3 }),
  fc.constantFrom('[REDACTED]', 'LLM', 'TOOL', 'tool', 'agent'),
);
const span = fc.record({
  attributes: fc.dictionary(fc.oneof(fc.constantFrom(...names), indexed), value, { maxKeys: 12 }),
  events: fc.array(
    fc.record({
      name: fc.constantFrom(...dialects.flatMap(({ marks }) => marks.events ?? ['exception'])),
      attributes: fc.dictionary(fc.constantFrom(...names, 'content', 'role', 'message', 'tool_calls'), value, {
        maxKeys: 4,
      }),
    }),
    { maxLength: 3 },
  ),
  status: fc.record({ code: fc.constantFrom(0, 2) }),
});

test('whatever a span says, nothing throws, nothing is polluted, values have the type of their field', () => {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  const asked = [...readableFields, ...taxonomy.filter(({ kind }) => kind === 'attribute').map(({ name }) => name)];
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 3 }), (spans) => {
      const outcome = decoder.decode(otlpProtobuf(spans));
      assert.equal(outcome.status, 'ok');
      if (outcome.status !== 'ok') return;
      events.bind(outcome.batch);
      for (let i = 0; i < outcome.batch.spanCount; i++) {
        events.categories(i);
        for (const name of asked) events.value(i, fields.intern(name));
        for (const added of events.added(i)) checkAdded(added);
      }
      assert.equal(({} as Record<string, unknown>).role, undefined);
    }),
    { numRuns: 400 },
  );
  assert.equal(events.faults.failedReadings, 0);
});

function checkAdded({ name, value: text }: { name: string; value: string }): void {
  const entry = taxonomy.find((each) => each.name === name);
  assert.ok(entry !== undefined, name);
  assert.equal(typeof text, 'string');
  // A correction may also say that what was sent is nothing.
  if (text === '') return;
  if (entry.type === 'number') assert.ok(/^-?(?:\d|Infinity|NaN)/.test(text), `${name}: ${text}`);
  if (entry.type === 'boolean') assert.ok(text === 'true' || text === 'false', `${name}: ${text}`);
}

test('ten thousand indexed keys: as many as a span may have are read, in their order', () => {
  const attributes: Record<string, Value> = { 'openinference.span.kind': 'LLM' };
  for (let i = 9_999; i >= 0; i--) attributes[`llm.input_messages.${i}.message.content`] = `text ${i}`;
  const received = receive([{ name: 'llm', attributes }]);
  const texts = received.value(0, 'spanwarden.text.user') as readonly string[];
  assert.equal(texts.length, 1023);
  assert.deepEqual(texts.slice(0, 2), ['text 8977', 'text 8978']);
});

test('what does not fit is counted', () => {
  const received = receive([
    {
      name: 'llm',
      attributes: {
        'openinference.span.kind': 'LLM',
        'llm.token_count.prompt': 'many',
        'llm.input_messages.0.message.content': 'hello',
        'llm.input_messages.0.message.content.0.x': 'both a value and keys below it',
        [`llm.input_messages.1.${'a.'.repeat(20)}b`]: 'too deep',
      },
    },
  ]);
  assert.equal(received.value(0, 'gen_ai.usage.input_tokens'), undefined);
  received.value(0, 'gen_ai.input.messages');
  assert.deepEqual(received.events.faults, { malformedValues: 2, failedReadings: 0, droppedKeys: 2 });
});

test('a redacted text is absent, and its absence is a fact', () => {
  const received = receive([
    {
      name: 'llm',
      attributes: {
        'openinference.span.kind': 'LLM',
        'llm.input_messages.0.message.role': 'user',
        'llm.input_messages.0.message.content': '__REDACTED__',
        'output.value': '__REDACTED__',
      },
    },
    {
      name: 'execute_tool x',
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'x',
        'gen_ai.tool.call.arguments': '[REDACTED]',
        'gen_ai.tool.call.result': '<redacted>',
      },
    },
    {
      name: 'chat m',
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"[REDACTED]"}]}]',
        'gen_ai.output.messages': '[{"role":"assistant","parts":[{"type":"text","content":"fine"}]}]',
      },
    },
  ]);
  assert.deepEqual(received.value(0, 'spanwarden.coverage.missing'), ['input_messages', 'output_messages']);
  assert.equal(received.value(0, 'spanwarden.text.user'), undefined);
  assert.deepEqual(received.value(1, 'spanwarden.coverage.missing'), ['tool_arguments', 'tool_result']);
  assert.equal(received.value(1, 'gen_ai.tool.call.arguments'), undefined);
  assert.equal(received.value(1, 'spanwarden.text.tool_result'), undefined);
  assert.equal(received.value(2, 'spanwarden.text.user'), undefined);
  assert.equal(received.value(2, 'spanwarden.coverage.missing'), undefined);
});

test('JSON that nests without end exhausts nothing', () => {
  const deep = (open: string, close: string) => `${open.repeat(20_000)}"x"${close.repeat(20_000)}`;
  const shapes = [
    deep('[', ']'),
    deep('{"content":', '}'),
    deep('{"message":', '}'),
    deep('{"role":"user","content":[', ']}'),
    deep('{"tools":[', ']}'),
    '['.repeat(50_000),
    '{"a":'.repeat(50_000),
  ];
  for (const shape of shapes) {
    for (const mark of [
      { 'openinference.span.kind': 'LLM' },
      { 'gen_ai.operation.name': 'chat' },
      { 'gen_ai.system': 'x' },
    ]) {
      const attributes = {
        ...mark,
        'gen_ai.input.messages': shape,
        'gen_ai.output.messages': shape,
        'gen_ai.prompt': shape,
        'gen_ai.tool.definitions': shape,
        'gen_ai.tool.call.arguments': shape,
        'gen_ai.tool.call.result': shape,
        'gen_ai.system_instructions': shape,
        'input.value': shape,
        'llm.tools.0.tool.json_schema': shape,
        'llm.invocation_parameters': shape,
      };
      const { 'gen_ai.input.messages': _, 'gen_ai.tool.definitions': __, ...foreign } = attributes;
      for (const sent of [attributes, foreign]) {
        const received = receive([{ name: 'deep', attributes: sent }]);
        for (const name of readableFields) received.value(0, name);
        received.events.added(0);
        assert.equal(received.events.faults.failedReadings, 0);
      }
    }
  }
});

test('keys of a megabyte: as attributes they are left out and counted, inside JSON they are content', () => {
  const key = 'k'.repeat(1024 * 1024);
  const attributes = {
    'gen_ai.operation.name': 'execute_tool',
    'openinference.span.kind': 'TOOL',
    'input.value': JSON.stringify({ [key]: 'x', command: 'ls' }),
    [key]: 'x',
    [`llm.input_messages.0.message.${key}`]: 'x',
  };
  const received = receive([{ name: 'tool', attributes }]);
  const { dropped } = received.events.batch as unknown as { readonly dropped: { readonly attributes: number } };
  assert.equal(dropped.attributes, 2);
  assert.equal(received.value(0, 'spanwarden.argument.command'), 'ls');
  for (const name of readableFields) received.value(0, name);
  assert.equal(received.events.faults.failedReadings, 0);
});

test('halves of characters, and names of prototypes, are text like any other', () => {
  const text = JSON.stringify({ __proto__x: 1, constructor: { prototype: { role: 'user' } }, half: '\ud800' });
  const received = receive([
    {
      name: 'tool',
      attributes: {
        'openinference.span.kind': 'TOOL',
        'tool.name': '__proto__',
        'input.value': text,
        'output.value': '"\\udfff"',
        'llm.input_messages.__proto__.message.role': 'system',
        'llm.input_messages.constructor.message.content': 'x',
      },
    },
  ]);
  assert.equal(received.value(0, 'gen_ai.tool.name'), '__proto__');
  assert.equal(received.value(0, 'spanwarden.argument.constructor.prototype.role'), 'user');
  assert.equal(received.value(0, 'spanwarden.argument.toString'), undefined);
  for (const name of readableFields) received.value(0, name);
  received.events.added(0);
  assert.equal(received.events.faults.failedReadings, 0);
  assert.equal(({} as Record<string, unknown>).role, undefined);
});
