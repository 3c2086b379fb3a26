import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withCasework } from './detect/casework.ts';
import { createDetector } from './detect/engine.ts';
import { loadRules } from './detect/load.ts';
import { createFieldTable } from './model/fields.ts';
import { type Outcome, ok } from './model/outcome.ts';
import { type DurableLog, TracePipeline } from './pipeline.ts';
import type { OtlpOutcome } from './receive/contract.ts';
import { createResentSpans, trustOnlySynced } from './resends.ts';
import { otlpProtobuf, type TestSpan } from './testing/otlp.ts';

const refused: Outcome = { status: 'retryable', reason: 'SW_SPOOL_WRITE: the disk is ill', retryAfterMs: 1 };

interface Appended {
  /** How many spans the record holds. */
  readonly spans: number;
  readonly settle: (outcome: Outcome) => void;
}

/** A pipeline whose records land or are refused when the test says so. */
function setup(more: { readonly batch?: () => void } = {}) {
  const fields = createFieldTable();
  const resends = createResentSpans(100)!;
  const detector = withCasework(createDetector({ ...loadRules([]), fields, journal: true }), {
    ...{ fields, journal: true },
    parts: { resends },
  });
  const appended: Appended[] = [];
  const landed = new Set<string>();
  let recognised = 0;
  const log: DurableLog = {
    committed: (digest) => (landed.has(String(digest)) ? Promise.resolve(ok) : undefined),
    refusal: () => undefined,
    append: ({ digest, rows }) =>
      new Promise((resolve) => {
        const settle = (outcome: Outcome) => {
          if (outcome.status === 'ok') landed.add(String(digest));
          resolve(outcome);
        };
        const spans = rows.find(({ table }) => table === 'otel_traces')?.count ?? 0;
        appended.push({ spans, settle });
      }),
  };
  const observer = {
    ...more,
    resentSpans: (count: number) => {
      recognised += count;
    },
  };
  const now = () => 1_900_000_000_000;
  const pipeline = new TracePipeline({ fields, detector, resends, log, observer, now, retentionMs: 1e12 });
  return {
    appended,
    recognised: () => recognised,
    send: (...spans: readonly number[]): Promise<OtlpOutcome> =>
      pipeline.consume('protobuf', otlpProtobuf(spans.map(spanOf))),
  };
}

function spanOf(n: number): TestSpan {
  const spanId = n.toString(16).padStart(16, '0');
  return { spanId, traceId: '0a'.repeat(16), startNanos: 1n, endNanos: 2n, attributes: { n } };
}

function isPending(answer: Promise<OtlpOutcome>): Promise<boolean> {
  return Promise.race([answer.then(() => false), new Promise<boolean>((done) => setImmediate(() => done(true)))]);
}

describe('spans that come again while their record is under way', () => {
  test('are acknowledged when it has landed', async () => {
    const { send, appended, recognised } = setup();
    const first = send(1, 2);
    const second = send(2, 1);
    assert.deepEqual([appended.length, recognised()], [1, 2]);
    assert.ok(await isPending(second));
    appended[0]!.settle(ok);
    assert.deepEqual([(await first).status, (await second).status], ['ok', 'ok']);
  });

  test('are refused with it, also where the rest of their batch lands, and stored when they come once more', async () => {
    const { send, appended } = setup();
    const first = send(1, 2);
    const second = send(2, 3);
    assert.deepEqual(
      appended.map(({ spans }) => spans),
      [2, 1],
    );
    appended[1]!.settle(ok);
    assert.ok(await isPending(second), 'half of it is not on disk');
    appended[0]!.settle(refused);
    assert.deepEqual([(await first).status, (await second).status], ['retryable', 'retryable']);
    // The same bytes again: of these only span 3 is on disk.
    const again = send(2, 3);
    assert.equal(appended[2]?.spans, 1);
    appended[2]!.settle(ok);
    assert.equal((await again).status, 'ok');
    void send(1, 2, 3);
    assert.equal(appended[3]?.spans, 1, 'span 1 was never stored');
  });
});

test('after a start that could not sync what it found, no span is known', () => {
  for (const [unsyncedSegments, size] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const resends = createResentSpans(100)!;
    // Its factors, and one key that was noted.
    resends.replay(Buffer.concat([Buffer.alloc(16, 1), Buffer.from([1, 8]), Buffer.alloc(8, 7)]));
    trustOnlySynced(resends, { unsyncedSegments });
    assert.equal(resends.size, size);
  }
});

test('spans of a batch that could not be worked on are unknown', async () => {
  let isFaulty = true;
  const { send, appended } = setup({
    batch: () => {
      if (isFaulty) throw new Error('a fault of ours');
    },
  });
  await assert.rejects(send(1), /a fault of ours/);
  isFaulty = false;
  void send(2, 1);
  assert.equal(appended[0]?.spans, 2);
});
