import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { TraceDecoder } from '../../decode/trace-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import type { Redactor } from '../../model/redaction.ts';
import { listAttributes } from '../../model/repeated-lists.ts';
import { NormalisedEvents } from '../../normalise/span-events.ts';
import { createRedactor } from '../../redact/row-redactor.ts';
import { otlpProtobuf, type TestSpan } from '../../testing/otlp.ts';
import { SpanRowEncoder } from '../rows/otel-traces.ts';
import { openTestStore, type TestStore } from '../testing/embedded.ts';
import { planHistory, readHistory } from './read.ts';

const base = (BigInt(Date.now()) - 3_600_000n) * 1_000_000n;
const dayNanos = 86_400_000_000_000n;
const range = { fromNanos: base - 3n * dayNanos, toNanos: base + dayNanos };
const accepted = { fromMs: Number(base / 1_000_000n) - 9e9, toMs: Number(base / 1_000_000n) + 9e9 };

let db: TestStore;
before(async () => {
  db = await openTestStore();
});
after(() => db.close());

const say = (role: string, content: string) => JSON.stringify({ role, parts: [{ type: 'text', content }] });
const long = 'what was said at length, and then some more of it. '.repeat(4);

function call(number: number, input: string, more: Record<string, string> = {}, atNanos = base): TestSpan {
  return {
    traceId: 'ab'.repeat(16),
    spanId: `${number}`.padStart(16, '0'),
    startNanos: atNanos + BigInt(number),
    endNanos: atNanos + BigInt(number) + 5n,
    attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.input.messages': input, ...more },
  };
}

interface Options {
  readonly messages?: 'full' | 'once';
  readonly redactor?: (fields: ReturnType<typeof createFieldTable>) => Redactor | undefined;
  /** Whether the record of a request lands. */
  readonly lands?: (request: number) => boolean;
}

/** Stores requests as the pipeline does. */
async function store(requests: readonly (readonly TestSpan[])[], options: Options = {}): Promise<void> {
  const { messages = 'once', redactor, lands = () => true } = options;
  for (const table of ['otel_traces', 'otel_messages'])
    await db.store.client.command({ query: `TRUNCATE TABLE ${table}` });
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const encoder = new SpanRowEncoder(fields, [], redactor?.(fields), messages);
  for (const [number, spans] of requests.entries()) {
    const outcome = decoder.decode(otlpProtobuf(spans));
    if (outcome.status !== 'ok') throw new Error(outcome.message);
    const rows = encoder.encode(outcome.batch, accepted);
    const taken = encoder.takeMessages();
    if (!lands(number)) continue;
    await db.insert(rows);
    if (taken) await db.insert(taken.rows);
    taken?.landed();
  }
}

async function readBack() {
  const fields = createFieldTable();
  const events = new NormalisedEvents(fields);
  const input = fields.intern('gen_ai.input.messages');
  const { batches, losses } = readHistory(db.store.client, await planHistory(db.store.client, range), { fields });
  const seen: unknown[] = [];
  for await (const batch of batches) {
    events.bind(batch);
    for (let span = 0; span < batch.spanCount; span++) seen.push(events.value(span, input));
  }
  return { seen, losses };
}

async function rows<T>(query: string): Promise<T[]> {
  const answer = await db.store.client.query({ query, format: 'JSONEachRow' });
  return answer.json<T>();
}

const stored = async () =>
  (await rows<{ n: string }>('SELECT count() AS n FROM otel_messages')).map(({ n }) => Number(n))[0];

describe('messages stored once', () => {
  it('are named by spans, and are in their place when spans are read, and in the view', async () => {
    const said = [say('user', `${long}é`), say('assistant', `${long}"],[\\`), say('user', `${long}3`)];
    const texts = [`[${said[0]}, ${said[1]}]`, `[${said.join(', ')}]`];
    await store([[call(1, texts[0]!)], [call(2, texts[1]!), call(3, '[]'), call(4, 'no list')]]);
    assert.equal(await stored(), 3);
    const raw = await rows<{ text: string }>(
      "SELECT SpanAttributes['gen_ai.input.messages'] AS text FROM otel_traces ORDER BY SpanId",
    );
    assert.match(raw[1]!.text, /^[\w-]{22} [\w-]{22} [\w-]{22}$/);
    assert.deepEqual((await readBack()).seen, [...texts, '[]', 'no list']);
    const full = await rows<{ text: string; name: string }>(
      "SELECT SpanAttributes['gen_ai.input.messages'] AS text, OperationName AS name FROM otel_traces_full ORDER BY SpanId",
    );
    assert.deepEqual(
      full.map(({ text }) => text),
      [...texts, '[]', 'no list'],
    );
    assert.equal(full[0]!.name, 'chat');
  });

  it('are so under every name that lists have, each list in its own place', async () => {
    const lists = (turn: number) =>
      Object.fromEntries(
        listAttributes.map((name, i) => [
          name,
          `[${[1, 2, 3, 4].slice(0, turn + 2).map((n) => say(`r${i}`, `${long}${n}`))}]`,
        ]),
      );
    const others = { a: 'x y z', 'gen_ai.tool.name': 'r', z: '[1]' };
    const spans = [0, 1].map((turn) => call(turn + 1, '', { ...lists(turn), ...others }));
    await store(spans.map((span) => [span]));
    assert.equal(await stored(), listAttributes.length * 3);
    const names = [...listAttributes, ...Object.keys(others)];
    const of = async (table: string) =>
      rows<{ values: string[] }>(
        `SELECT arrayMap(n -> SpanAttributes[n], [${names.map((name) => `'${name}'`)}]) AS values FROM ${table} ORDER BY SpanId`,
      );
    const sent = [0, 1].map((turn) => ({ values: [...Object.values(lists(turn)), ...Object.values(others)] }));
    assert.deepEqual(await of('otel_traces_full'), sent);
    for (const { values } of await of('otel_traces')) {
      for (const value of values.slice(0, listAttributes.length)) assert.match(value, /^[\w-]{22}( [\w-]{22})+$/);
    }
    const fields = createFieldTable();
    const back: string[][] = [];
    const plan = await planHistory(db.store.client, range);
    for await (const batch of readHistory(db.store.client, plan, { fields }).batches) {
      for (let span = 0; span < batch.spanCount; span++) {
        const value = (name: string) =>
          String(batch.attributeValue(batch.findSpanAttribute(span, fields.intern(name))));
        back.push(names.map(value));
      }
    }
    assert.deepEqual(
      back,
      sent.map(({ values }) => values),
    );
  });

  it('gives back the bytes that were sent, whatever they are', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        say('user', long),
        say('tool', long),
        '"a,b"',
        '{"a":[1,{"b":"]"}]}',
        ' ',
        ',',
        '[',
        ']',
        '"',
        '\\"',
        '{',
      ),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    );
    const list = fc
      .tuple(fc.array(piece, { maxLength: 6 }), fc.constantFrom(',', ', ', ''), fc.constantFrom(']', ' ]', '', ']]'))
      .map(([pieces, between, close]) => `[${[say('system', long), ...pieces].join(between)}${close}`);
    await fc.assert(
      fc.asyncProperty(fc.array(list, { minLength: 1, maxLength: 30 }), async (lists) => {
        const spans = lists.map((text, i) => call(i + 1, text, i % 3 === 0 ? { 'gen_ai.conversation.id': 'c' } : {}));
        await store([spans.slice(0, 3), spans.slice(3)].filter((each) => each.length > 0));
        const { seen, losses } = await readBack();
        assert.deepEqual(seen, lists);
        assert.equal(losses.missingMessages, 0);
      }),
      { numRuns: 15 },
    );
  });

  it('has a row again where the record with the first one did not land, and on each day', async () => {
    const text = `[${say('user', long)},${say('assistant', `${long}2`)},${say('user', `${long}3`)}]`;
    await store([[call(1, text)], [call(2, text)], [call(3, text)]], { lands: (request) => request !== 0 });
    assert.deepEqual((await readBack()).seen, [text, text]);
    assert.equal(await stored(), 3);
    await store([[call(1, text)], [call(2, text, {}, base - 2n * dayNanos)]]);
    assert.equal(await stored(), 6);
    await db.store.client.command({ query: 'TRUNCATE TABLE otel_messages' });
    const { seen, losses } = await readBack();
    assert.deepEqual([seen, losses.missingMessages], [['[null,null,null]', '[null,null,null]'], 6]);
  });

  it('says under every redaction what is said under `full`', async () => {
    const token = `ghp_${'aB3dE6gH9k'.repeat(4).slice(0, 36)}`;
    const said = [
      say('user', `${long} ${token} mail me at anna@mail.example`),
      say('assistant', long),
      say('user', long),
    ];
    const spans = [1, 2, 3].map((n) => [
      call(n, `[${said.slice(0, n).join(',')}]`, { 'gen_ai.conversation.id': 'anna@mail.example' }),
    ]);
    for (const profile of ['off', 'secrets', 'secrets_and_pii', 'metadata_only'] as const) {
      const redactor: Options['redactor'] = (fields) => createRedactor({ profile, key: Buffer.alloc(32, 1), fields });
      await store(spans, { messages: 'full', redactor });
      const full = await readBack();
      await store(spans, { messages: 'once', redactor });
      const once = await readBack();
      assert.deepEqual(once.seen, full.seen, profile);
      assert.equal(once.losses.redacted, full.losses.redacted);
      const all = JSON.stringify(await rows('SELECT * FROM otel_messages'));
      assert.equal(all.includes(token), profile === 'off', profile);
      assert.equal(all.includes('anna@mail'), profile === 'off' || profile === 'secrets', profile);
    }
  });

  it('cannot be named by who sends a span', async () => {
    const text = `[${say('user', long)},${say('assistant', `${long}2`)},${say('user', `${long}3`)}]`;
    await store([[call(1, text)]]);
    const [{ Hash } = { Hash: '' }] = await rows<{ Hash: string }>('SELECT Hash FROM otel_messages');
    await store([[call(1, text), call(2, Hash)]]);
    assert.deepEqual((await readBack()).seen, [text, Hash]);
  });
});
