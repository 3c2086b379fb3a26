import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PatchContext } from '../patch.ts';
import { observeCall } from './api-promise.ts';

const context = {
  failed: (where: string, error: unknown) => assert.fail(`${where}: ${error}`),
} as unknown as PatchContext;

function observer() {
  const told: unknown[] = [];
  return {
    told,
    value: (value: unknown) => void told.push(['value', value]),
    error: (error: unknown) => void told.push(['error', error]),
    answered: () => void told.push(['answered']),
    unknown: () => void told.push(['unknown']),
  };
}

test('a plain promise settles alike', async () => {
  const seen = observer();
  assert.equal(await observeCall(Promise.resolve(7), seen, context), 7);
  const error = new Error('no');
  await assert.rejects(observeCall(Promise.reject(error), seen, context) as Promise<unknown>, error);
  assert.deepEqual(seen.told, [
    ['value', 7],
    ['error', error],
  ]);
});

test('anything else comes back as the very same object, not started and known only to have been called', () => {
  // biome-ignore lint/suspicious/noThenProperty: a thenable that starts its work with each then is the case at hand.
  const lazy = { then: () => assert.fail('started') };
  class Special extends Promise<unknown> {}
  for (const result of [lazy, new Special(() => {}), undefined, 'text']) {
    const seen = observer();
    assert.equal(observeCall(result, seen, context), result);
    assert.deepEqual(seen.told, [['unknown']]);
  }
});

test('an APIPromise without the inner promise we know of still works, unwatched', async () => {
  const seen = observer();
  const strange = Object.assign(Promise.resolve(1), {
    _thenUnwrap: (transform: (value: unknown) => unknown) => ({ parse: () => transform(1) }),
  });
  const result = observeCall(strange, seen, context) as { parse(): unknown };
  assert.equal(result.parse(), 1);
  assert.deepEqual(seen.told, [['unknown'], ['value', 1]]);
});
