import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createDetector } from './detect/engine.ts';
import { loadRules } from './detect/load.ts';
import { createFieldTable } from './model/fields.ts';
import type { Finding } from './model/finding.ts';
import { type Outcome, ok } from './model/outcome.ts';
import type { Rows } from './model/spool.ts';
import { TracePipeline } from './pipeline.ts';
import { otlpProtobuf } from './testing/otlp.ts';

const rules = `
title: A call
name: call
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name: pay}, condition: s}
---
title: Two calls
name: calls
correlation: {type: event_count, rules: [call], group-by: ['gen_ai.conversation.id'], timespan: 10s, condition: {gte: 2}}
`;

const fullSpool: Outcome = { status: 'retryable', reason: 'SW_SPOOL_FULL: full' };

/** A pipeline whose clock and spool the test holds in its hands. */
function setup() {
  const fields = createFieldTable();
  const appended: string[] = [];
  const settled: Finding[] = [];
  const state = { nowMs: 1_900_000_000_000, outcome: ok as Outcome, refuses: false };
  const pipeline = new TracePipeline({
    fields,
    detector: createDetector({ ...loadRules([{ path: 'r.yml', text: rules }]), fields }),
    log: {
      committed: () => undefined,
      refusal: () => (state.refuses ? fullSpool : undefined),
      append: async ({ rows }: { rows: Rows[] }) => {
        appended.push(rows.map(({ table, count }) => `${table} ${count}`).join(', '));
        return state.outcome;
      },
    },
    retentionMs: 30 * 86_400_000,
    now: () => state.nowMs,
    observer: { settled: (findings) => settled.push(...findings) },
  });
  return {
    pipeline,
    state,
    settled,
    /** What was appended since the last look. */
    taken: () => appended.splice(0),
    /** Sends a call that ended at this second of a day long gone. */
    send: (atSeconds: number) => {
      const endNanos = 1_767_261_600_000_000_000n + BigInt(atSeconds) * 1_000_000_000n;
      const attributes = {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'pay',
        'gen_ai.conversation.id': 'c1',
      };
      return pipeline.consume('protobuf', otlpProtobuf([{ startNanos: endNanos - 1n, endNanos, attributes }]));
    },
  };
}

describe('findings of correlations', () => {
  test('come out with a later batch once the lateness is over', async () => {
    const { send, taken } = setup();
    await send(0);
    await send(5);
    await send(36);
    assert.deepEqual(taken(), ['otel_traces 1', 'otel_traces 1', 'otel_traces 1, findings 1']);
  });

  test('come out by the clock when no span comes, as far as event time was', async () => {
    const { pipeline, state, send, taken, settled } = setup();
    assert.deepEqual(await pipeline.settle(), ok);
    await send(0);
    await send(5);
    taken();
    state.nowMs += 20_000;
    await pipeline.settle();
    assert.deepEqual(taken(), [], 'a span of that moment could still come');
    state.nowMs += 10_001;
    await pipeline.settle();
    await pipeline.settle();
    assert.deepEqual(taken(), ['findings 1']);
    assert.deepEqual(
      settled.map(({ count, conversationId }) => [count, conversationId]),
      [[2, 'c1']],
    );
  });

  test('come out at the end', async () => {
    const { pipeline, send, taken } = setup();
    await send(0);
    await send(5);
    taken();
    await pipeline.flush();
    await pipeline.flush();
    assert.deepEqual(taken(), ['findings 1']);
  });

  test('are kept when the spool refuses them, with a batch or alone', async () => {
    const { pipeline, state, send, taken } = setup();
    await send(0);
    await send(5);
    state.outcome = fullSpool;
    assert.equal((await send(36)).status, 'retryable');
    assert.equal((await pipeline.settle()).status, 'retryable');
    state.outcome = ok;
    taken();
    await send(37);
    await pipeline.settle();
    assert.deepEqual(taken(), ['otel_traces 1, findings 1']);
  });

  test('of a batch whose refusal is known beforehand are not even looked for', async () => {
    const { pipeline, state, send, taken } = setup();
    await send(0);
    state.refuses = true;
    assert.equal((await send(5)).status, 'retryable');
    state.refuses = false;
    taken();
    await pipeline.flush();
    assert.deepEqual(taken(), [], 'one call alone is no finding');
  });
});
