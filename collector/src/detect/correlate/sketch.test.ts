import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addToSketch, createSketch, estimate, expireSketch } from './sketch.ts';

const second = 1_000_000_000n;

test('the estimate is within four standard errors from few values to many', () => {
  for (const seed of ['a', 'user-', 'https://example.com/']) {
    const sketch = createSketch();
    let next = 1;
    for (let count = 1; count <= 300_000; count++) {
      addToSketch(sketch, `${seed}${count}`, BigInt(count));
      if (count !== next) continue;
      next = Math.ceil(next * 1.7);
      const error = Math.abs(estimate(sketch) - count) / count;
      assert.ok(error < 0.065, `${seed}: ${estimate(sketch)} for ${count}`);
    }
  }
});

test('a window slides: the estimate is of the values in it, and memory does not grow', () => {
  const sketch = createSketch();
  for (let at = 0; at < 400_000; at++) {
    const now = BigInt(at) * second;
    expireSketch(sketch, now - 50_000n * second);
    addToSketch(sketch, `value ${at % 120_000}`, now);
    if (at % 40_000 !== 39_999 || at < 50_000) continue;
    assert.ok(Math.abs(estimate(sketch) - 50_001) / 50_001 < 0.065, `${estimate(sketch)} at ${at}`);
    assert.ok(sketch.size < 4096 * 12);
  }
  expireSketch(sketch, 500_000n * second);
  assert.deepEqual([estimate(sketch), sketch.size], [0, 0]);
});

test('the same values in the same order give the same sketch, repeated values change no estimate', () => {
  const [one, two] = [createSketch(), createSketch()];
  for (let at = 0; at < 1000; at++) {
    addToSketch(one, `v${at}`, BigInt(at) * second);
    addToSketch(two, `v${at}`, BigInt(at) * second);
  }
  assert.deepEqual(one, two);
  const before = estimate(one);
  for (let at = 0; at < 1000; at++) addToSketch(one, `v${at}`, BigInt(2000 + at) * second);
  assert.equal(estimate(one), before);
});
