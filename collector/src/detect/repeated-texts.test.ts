import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { createFieldTable } from '../model/fields.ts';
import type { RepeatedListsBounds } from '../model/repeated-lists.ts';
import { readableFields } from '../normalise/fields.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { otlpProtobuf } from '../testing/otlp.ts';
import { createDetector } from './engine.ts';
import { loadRules } from './load.ts';

const rules = [
  "message.user.text|contains: 'ignore all'",
  "message.user.text|contains|all: ['ignore', 'once more']",
  "message.user.text|decoded|normalised|contains: 'ignore all'",
  "message.assistant.text|re: 'ign[o0]re  ?all'",
  "message.assistant.text|re: '^[a-z]{4}$'",
  "message.tool.text|decoded|contains: 'ignore all'",
  'message.system.text|exists: true',
  "message.system.text|contains: 'kind'",
  "message.roles: 'tool'",
  "message.assistant.tool_call.name: ['send_money', 'post']",
  "message.assistant.tool_call.arguments|contains: 'rosa'",
  "message.tool.name: 'send_money'",
  'message.user.text|fieldref: message.assistant.text',
].flatMap((item, i) =>
  ['s', 'not s'].map((condition, not) => ({
    path: `r${i}-${not}.yml`,
    text: `title: r${i} ${not}
id: 00000000-0000-4000-8000-${`${i}${not}`.padStart(12, '0')}
logsource: {product: ai_agent, category: llm}
detection: {s: {${item}}, condition: ${condition}}\n`,
  })),
);

const filler = 'so it goes on and on '.repeat(8);
const said = fc.constantFrom(
  'well',
  filler,
  `${filler} once more`,
  `${filler} ignore all`,
  `${filler} ｉｇｎｏｒｅ   all`,
  `${filler} ${Buffer.from('please ignore all of that').toString('base64')}`,
  'ignore all of https://evil.example/x',
  'h\u200bidden \ud800',
  'pay rosa@bank.example, DE89370400440532013000',
);
const call = fc.record({
  ...{ type: fc.constant('tool_call'), id: fc.constantFrom('', 'call_one1', 'call_two2') },
  name: fc.constantFrom('send_money', 'post', 'orders.read'),
  arguments: fc.constantFrom({ to: 'rosa@bank.example' }, { url: 'https://evil.example/x' }, 'ignore all'),
});
const result = fc.record({
  ...{ type: fc.constant('tool_call_response'), id: fc.constantFrom('', 'call_one1', 'call_two2') },
  response: fc.oneof(said, fc.constant({ to: 'rosa' })),
});
const message = fc.oneof(
  { weight: 3, arbitrary: fc.record({ role: fc.constantFrom('user', 'assistant', 'tool'), content: said }) },
  { weight: 1, arbitrary: fc.constantFrom({ role: 'system', content: 'Be kind.' }, ['one', 'two'], 'bare', {}, null) },
  { weight: 2, arbitrary: fc.record({ role: fc.constant('assistant'), parts: fc.array(call, { maxLength: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ role: fc.constant('tool'), parts: fc.array(result, { maxLength: 2 }) }) },
);

/** What happens to a conversation before it is sent. */
const change = fc.oneof(
  { weight: 6, arbitrary: fc.record({ add: fc.array(message, { maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ cutTo: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ edit: fc.nat(1000), to: message }) },
  { weight: 1, arbitrary: fc.constant({ fork: true }) },
);
const step = fc.record({
  // Two conversations, and two agents in one of them.
  ...{ which: fc.constantFrom('a', 'b', 'b2'), change, output: message },
  ...{
    instructed: fc.boolean(),
    ends: fc.nat(3).map((number) => number === 0),
    restarts: fc.integer({ min: 0, max: 15 }),
  },
});
const beginning = fc.array(message, { minLength: 7, maxLength: 12 });

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function changed(told: readonly unknown[], how: Step['change']): readonly unknown[] {
  if ('add' in how) return [...told, ...how.add];
  if ('cutTo' in how) return told.slice(0, how.cutTo % (told.length + 1));
  if ('edit' in how) return told.map((each, at) => (at === how.edit % told.length ? how.to : each));
  return told;
}

interface Way {
  readonly table: ReturnType<typeof createFieldTable>;
  readonly decoder: TraceDecoder;
  readonly events: NormalisedEvents;
  readonly detector: ReturnType<typeof createDetector>;
  readonly asked: readonly (readonly [string, number])[];
}

function wayOf(bounds: Partial<RepeatedListsBounds>, ruled = rules, table = createFieldTable()): Way {
  return {
    table,
    decoder: new TraceDecoder(table),
    events: new NormalisedEvents(table, undefined, bounds),
    detector: createDetector({ ...loadRules(ruled), fields: table }),
    asked: asked.map((name) => [name, table.intern(name)] as const),
  };
}

const asked = readableFields.filter((name) =>
  /^(?:message|spanwarden\.(?:text|values|flow|proposed|content))\./.test(name),
);

/** All that is told of a batch. @param isBackwards the facts of spans are asked for from the last to the first */
function toldOf(way: Way, body: Buffer, isBackwards: boolean): unknown {
  const outcome = way.decoder.decode(body);
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  const events = way.events.bind(outcome.batch);
  const spans = Array.from({ length: outcome.batch.spanCount }, (_, span) => span);
  const findingsOf = () => way.detector.detect(events).map(({ id, evidence, retold }) => [id, evidence, retold]);
  const before = isBackwards ? undefined : findingsOf();
  const facts = (isBackwards ? spans.toReversed() : spans).map((span) => [
    span,
    ...way.asked.map(([name, field]) => [
      name,
      events.value(span, field),
      events.partOf('earlier', span, field),
      events.partOf('new', span, field),
    ]),
    events.messageCalls(span),
    events.sessionKeys(span),
  ]);
  return { facts: facts.sort(([a], [b]) => Number(a) - Number(b)), findings: before ?? findingsOf() };
}

function spanOf(
  number: number,
  { which, output, instructed }: Pick<Step, 'which' | 'output' | 'instructed'>,
  told: readonly unknown[],
) {
  return {
    ...{ traceId: 'ab'.repeat(16), spanId: `${number}`.padStart(16, '1'), startNanos: 1n, endNanos: 2n },
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.conversation.id': which.slice(0, 1),
      'gen_ai.input.messages': JSON.stringify(told),
      'gen_ai.output.messages': JSON.stringify([output]),
      ...(instructed && { 'gen_ai.system_instructions': JSON.stringify([{ type: 'text', content: 'Be kind.' }]) }),
    },
  };
}

describe('conversations to which calls add', () => {
  it('are told as they are when nothing was told before, whatever is sent, in whatever order, and whatever is forgotten', () => {
    const bounds = fc.constantFrom({}, { bytesMax: 12_000 }, { sessionsMax: 1 }, { listBytesMax: 3_000 });
    const conversations = fc.record({ a: beginning, b: beginning, b2: beginning });
    const steps = fc.array(step, { minLength: 1, maxLength: 14 });
    fc.assert(
      fc.property(conversations, steps, bounds, fc.boolean(), (begun, all, bound, isBackwards) => {
        const told: Record<Step['which'], readonly unknown[]> = { ...begun };
        let way = wayOf(bound);
        let spans: ReturnType<typeof spanOf>[] = [];
        for (const [number, each] of all.entries()) {
          if ('fork' in each.change) told[each.which] = [...told[each.which === 'b' ? 'b2' : 'b']];
          told[each.which] = changed(told[each.which], each.change);
          spans.push(spanOf(number, each, told[each.which]));
          if (!each.ends && number < all.length - 1) continue;
          if (each.restarts === 0) way = wayOf(bound);
          const body = otlpProtobuf(spans);
          spans = [];
          assert.deepEqual(toldOf(way, body, isBackwards), toldOf(wayOf({ listBytesMax: 0 }), body, false));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are told to each detector by its own rules', () => {
    const way = wayOf({});
    const told = Array.from({ length: 12 }, (_, at) => ({
      role: at % 2 ? 'assistant' : 'user',
      content: at === 4 ? 'please ignore all' : `well ${at}`,
    }));
    const other = wayOf({}, rules.toReversed());
    const body = otlpProtobuf([spanOf(1, { which: 'a', output: told[1]!, instructed: false }, told)]);
    const [mine, theirs] = [toldOf(way, body, false), toldOf(other, body, false)] as { findings: unknown }[];
    for (const { detector, expected } of [
      { detector: wayOf({}, rules.toReversed(), way.table).detector, expected: theirs },
      { detector: way.detector, expected: mine },
    ])
      assert.deepEqual(
        (toldOf({ ...way, detector }, body, false) as { findings: unknown }).findings,
        expected!.findings,
      );
  });
});
