import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { otlpJsonToProtobuf } from '../../decode/json.ts';
import { TraceDecoder } from '../../decode/trace-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import type { Redactor } from '../../model/redaction.ts';
import { keyedLists } from '../../model/repeated-lists.ts';
import { Attribute, Span, ValueType } from '../../model/span-batch.ts';
import { NormalisedEvents } from '../../normalise/span-events.ts';
import { createRedactor } from '../../redact/row-redactor.ts';
import { otlpJson, type Plain } from '../../testing/otlp.ts';
import { KeyBudget } from '../rows/key-budget.ts';
import { SpanRowEncoder } from '../rows/otel-traces.ts';
import { storedAttributes } from '../rule-health-reader.ts';
import { openTestStore, type TestStore } from '../testing/embedded.ts';
import { planHistory, readHistory } from './read.ts';

/** Names may come twice, in any order. */
type Attributes = readonly (readonly [name: string, value: Plain])[];

const base = (BigInt(Date.now()) - 3_600_000n) * 1_000_000n;
const range = { fromNanos: base - 1_000_000_000n, toNanos: base + 1_000_000_000_000n };
const accepted = { fromMs: Number(base / 1_000_000n) - 9e9, toMs: Number(base / 1_000_000n) + 9e9 };
const long = 'what was said at length, and then some more of it. '.repeat(4);
/** Stands for bytes that are no text. */
const noText = '<no-text>';

let db: TestStore;
before(async () => {
  db = await openTestStore();
});
after(() => db.close());

function requestOf(spans: readonly Attributes[]): Buffer {
  const pairs = spans.map((attributes) => attributes.map(([key, value]) => ({ key, value: anyValue(value) })));
  const json = otlpJson(
    spans.map((_, number) => ({
      traceId: 'ab'.repeat(16),
      spanId: `${number + 1}`.padStart(16, '0'),
      startNanos: base + BigInt(number),
      endNanos: base + BigInt(number) + 5n,
    })),
  ) as { resourceSpans: { scopeSpans: { spans: { attributes: object[] }[] }[] }[] };
  for (const [i, span] of json.resourceSpans[0]!.scopeSpans[0]!.spans.entries()) span.attributes = pairs[i]!;
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify(json)));
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  const { bytes } = outcome;
  for (let at = bytes.indexOf(noText); at >= 0; at = bytes.indexOf(noText, at))
    bytes.fill(0xf0, at, at + noText.length);
  return bytes;
}

function anyValue(value: Plain): unknown {
  const json = otlpJson([{ attributes: { value } }]) as {
    resourceSpans: { scopeSpans: { spans: { attributes: { value: unknown }[] }[] }[] }[];
  };
  return json.resourceSpans[0]!.scopeSpans[0]!.spans[0]!.attributes[0]!.value;
}

interface Options {
  readonly redactor?: (fields: ReturnType<typeof createFieldTable>) => Redactor | undefined;
  readonly isTranslated?: boolean;
  readonly keysMax?: number;
}

/** Stores each call in a request of its own, and gives what was refused a key. */
async function store(calls: readonly Attributes[], messages: 'full' | 'once', options: Options = {}) {
  for (const table of ['otel_traces', 'otel_messages'])
    await db.store.client.command({ query: `TRUNCATE TABLE ${table}` });
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const events = options.isTranslated ? new NormalisedEvents(fields) : undefined;
  const budget = options.keysMax === undefined ? undefined : new KeyBudget({ fields, keysMax: options.keysMax });
  const encoder = new SpanRowEncoder(fields, [], options.redactor?.(fields), messages, budget);
  const outcome = decoder.decode(requestOf(calls));
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  await db.insert(encoder.encode(outcome.batch, accepted, events?.bind(outcome.batch)));
  const taken = encoder.takeMessages();
  if (taken) await db.insert(taken.rows);
  return budget?.overflowed.service ?? 0;
}

/** Names, types and bytes of all attributes, as backtests have them. */
async function history(): Promise<unknown[]> {
  const fields = createFieldTable();
  const { batches, losses } = readHistory(db.store.client, await planHistory(db.store.client, range), { fields });
  const seen: unknown[] = [];
  for await (const batch of batches) {
    for (let span = 0; span < batch.spanCount; span++) {
      const first = batch.spans[span * Span.stride + Span.attributes]!;
      const count = batch.spans[span * Span.stride + Span.attributeCount]!;
      seen.push(
        byName(
          Array.from({ length: count }, (_, i) => {
            const at = (first + i) * Attribute.stride;
            const value = batch.attributes[at + Attribute.value]!;
            const bytes = batch.bytes.toString('hex', value, value + batch.attributes[at + Attribute.length]!);
            const field = batch.attributes[at + Attribute.field]!;
            assert.equal(batch.findSpanAttribute(span, field), first + i);
            const type = batch.attributes[at + Attribute.type]!;
            return [
              Buffer.from(fields.encodedName(field)).toString('hex'),
              type,
              type === ValueType.bool ? value : bytes,
            ];
          }),
        ),
      );
    }
  }
  assert.equal(losses.missingMessages, 0);
  return seen;
}

async function rows<T>(query: string): Promise<T[]> {
  return (await db.store.client.query({ query, format: 'JSONEachRow' })).json<T>();
}

/** Names, letters of types and values of all attributes, as queries have them. */
async function asked(table: string): Promise<unknown[]> {
  const found = await rows<{ names: string[]; values: string[]; letters: string; behind: string }>(
    `SELECT arrayMap(k -> hex(k), mapKeys(SpanAttributes)) AS names, arrayMap(v -> hex(v), mapValues(SpanAttributes)) AS values,
  splitByChar('|', toString(AttributeTypes))[1] AS letters, splitByChar('|', toString(AttributeTypes))[2] AS behind
FROM ${table} ORDER BY SpanId`,
  );
  return found.map(({ names, values, letters, behind }) => [
    ...byName(names.map((name, i) => [name, letters[i], values[i]])),
    behind,
  ]);
}

/** Names that are more than they look like stand elsewhere where bytes decide. */
function byName<T extends readonly unknown[]>(attributes: readonly T[]): T[] {
  return attributes.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

/** What readers see of the calls under `once` is what they see under `full`. */
async function assertSame(calls: readonly Attributes[], options: Options = {}): Promise<void> {
  await store(calls, 'full', options);
  const full = { history: await history(), asked: await asked('otel_traces') };
  await store(calls, 'once', options);
  const once = { history: await history(), asked: await asked('otel_traces_full') };
  assert.deepEqual(once, full);
}

const stored = async () => Number((await rows<{ n: string }>('SELECT count() AS n FROM otel_messages'))[0]!.n);

function conversation(prefix: string, turns: number, part = ''): [string, Plain][] {
  return Array.from({ length: turns }, (_, n): [string, Plain][] => [
    [`${prefix}.${n}.${part}role`, n % 2 === 0 ? 'user' : 'assistant'],
    [`${prefix}.${n}.${part}content`, `"${n}"\n${long}é\u0000\\`],
  ]).flat();
}

/** Names that look like those of a list, and some that do not. */
function hostileName(): fc.Arbitrary<string> {
  const prefix = fc.constantFrom('gen_ai.prompt', 'llm.input_messages', 'gen_ai.promptx');
  const number = fc.oneof(
    fc.integer({ min: 0, max: 7 }).map(String),
    fc.constantFrom(...'00,01,-1,1e3,9999,10000,40,__proto__,constructor,,0 ,٣'.split(',')),
  );
  const key = fc.oneof(
    fc.constantFrom(...'role,content,message.content,__proto__,constructor,toString,0,10,,.,a"b,a\\b'.split(',')),
    fc.constantFrom("a'b", 'é', 'a\nb', noText),
    fc.string({ maxLength: 4 }),
  );
  return fc.oneof(
    { weight: 8, arbitrary: fc.tuple(prefix, number, key).map((parts) => parts.join('.')) },
    fc.constantFrom('gen_ai.prompt', 'llm.input_messages.', 'llm.input_messages', 'gen_ai.prompt.0', 'input.value'),
    fc.constantFrom('\ufeffgen_ai.prompt.0.role', '\ufeffgen_ai.prompt', 'z', 'm'),
  );
}

function hostileValue(): fc.Arbitrary<Plain> {
  const text = fc.oneof(
    fc.constantFrom(long, `${long}2`, '', '[', `{"a":"${long}"}`, `[${long}]`, noText),
    fc.constantFrom('\u0000\u001f\u007f\u2028', '\ud83d\ude00', '\ufeff', '\\u0041/'),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
  );
  return fc.oneof(
    { weight: 6, arbitrary: text },
    fc.constantFrom<Plain>(0, -7, 1.5, 2 ** 53, 1e-300, 9007199254740993n, true, false, null),
    fc.constantFrom<Plain>(Uint8Array.of(1, 255), ['a', 1, null], { b: 'x' }, ['"', '[']),
  );
}

/** Attributes that look like a list, before or behind a list that is one. */
function hostileCall(): fc.Arbitrary<[[string, Plain][], [string, Plain][], boolean]> {
  return fc.tuple(
    fc.array(fc.tuple(hostileName(), hostileValue()), { maxLength: 24 }),
    fc.integer({ min: 0, max: 8 }).map((turns) => conversation('gen_ai.prompt', turns)),
    fc.boolean(),
  );
}

describe('messages with attributes of their own, stored once', () => {
  it('are one attribute that names them, under every name that such lists have, and whole again where spans are read', async () => {
    const call = (turns: number): Attributes =>
      keyedLists.flatMap((name) => [...conversation(name, turns, 'message.'), ['z', 1], ['a', true]] as const);
    await assertSame([call(10), call(11), call(12)]);
    assert.equal(await stored(), 12);
    const [last] = await rows<{ names: string[]; hashes: string; letters: string }>(
      `SELECT mapKeys(SpanAttributes) AS names, SpanAttributes['llm.tools'] AS hashes, toString(AttributeTypes) AS letters
FROM otel_traces ORDER BY SpanId DESC LIMIT 1`,
    );
    assert.deepEqual(last!.names, ['a', ...keyedLists, 'z'].toSorted());
    assert.match(last!.hashes, /^[\w-]{22}( [\w-]{22}){11}$/);
    assert.equal(last!.letters, 'bkkkkki|');
  });

  it('give back what was sent, whatever it is', async () => {
    let apart = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(hostileCall(), { minLength: 1, maxLength: 12 }), async (calls) => {
        await assertSame(calls.map(([own, said, isFirst]) => (isFirst ? [...own, ...said] : [...said, ...own])));
        if ((await stored()) > 0) apart++;
      }),
      { numRuns: 25 },
    );
    assert.ok(apart > 5, `${apart} of 25 had messages that were stored once`);
  });

  it('are bounded: of 10,000 keys as many as a span may have, no list of gaps, none that is no text', async () => {
    const many = conversation('gen_ai.prompt', 5_000);
    const gaps = [0, 1, 9_998].flatMap((n): [string, Plain][] => [[`llm.tools.${n}.tool.json_schema`, `${n} ${long}`]]);
    const backwards = conversation('llm.input_messages', 20, 'message.').toReversed();
    const cut: Attributes = [...conversation('gen_ai.prompt', 4), ['gen_ai.prompt.4.content', `${noText} ${long}`]];
    await assertSame([many, gaps, backwards, [...backwards, ...backwards], cut]);
    // A span has 1,024 attributes.
    assert.equal(await stored(), 512 + 20);
  });
});

describe('messages with attributes of their own, and what else is done with spans', () => {
  it('say under every redaction what is said under `full`', async () => {
    const token = `ghp_${'aB3dE6gH9k'.repeat(4).slice(0, 36)}`;
    const call: Attributes = [
      ...conversation('llm.input_messages', 12, 'message.'),
      ['llm.input_messages.3.message.name', 'anna@mail.example'],
      ['llm.input_messages.4.message.tool_call_id', `${token} ${long}`],
    ];
    const named: Attributes = [...call, [`llm.input_messages.5.${token}`, 'x']];
    for (const profile of ['secrets', 'secrets_and_pii', 'metadata_only'] as const) {
      const redactor: Options['redactor'] = (fields) => createRedactor({ profile, key: Buffer.alloc(32, 1), fields });
      await assertSame([call, named], { redactor });
      const all = JSON.stringify(
        await rows('SELECT Text FROM otel_messages UNION ALL SELECT toString(SpanAttributes) FROM otel_traces'),
      );
      assert.ok(!all.includes(token), profile);
      assert.equal(all.includes('anna@mail'), profile === 'secrets', profile);
    }
  });

  it('belong to the conversation that their row has, also where another dialect says it, and so do lists that were added', async () => {
    const call = (turns: number): Attributes => [
      ...conversation('llm.input_messages', turns, 'message.'),
      ['openinference.span.kind', 'LLM'],
      ['session.id', 'session-7'],
    ];
    await assertSame([call(10), call(11)], { isTranslated: true });
    const [row] = await rows<{ input: string; letters: string; id: string }>(
      `SELECT SpanAttributes['gen_ai.input.messages'] AS input, ConversationId AS id, toString(AttributeTypes) AS letters
FROM otel_traces ORDER BY SpanId DESC LIMIT 1`,
    );
    assert.match(row!.input, /^[\w-]{22}( [\w-]{22}){10}$/);
    assert.equal(row!.id, 'session-7');
    assert.deepEqual(await rows('SELECT DISTINCT Conversation AS id FROM otel_messages'), [{ id: row!.id }]);
    // Each as it was sent, and as canonical message.
    assert.equal(await stored(), 2 * 11);
  });

  it('are not said to have never been seen', async () => {
    await store([conversation('gen_ai.prompt', 12)], 'once');
    const names = ['gen_ai.prompt.3.content', 'llm.input_messages.3.message.content', 'gen_ai.promptx.3.content'];
    const seen = await storedAttributes(db.store.client, names, new Date(accepted.fromMs));
    assert.deepEqual([...seen], names.slice(0, 1));
  });

  it('take no keys from what a service may have', async () => {
    const call: Attributes = [...conversation('gen_ai.prompt', 40), ['one', 1], ['two', 2]];
    assert.ok((await store([call], 'full', { keysMax: 10 })) > 0);
    assert.equal(await store([call], 'once', { keysMax: 10 }), 0);
  });
});

describe('messages in a JSON object, stored once', () => {
  const said = (turns: number) =>
    Array.from({ length: turns }, (_, n) => ({ role: 'user', content: `${n} "]}${long}é` }));

  it('are rows, and so is what stands around them', async () => {
    const tools = Array.from({ length: 9 }, (_, n) => ({ name: `tool${n}`, description: long }));
    const request = (turns: number) => JSON.stringify({ model: 'gpt-5', messages: said(turns), tools });
    const nested = (turns: number) => JSON.stringify({ messages: [said(turns)] });
    await assertSame(
      [8, 9, 10].map((turns) => [
        ['gen_ai.prompt', request(turns)],
        ['input.value', nested(turns)],
      ]),
    );
    // Ten messages, and two texts around them each.
    assert.equal(await stored(), 10 + 4);
    const [last] = await rows<{ prompt: string; letters: string }>(
      `SELECT SpanAttributes['gen_ai.prompt'] AS prompt, toString(AttributeTypes) AS letters FROM otel_traces ORDER BY SpanId DESC LIMIT 1`,
    );
    assert.match(last!.prompt, /^[\w-]{22}( [\w-]{22}){11}$/);
    assert.equal(last!.letters, 'ww|');
  });

  it('give back what was sent, whatever it is', async () => {
    const member = fc.constantFrom(
      '"a":1,',
      '"messages":"x",',
      '"messages" : [',
      '"m":{"messages":[1]},',
      '"\\":"',
      '}',
      ']',
      noText,
      '',
    );
    const list = fc.oneof(
      fc.integer({ min: 0, max: 9 }).map((turns) => JSON.stringify(said(turns))),
      fc.constantFrom('[', '[[', '[]', `[${long}`, `[${long} ]`, `["${long}"],[`, `[{"a":"${long}"},]`),
    );
    const before = fc.constantFrom('"messages":', '"messages" : ', '"messages": [', '"messages"', '"contents":');
    const behind = fc.constantFrom('}', ',"b":2}', ']}', '', `,"tools":["${long}"]}`, '"', ' }');
    const object = fc
      .tuple(fc.constantFrom('{', ' {', '{{', '{ '), fc.array(member, { maxLength: 2 }), before, list, behind)
      .map((parts) => parts.flat().join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(object, { minLength: 1, maxLength: 20 }), async (calls) => {
        await assertSame(calls.map((text) => [['input.value', text]]));
      }),
      { numRuns: 15 },
    );
  });
});
