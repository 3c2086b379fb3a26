import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { createFieldTable } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { otlpProtobuf } from '../testing/otlp.ts';
import { NormalisedEvents } from './span-events.ts';

const id = fc.constantFrom('call_number_1', 'call_number_2', 'call_number_3', 'short', '');
const text = fc.constantFrom('user', 'assistant').map((role) => ({ role, content: role }));
const call = id.map((each) => ({ role: 'assistant', parts: [{ type: 'tool_call', id: each, name: 'read' }] }));
const result = id.map((each) => ({ role: 'tool', parts: [{ type: 'tool_call_response', id: each, response: 'x' }] }));
/** Some conversations have no calls, and go by their texts. */
const turns = fc.boolean().chain((hasCalls) => {
  const message = hasCalls ? fc.oneof(text, call, result) : text;
  return fc.array(
    fc.record({
      added: fc.array(message, { maxLength: 40 }),
      output: fc.array(hasCalls ? fc.oneof(text, call) : text, { maxLength: 2 }),
      own: fc.constantFrom('', 'call_number_2, call_number_9'),
    }),
    { maxLength: 4 },
  );
});

function spansOf(conversation: readonly { added: object[]; output: object[]; own: string }[]): Buffer {
  const sent: object[] = [];
  return otlpProtobuf(
    conversation.map(({ added, output, own }) => {
      sent.push(...added);
      return {
        traceId: 'a'.repeat(32),
        attributes: {
          'gen_ai.operation.name': own === '' ? 'chat' : 'execute_tool',
          'gen_ai.input.messages': JSON.stringify(sent),
          'gen_ai.output.messages': JSON.stringify(output),
          ...(own !== '' && { 'gen_ai.tool.call.id': own }),
        },
      };
    }),
  );
}

test('keys of a call in a conversation that goes on are those of all its messages', () => {
  const fields = createFieldTable();
  fc.assert(
    fc.property(turns, (conversation) => {
      const outcome = new TraceDecoder(fields).decode(spansOf(conversation));
      if (outcome.status !== 'ok') throw new Error(outcome.message);
      // What is read once is the same as what is read anew for each call, later ones first, too.
      const known = new NormalisedEvents(fields).bind(outcome.batch);
      const plain = new NormalisedEvents(fields, undefined, { listBytesMax: 0 }).bind(outcome.batch);
      const spans = conversation.map((_, span) => span);
      for (const span of [...spans, ...spans.reverse()]) {
        const keys = known.sessionKeys(span);
        assert.deepEqual(keys, plain.sessionKeys(span));
        assert.ok((keys?.prefixes.length ?? 0) <= limits.sessionKeysPerCallMax);
      }
    }),
    { numRuns: 300 },
  );
});

test('of many tool calls the first one and the newest are keys', () => {
  const fields = createFieldTable();
  const ids = Array.from({ length: 100 }, (_, number) => `call_number_${number}`);
  const added = ids.map((each) => ({ role: 'assistant', parts: [{ type: 'tool_call', id: each, name: 'read' }] }));
  const outcome = new TraceDecoder(fields).decode(spansOf([{ added, output: [], own: '' }]));
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  for (const listBytesMax of [0, 1_000_000]) {
    const keys = new NormalisedEvents(fields, undefined, { listBytesMax }).bind(outcome.batch).sessionKeys(0);
    assert.deepEqual(keys?.givenCalls, [ids[0], ...ids.slice(1 - limits.sessionKeysPerCallMax)]);
  }
});
