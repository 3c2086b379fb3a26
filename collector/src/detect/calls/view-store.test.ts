import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type CallView, compareViews, viewKinds } from './view.ts';
import { isSameView, share } from './view-keys.ts';
import { ViewStore } from './view-store.ts';

const text = (...values: string[]) => fc.constantFrom(...values);
const view: fc.Arbitrary<CallView> = fc.record({
  kind: fc.constantFrom(...viewKinds),
  traceId: text('t1', 't2', 't3'),
  spanId: text('s1', 's2', 's3', 's4'),
  parentSpanId: text('', 's1', 's2'),
  place: fc.nat(2),
  service: text('shop', 'mail'),
  scope: text('one', 'other'),
  conversation: text('', 'c1', 'c2'),
  callId: text('', '', 'i1', 'i2', 'i3'),
  name: text('', 'send.all', 'send_all', 'mcp__mail__send_all', 'read'),
  startNanos: fc.constant(0n),
  endNanos: fc.bigInt(0n, 5n),
  isWhole: fc.constant(true),
  counts: fc.constant(true),
  isAsked: fc.constant(false),
  turn: fc.constant(0),
  given: fc.constant({ isTold: false, value: null, hash: '' }),
  bytes: fc.constant(new Uint8Array(0)),
  eventAt: fc.constant(0),
  chars: fc.constant(1),
});

test('the views near one are all that share something with it, whatever came and went', () => {
  const views = fc.array(view, { maxLength: 30 });
  fc.assert(
    fc.property(views, view, fc.bigInt(0n, 3n), fc.bigInt(3n, 5n), fc.bigInt(0n, 2n), (all, one, from, until, gone) => {
      const store = new ViewStore(({ endNanos }) => endNanos);
      const kept: CallView[] = [];
      for (const each of all) {
        const isNew = !kept.some((known) => isSameView(known, each));
        assert.equal(store.add({ view: each, isPending: true, claimed: [] }), isNew);
        if (isNew) kept.push(each);
      }
      store.forget(gone);
      const expected = kept
        .filter(({ endNanos }) => endNanos >= gone && endNanos >= from && endNanos <= until)
        .filter((each) => share(one, each) && !isSameView(one, each))
        .sort(compareViews);
      assert.deepEqual(
        store.near(one, from, until).map((each) => each.view),
        expected,
      );
    }),
    { numRuns: 1_000 },
  );
});

test('views of two conversations share nothing, whatever their ids: many number their calls anew', () => {
  const [one] = fc.sample(view, 1) as [CallView];
  const at = (traceId: string, conversation: string): CallView => ({
    ...one,
    ...{ kind: 'answered', traceId, conversation, spanId: traceId, parentSpanId: 'p', callId: 'call_0' },
  });
  const store = new ViewStore(({ endNanos }) => endNanos);
  store.add({ view: at('t1', 'c1'), isPending: true, claimed: [] });
  store.add({ view: at('t2', ''), isPending: true, claimed: [] });
  const near = (each: CallView) => store.near(each, 0n, 10n).map(({ view: { traceId } }) => traceId);
  assert.deepEqual(near(at('t3', 'c3')), ['t2']);
  assert.deepEqual(near(at('t3', 'c1')), ['t1', 't2']);
  assert.deepEqual(near(at('t3', '')), ['t1', 't2']);
});
