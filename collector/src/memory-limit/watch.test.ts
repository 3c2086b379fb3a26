import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { MemoryWatch } from './watch.ts';

const limitBytes = 1000;

function watching(collected = (rss: number) => rss) {
  let ms = 0;
  let rss = 500;
  const watch = new MemoryWatch({
    limitBytes,
    read: () => ({ rss, heapUsed: 0, arrayBuffers: 0 }),
    clock: () => ms,
    collect: () => {
      rss = collected(rss);
    },
  });
  after(() => watch.close());
  const at = (bytes: number, afterMs = 1_000) => {
    ms += afterMs;
    rss = bytes;
    return watch.level();
  };
  return { watch, at };
}

test('a level begins at its share of the limit, and ends where it is left behind for good', () => {
  const { at, watch } = watching();
  assert.deepEqual(
    [500, 849, 850, 820, 949, 950, 930, 915, 810, 799].map((bytes) => at(bytes)),
    [...['free', 'free', 'tight', 'tight', 'tight', 'full', 'full', 'tight', 'tight', 'free']],
  );
  assert.equal(watch.warning(), undefined);
});

test('near the limit garbage is collected, and counts at once', () => {
  const { at, watch } = watching(() => 600);
  assert.equal(at(990), 'free');
  assert.equal(watch.collections, 1);
});

test('where collecting does not help it is not done over and over', () => {
  const { at, watch } = watching();
  for (let i = 0; i < 100; i++) assert.equal(at(990, 10), 'full');
  assert.ok(watch.collections <= 3, String(watch.collections));
  assert.match(watch.warning()!, /raise limits.memory/);
});

test('where letting nobody in does not help, one at a time is let in after a while', () => {
  const { at } = watching();
  assert.deepEqual([at(990, 10), at(990, 4_900), at(990, 200), at(990, 60_000)], ['full', 'full', 'tight', 'tight']);
  assert.deepEqual([at(700, 10), at(990, 10)], ['free', 'full']);
});

test('it looks again when somebody asks, but not for each of many requests', () => {
  const { at } = watching();
  assert.equal(at(990, 1), 'free');
  assert.equal(at(990, 10), 'full');
});
