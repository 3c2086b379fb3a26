import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Signal } from './decode/json.ts';
import { withCasework } from './detect/casework.ts';
import { createDetector } from './detect/engine.ts';
import { loadRules } from './detect/load.ts';
import type { DurableLog } from './durable-log.ts';
import { createFieldTable } from './model/fields.ts';
import { type Outcome, ok } from './model/outcome.ts';
import { TracePipeline } from './pipeline.ts';
import type { OtlpOutcome } from './receive/contract.ts';
import { createResends, resendParts, trustOnlySynced } from './resends.ts';
import { otlpLogsProtobuf, otlpProtobuf } from './testing/otlp.ts';
import { otlpSumProtobuf } from './testing/otlp-metrics.ts';

const refused: Outcome = { status: 'retryable', reason: 'SW_SPOOL_WRITE: the disk is ill', retryAfterMs: 1 };

interface Appended {
  /** How many spans, log records or points it holds. */
  readonly records: number;
  /** Bytes of what detection takes in with it. */
  readonly journal: number;
  readonly settle: (outcome: Outcome) => void;
}

/** A pipeline whose records land or are refused when the test says so. */
function setup(signal: Signal, more: { readonly batch?: () => void } = {}) {
  const fields = createFieldTable();
  const resends = createResends({ [signal]: 100 });
  const detector = withCasework(createDetector({ ...loadRules([]), fields, journal: true }), {
    ...{ fields, journal: true },
    parts: resendParts(resends),
  });
  const appended: Appended[] = [];
  const landed = new Set<string>();
  let recognised = 0;
  const log: DurableLog = {
    committed: (digest) => (landed.has(String(digest)) ? Promise.resolve(ok) : undefined),
    refusal: () => undefined,
    append: ({ digest, rows, journal }) =>
      new Promise((resolve) => {
        const settle = (outcome: Outcome) => {
          if (outcome.status === 'ok') landed.add(String(digest));
          resolve(outcome);
        };
        const records = rows.find(({ table }) => table.startsWith('otel_'))?.count ?? 0;
        appended.push({ records, journal: journal.length, settle });
      }),
  };
  const observer = {
    ...more,
    resentRecords: (of: Signal, count: number) => {
      assert.equal(of, signal);
      recognised += count;
    },
  };
  const now = () => 1_900_000_000_000;
  const pipeline = new TracePipeline({ fields, detector, resends, log, observer, now, retentionMs: 1e12 });
  return {
    appended,
    recognised: () => recognised,
    send: (...records: readonly number[]): Promise<OtlpOutcome> =>
      pipeline.consume('protobuf', requestOf[signal](records), signal),
  };
}

const nanos = 1_900_000_000_000_000_001n;

const requestOf: Readonly<Record<Signal, (records: readonly number[]) => Buffer>> = {
  traces: (records) =>
    otlpProtobuf(
      records.map((n) => {
        const spanId = n.toString(16).padStart(16, '0');
        return { spanId, traceId: '0a'.repeat(16), startNanos: 1n, endNanos: 2n, attributes: { n } };
      }),
    ),
  logs: (records) => otlpLogsProtobuf(records.map((n) => ({ body: n, nanos }))),
  metrics: (records) => otlpSumProtobuf(records.map((n) => ({ name: 'm', value: n, nanos }))),
};

function isPending(answer: Promise<OtlpOutcome>): Promise<boolean> {
  return Promise.race([answer.then(() => false), new Promise<boolean>((done) => setImmediate(() => done(true)))]);
}

for (const signal of ['traces', 'logs', 'metrics'] as const) {
  describe(`${signal} that come again while their record is under way`, () => {
    test('are acknowledged when it has landed', async () => {
      const { send, appended, recognised } = setup(signal);
      const first = send(1, 2);
      const second = send(2, 1);
      assert.deepEqual([appended.length, recognised()], [1, 2]);
      assert.ok(appended[0]!.journal > 0, 'what is noted lies in the record');
      assert.ok(await isPending(second));
      appended[0]!.settle(ok);
      assert.deepEqual([(await first).status, (await second).status], ['ok', 'ok']);
    });

    test('are refused with it, also where the rest of their batch lands, and stored when they come once more', async () => {
      const { send, appended } = setup(signal);
      const first = send(1, 2);
      const second = send(2, 3);
      assert.deepEqual(
        appended.map(({ records }) => records),
        [2, 1],
      );
      appended[1]!.settle(ok);
      assert.ok(await isPending(second), 'half of it is not on disk');
      appended[0]!.settle(refused);
      assert.deepEqual([(await first).status, (await second).status], ['retryable', 'retryable']);
      // The same bytes again: of these only the third is on disk.
      const again = send(2, 3);
      assert.equal(appended[2]?.records, 1);
      appended[2]!.settle(ok);
      assert.equal((await again).status, 'ok');
      void send(1, 2, 3);
      assert.equal(appended[3]?.records, 1, 'the first was never stored');
    });
  });
}

test('after a start that could not sync what it found, nothing is known', () => {
  for (const [unsyncedSegments, size] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const resends = createResends({ traces: 100, logs: 100, metrics: 100 });
    const parts = [resends.traces!, resends.logs!, resends.metrics!];
    // Its factors, and one key that was noted.
    for (const part of parts)
      part.replay(Buffer.concat([Buffer.alloc(16, 1), Buffer.from([1, 8]), Buffer.alloc(8, 7)]));
    trustOnlySynced(resends, { unsyncedSegments });
    for (const part of parts) assert.equal(part.size, size);
  }
});

test('spans of a batch that could not be worked on are unknown', async () => {
  let isFaulty = true;
  const { send, appended } = setup('traces', {
    batch: () => {
      if (isFaulty) throw new Error('a fault of ours');
    },
  });
  await assert.rejects(send(1), /a fault of ours/);
  isFaulty = false;
  void send(2, 1);
  assert.equal(appended[0]?.records, 2);
});
