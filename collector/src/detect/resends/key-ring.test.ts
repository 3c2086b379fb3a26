import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyRing } from './key-ring.ts';

/** Few words, so that keys come again. */
const word = fc.constantFrom(0, 1, -1, 2, 0x7fffffff);
const change = fc.record({ high: word, low: word, isAdded: fc.boolean() });

test('a ring knows the last so many keys, and their numbers, as a plain list would', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(change, { maxLength: 60 }), (capacity, changes) => {
      const ring = new KeyRing(capacity);
      const plain: { key: string; number: number }[] = [];
      let added = 0;
      for (const { high, low, isAdded } of changes) {
        const key = `${high} ${low}`;
        const at = plain.findIndex((each) => each.key === key);
        assert.equal(ring.find(high, low), at < 0 ? -1 : plain[at]!.number);
        if (!isAdded) {
          ring.delete(high, low);
          if (at >= 0) plain.splice(at, 1);
        } else if (at < 0) {
          ring.add(high, low);
          plain.push({ key, number: added++ });
        }
        // A place that was deleted stays empty until its turn comes.
        while (plain.length > 0 && plain[0]!.number < added - capacity) plain.shift();
        assert.equal(ring.size, plain.length);
      }
      const keys: string[] = [];
      const walk = ring.walk();
      // What comes now is not of the moment that it walks through.
      ring.add(77, 77);
      while (walk((high, low) => keys.push(`${high} ${low}`)));
      assert.deepEqual(
        keys,
        plain.map(({ key }) => key),
      );
    }),
  );
});
