import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Recency, type Recent, unlinked } from './recency.ts';

interface Noted extends Recent<number> {
  readonly value: string;
}

test('records keep the order in which they were touched, as a map that is deleted from and set again', () => {
  const step = fc.tuple(fc.constantFrom('touch', 'delete', 'oldest'), fc.integer({ min: 0, max: 20 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const records = new Recency<number, Noted>();
      const map = new Map<number, string>();
      for (const [what, named] of steps) {
        const key = what === 'oldest' ? (map.keys().next().value ?? 0) : named;
        const value = map.get(key) ?? `value ${key}`;
        const known = records.get(key);
        assert.equal(known?.value, map.get(key));
        map.delete(key);
        if (what === 'touch') {
          map.set(key, value);
          if (known) records.touch(known);
          else records.add({ key, value, ...unlinked });
        } else if (known) records.delete(known);
        assert.deepEqual(
          [...records].map((record) => [record.key, record.value]),
          [...map],
        );
        assert.deepEqual([records.size, records.oldest?.key], [map.size, map.keys().next().value]);
      }
    }),
  );
});
