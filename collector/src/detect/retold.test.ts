import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { createFieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { otlpProtobuf } from '../testing/otlp.ts';
import { withCasework } from './casework.ts';
import { createDetector } from './engine.ts';
import { loadRules } from './load.ts';

const second = 1_000_000_000n;
const start = 500_000n * 3_600n * second;

const rules = `title: Of messages
name: of_messages
logsource: {product: ai_agent, category: llm}
detection: {s: {message.user.text|contains: 'ignore all'}, condition: s}
---
title: Of messages and of something else
name: of_both
logsource: {product: ai_agent, category: llm}
detection: {s: {message.user.text|contains: 'ignore all', gen_ai.request.model: m2}, condition: s}
---
title: Often
name: often
correlation:
  type: event_count
  rules: [of_messages]
  group-by: [gen_ai.conversation.id]
  timespan: 10m
  condition: {gte: 3}
  generate: true
`;

const said = [
  { role: 'user', content: 'hello' },
  { role: 'assistant', content: 'hi' },
  { role: 'user', content: 'please ignore all of that' },
  { role: 'assistant', content: 'no' },
  { role: 'user', content: 'well' },
  { role: 'assistant', content: 'yes?' },
  { role: 'user', content: 'so ignore all of this' },
];

/** The calls of the conversation, each with one message of the user more. */
const calls = [0, 1, 2, 3].map((call) => ({
  traceId: 'ab'.repeat(16),
  spanId: `${call}`.padStart(16, '1'),
  startNanos: start + BigInt(call) * second,
  endNanos: start + BigInt(call) * second,
  attributes: {
    'gen_ai.operation.name': 'chat',
    'gen_ai.conversation.id': 'c',
    'gen_ai.request.model': call === 3 ? 'm2' : 'm1',
    'gen_ai.input.messages': JSON.stringify(said.slice(0, 2 * call + 1)),
  },
}));

/** The newest state of each finding, with those that the detector gives one by one in `matches`. */
function findings(order: readonly number[]) {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = new NormalisedEvents(fields);
  const detector = createDetector({ ...loadRules([{ path: 'r.yml', text: rules }]), fields });
  const matches: Finding[] = [];
  const tapped = {
    ...detector,
    get newestNanos() {
      return detector.newestNanos;
    },
    detect: (...given: Parameters<typeof detector.detect>) => {
      const found = detector.detect(...given);
      matches.push(...found);
      return found;
    },
  };
  const casework = withCasework(tapped, { fields });
  const newest = new Map<string, Finding>();
  const keep = (found: readonly Finding[]) => {
    for (const each of found) newest.set(each.id, each);
  };
  for (const call of order) {
    const outcome = decoder.decode(otlpProtobuf([calls[call]!]));
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    keep(casework.detect(events.bind(outcome.batch)));
  }
  keep(casework.flush());
  const stored = [...newest.values()].map(
    ({ ruleTitle, count, spanId, evidence }) => `${ruleTitle} ${count} ${spanId} ${evidence[0]?.excerpt}`,
  );
  return { stored: stored.sort(), matches };
}

describe('what calls send again', () => {
  it('is matched in each call and counts where it was new, in whatever order the calls arrive', () => {
    const { stored, matches } = findings([0, 1, 2, 3]);
    assert.deepEqual(
      matches.filter(({ ruleTitle }) => ruleTitle === 'Of messages').map(({ retold }) => retold),
      [false, true, false],
    );
    assert.deepEqual(stored, [
      'Of messages 1 1111111111111111 please ignore all of that',
      'Of messages 1 1111111111111113 so ignore all of this',
      'Of messages and of something else 1 1111111111111113 please ignore all of that',
    ]);
    for (const order of [
      [3, 2, 1, 0],
      [2, 0, 3, 1],
      [1, 3, 2, 0],
    ])
      assert.deepEqual(findings(order).stored, stored, `${order}`);
  });

  it('is found where the call that first said it was not seen', () => {
    assert.deepEqual(findings([0, 2]).stored, ['Of messages 1 1111111111111112 please ignore all of that']);
  });
});
