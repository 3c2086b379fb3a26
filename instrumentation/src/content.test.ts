import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import fc from 'fast-check';
import {
  contentBytesMax,
  contentModeFrom,
  inputMessageAttributes,
  type Message,
  outputMessageAttributes,
  systemInstructionAttributes,
  toolArgumentAttributes,
  toolDefinitionAttributes,
  toolResultAttributes,
} from './content.ts';

afterEach(() => {
  delete process.env.SPANWARDEN_CONTENT_MAX_BYTES;
});

const said = (content: string, role = 'user'): Message => ({ role, parts: [{ type: 'text', content }] });
const parsed = (value: unknown): unknown => JSON.parse(String(value));

test('modes: our variable first, then the one of OpenTelemetry, and an unknown value captures nothing', () => {
  const standard = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
  assert.equal(contentModeFrom({}), 'full');
  assert.equal(contentModeFrom({ SPANWARDEN_CONTENT: 'No_Tool_Content' }), 'no_tool_content');
  assert.equal(contentModeFrom({ SPANWARDEN_CONTENT: 'metadata' }), 'metadata_only');
  assert.equal(contentModeFrom({ [standard]: 'false' }), 'metadata_only');
  assert.equal(contentModeFrom({ [standard]: 'NO_CONTENT' }), 'metadata_only');
  assert.equal(contentModeFrom({ [standard]: 'true' }), 'full');
  assert.equal(contentModeFrom({ [standard]: 'false', SPANWARDEN_CONTENT: 'full' }), 'full');
});

test('a conversation over the cap loses its oldest messages whole and keeps the newest', () => {
  process.env.SPANWARDEN_CONTENT_MAX_BYTES = '1024';
  const messages = Array.from({ length: 40 }, (_, i) => said(`message ${i} ${'x'.repeat(80)}`));
  const told = inputMessageAttributes(messages, 'full');
  const kept = parsed(told['gen_ai.input.messages']) as Message[];
  assert.deepEqual(kept, messages.slice(-kept.length));
  assert.ok(kept.length > 3);
  assert.equal(told['spanwarden.content.truncated'], true);
});

test('a message too large alone keeps its head and its tail', () => {
  process.env.SPANWARDEN_CONTENT_MAX_BYTES = '2048';
  const told = inputMessageAttributes([said(`HEAD ${'x'.repeat(50_000)} TAIL`)], 'full');
  const text = String(told['gen_ai.input.messages']);
  assert.ok(Buffer.byteLength(text) <= 2048);
  assert.match(text, /HEAD x.*bytes cut.*x TAIL/);
  assert.equal(told['spanwarden.content.truncated'], true);
});

test('nothing is marked as cut that was not', () => {
  const told = inputMessageAttributes([said('hi')], 'full');
  assert.deepEqual(told, { 'gen_ai.input.messages': '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]' });
});

test('any messages give JSON within the cap', () => {
  process.env.SPANWARDEN_CONTENT_MAX_BYTES = '1500';
  const part = fc.record({
    type: fc.string(),
    content: fc.string({ maxLength: 3000, unit: 'grapheme' }),
    more: fc.jsonValue(),
  });
  const message = fc.record({ role: fc.string({ maxLength: 20 }), parts: fc.array(part, { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      for (const told of [
        inputMessageAttributes(messages, 'full'),
        outputMessageAttributes(messages, 'no_tool_content'),
      ]) {
        const text = String(told['gen_ai.input.messages'] ?? told['gen_ai.output.messages']);
        assert.ok(Buffer.byteLength(text) <= 1500, `${Buffer.byteLength(text)} bytes`);
        assert.ok(Array.isArray(parsed(text)));
      }
    }),
  );
});

test('values JSON cannot say do no harm', () => {
  const cycle: Record<string, unknown> = { n: 1n };
  cycle.self = cycle;
  const hostile = { toJSON: () => assert.fail('no') };
  for (const value of [cycle, hostile, 1n, Number.NaN, null, () => 1, Symbol('s')]) {
    for (const mode of ['full', 'no_tool_content', 'metadata_only'] as const) {
      assert.ok(Object.keys(toolArgumentAttributes(value, mode)).length > 0);
    }
  }
});

test('without tool content: hash and length in its place, equal for equal values however written', () => {
  const inside = (args: unknown): unknown => {
    const parts = [{ type: 'tool_call', id: 'c', name: 'pay', arguments: args }];
    const [message] = parsed(
      outputMessageAttributes([{ role: 'assistant', parts }], 'no_tool_content')['gen_ai.output.messages'],
    ) as Message[];
    return message?.parts[0];
  };
  assert.deepEqual(inside({ b: 1, a: 2 }), inside('{ "a": 2, "b": 1 }'));
  const outside = toolArgumentAttributes('{"a":2,"b":1}', 'no_tool_content');
  assert.equal(
    (inside({ a: 2, b: 1 }) as Record<string, unknown>).arguments_hash,
    outside['spanwarden.tool.call.arguments_hash'],
  );
  assert.doesNotMatch(JSON.stringify(toolResultAttributes('card 4111', 'metadata_only')), /4111/);
});

test('metadata_only: no text of any kind, tools by name and hash', () => {
  const tools = [{ name: 'pay', description: 'secret words', parameters: { secret: 'words' } }];
  const told = {
    ...inputMessageAttributes([said('secret words')], 'metadata_only'),
    ...outputMessageAttributes([said('secret words', 'assistant')], 'metadata_only'),
    ...systemInstructionAttributes([{ type: 'text', content: 'secret words' }], 'metadata_only'),
    ...toolDefinitionAttributes(tools, 'metadata_only'),
  };
  assert.doesNotMatch(JSON.stringify(told), /secret/);
  assert.equal(told['gen_ai.tool.definitions'], '[{"type":"function","name":"pay"}]');
  assert.deepEqual(told['spanwarden.tool.definition.names'], ['pay']);
});

test('the cap: a number of at least 1 KiB, else 256 KiB', () => {
  assert.equal(contentBytesMax({ SPANWARDEN_CONTENT_MAX_BYTES: '4096' }), 4096);
  for (const wrong of ['10', '-5', 'much', '1e99']) {
    assert.equal(contentBytesMax({ SPANWARDEN_CONTENT_MAX_BYTES: wrong }), 262_144);
  }
});
