import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { type DecodedBatch, TraceDecoder } from '../../decode/trace-decoder.ts';
import { createFieldTable } from '../../model/fields.ts';
import { type Outcome, ok } from '../../model/outcome.ts';
import { Span } from '../../model/span-batch.ts';
import { otlpProtobuf, type Plain, type TestSpan } from '../../testing/otlp.ts';
import { spanKind } from './contents.ts';
import { ResentRecords, type Sift } from './resent-records.ts';

const fields = createFieldTable();
const decoder = new TraceDecoder(fields);

function span(n: number, more: TestSpan = {}): TestSpan {
  const spanId = (n + 1).toString(16).padStart(16, '0');
  return { name: `span ${n}`, traceId: '0a'.repeat(16), spanId, startNanos: 1n, endNanos: 2n, ...more };
}

const createResends = (spansMax: number) =>
  new ResentRecords<DecodedBatch>(spanKind, spansMax, () => randomBytes(4).readInt32LE());

interface Sifted {
  readonly sift: Sift;
  /** Names of the spans that are left. */
  readonly left: string[];
}

function send(
  to: ResentRecords<DecodedBatch>,
  spans: readonly TestSpan[],
  resource?: Readonly<Record<string, Plain>>,
): Sifted {
  const outcome = decoder.decode(otlpProtobuf(spans, resource));
  assert.equal(outcome.status, 'ok');
  const { batch } = outcome as { batch: DecodedBatch };
  const sift = to.sift(batch);
  const left = Array.from({ length: batch.spanCount }, (_, index) => {
    const at = index * Span.stride;
    return batch.text(batch.spans[at + Span.name]!, batch.spans[at + Span.nameLength]!);
  });
  return { sift, left };
}

function store(
  to: ResentRecords<DecodedBatch>,
  spans: readonly TestSpan[],
  resource?: Readonly<Record<string, Plain>>,
): string[] {
  const { sift, left } = send(to, spans, resource);
  sift.underWay(Promise.resolve(ok));
  sift.settle(true);
  return left;
}

describe('a span', () => {
  test('that came before is left out of another batch, and the others stay as they are', () => {
    const resends = createResends(100);
    assert.deepEqual(store(resends, [span(1), span(2), span(3)]), ['span 1', 'span 2', 'span 3']);
    const { sift, left } = send(resends, [span(4), span(2), span(5), span(1), span(6)]);
    assert.deepEqual([sift.resent, left], [2, ['span 4', 'span 5', 'span 6']]);
    assert.deepEqual(sift.earlier, [], 'what it waits for is on disk');
  });

  test('that is twice in one batch is there once', () => {
    const { sift, left } = send(createResends(100), [span(1), span(2), span(1)]);
    assert.deepEqual([sift.resent, left, sift.earlier], [1, ['span 1', 'span 2'], []]);
  });

  test('with the same ids and times and other content of the same length is another one', () => {
    const resends = createResends(100);
    const others: TestSpan[] = [
      span(1, { attributes: { n: 'a' } }),
      span(1, { attributes: { n: 'b' } }),
      span(1, { attributes: { n: 'a' }, endNanos: 3n }),
      span(1, { attributes: { n: 'a' }, status: { code: 2 } }),
    ];
    for (const other of others) assert.equal(store(resends, [other]).length, 1);
    for (const other of others) assert.equal(store(resends, [other]).length, 0);
  });

  test('of another resource is another one', () => {
    const resends = createResends(100);
    store(resends, [span(1)], { 'service.name': 'a' });
    assert.equal(store(resends, [span(1)], { 'service.name': 'b' }).length, 1);
    assert.equal(store(resends, [span(1)], { 'service.name': 'a' }).length, 0);
  });

  test('is forgotten after so many others', () => {
    const resends = createResends(3);
    store(resends, [span(1)]);
    store(resends, [span(2), span(3), span(4)]);
    assert.deepEqual(store(resends, [span(1), span(4)]), ['span 1']);
    assert.equal(resends.size, 3);
  });
});

describe('while a record is under way', () => {
  test('others wait for what becomes of it', async () => {
    const resends = createResends(100);
    let settled: (outcome: Outcome) => void = () => {};
    const first = send(resends, [span(1)]);
    const landing = new Promise<Outcome>((resolve) => {
      settled = resolve;
    });
    first.sift.underWay(landing);
    const second = send(resends, [span(1), span(2)]);
    assert.deepEqual(second.left, ['span 2']);
    settled(ok);
    assert.deepEqual(await Promise.all(second.sift.earlier), [ok]);
    first.sift.settle(true);
    assert.deepEqual(send(resends, [span(1)]).sift.earlier, []);
  });

  test('its spans are unknown again when it is refused, and only they', () => {
    const resends = createResends(100);
    store(resends, [span(1)]);
    const { sift } = send(resends, [span(1), span(2)]);
    sift.settle(false);
    sift.settle(true);
    assert.deepEqual(store(resends, [span(1), span(2)]), ['span 2']);
  });
});

describe('after a restart', () => {
  test('spans are known from a snapshot and the journals after it', () => {
    const before = createResends(100);
    const after = createResends(100);
    store(before, [span(1)]);
    before.dropJournal();
    assert.equal(after.restore(before.snapshot()).status, 'restored');
    store(before, [span(2), span(3)]);
    send(before, [span(4)]).sift.settle(false);
    after.replay(before.takeJournal());
    assert.equal(before.takeJournal().length, 0);
    assert.deepEqual(store(after, [span(1), span(2), span(3), span(4)]), ['span 4']);
  });

  test('journals are enough', () => {
    const before = createResends(100);
    store(before, [span(1)]);
    const first = before.takeJournal();
    store(before, [span(2)]);
    const after = createResends(100);
    for (const journal of [first, before.takeJournal()]) after.replay(journal);
    assert.deepEqual(store(after, [span(1), span(2), span(3)]), ['span 3']);
  });

  test('with less room the newest are known', () => {
    const before = createResends(100);
    store(before, [span(1), span(2), span(3)]);
    const after = createResends(2);
    after.restore(before.snapshot());
    assert.deepEqual(store(after, [span(3), span(2)]), []);
    assert.deepEqual(store(after, [span(1)]), ['span 1']);
  });

  test('a snapshot or journal that is none is said, and changes nothing', () => {
    const resends = createResends(100);
    store(resends, [span(1)]);
    const snapshot = resends.snapshot();
    for (const bytes of [Buffer.alloc(0), Buffer.from([9]), snapshot.subarray(0, 9), snapshot.subarray(0, -1)]) {
      assert.equal(resends.restore(bytes).status, 'unreadable');
    }
    assert.throws(() => resends.replay(Buffer.from([1, 2, 3])), SyntaxError);
    assert.deepEqual(store(resends, [span(1)]), []);
  });

  test('what may not be on disk is unknown', () => {
    const resends = createResends(100);
    store(resends, [span(1)]);
    resends.forget();
    assert.equal(resends.size, 0);
    assert.equal(store(resends, [span(1)]).length, 1);
  });
});

test('a snapshot is of the moment when it was begun', () => {
  const resends = createResends(1000);
  store(
    resends,
    Array.from({ length: 600 }, (_, n) => span(n)),
  );
  const slices = resends.slices(64);
  const pieces = [slices.next()!];
  store(resends, [span(700)]);
  for (let piece = slices.next(); piece; piece = slices.next()) pieces.push(piece);
  assert.ok(pieces.length > 1);
  const after = createResends(1000);
  after.restore(Buffer.concat(pieces));
  assert.equal(after.size, 600);
  assert.deepEqual(store(after, [span(700), span(599)]), ['span 700']);
});

test('a snapshot that is cancelled is none', () => {
  const resends = createResends(2000);
  store(
    resends,
    Array.from({ length: 1500 }, (_, n) => span(n)),
  );
  const slices = resends.slices(64);
  slices.next();
  slices.cancel();
  assert.deepEqual([slices.next(), slices.isCut], [undefined, true]);
});
