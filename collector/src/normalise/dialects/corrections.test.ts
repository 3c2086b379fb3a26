import assert from 'node:assert/strict';
import test from 'node:test';
import type { Value } from '../../model/value.ts';
import { type Received, receive, type SentSpan } from './testing/sent-span.ts';

/** What emitters write under canonical names although it is something else. */
function one(span: SentSpan): Received & { read(field: string): Value | undefined } {
  const received = receive([span]);
  return { ...received, read: (field) => received.value(0, field) };
}

const litChat: SentSpan = {
  name: 'chat gpt-5',
  scope: { name: '@openlit/instrumentation-openai', version: '1.0' },
  attributes: {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.response.finish_reasons': ['tool_calls'],
    'gen_ai.tool.name': 'refund',
    'gen_ai.tool.call.arguments': '{"order":"1"}',
  },
};

test('what a model proposes is no tool that ran, and the words of the emitter are ours', () => {
  const span = one(litChat);
  assert.equal(span.read('gen_ai.tool.name'), undefined);
  assert.equal(span.read('spanwarden.argument.order'), undefined);
  assert.deepEqual(span.read('gen_ai.response.finish_reasons'), ['tool_call']);
  assert.equal(span.read('gen_ai.provider.name'), 'openai');
  assert.deepEqual(
    span.events.added(0).filter(({ corrects }) => corrects),
    [
      { name: 'gen_ai.response.finish_reasons', value: '["tool_call"]', corrects: true },
      { name: 'gen_ai.tool.call.arguments', value: '', corrects: true },
      { name: 'gen_ai.tool.name', value: '', corrects: true },
    ],
  );
});

test('the same attributes of a tool span, or of nobody we know, stand as they are', () => {
  const tool = one({ ...litChat, attributes: { ...litChat.attributes, 'gen_ai.operation.name': 'execute_tool' } });
  assert.equal(tool.read('gen_ai.tool.name'), 'refund');
  const { scope: _, ...unknown } = litChat;
  assert.equal(one(unknown).read('gen_ai.tool.name'), 'refund');
  assert.deepEqual(one(unknown).events.added(0), []);
});

test('the name of a framework is no provider: another attribute may say who it is', () => {
  const framework = (system: string, more: Record<string, Value> = {}) =>
    one({
      name: 'x',
      attributes: { 'openinference.span.kind': 'LLM', 'gen_ai.provider.name': system, ...more },
    }).read('gen_ai.provider.name');
  assert.equal(framework('langchain'), undefined);
  assert.equal(framework('langchain', { 'llm.provider': 'anthropic' }), 'anthropic');
  assert.equal(framework('OpenAI'), 'openai');
});

test('a corrected operation decides the category', () => {
  const span = one({
    name: 'search',
    attributes: { 'langsmith.span.kind': 'retriever', 'gen_ai.operation.name': 'chain' },
  });
  assert.equal(span.read('gen_ai.operation.name'), 'retrieval');
  assert.equal(span.events.categories(0), 16);
});

test('sums around model calls are no usage; odd values correct nothing', () => {
  const around = one({
    name: 'invoke_agent gpt-5',
    scope: { name: 'gen_ai' },
    attributes: { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.usage.input_tokens': 7 },
  });
  assert.equal(around.read('gen_ai.usage.input_tokens'), undefined);
  const odd = one({
    name: 'x',
    scope: { name: 'gen_ai' },
    attributes: { 'gen_ai.provider.name': 7, 'gen_ai.response.finish_reasons': { a: 1 } },
  });
  assert.equal(odd.read('gen_ai.provider.name'), 7);
  assert.deepEqual(odd.events.faults, { malformedValues: 0, failedReadings: 0, droppedKeys: 0 });
});
