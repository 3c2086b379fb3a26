import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TraceDecoder } from '../../decode/trace-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { NormalisedEvents } from '../../normalise/span-events.ts';
import { otlpProtobuf, type TestSpan } from '../../testing/otlp.ts';
import { conversationKey, traceKey } from './sighting.ts';
import { createTieReader, type Tie, Ties } from './ties.ts';

function tiesIn(...spans: TestSpan[]): readonly Tie[] {
  const fields = createFieldTable();
  const decoded = new TraceDecoder(fields).decode(otlpProtobuf(spans, { 'service.name': 'support' }));
  if (decoded.status !== 'ok') throw new Error(decoded.message);
  return createTieReader(fields)(new NormalisedEvents(fields).bind(decoded.batch));
}

const id = (digits: string): string => digits.repeat(16);
const tool = { 'gen_ai.operation.name': 'execute_tool' };

function span(trace: string, conversation?: string, links: readonly string[] = []): TestSpan {
  const more = conversation === undefined ? {} : { 'gen_ai.conversation.id': conversation };
  return {
    traceId: id(trace),
    name: 'x',
    attributes: { ...tool, ...more },
    links: links.map((each) => ({ traceId: id(each), spanId: '22'.repeat(8) })),
  };
}

test('traces are tied to conversations and to the traces they link to, each once', () => {
  const long = conversationKey('conversation-1', 'support');
  const ties = tiesIn(
    span('01'),
    span('01', 'conversation-1'),
    span('01', 'conversation-1', ['02']),
    span('03', 'conversation-1'),
    span('01', 'conversation-1'),
    span('04', '1'),
  );
  assert.deepEqual(ties, [
    [traceKey(id('01')), long],
    [traceKey(id('01')), traceKey(id('02'))],
    [traceKey(id('03')), long],
    [traceKey(id('04')), conversationKey('1', 'support')],
  ]);
});

test('spans that are no agents and spans with many links tie nothing', () => {
  assert.deepEqual(tiesIn({ ...span('01', 'conversation-1', ['02']), attributes: { 'session.id': 'x' } }), []);
  assert.deepEqual(tiesIn(span('01', undefined, ['02', '03', '04', '05', '06'])), []);
});

test('ties reach through others, and the oldest are forgotten', () => {
  const ties = new Ties();
  assert.equal(ties.add(['a', 'b']), true);
  assert.equal(ties.add(['b', 'a']), false);
  ties.add(['b', 'c']);
  assert.deepEqual(ties.expand(['a']), ['a', 'b', 'c']);
  for (let each = 0; each < limits.caseTiesMax; each++) ties.add([`x${each}`, `y${each}`]);
  assert.ok(ties.size <= limits.caseTiesMax);
  assert.deepEqual(ties.expand(['a']), ['a']);
});

test('with less memory fewer are remembered, of those that were saved too', () => {
  const [large, small] = [new Ties(), new Ties(20)];
  for (let each = 0; each < 30; each++) for (const ties of [large, small]) ties.add([`x${each}`, `y${each}`]);
  assert.deepEqual([large.size, small.size], [60, 20]);
  assert.deepEqual([small.expand(['x19']), small.expand(['x20'])], [['x19'], ['x20', 'y20']]);
  const restored = new Ties(20);
  restored.restore(large.list());
  assert.deepEqual(restored.list(), small.list());
});
