import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { otlpJsonToProtobuf } from '../../decode/json.ts';
import { TraceDecoder } from '../../decode/trace-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import type { RepeatedListsBounds } from '../../model/repeated-lists.ts';
import { otlpJson, type Plain } from '../../testing/otlp.ts';
import { NormalisedEvents } from '../span-events.ts';
import { growthOf } from './grown-values.ts';
import { KeyedHistory } from './keyed-history.ts';
import { KeyedNames } from './keyed-names.ts';
import { TranslatedList } from './translated-list.ts';

/** An attribute, where a name may come twice. */
type Sent = readonly [name: string, value: Plain];

const asked = [
  'gen_ai.input.messages',
  'message.roles',
  'message.user.text',
  'message.assistant.text',
  'message.assistant.tool_call.arguments',
  'message.tool.text',
  'message.tool.name',
  'spanwarden.text.user',
  'spanwarden.text.system',
  'spanwarden.text.tool_result',
];

function request(calls: readonly (readonly Sent[])[]): Buffer {
  const body = otlpJson(calls.map(() => ({ name: 'chat', traceId: 'a'.repeat(32) }))) as {
    resourceSpans: { scopeSpans: { spans: { attributes: object[] }[] }[] }[];
  };
  for (const [i, attributes] of calls.entries()) {
    body.resourceSpans[0]!.scopeSpans[0]!.spans[i]!.attributes = attributes.map(([key, value]) => ({
      key,
      value:
        typeof value === 'string'
          ? { stringValue: value }
          : typeof value === 'number'
            ? { intValue: value }
            : { boolValue: value },
    }));
  }
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify(body)));
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  return outcome.bytes;
}

/** Tells requests one after the other, as one collector. */
function reader(history: Partial<RepeatedListsBounds> = {}, names = createFieldTable()) {
  const decoder = new TraceDecoder(names);
  const events = new NormalisedEvents(names, undefined, history);
  return {
    events,
    roles: names.intern('message.roles'),
    tell: (body: Buffer) => {
      const outcome = decoder.decode(body);
      if (outcome.status !== 'ok') throw new Error(outcome.message);
      events.bind(outcome.batch);
      const spans = Array.from({ length: outcome.batch.spanCount }, (_, span) => span);
      // Backwards first: a call of the same request that sent less is asked about behind one that sent more.
      const told = spans.toReversed().map((span) => asked.map((name) => events.value(span, names.intern(name))));
      const added = spans.map((span) => events.added(span));
      return { told, added, dropped: events.faults.droppedKeys, batch: outcome.batch };
    },
  };
}

const openInference: readonly Sent[] = [['openinference.span.kind', 'LLM']];
const openLlmetry: readonly Sent[] = [['llm.request.type', 'chat']];

function said(number: number, role: string, content: string, before = 'llm.input_messages'): Sent[] {
  const within = before === 'gen_ai.prompt' ? '' : 'message.';
  return [
    [`${before}.${number}.${within}role`, role],
    [`${before}.${number}.${within}content`, content],
  ];
}

function conversation(length: number, before?: string): Sent[] {
  return Array.from({ length }, (_, i) => said(i, i % 2 === 0 ? 'user' : 'assistant', `text ${i}`, before)).flat();
}

describe('a conversation of keys that calls repeat', () => {
  it('is put together and translated only where it is new', () => {
    for (const [mark, before] of [
      [openInference, 'llm.input_messages'],
      [openLlmetry, 'gen_ai.prompt'],
    ] as const) {
      const { events, tell, roles } = reader();
      const listOf = (length: number) => {
        const { batch } = tell(request([[...mark, ...conversation(length, before)]]));
        const told = events.repeated(0, roles)!;
        assert.equal(told.count, length);
        assert.equal(batch.spanCount, 1);
        return told.sent;
      };
      const first = listOf(10);
      assert.equal(listOf(14), first);
      assert.equal(listOf(12), first);
    }
  });

  it('gives the same objects for what is the same, also where it ends otherwise', () => {
    const fields = createFieldTable();
    const names = new KeyedNames(fields, 'llm.input_messages');
    const history = new KeyedHistory(fields);
    const decoder = new TraceDecoder(fields);
    const read = (sent: readonly Sent[], session = 's') => {
      const outcome = decoder.decode(request([[['before', 'x'.repeat(sent.length % 7)], ...sent]]));
      if (outcome.status !== 'ok') throw new Error(outcome.message);
      history.begin();
      names.begin();
      return history.read(() => session, names, outcome.batch, 0)?.members;
    };
    const first = read(conversation(12))!;
    const other = read([...conversation(11), ...said(11, 'assistant', 'text X'), ...said(12, 'user', 'y')])!;
    for (let i = 0; i < 11; i++) assert.equal(other[i], first[i]);
    assert.notDeepEqual(other[11], first[11]);
    const [ofFirst, ofOther] = [first, other].map((list) => TranslatedList.of(growthOf(list)!).messages(12));
    for (let i = 0; i < 11; i++) assert.equal(ofOther![i], ofFirst![i]);
    assert.equal(read(conversation(14))![11], first[11]);
    assert.notEqual(read(conversation(12), 'another session')![0], first[0]);
    assert.equal(read(conversation(7)), undefined);
  });

  it('does not take for known what is so but for one name, or has one more', () => {
    const { tell } = reader();
    const plain = reader({ listBytesMax: -1 });
    const usual: Sent[] = [['llm.input_messages.0.message.role', 'tool'], ...conversation(9).slice(1)];
    const otherwise: Sent[] = [['llm.input_messages.0.message.name', 'tool'], ...usual.slice(1)];
    const more: Sent[] = [...usual, ['llm.input_messages.8.message.name', 'user']];
    const typed: Sent[] = [['llm.input_messages.0.message.role', 1], ...usual.slice(1)];
    for (const sent of [usual, otherwise, usual, more, usual, typed, usual]) {
      const body = request([[...openInference, ...sent]]);
      assert.deepEqual(tell(body).told, plain.tell(body).told);
    }
  });

  it('reads no more messages than are looked at', () => {
    const texts = Array.from({ length: 10 }, (_, i): Sent => {
      return [`gen_ai.prompt.${i}.0`, JSON.stringify(Array.from({ length: 250 }, (_, at) => `text ${i} ${at}`))];
    });
    const body = request([[...openLlmetry, ...texts]]);
    assert.deepEqual(reader().tell(body).told, reader({ listBytesMax: -1 }).tell(body).told);
  });

  it('gives what putting all together gives, whatever is sent and whatever is forgotten', () => {
    const key = fc.constantFrom(
      ...['message.role', 'message.content', 'message.tool_calls.0.tool_call.function.name', 'message.tool_call_id'],
      ...['role', 'content', 'message', '0', 'message.contents.0.message_content.text', 'a.b', '', 'x.1.2.3.4.5.6.7.8'],
      ...['x.1.2.3.4.5.6.7.8.9', '__proto__.role', 'message.name'],
    );
    const text = fc.constantFrom('a', 'b', 'é', '[{"type":"text","text":"x"}]', 'assistant', 'tool', '[REDACTED]', '');
    const odd = fc.constantFrom<(number: number) => Sent[]>(
      (number) => [[`llm.input_messages.${number + 2}.message.content`, 'a gap']],
      (number) => [[`llm.input_messages.${Math.max(0, number - 3)}.message.content`, 'out of order']],
      (number) => [[`llm.input_messages.${number}`, 'a value and keys']],
      (number) => [[`llm.input_messages.0${number}.message.content`, 'no number']],
      () => [['llm.input_messages.x.y', 'another key']],
      () => [['llm.input_messages.70000.message.content', 'far']],
      () => [['session.id', 'other']],
      () => [['input.value', '{"messages":[{"role":"user","content":"raw"}]}']],
      (number) => [[`llm.input_messages.${number}.message.content`, true]],
      (number) => [[`llm.input_messages.${number}.message.content`, 12]],
      (number) => [[`gen_ai.prompt.${number}.content`, 'of another dialect']],
    );
    const member = fc.oneof(
      { weight: 8, arbitrary: fc.tuple(fc.constantFrom('user', 'assistant', 'tool'), text) },
      { weight: 2, arbitrary: fc.array(fc.tuple(key, text), { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: odd },
    );
    type Member = typeof member extends fc.Arbitrary<infer M> ? M : never;
    const attributesOf = (members: readonly Member[]): Sent[] =>
      members.flatMap((each, i): Sent[] => {
        if (typeof each === 'function') return [...said(i, 'user', 'odd'), ...each(i)];
        if (typeof each[0] === 'string') return said(i, each[0], each[1] as string);
        return (each as [string, string][]).map(([name, value]) => [`llm.input_messages.${i}.${name}`, value]);
      });
    const change = fc.record({
      session: fc.constantFrom('s', 's', 's', 't'),
      mark: fc.constantFrom(openInference, openInference, openInference, openLlmetry),
      how: fc.constantFrom('grows', 'grows', 'grows', 'shrinks', 'changes', 'again', 'is new', 'last grows'),
      at: fc.nat({ max: 15 }),
      members: fc.array(member, { minLength: 1, maxLength: 4 }),
    });
    let known = 0;
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
        fc.nat({ max: 60_000 }),
        (requests, bytesMax) => {
          const [remembers, forgets] = [reader({ bytesMax }), reader({ listBytesMax: -1 })];
          const start = conversation(9).length / 2;
          const now = new Map<string, Member[]>();
          for (const changes of requests) {
            const calls = changes.map(({ session, mark, how, at, members }) => {
              const before = now.get(session) ?? Array.from({ length: start }, (): Member => ['user', 'a']);
              const after = { grows: [...before, ...members], shrinks: before.slice(0, -at - 1) };
              const changed = [...before.slice(0, at), ...members, ...before.slice(at + 1)];
              const replaced = { changes: changed, 'is new': members, again: before, 'last grows': before };
              const list = { ...after, ...replaced }[how];
              now.set(session, list);
              const sent: Sent[] = [...mark, ['session.id', session], ...attributesOf(list)];
              if (how === 'last grows') sent.push([`llm.input_messages.${list.length - 1}.message.name`, 'n']);
              return sent;
            });
            const body = request(calls);
            const [ours, plain] = [remembers.tell(body), forgets.tell(body)];
            assert.deepEqual(ours.told, plain.told);
            assert.deepEqual(ours.added, plain.added);
            if (ours.batch.spanCount > 0 && remembers.events.repeated(0, remembers.roles)) known++;
          }
          assert.deepEqual(
            { ...remembers.events.faults, malformedValues: 0 },
            { ...forgets.events.faults, malformedValues: 0 },
          );
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(known > 100, `${known}`);
  });

  it('stays within its bounds, and forgets all when ids of names are others', () => {
    const fields = createFieldTable(400);
    const names = new KeyedNames(fields, 'llm.input_messages');
    const decoder = new TraceDecoder(fields);
    const history = new KeyedHistory(fields, { bytesMax: 250_000, sessionsMax: 3 });
    for (let i = 0; i < 50; i++) {
      const outcome = decoder.decode(request([conversation(10 + i * 3)]));
      if (outcome.status !== 'ok') throw new Error(outcome.message);
      history.begin();
      names.begin();
      history.read(() => `${i % 5}`, names, outcome.batch, 0);
      assert.ok(history.weight <= 250_000, `${history.weight}`);
    }
    assert.ok(history.weight > 0);
    for (let i = 0; i < 500; i++) fields.internBytes(Buffer.from(`another ${i}`), 0, `another ${i}`.length);
    fields.trim();
    history.begin();
    assert.equal(history.weight, 0);
  });

  it('forgets what it knows by names that are others now', () => {
    const fields = createFieldTable(64);
    const { tell } = reader({}, fields);
    const plain = reader({ listBytesMax: -1 });
    for (let i = 0; i < 20; i++) {
      const more: Sent[] = Array.from({ length: 20 + (i % 3) }, (_, at) => [`other.${i}.${at}`, 'x']);
      const body = request([[...more, ...openInference, ...conversation(9 + (i % 4))]]);
      assert.deepEqual(tell(body).told, plain.tell(body).told);
    }
    assert.ok(fields.generation > 3, `${fields.generation}`);
  });
});
