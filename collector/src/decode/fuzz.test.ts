import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDetector } from '../detect/engine.ts';
import { loadRules } from '../detect/load.ts';
import { type ErrorCode, errorCodes } from '../model/errors.ts';
import { createFieldTable, overflowName } from '../model/fields.ts';
import { limits } from '../model/limits.ts';
import { ok } from '../model/outcome.ts';
import { ProtobufWriter } from '../model/protobuf-writer.ts';
import type { Rows } from '../model/spool.ts';
import { TracePipeline } from '../pipeline.ts';
import { type Encoding, type Signal, signals } from '../receive/contract.ts';
import { otlpJson, otlpLogsJson, otlpLogsProtobuf, otlpProtobuf } from '../testing/otlp.ts';
import { otlpMetricsJson, otlpMetricsProtobuf } from '../testing/otlp-metrics.ts';

// Whatever arrives becomes rows, or an error that docs/errors.md knows. The whole way is walked, because what a decoder lets
// through is read by everybody behind it.

const rule = `
title: Any
logsource: {product: ai_agent}
detection: {s: {gen_ai.tool.name|contains: a}, condition: s}
`;
const fields = createFieldTable();
const appended: Rows[] = [];
const pipeline = new TracePipeline({
  fields,
  detector: createDetector({ ...loadRules([{ path: 'r.yml', text: rule }]), fields }),
  log: {
    committed: () => undefined,
    refusal: () => undefined,
    append: async ({ rows }) => {
      appended.push(...rows);
      return ok;
    },
  },
  retentionMs: 30 * 86_400_000,
  now: () => 1_900_000_000_000,
  observer: {
    detectFailed: (error) => {
      throw error;
    },
  },
});

async function taken(signal: Signal, encoding: Encoding, bytes: Buffer) {
  appended.length = 0;
  const outcome = await pipeline.consume(encoding, bytes, signal);
  if (outcome.status === 'ok') assert.ok(outcome.rejected === 0 || outcome.message !== '');
  else assert.ok(outcome.code in errorCodes && outcome.status === 'refused', outcome.message);
  return outcome;
}

function code(outcome: { status: string; code?: ErrorCode }): string {
  return outcome.status === 'ok' ? 'ok' : outcome.code!;
}

const deep = { a: [1, { b: 'x', c: [true, null, 2.5] }], 'gen_ai.tool.name': 'bash', big: 9_223_372_036_854_775_807n };
const span = {
  name: 'execute_tool',
  attributes: { ...deep, 'gen_ai.input.messages': '[{"role":"user","parts":[]}]' },
  events: [{ name: 'e', attributes: deep }],
  links: [{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), attributes: deep }],
  status: { code: 2, message: 'm' },
};
const log = { eventName: 'claude_code.tool_result', body: deep, attributes: { ...deep, tool_name: 'Bash' } };
const now = 1_900_000_000_000_000_000n;
const samples: Readonly<Record<Signal, Readonly<Record<Encoding, Buffer>>>> = {
  traces: { protobuf: otlpProtobuf([span, span]), json: Buffer.from(JSON.stringify(otlpJson([span, span]))) },
  metrics: { protobuf: otlpMetricsProtobuf(now), json: Buffer.from(JSON.stringify(otlpMetricsJson(now))) },
  logs: { protobuf: otlpLogsProtobuf([log, log]), json: Buffer.from(JSON.stringify(otlpLogsJson([log, log]))) },
};
const runs = { numRuns: 400 };

/** A valid request with bytes flipped, cut out and put in. */
function mutated(sample: Buffer): fc.Arbitrary<Buffer> {
  const edit = fc.tuple(fc.nat(sample.length), fc.nat(12), fc.uint8Array({ maxLength: 8 }));
  return fc
    .array(edit, { minLength: 1, maxLength: 6 })
    .map((edits) =>
      edits.reduce(
        (bytes, [at, cut, put]) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]),
        sample,
      ),
    );
}

for (const signal of signals) {
  test(`${signal}: samples are whole`, async () => {
    for (const encoding of ['protobuf', 'json'] as const) {
      assert.equal(code(await taken(signal, encoding, samples[signal][encoding])), 'ok');
      // A table for each kind of metric.
      assert.equal(signal === 'metrics' ? appended.length : appended[0]!.count, signal === 'metrics' ? 5 : 2);
    }
  });

  for (const encoding of ['protobuf', 'json'] as const) {
    test(`${signal}, ${encoding}: any bytes are a value or a known error`, async () => {
      const any = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
      await fc.assert(
        fc.asyncProperty(any, async (bytes) => void (await taken(signal, encoding, bytes))),
        runs,
      );
    });

    test(`${signal}, ${encoding}: broken requests are a value or a known error`, async () => {
      const broken = mutated(samples[signal][encoding]);
      await fc.assert(
        fc.asyncProperty(broken, async (bytes) => void (await taken(signal, encoding, bytes))),
        runs,
      );
    });
  }

  test(`${signal}: any JSON in any place is a value or a known error`, async () => {
    const text = samples[signal].json.toString();
    const places = [...text.matchAll(/:("[^"]*"|\d+|true|null|\[)/g)].map(({ index }) => index + 1);
    const one = fc.tuple(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 4 }));
    await fc.assert(
      fc.asyncProperty(one, async ([at, value]) => {
        const rest = text.slice(at).replace(/^("[^"]*"|\d+|true|null|\[)/, (old) => {
          return JSON.stringify(value) + (old === '[' ? ',"x":[' : '');
        });
        await taken(signal, 'json', Buffer.from(text.slice(0, at) + rest));
      }),
      runs,
    );
  });
}

/** KeyValue with lists in lists, as protobuf. */
function nested(writer: ProtobufWriter, depth: number): void {
  writer.string(1, 'deep');
  let value: Buffer = Buffer.from([0x18, 1]);
  for (let i = 0; i < depth; i++) {
    const list = varintPrefixed(0x0a, value);
    value = varintPrefixed(0x2a, list);
  }
  writer.bytes(2, value);
}

function varintPrefixed(tag: number, bytes: Buffer): Buffer {
  const head = [tag];
  let rest = bytes.length;
  for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128);
  head.push(rest);
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** One span whose nested attribute stands in the resource, the scope or the span. */
function nestedRequest(place: 'resource' | 'scope' | 'span', depth: number): Buffer {
  const writer = new ProtobufWriter();
  const attribute = (field: number) => writer.message(field, () => nested(writer, depth));
  writer.message(1, () => {
    writer.message(1, () => place === 'resource' && attribute(1));
    writer.message(2, () => {
      writer.message(1, () => place === 'scope' && attribute(3));
      writer.message(2, () => {
        writer.bytes(1, Buffer.alloc(16, 1));
        writer.bytes(2, Buffer.alloc(8, 1));
        if (place === 'span') attribute(9);
      });
    });
  });
  return writer.take();
}

test('deep nesting costs the record, or the attribute where no record is to blame (otelcol #15301, CVE-2026-44289)', async () => {
  for (const depth of [limits.nestingDepthMax + 1, 10_000]) {
    const inSpan = await taken('traces', 'protobuf', nestedRequest('span', depth));
    assert.equal(inSpan.status === 'ok' && inSpan.rejected, 1);
    for (const place of ['resource', 'scope'] as const) {
      const outcome = await taken('traces', 'protobuf', nestedRequest(place, depth));
      assert.equal(outcome.status === 'ok' && outcome.rejected, 0);
      assert.equal(appended[0]!.count, 1);
    }
  }
  const json = `{"resourceSpans":${'['.repeat(100_000)}`;
  assert.equal(code(await taken('traces', 'json', Buffer.from(json))), 'SW_OTLP_JSON');
  const unknown = `{"x":${'[1111111111111111,'.repeat(100_000)}1${']'.repeat(100_000)}}`;
  assert.match(code(await taken('traces', 'json', Buffer.from(unknown))), /^(ok|SW_OTLP_DEPTH)$/);
});

test('an 11 MB tool output is cut, says how long it was and its hash, and costs its batch nothing', async () => {
  const output = 'é'.repeat(5_500_000);
  const attributes = { 'gen_ai.tool.call.result': output, list: [output] };
  const bytes = otlpProtobuf([{ name: 'small' }, { name: 'large', attributes }]);
  const outcome = await taken('traces', 'protobuf', bytes);
  assert.deepEqual(outcome, { status: 'ok', rejected: 0, message: '' });
  assert.equal(appended[0]!.count, 2);
  const row = Buffer.from(appended[0]!.bytes).toString();
  assert.match(row, /é…\[spanwarden: cut, sha256 [0-9a-f]{16}, 11000000 bytes in all\]/);
  assert.ok(appended[0]!.bytes.length < 3 * limits.attributeValueBytesMax);
});

test('a value of nothing but continuation bytes is cut all the same', async () => {
  const writer = new ProtobufWriter();
  const value = Buffer.alloc(limits.attributeValueBytesMax + 10, 0x80);
  const attribute = () => {
    writer.string(1, 'k');
    writer.message(2, () => writer.bytes(1, value));
  };
  writer.message(1, () =>
    writer.message(2, () =>
      writer.message(2, () => {
        writer.bytes(1, Buffer.alloc(16, 1));
        writer.bytes(2, Buffer.alloc(8, 1));
        writer.message(9, attribute);
      }),
    ),
  );
  assert.equal(code(await taken('traces', 'protobuf', writer.take())), 'ok');
});

test('a million distinct keys in one request become few, and names that rules ask for are still found', async () => {
  const names = createFieldTable(1000);
  const asked = names.intern('gen_ai.tool.name');
  const key = (text: string) => names.internBytes(Buffer.from(text), 0, text.length);
  for (let i = 0; i < 1_000_000; i++) key(`key.${i}`);
  assert.ok(names.size < 2100, String(names.size));
  assert.equal(names.name(key('one.more')), overflowName);
  assert.equal(key('gen_ai.tool.name'), asked);
  assert.equal(names.overflowed, 998_001);
  names.trim();
  assert.equal(names.name(key('one.more')), 'one.more');
});

test('empty messages by the million are refused with 413 before they fill memory', async () => {
  const empty = (tag: number) => Buffer.alloc(4_400_000, Buffer.from([tag, 0]));
  assert.equal(code(await taken('traces', 'protobuf', empty(0x0a))), 'SW_HTTP_BODY_TOO_LARGE');
  assert.equal(code(await taken('logs', 'protobuf', empty(0x0a))), 'SW_HTTP_BODY_TOO_LARGE');
  const objects = Buffer.from(`{"resourceSpans":[${'{},'.repeat(limits.jsonValuesMax / 2)}{}]}`);
  assert.equal(code(await taken('traces', 'json', objects)), 'SW_HTTP_BODY_TOO_LARGE');
  const prose = Buffer.from(JSON.stringify(otlpJson([{ attributes: { text: '{[,"'.repeat(3_000_000) } }])));
  assert.equal(code(await taken('traces', 'json', prose)), 'ok');
});
