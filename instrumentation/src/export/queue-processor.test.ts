import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { QueueConfig } from './otlp-config.ts';
import { queueProcessor } from './queue-processor.ts';
import type { SendOutcome, SpanSender } from './sender.ts';

const config: QueueConfig = { spansMax: 10, bytesMax: 100_000, batchSpansMax: 4, batchBytesMax: 50_000, delayMs: 1 };

/** A sender that answers as told and remembers the names of the spans it got. */
function scripted(outcomes: SendOutcome[]): SpanSender & { readonly batches: string[][] } {
  const batches: string[][] = [];
  const names = (spans: ReadableSpan[]): string[] => spans.map((span) => span.name);
  return {
    target: 'test',
    batches,
    send: async (spans) => {
      batches.push(names(spans));
      return outcomes.shift() ?? { status: 'ok', rejected: 0 };
    },
    sendNow: (spans) => batches.push(names(spans)) > 0,
  };
}

function span(name: string, text = ''): ReadableSpan {
  return { name, attributes: { text }, spanContext: () => ({ traceFlags: 0 }) } as unknown as ReadableSpan;
}

const seven = Array.from({ length: 7 }, (_, i) => String(i));

test('spans go out in batches, also those the sampler left out', async () => {
  const sender = scripted([]);
  const processor = queueProcessor(sender, config, assert.fail);
  for (const name of seven) processor.onEnd(span(name));
  await processor.forceFlush();
  assert.deepEqual(sender.batches.flat(), seven);
  assert.ok(sender.batches.every((batch) => batch.length <= 4));
  const { ended, exported, queued } = processor.counts();
  assert.deepEqual({ ended, exported, queued }, { ended: 7, exported: 7, queued: 0 });
});

test('a full queue drops new spans and counts them, with one warning', () => {
  const warnings: string[] = [];
  const processor = queueProcessor(scripted([]), { ...config, delayMs: 60_000, batchSpansMax: 100 }, (text) =>
    warnings.push(text),
  );
  for (let i = 0; i < 15; i++) processor.onEnd(span(String(i)));
  assert.equal(processor.counts().dropped, 5);
  assert.equal(processor.counts().queued, 10);
  assert.equal(warnings.length, 1);
});

test('the queue is bounded in bytes too', () => {
  const processor = queueProcessor(scripted([]), { ...config, delayMs: 60_000, batchBytesMax: 1e9 }, () => {});
  for (let i = 0; i < 5; i++) processor.onEnd(span(String(i), 'x'.repeat(40_000)));
  assert.deepEqual([processor.counts().queued, processor.counts().dropped], [2, 3]);
});

test('what could be tried again stays; what is refused for good goes; rejected spans are counted', async () => {
  const warnings: string[] = [];
  const sender = scripted([
    { status: 'retryable', reason: 'ECONNREFUSED' },
    { status: 'ok', rejected: 1 },
    { status: 'permanent', reason: 'HTTP 400' },
  ]);
  const processor = queueProcessor(sender, { ...config, delayMs: 60_000 }, (text) => warnings.push(text));
  for (const name of seven.slice(0, 3)) processor.onEnd(span(name));
  await processor.flushWithin(1000);
  assert.equal(processor.counts().queued, 3);
  assert.equal(processor.hasFresh, false);
  await processor.flushWithin(1000);
  processor.onEnd(span('refused'));
  assert.equal(processor.hasFresh, true);
  await processor.flushWithin(1000);
  assert.deepEqual(sender.batches, [['0', '1', '2'], ['0', '1', '2'], ['refused']]);
  assert.deepEqual(processor.counts(), { ended: 4, exported: 2, rejected: 1, failed: 1, dropped: 0, queued: 0 });
  // One episode ended with the second answer, the next began with the third.
  assert.equal(warnings.length, 2);
  await processor.shutdown();
});

test('the last flush gives up at once while the receiver is known to be away', async () => {
  const sender = scripted([{ status: 'retryable', reason: 'ECONNREFUSED' }]);
  const processor = queueProcessor(sender, { ...config, delayMs: 60_000 }, () => {});
  processor.onEnd(span('a'));
  await processor.flushWithin(1000);
  processor.flushNow(1000);
  assert.equal(sender.batches.length, 1);
  const fresh = scripted([]);
  const second = queueProcessor(fresh, { ...config, delayMs: 60_000 }, () => {});
  second.onEnd(span('b'));
  second.flushNow(1000);
  assert.deepEqual([fresh.batches, second.counts().exported], [[['b']], 1]);
  await processor.shutdown();
});

test('a span that throws when it is looked at is dropped, not thrown at the host', () => {
  const processor = queueProcessor(scripted([]), config, () => {});
  const hostile = {
    get attributes() {
      throw new Error('no');
    },
  } as unknown as ReadableSpan;
  processor.onEnd(hostile);
  assert.equal(processor.counts().dropped, 1);
});
