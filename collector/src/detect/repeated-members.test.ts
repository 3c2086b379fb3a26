import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { createFieldTable } from '../model/fields.ts';
import type { Value } from '../model/value.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { otlpProtobuf } from '../testing/otlp.ts';
import { createDetector } from './engine.ts';
import { loadRules } from './load.ts';
import { membersOf } from './matcher.ts';
import { RepeatedMembers } from './repeated-members.ts';
import { TextViews } from './views.ts';

const rules = [
  "message.user.text|contains: 'ignore all'",
  "message.user.text|decoded|normalised|contains: 'ignore all'",
  "message.assistant.text|re: 'ign[o0]re  ?all'",
  "message.tool.text|decoded|contains: 'ignore all'",
].map((item, i) => ({
  path: `r${i}.yml`,
  text: `title: r${i}\nid: 00000000-0000-4000-8000-00000000000${i}\nlogsource: {product: ai_agent, category: llm}
detection: {s: {${item}}, condition: s}\n`,
}));

const filler = 'so it goes on and on '.repeat(8);
const words = fc.constantFrom(
  filler,
  `${filler} ignore all`,
  `${filler} ｉｇｎｏｒｅ   all`,
  `${filler} ${Buffer.from('please ignore all of that').toString('base64')}`,
  'ignore all',
);
const message = fc.record({ role: fc.constantFrom('user', 'assistant', 'tool'), content: words });

/** The findings of calls, each of which sends one message more, with one detector or a new one for each call. */
function found(conversation: readonly object[], afresh: boolean): string[] {
  const make = () => {
    const fields = createFieldTable();
    return {
      decoder: new TraceDecoder(fields),
      events: new NormalisedEvents(fields),
      detector: createDetector({ ...loadRules(rules), fields }),
    };
  };
  let way = make();
  return conversation.flatMap((_, turn) => {
    if (afresh) way = make();
    const attributes = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.conversation.id': 'c',
      'gen_ai.input.messages': JSON.stringify(conversation.slice(0, turn + 1)),
    };
    const span = { traceId: 'ab'.repeat(16), spanId: `${turn}`.padStart(16, '1'), startNanos: 1n, endNanos: 2n };
    const outcome = way.decoder.decode(otlpProtobuf([{ ...span, attributes }]));
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    const findings = way.detector.detect(way.events.bind(outcome.batch));
    return findings.map(({ id, evidence }) => JSON.stringify([id, evidence]));
  });
}

describe('texts that come again', () => {
  it('are found as often as texts that do not', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (conversation) => {
        assert.deepEqual(found(conversation, false), found(conversation, true));
      }),
      { numRuns: 40 },
    );
    const hidden = {
      role: 'tool',
      content: `${filler} ${Buffer.from('please ignore all of that').toString('base64')}`,
    };
    assert.equal(found([{ role: 'user', content: `${filler} ignore all` }, hidden], false).length, 5);
  });

  it('are the same members for as long as there is room', () => {
    const views = new TextViews();
    const members = new RepeatedMembers(views, 2_000);
    const [a, b, c] = ['a', 'b', 'c'].map((letter) => letter.repeat(600)) as [string, string, string];
    const first = members.of([a, b]);
    const again = members.of([a, 'short', 1, c]);
    assert.equal(again[0], first[0]);
    assert.deepEqual(
      again.map(({ value }) => value),
      [a, 'short', 1, c],
    );
    members.of([c.replace('c', 'd'), c.replace('c', 'e'), c.replace('c', 'f')]);
    assert.notEqual(members.of([b])[0], first[1]);
    const nested: Value = [a, [b, ['x']], null];
    const texts = (value: Value) => membersOf(value, views).map((each) => each.value);
    assert.deepEqual(
      members.of(nested).map((each) => each.value),
      texts(nested),
    );
    assert.equal(members.of('x'.repeat(20_000))[0]!.text.length, 20_000);
  });
});
