import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ContentHash, factorsOf } from './content-hash.ts';

const randomFactors = () => factorsOf(() => randomBytes(4).readInt32LE());
const factors = randomFactors();

function hashOf(bytes: Uint8Array, start = 0, end = bytes.length, from = factors): string {
  const hash = new ContentHash(from);
  hash.read(bytes);
  hash.begin();
  hash.add(start, end);
  return `${hash.high} ${hash.low}`;
}

test('bytes have one hash wherever they stand, and another under other factors', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(9), (bytes, before) => {
      const moved = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(5, 9)]);
      assert.equal(hashOf(moved, before, before + bytes.length), hashOf(bytes));
      assert.notEqual(hashOf(bytes, 0, bytes.length, randomFactors()), hashOf(bytes));
    }),
  );
});

test('each bit and each byte more changes both halves, mostly in half of their bits', () => {
  for (const length of [1, 3, 4, 7, 15, 16, 17, 31, 32, 100]) {
    const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37) & 127));
    const seen = new Set([
      hashOf(bytes),
      hashOf(bytes, 0, length - 1),
      hashOf(Buffer.concat([bytes, Buffer.alloc(1)])),
    ]);
    const wanted = 3 + length * 8;
    let changed = 0;
    for (let bit = 0; bit < length * 8; bit++) {
      const other = Buffer.from(bytes);
      other[bit >> 3]! ^= 1 << (bit & 7);
      const [high, low] = hashOf(other).split(' ').map(Number) as [number, number];
      const [high0, low0] = hashOf(bytes).split(' ').map(Number) as [number, number];
      assert.ok(high !== high0 && low !== low0, `bit ${bit} of ${length} bytes`);
      changed += ones(high ^ high0) + ones(low ^ low0);
      seen.add(hashOf(other));
    }
    assert.equal(seen.size, wanted, `${length} bytes`);
    const share = changed / (length * 8 * 64);
    assert.ok(share > 0.4 && share < 0.6, `${share} of the bits change for ${length} bytes`);
  }
});

test('a hash goes on from another one', () => {
  const bytes = Buffer.from('one resource, one scope, one span');
  const hash = new ContentHash(factors);
  hash.read(bytes);
  hash.begin();
  hash.add(0, 12);
  const { high, low } = hash;
  hash.add(12, 20);
  const whole = `${hash.high} ${hash.low}`;
  hash.from(high, low);
  hash.add(12, 20);
  assert.equal(`${hash.high} ${hash.low}`, whole);
  hash.from(high ^ 1, low);
  hash.add(12, 20);
  assert.notEqual(`${hash.high} ${hash.low}`, whole);
});

function ones(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
