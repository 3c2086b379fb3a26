import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { otlpJsonToProtobuf } from '../../decode/json.ts';
import { TraceDecoder } from '../../decode/trace-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import { Span } from '../../model/span-batch.ts';
import { createRedactor } from '../../redact/row-redactor.ts';
import { otlpJson } from '../../testing/otlp.ts';
import { AttributeShapes } from './attribute-shapes.ts';
import { KeyedListWriter } from './keyed-lists.ts';

type Sent = readonly (readonly [name: string, value: string | number])[];

/** Stands for bytes that are no text. */
const noText = '<no-text>';
const secret = 'ghp_q8Zt1Lw7Xc4Vb9Nm2Kd6Rf3Hj5Ps0Yg8Tu1A';

function request(attributes: Sent): Buffer {
  const body = otlpJson([{ name: 'chat' }]) as {
    resourceSpans: { scopeSpans: { spans: { attributes: object[] }[] }[] }[];
  };
  body.resourceSpans[0]!.scopeSpans[0]!.spans[0]!.attributes = attributes.map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: value },
  }));
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify(body)));
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  const { bytes } = outcome;
  for (let at = bytes.indexOf(noText); at >= 0; at = bytes.indexOf(noText, at))
    bytes.fill(0xf0, at, at + noText.length);
  return bytes;
}

/** Writes the lists of calls, with one writer for all of them or with a new one for each. */
function lists(isOne: boolean, redacts: boolean, fields = createFieldTable()) {
  const decoder = new TraceDecoder(fields);
  let shapes = new AttributeShapes(fields);
  const redactor = redacts ? createRedactor({ profile: 'secrets', key: Buffer.alloc(32), fields }) : undefined;
  const one = new KeyedListWriter(fields, redactor);
  return (conversation: string, sent: Sent) => {
    const outcome = decoder.decode(request(sent));
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    const { batch } = outcome;
    const first = batch.spans[Span.attributes]!;
    if (!isOne) shapes = new AttributeShapes(fields);
    shapes.begin();
    redactor?.begin(batch);
    const writer = isOne ? one : new KeyedListWriter(fields, redactor);
    return [
      ...shapes.keyedLists(shapes.of(batch, first, sent.length)).map((list) => {
        return [list.name, writer.write(list, batch, first, () => conversation)?.toString('latin1')];
      }),
      redactor?.replaced,
    ];
  };
}

function conversation(length: number, words = 'so many words that it is worth it '): Sent {
  return Array.from(
    { length },
    (_, i): Sent => [
      [`gen_ai.prompt.${i}.role`, 'user'],
      [`gen_ai.prompt.${i}.content`, `${words}"${i}"\n`],
    ],
  ).flat();
}

describe('a keyed list as JSON', () => {
  it('is what it is without those that came before, whatever is sent', () => {
    const text = fc.constantFrom(
      'a',
      'é "x" \\ \n',
      secret,
      `{"password": "${secret}"}`,
      noText,
      '',
      'words '.repeat(9),
    );
    const key = fc.constantFrom('content', 'role', 'a.b', 'name');
    const member: fc.Arbitrary<(readonly [string, string | number])[]> = fc.array(
      fc.tuple(key, fc.oneof({ weight: 12, arbitrary: text }, { weight: 1, arbitrary: fc.nat({ max: 9 }) })),
      {
        maxLength: 3,
      },
    );
    const change = fc.record({
      conversation: fc.constantFrom('s', 's', 's', 't'),
      how: fc.constantFrom(
        'grows',
        'grows',
        'grows',
        'shrinks',
        'changes',
        'again',
        'is new',
        'turned',
        'differs',
        'differs',
      ),
      at: fc.nat({ max: 14 }),
      members: fc.array(member, { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.boolean(), (changes, redacts) => {
        const [remembers, forgets] = [lists(true, redacts), lists(false, redacts)];
        type Member = (typeof changes)[number]['members'][number];
        const now = new Map<string, readonly Member[]>();
        for (const { conversation: name, how, at, members } of changes) {
          const before =
            now.get(name) ??
            Array.from({ length: 9 }, (): Member => {
              return [
                ['role', 'user'],
                ['content', 'words '.repeat(7)],
              ];
            });
          const changed = [...before.slice(0, at), ...members, ...before.slice(at + 1)];
          const grown = { grows: [...before, ...members], shrinks: before.slice(0, -at - 1), changes: changed };
          const differs = before.map((each, i) => {
            if (i !== at) return each;
            return each.map(([key, value]) => [key, typeof value === 'string' ? value.replace(/s/, 'z') : 1] as const);
          });
          const list = { ...grown, differs, again: before, 'is new': members, turned: before }[how];
          now.set(name, list);
          const sent = list.flatMap((each, i) => each.map(([key, value]) => [`llm.tools.${i}.${key}`, value] as const));
          if (how === 'turned') sent.reverse();
          assert.deepEqual(remembers(name, sent), forgets(name, sent));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('counts what is taken out of it with each call', () => {
    const write = lists(true, true);
    const sent: Sent = [...conversation(10), ['gen_ai.prompt.4.name', `{"password": "${secret}"}`]];
    const counts = [0, 1, 2].map(() => write('s', sent).at(-1));
    assert.deepEqual(counts, [1, 2, 3]);
  });

  it('does not take for known what is so but for one name, or was too short to be kept', () => {
    const [write, plain] = [lists(true, false), lists(false, false)];
    const sent = conversation(10);
    const otherwise: Sent = [['gen_ai.prompt.0.name', 'user'], ...sent.slice(1)];
    const other = (length: number) => conversation(length, 'other words, and enough of them that it is worth it ');
    for (const each of [sent, otherwise, sent, other(6), other(9), other(12)])
      assert.deepEqual(write('s', each), plain('s', each));
  });

  it('is found by names as they are now, where their ids were those of others', () => {
    const fields = createFieldTable(64);
    const [write, plain] = [lists(true, false, fields), lists(false, false)];
    for (let i = 0; i < 30; i++) {
      const others = Array.from({ length: 25 + (i % 7) }, (_, at) => [`other.${i}.${at}`, 'x'] as const);
      const sent = i % 2 === 0 ? [...conversation(9 + (i % 4)), ...others] : [...others, ...conversation(9 + (i % 4))];
      assert.deepEqual(write('s', sent), plain('s', sent));
    }
    assert.ok(fields.generation > 5, `${fields.generation}`);
  });
});
