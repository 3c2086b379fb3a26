import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { withCasework } from './detect/casework.ts';
import { createDetector } from './detect/engine.ts';
import { loadRules } from './detect/load.ts';
import { KeyState } from './key-state.ts';
import { createFieldTable } from './model/fields.ts';
import { ok } from './model/outcome.ts';
import { TracePipeline } from './pipeline.ts';
import { KeyBudget, type KeyBudgetOptions, KeyPlace } from './store/rows/key-budget.ts';
import { otlpLogsProtobuf, otlpProtobuf } from './testing/otlp.ts';
import { otlpMetricsProtobuf } from './testing/otlp-metrics.ts';

function keeping(options: Partial<KeyBudgetOptions> = {}) {
  const fields = createFieldTable();
  const budget = new KeyBudget({ fields, keysMax: 3, totalMax: 7, servicesMax: 2, now: () => 0, ...options });
  const state = new KeyState(budget);
  /** Whether a key of a service is stored under its own name. */
  const stores = (service: string, key: string, place: KeyPlace = KeyPlace.span): boolean => {
    const name = Buffer.from(key);
    const shape = { fields: Int32Array.of(fields.internBytes(name, 0, name.length)), order: Uint16Array.of(0) };
    return budget.of(service).split(place, shape).over.length === 0;
  };
  return { budget, state, stores, fields };
}

const key = fc.record({
  service: fc.constantFrom('one', 'two', 'three'),
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  place: fc.constantFrom(KeyPlace.span, KeyPlace.log),
});

test('property: after a restart the budget answers as it would have, from a checkpoint, journals or both', () => {
  fc.assert(
    fc.property(fc.array(fc.array(key, { maxLength: 6 }), { maxLength: 6 }), fc.nat(6), (batches, checkpointAt) => {
      const before = keeping();
      let snapshot: Uint8Array | undefined;
      let journals: Uint8Array[] = [];
      for (const [at, batch] of batches.entries()) {
        for (const each of batch) before.stores(each.service, each.key, each.place);
        journals.push(before.state.takeJournal());
        if (at === checkpointAt) [snapshot, journals] = [before.state.snapshot(), []];
      }
      const after = keeping();
      if (snapshot !== undefined) assert.equal(after.state.restore(snapshot).status, 'restored');
      for (const journal of journals) after.state.replay(journal);
      assert.equal(after.budget.keys, before.budget.keys);
      for (const service of ['one', 'two', 'three']) {
        for (const name of ['a', 'b', 'c', 'd', 'e', 'new']) {
          for (const place of [KeyPlace.span, KeyPlace.log]) {
            assert.equal(after.stores(service, name, place), before.stores(service, name, place), `${service} ${name}`);
          }
        }
      }
    }),
  );
});

test('a service that was forgotten is so after a restart, too', () => {
  let now = 0;
  const before = keeping({ now: () => now });
  for (const name of ['a', 'b', 'c']) before.stores('one', name);
  now = 25 * 3_600_000;
  before.stores('two', 'x');
  const after = keeping();
  after.state.replay(before.state.takeJournal());
  assert.deepEqual([before.budget.keys, after.budget.keys], [1, 1]);
  assert.ok(after.stores('one', 'd'));
});

test('with less room the first keys stay', () => {
  const before = keeping({ keysMax: 5, totalMax: 100 });
  for (const name of ['a', 'b', 'c', 'd', 'e']) before.stores('one', name);
  const after = keeping({ keysMax: 2, totalMax: 100 });
  after.state.restore(before.state.snapshot());
  assert.equal(after.budget.keys, 2);
  assert.deepEqual([after.stores('one', 'a'), after.stores('one', 'b'), after.stores('one', 'c')], [true, true, false]);
});

test('with less room for all services together, too; and a key that is told twice counts once', () => {
  const before = keeping({ keysMax: 5, totalMax: 100 });
  for (const service of ['one', 'two', 'three', 'four']) before.stores(service, service);
  const journal = before.state.takeJournal();
  const after = keeping({ keysMax: 5, totalMax: 3 });
  after.state.replay(journal);
  after.state.replay(journal);
  assert.equal(after.budget.keys, 3, 'of four');
  // Room for all: what was there before a restore is not counted along.
  const more = keeping({ keysMax: 5, totalMax: 100 });
  for (const service of ['one', 'x', 'y', 'z']) for (const name of ['a', 'b']) more.stores(service, name);
  assert.equal(more.state.restore(before.state.snapshot()).status, 'restored');
  more.state.replay(journal);
  assert.equal(more.budget.keys, before.budget.keys);
  assert.equal(more.budget.of('somebody else').size, before.budget.of('somebody else').size);
});

test('bytes that are no state are said, and change nothing', () => {
  const { state, stores, budget } = keeping();
  stores('one', 'a');
  for (const bytes of [Buffer.alloc(0), Buffer.from([9]), state.snapshot().subarray(0, 5)]) {
    assert.equal(state.restore(bytes).status, 'unreadable');
  }
  assert.equal(budget.keys, 1);
  assert.throws(() => state.replay(Buffer.concat([Buffer.alloc(8), Buffer.from([1, 1, 99])])), SyntaxError);
});

test('of every signal the keys are noted in the record that holds them first', async () => {
  const nanos = 1_900_000_000_000_000_000n;
  const requests = {
    traces: otlpProtobuf([
      { startNanos: nanos, attributes: { mine: 1 }, events: [{ name: 'e', attributes: { own: 1 } }] },
    ]),
    logs: otlpLogsProtobuf([{ nanos, attributes: { mine: 1 } }]),
    metrics: otlpMetricsProtobuf(nanos),
  };
  for (const signal of ['traces', 'logs', 'metrics'] as const) {
    const { fields, budget, state } = keeping({ totalMax: 100, keysMax: 100 });
    const memory = () => ({ fields, journal: true, parts: { keys: state } });
    const detector = withCasework(createDetector({ ...loadRules([]), fields, journal: true }), memory());
    const journals: Uint8Array[] = [];
    const log = {
      ...{ committed: () => undefined, refusal: () => undefined },
      append: async ({ journal }: { readonly journal: Uint8Array }) => {
        journals.push(journal);
        return ok;
      },
    };
    const pipeline = new TracePipeline({
      fields,
      detector,
      log,
      keys: budget,
      now: () => Number(nanos / 1_000_000n),
      retentionMs: 1e12,
    });
    await pipeline.consume('protobuf', requests[signal], signal);
    assert.equal(journals.length, 1);
    assert.ok(budget.keys > 0);
    assert.ok(Buffer.from(journals[0]!).includes('keys'), signal);
    assert.equal(state.takeJournal().length, 0, 'nothing is left for another record');
  }
});
