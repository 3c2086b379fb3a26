import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { withCasework } from './detect/casework.ts';
import { createDetector } from './detect/engine.ts';
import { UsageWrappers } from './detect/usage-wrappers.ts';
import { createFieldTable } from './model/fields.ts';
import { ok } from './model/outcome.ts';
import { TracePipeline } from './pipeline.ts';
import { Prices } from './prices/prices.ts';
import { otlpProtobuf, type TestSpan } from './testing/otlp.ts';

const names = ['input_tokens', 'output_tokens', 'cached_tokens', 'reasoning_tokens', 'cost_usd'] as const;
type Sums = Record<(typeof names)[number], number>;

/** A pipeline, and what all its spans used. */
function setup() {
  const fields = createFieldTable();
  const usage = new UsageWrappers(fields);
  const detector = withCasework(createDetector({ rules: [], fields, journal: true }), { fields, parts: { usage } });
  const sums: Sums = { input_tokens: 0, output_tokens: 0, cached_tokens: 0, reasoning_tokens: 0, cost_usd: 0 };
  const pipeline = new TracePipeline({
    ...{ fields, detector, usage, prices: new Prices(), retentionMs: 30 * 86_400_000, now: () => 1_900_000_000_000 },
    observer: {
      batch: (events) => {
        for (let span = 0; span < events.batch.spanCount; span++) {
          for (const name of names)
            sums[name] += Number(events.value(span, fields.intern(`spanwarden.usage.${name}`)) ?? 0);
        }
      },
      detectFailed: (error) => assert.fail(error as Error),
    },
    log: { committed: () => undefined, refusal: () => undefined, append: async () => ok },
  });
  return { pipeline, sums, detector };
}

describe('captured traces', () => {
  const folder = join(import.meta.dirname, '../../test/fixtures/traces');
  const told = {
    chatWithTool: [240, 30],
    agentWithMcpError: [160, 23],
    streamedRetrieval: [60, 6],
  } as const;
  /** What some emitters say instead. */
  const unsaid: Readonly<Record<string, (story: string) => readonly number[] | undefined>> = {
    autogen: () => [0, 0],
    haystack: (story) => (story === 'streamedRetrieval' ? [0, 0] : undefined),
    'openinference-haystack': (story) => (story === 'streamedRetrieval' ? [0, 0] : undefined),
    'openinference-openai': (story) => (story === 'streamedRetrieval' ? [0, 0] : undefined),
    'openllmetry-openai': (story) => (story === 'streamedRetrieval' ? [7, 6] : undefined),
  };
  for (const emitter of readdirSync(folder)) {
    if (emitter === 'demo' || emitter === 'regenerate') continue;
    for (const [story, [input, output]] of Object.entries(told)) {
      const path = join(folder, emitter, `${story}.json`);
      if (!existsSync(path)) continue;
      const wanted = unsaid[emitter]?.(story) ?? [input, output];
      test(`${emitter} counts the tokens of ${story} once`, async () => {
        const { pipeline, sums } = setup();
        assert.equal((await pipeline.consume('json', readFileSync(path))).status, 'ok');
        assert.deepEqual([sums.input_tokens, sums.output_tokens], wanted);
      });
    }
  }
});

describe('a model call around a model call', () => {
  const traceId = 'a'.repeat(32);
  const call = (spanId: string, parentSpanId: string, attributes: Record<string, number> = {}): TestSpan => ({
    ...{ traceId, spanId, parentSpanId, name: 'chat', startNanos: 1_800_000_000_000_000_000n },
    endNanos: 1_800_000_001_000_000_000n,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-5',
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.output_tokens': 100,
      ...attributes,
    },
  });
  const [outer, inner] = [call('1'.repeat(16), ''), call('2'.repeat(16), '1'.repeat(16))];

  test('counts once in one batch, in any order', async () => {
    for (const spans of [
      [outer, inner],
      [inner, outer],
    ]) {
      const { pipeline, sums } = setup();
      await pipeline.consume('protobuf', otlpProtobuf(spans));
      assert.deepEqual(sums, {
        input_tokens: 1000,
        output_tokens: 100,
        cached_tokens: 0,
        reasoning_tokens: 0,
        cost_usd: 0.00225,
      });
    }
  });

  test('counts once in batches of its own, also over a restart', async () => {
    const first = setup();
    await first.pipeline.consume('protobuf', otlpProtobuf([inner]));
    const next = setup();
    assert.equal(next.detector.restore(first.detector.snapshot()).status, 'restored');
    await next.pipeline.consume('protobuf', otlpProtobuf([outer]));
    assert.equal(first.sums.input_tokens + next.sums.input_tokens, 1000);
  });

  test('counts where the inner one says no tokens', async () => {
    const silent: TestSpan = { ...inner, attributes: { 'gen_ai.operation.name': 'chat' } };
    const { pipeline, sums } = setup();
    await pipeline.consume('protobuf', otlpProtobuf([silent, outer]));
    assert.equal(sums.input_tokens, 1000);
  });

  test('tokens of the cache are part of the input, and cheaper', async () => {
    const { pipeline, sums } = setup();
    const cached = { 'gen_ai.usage.cache_read.input_tokens': 800, 'gen_ai.usage.reasoning.output_tokens': 40 };
    await pipeline.consume('protobuf', otlpProtobuf([call('3'.repeat(16), '', cached)]));
    assert.deepEqual(sums, {
      input_tokens: 1000,
      output_tokens: 100,
      cached_tokens: 800,
      reasoning_tokens: 40,
      cost_usd: 0.00135,
    });
  });

  test('counts that no call can have do not count', async () => {
    const { pipeline, sums } = setup();
    const wrong = { 'gen_ai.usage.input_tokens': -5, 'gen_ai.usage.output_tokens': 5e12 };
    await pipeline.consume('protobuf', otlpProtobuf([call('4'.repeat(16), '', wrong)]));
    assert.deepEqual([sums.input_tokens, sums.output_tokens, sums.cost_usd], [0, 0, 0]);
  });
});
