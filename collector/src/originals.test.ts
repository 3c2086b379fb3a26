import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Signal } from './decode/json.ts';
import { withCasework } from './detect/casework.ts';
import { createDetector } from './detect/engine.ts';
import { loadRules } from './detect/load.ts';
import { createFieldTable } from './model/fields.ts';
import { limits } from './model/limits.ts';
import { ok } from './model/outcome.ts';
import type { Original } from './model/spool.ts';
import type { TeeRequest } from './model/tee-request.ts';
import { Originals, teeRequestOf } from './originals.ts';
import { TracePipeline } from './pipeline.ts';
import { createResends, resendParts } from './resends.ts';
import { otlpJson, otlpLogsProtobuf, otlpProtobuf, type TestSpan } from './testing/otlp.ts';
import { otlpSumProtobuf } from './testing/otlp-metrics.ts';

/** A pipeline, and what it gives to be kept of requests. */
function setup(signals: readonly Signal[] | undefined) {
  const fields = createFieldTable();
  const resends = createResends({ traces: 100 });
  const detector = withCasework(createDetector({ ...loadRules([]), fields, journal: true }), {
    ...{ fields, journal: true },
    parts: resendParts(resends),
  });
  const kept: (Original | undefined)[] = [];
  const landed = new Set<string>();
  const originals = signals && new Originals(signals);
  const pipeline = new TracePipeline({
    ...{ fields, detector, resends, originals },
    log: {
      committed: (digest) => (landed.has(String(digest)) ? Promise.resolve(ok) : undefined),
      refusal: () => undefined,
      append: async ({ digest, original }) => {
        landed.add(String(digest));
        kept.push(original);
        return ok;
      },
    },
    now: () => 1_900_000_000_000,
    retentionMs: 1e12,
  });
  return { pipeline, kept, originals };
}

function span(number: number, changes: Partial<TestSpan> = {}): TestSpan {
  const spanId = number.toString(16).padStart(16, '0');
  return { spanId, traceId: '0a'.repeat(16), startNanos: 1n, endNanos: 2n, name: `span ${number}`, ...changes };
}

function read(original: Original | undefined): TeeRequest | undefined {
  return original && teeRequestOf({ ...original, bytes: Buffer.from(original.bytes), position: 7, timeMs: 8 });
}

test('a request is kept as it came, with what it is, and nothing is where nobody wants it', async () => {
  const { pipeline, kept } = setup(['traces', 'metrics']);
  const unknown = Buffer.from([0xc8, 0x30, 7]);
  const traces = Buffer.concat([unknown, otlpProtobuf([span(1), span(2)])]);
  const json = Buffer.from(JSON.stringify({ ...otlpJson([span(3)]), unknown: 1.0 }, null, 2));
  const metrics = otlpSumProtobuf([{ name: 'm', value: 1, nanos: 1n }]);
  await pipeline.consume('protobuf', traces);
  await pipeline.consume('json', json, 'traces', 2);
  await pipeline.consume('protobuf', otlpLogsProtobuf([{ body: 'a' }]), 'logs');
  await pipeline.consume('protobuf', metrics, 'metrics');
  assert.equal(kept[0]!.bytes, traces, 'not even copied');
  const common = { kind: 'request', id: '7', orderKey: '7', takenMs: 8 };
  assert.deepEqual(kept.map(read), [
    { ...common, signal: 'traces', encoding: 'protobuf', hops: 0, records: 2, bytes: traces },
    { ...common, signal: 'traces', encoding: 'json', hops: 2, records: 1, bytes: json },
    undefined,
    { ...common, signal: 'metrics', encoding: 'protobuf', hops: 0, records: 1, bytes: metrics },
  ]);
  const without = setup(undefined);
  await without.pipeline.consume('protobuf', traces);
  assert.deepEqual(without.kept, [undefined]);
});

test('of a request that is not all taken in, what is goes on, and the rest not', async () => {
  const { pipeline, kept } = setup(['traces']);
  const [one, two] = [otlpProtobuf([span(1)]), otlpProtobuf([span(2)])];
  const refused = otlpProtobuf([span(9, { traceId: 'ab' })]);
  const outcome = await pipeline.consume('protobuf', Buffer.concat([one, refused, two]));
  assert.ok(outcome.status === 'ok' && outcome.rejected === 1);
  assert.deepEqual(read(kept[0])?.records, 2);
  assert.deepEqual(kept[0]!.bytes, Buffer.concat([one, two]));
  // Of a translated one there is no other text.
  const json = Buffer.from(JSON.stringify(otlpJson([span(3), span(8, { spanId: 'ab' })])));
  await pipeline.consume('json', json);
  const text = Buffer.from(kept[1]!.bytes).toString('latin1');
  assert.deepEqual(
    [read(kept[1])!.encoding, text.includes('span 3'), text.includes('span 8')],
    ['protobuf', true, false],
  );
});

test('what came before does not go on again, whole requests and single spans', async () => {
  const { pipeline, kept } = setup(['traces']);
  const [one, two] = [otlpProtobuf([span(1)]), otlpProtobuf([span(2)])];
  await pipeline.consume('protobuf', one);
  await pipeline.consume('protobuf', one);
  await pipeline.consume('protobuf', Buffer.concat([one, two]));
  await pipeline.consume('protobuf', Buffer.concat([two, one]));
  assert.deepEqual(
    kept.filter((each) => each !== undefined).map(({ bytes }) => bytes),
    [one, two],
  );
});

test('a request that came through too many tees goes no further, and is counted', async () => {
  const { pipeline, kept, originals } = setup(['traces']);
  await pipeline.consume('protobuf', otlpProtobuf([span(1)]), 'traces', limits.teeHopsMax - 1);
  await pipeline.consume('protobuf', otlpProtobuf([span(2)]), 'traces', limits.teeHopsMax);
  assert.deepEqual([read(kept[0])?.hops, kept[1], originals!.looped], [limits.teeHopsMax - 1, undefined, 1]);
});

test('kinds of another version are left out', () => {
  const record = { position: 1, timeMs: 1, records: 1, bytes: Buffer.alloc(0) };
  for (const kind of [3, 7, 128, 255]) assert.equal(teeRequestOf({ ...record, kind }), undefined);
});
