import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { otlpProtobuf } from '../../testing/otlp.ts';
import { servicesCut } from './services.ts';

test('whatever the bytes are, cutting ends and gives a part of them', () => {
  const cut = servicesCut(['a']);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const left = cut(Buffer.from(bytes)) ?? Buffer.alloc(0);
      assert.ok(left.length <= bytes.length);
    }),
    { numRuns: 2000 },
  );
});

test('any requests one behind the other: those of other services go, the rest stays as it is', () => {
  const name = fc.constantFrom('a', 'ab', 'b', '');
  fc.assert(
    fc.property(fc.array(name, { maxLength: 8 }), (names) => {
      const parts = names.map((each) => otlpProtobuf([{ name: each }], each === '' ? {} : { 'service.name': each }));
      const wanted = parts.filter((_, index) => names[index]!.startsWith('a'));
      const left = servicesCut(['a*'])(Buffer.concat(parts));
      assert.deepEqual(left ?? Buffer.alloc(0), Buffer.concat(wanted));
    }),
  );
});
